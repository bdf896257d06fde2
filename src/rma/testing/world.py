"""
A host in memory: orders, ports that fail on purpose, a clock, and one seed.

Ports are yours, or correct ones in memory. What passes them is recorded, so that `rma.testing.invariants`
can be checked at any time. The same calls in a world of the same seed have the same results;
`rma.testing.simulation` makes calls by chance.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar, overload

from attrs import evolve

from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryHolds,
    InMemoryInventory,
    InMemoryReturns,
    in_memory_service,
)
from rma.domain.events import Event, OrderRedacted
from rma.domain.messages.commands import (
    ClaimCommand,
    Command,
    ExchangeCommand,
    RecordRefundOutcome,
    RefundCommand,
    ReturnCommand,
)
from rma.domain.messages.gateways import Gateway, Idempotent, lease_of
from rma.domain.redaction import redacted_ledger
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.returns import Return
from rma.domain.values.errors import Rejected, Unavailable
from rma.domain.values.personal import PersonalField
from rma.ports import (
    Credits,
    EventPublisher,
    Fulfillment,
    Holds,
    IdFactory,
    Inventory,
    Payments,
    Payouts,
    PolicyProvider,
    ReturnRepository,
)
from rma.shell.construction import as_policy_provider
from rma.shell.resume import ResumeResult
from rma.testing.core_harness import START, counting
from rma.testing.fault_injection import inject_faults
from rma.testing.fault_plan import FaultPlan
from rma.testing.faults import Call, Crashed
from rma.testing.faulty_holds import recording_holds
from rma.testing.gateway_model import GatewayModel
from rma.testing.gateways import (
    SimulatedCredits,
    SimulatedPayments,
    SimulatedPayouts,
    simulated_credits,
    simulated_payments,
    simulated_payouts,
)
from rma.testing.invariants import (
    INVARIANTS,
    INVARIANTS_AT_REST,
    Invariant,
    Snapshot,
    broken,
    changed_by_a_repeat,
    is_on_its_way,
)
from rma.testing.recording_ports import (
    RecordingEvents,
    RecordingReturns,
    RememberedOrders,
    counted,
    recording_credits,
    recording_fulfillment,
    recording_inventory,
    recording_payments,
    recording_payouts,
)
from rma.testing.rendering import outcome, render

#: How goods travel back unless the host has options of its own.
POST = ShippingOption(id="post", price=200, location_id="loc_1")

#: How often a command is repeated that gets no answer, and a world at rest resumed, before it is a failure.
ATTEMPTS = 10

T = TypeVar("T")


class InvariantViolated(AssertionError):
    """A law does not hold; the message has the seed and everything that happened."""

    def __init__(self, wrong: Iterable[str], seed: int, trace: Iterable[str]) -> None:
        super().__init__("\n".join([*wrong, f"seed {seed}, and this happened:", *trace]))
        self.seed = seed


class World:
    """
    Orders, and a service over these ports in which failures are planned.

    >>> from rma import LineItem, Order, RequestedItem, RequestReturn
    >>> from rma.testing.world import World
    >>> mug = LineItem(id="mug", quantity=2, fulfilled_quantity=2, unit_price=1000)
    >>> world = World([Order(id="order_1", currency="usd", items=[mug])], seed=7)
    >>> items = [RequestedItem(item_id="mug", quantity=1)]
    >>> world.handle(RequestReturn(order_id="order_1", items=items)).id
    'ret_1'
    >>> world.check()  # every law holds

    Args:
        orders: what was sold. They change while a world is simulated, so they are kept in memory.
        seed: decides everything that is left to chance.
        returns, payments, credits, payouts, inventory, fulfillment, events, holds: your ports; in memory
            unless given.
        gateway: what the gateways in memory promise, where no `payments`, `credits`, `payouts` or `holds` are
            given.
        shipping_options, reasons: what may be chosen.
        policy: one for all orders, or a callable from an order to its own.
        refunds_made: how many refunds your gateway really made under a key. Without it, a refund counts as
            made twice where a repeated key is answered with another reference.
        on_hand: how many units of an item your stock really holds. Without it, as many as passed the port.
        ids: draws the ids of returns; they count from 1 unless given.

    Attributes:
        service: the process that runs now; after a crash it is another one.
        observer: a service over the same ports in which nothing fails on purpose, to look at them.
        faults: the plan of failures; add to it as you like.
        gateway_model: what the gateway did with each refund.
        now: what the clock returns; each call moves it on by a second.
        random: the source of all chance.
        answered, unanswered: commands that were answered, and those whose client got no answer, by key.
        trace: what happened so far, a line for each event.
    """

    def __init__(
        self,
        orders: Iterable[Order],
        seed: int = 0,
        *,
        returns: ReturnRepository | None = None,
        payments: Payments | None = None,
        credits: Credits | None = None,  # noqa: A002 # as the service calls it
        payouts: Payouts | None = None,
        inventory: Inventory | None = None,
        fulfillment: Fulfillment | None = None,
        events: EventPublisher | None = None,
        holds: Holds | None = None,
        gateway: Gateway | None = None,
        shipping_options: Iterable[ShippingOption] = (POST,),
        reasons: Iterable[ReturnReason] = (),
        policy: ReturnPolicy | PolicyProvider = ReturnPolicy(),
        refunds_made: Callable[[str], int] | None = None,
        on_hand: Callable[[str], int] | None = None,
        ids: IdFactory | None = None,
    ) -> None:
        sold = tuple(orders)
        self.seed = seed
        self.random = Random(seed)
        self.now = START
        self.policy = policy
        self.shipping_options = tuple(shipping_options)
        self.reasons = tuple(reasons)
        self.order_ids = tuple([order.id for order in sold])
        self.orders = RememberedOrders(sold)
        self.answered: dict[str, Command] = {}
        self.unanswered: dict[str, Command] = {}
        self.trace: list[str] = []
        self.faults = FaultPlan(self.note, self._may_come_twice)
        self._keys = counting("key_")
        self._sending: Command | None = None
        self._is_alone = True
        if payments is None:
            payments = simulated_payments(gateway or Idempotent(), lambda: self.now)
        if credits is None:
            credits = simulated_credits(gateway or Idempotent(), lambda: self.now)  # noqa: A001
        if payouts is None:
            payouts = simulated_payouts(gateway or Idempotent(), lambda: self.now)
        refunds_made = _made_by(refunds_made, payments, credits, payouts)
        if inventory is None:
            inventory = InMemoryInventory()
        if isinstance(inventory, InMemoryInventory):
            on_hand = on_hand or counted(inventory)
        self.gateway_model = GatewayModel(self.faults, refunds_made)
        self._payments = recording_payments(payments, self.gateway_model, self.orders)
        self._credits = recording_credits(credits, self.gateway_model, self.orders)
        self._payouts = recording_payouts(payouts, self.gateway_model, self.orders)
        self._returns = RecordingReturns(InMemoryReturns() if returns is None else returns, self.order_ids)
        self._inventory = recording_inventory(inventory, on_hand)
        self._fulfillment = recording_fulfillment(
            InMemoryFulfillment() if fulfillment is None else fulfillment
        )
        self._holds = recording_holds(InMemoryHolds() if holds is None else holds)
        self._events = RecordingEvents(InMemoryEvents() if events is None else events)
        self.observer = in_memory_service(
            self.orders,
            self.reasons,
            self.shipping_options,
            returns=self._returns,
            payments=self._payments,
            credits=self._credits,
            payouts=self._payouts,
            inventory=self._inventory,
            fulfillment=self._fulfillment,
            events=self._events,
            policies=self._policy_of,
            clock=self.tick,
            ids=counting() if ids is None else ids,
            pause=lambda _: None,  # nothing waits in a world: its clock is its own
            holds=self._holds,
        )
        self.service = inject_faults(self.observer, self.faults)

    # -- what happens -----------------------------------------------------------------------------

    @overload
    def handle(self, command: ReturnCommand) -> Return: ...

    @overload
    def handle(self, command: ExchangeCommand) -> Exchange: ...

    @overload
    def handle(self, command: ClaimCommand) -> Claim: ...

    @overload
    def handle(self, command: RefundCommand) -> Return | Claim: ...

    @overload
    def handle(self, command: Command) -> Subject: ...

    def handle(self, command: Command) -> Subject:
        """
        Handles the command, repeated under its key until there is an answer, as a client should.

        It gets a key if it has none.

        Raises:
            Rejected: nothing changed.
            Unavailable: there is no answer, however often it is repeated.
            InvariantViolated: something else was raised, or something changed that should not have.
        """
        keyed = self._keyed(command)
        for _ in range(ATTEMPTS):
            if (answer := self.send(keyed)) is not None:
                return answer
        raise Unavailable("no_answer", {"command": render(keyed), "attempts": ATTEMPTS})

    def send(self, command: Command) -> Subject | None:
        """
        Handles the command once; None if the store failed or the process died: the outcome is unknown.

        It gets a key if it has none.

        Raises:
            Rejected: nothing changed.
            InvariantViolated: something else was raised, or something changed that should not have.
        """
        keyed = self._keyed(command)
        key = keyed.idempotency_key or ""
        before, is_repeat = self._ledgers(), key in self.answered
        self._sending, self._is_alone = keyed, True
        self.note(render(keyed))
        try:
            answer = self._lived(lambda: self.service.handle(keyed))
        except Rejected as no:
            self.unanswered.pop(key, None)
            self.note(f"  refused: {no}")
            if self._is_alone and self._ledgers() != before:
                raise self._failure("a_refusal_changes_nothing: the ledger is another one") from no
            raise
        if answer is None:
            self.unanswered[key] = keyed
            return None
        self.note(f"  {outcome(answer)}")
        self.unanswered.pop(key, None)
        if is_repeat and self._is_alone and (changed := changed_by_a_repeat(before, self._ledgers())):
            raise self._failure(f"a_repeated_command_changes_nothing: {changed}")
        if key in self.ledger_of(answer.order_id).answered:
            self.answered[key] = keyed
        return answer

    def resume(self) -> ResumeResult | None:
        """Resumes as a timer does; None if the store failed or the process died."""
        self.note("resume()")
        self._sending = None
        return self._lived(self.service.resume)

    def resume_stopped(self, subject_id: str) -> ResumeResult | None:
        """Resumes what was stopped of one subject, as a person does who looked; None as with `resume`."""
        self.note(f"resume({subject_id}, stopped=True)")
        self._sending = None
        return self._lived(lambda: self.service.resume(subject_id, stopped=True))

    def archive(self, order_id: str) -> tuple[Event, ...] | None:
        """
        Archives the history of an order; None if the store failed or the process died, as with `send`.

        Raises:
            Rejected: the order is not over; nothing changed.
            InvariantViolated: something else was raised, or something changed that should not have.
        """
        self.note(f"archive({order_id})")
        before, archived_before = self.ledger_of(order_id), self._returns.archived[order_id]
        self._sending, self._is_alone = None, True
        try:
            removed = self._lived(lambda: self.service.archive(order_id))
        except Rejected as no:
            self.note(f"  refused: {no}")
            if self._is_alone and self.ledger_of(order_id) != before:
                raise self._failure("a_refusal_changes_nothing: the ledger is another one") from no
            raise
        after = self.ledger_of(order_id)
        kept = evolve(after, revision=before.revision, published=before.published, archived=before.archived)
        if self._is_alone and kept != before:
            raise self._failure("an_archive_changes_no_ledger: it is another one")
        if removed is not None:
            self.note(f"  {len(removed)} events removed")
            if (*archived_before, *removed) != self._returns.archived[order_id]:
                raise self._failure("an_archive_returns_what_it_removes: the store removed other events")
        return removed

    def redact(
        self, order_id: str, fields: Iterable[PersonalField] = tuple(PersonalField)
    ) -> OrderRedacted | None:
        """
        Takes data about persons from an order; None if there is none, or if the store failed or the process
        died, as with `send`.

        Raises:
            Rejected: something open needs the data; nothing changed.
            InvariantViolated: something else was raised, or something else changed.
        """
        groups = tuple(fields)
        self.note(f"redact({order_id}, {', '.join(groups)})")
        before = self.ledger_of(order_id)
        self._sending, self._is_alone = None, True
        try:
            event = self._lived(lambda: self.service.redact(order_id, groups))
        except Rejected as no:
            self.note(f"  refused: {no}")
            if self._is_alone and self.ledger_of(order_id) != before:
                raise self._failure("a_refusal_changes_nothing: the ledger is another one") from no
            raise
        after = evolve(self.ledger_of(order_id), revision=before.revision)
        if self._is_alone and after not in (before, redacted_ledger(before, groups)):
            raise self._failure("a_redaction_takes_only_words: the ledger is another one")
        return event

    def notify(self, notification: RecordRefundOutcome) -> Subject | None:
        """A notification arrives; None if the store failed or the process died, as with `send`."""
        self.gateway_model.record_notification(notification)
        return self.send(notification)

    def race(self, calls: int, *, resumes: bool = False) -> None:
        """
        Another process handles the same command, just before a call of this one, after so many others.

        Args:
            calls: how many calls are made before.
            resumes: it runs `resume` instead, as it does anyway where this one resumes.
        """
        self.faults.meanwhile(calls, lambda: self._elsewhere(None if resumes else self._sending))

    def quiesce(self) -> None:
        """
        Stops faults, gets answers to all commands, resumes until nothing is open, delivers all notifications.

        Raises:
            InvariantViolated: something is open that needs no attention, or a law at rest does not hold.
        """
        self.faults.calm()
        self.note("faults stop")
        for command in list(self.unanswered.values()):
            with suppress(Rejected):
                self.handle(command)
        for _ in range(ATTEMPTS):
            self.resume()
            for notification in list(self.faults.notifications):
                with suppress(Rejected):
                    self.notify(notification)
            if self.is_quiet:
                break
            ports = (self._payments, self._credits, self._payouts)
            lease, longest = max(lease_of(port.gateway) for port in ports), self.observer.timing.longest_retry
            self.now += max(lease, longest) + timedelta(minutes=5)
        self.check((*INVARIANTS, *INVARIANTS_AT_REST))

    # -- what is seen -----------------------------------------------------------------------------

    def check(self, laws: Iterable[Invariant] = INVARIANTS) -> None:
        """
        Checks the laws.

        Raises:
            InvariantViolated: with everything that is wrong, the seed, and what happened.
        """
        if wrong := self._wrong(laws):
            raise InvariantViolated(wrong, self.seed, self.trace)

    def snapshot(self, order_id: str) -> Snapshot:
        """This order and everything around it. Taking a snapshot changes nothing, not even the clock."""
        reader = evolve(self.observer, clock=lambda: self.now)
        order = self.orders.get(order_id)
        return Snapshot(
            order=order,
            ledger=self.ledger_of(order_id),
            history=reader.history(order_id),
            returnable=reader.returnable_items(order_id),
            most_fulfilled=self.orders.most_fulfilled(order_id),
            order_version=reader.order_state(order_id).order_version,
            stored_ledger=self._returns.ledgers[order_id],
            stored_events=self._returns.events[order_id],
            archived=self._returns.archived[order_id],
            stale=tuple(self._returns.stale[order_id]),
            published=self._events.taken,
            gateway_model=self.gateway_model,
            shipments=self._fulfillment.answers,
            replacements=self._fulfillment.replacements,
            cancellations=self._fulfillment.cancellations,
            charges=self._holds.answers,
            releases=self._holds.releases,
            stock=self._inventory.held_because_of(order) if self.is_quiet else None,
        )

    @property
    def is_quiet(self) -> bool:
        """True if nothing is on its way: only effects that a gateway or a person must end are open."""
        return not any(
            is_on_its_way(effect, ledger)
            for ledger in self._ledgers().values()
            for effect in ledger.open_effects.values()
        )

    def ledger_of(self, order_id: str) -> ReturnLedger:
        """The ledger as it is stored."""
        return self._returns.load(order_id)

    def tick(self) -> datetime:
        """A second later each time."""
        self.now += timedelta(seconds=1)
        return self.now

    def note(self, what: str) -> None:
        """A line of the trace."""
        self.trace.append(f"{self.now:%m-%d %H:%M:%S}  {what}")

    def _wrong(self, laws: Iterable[Invariant]) -> list[str]:
        laws = tuple(laws)
        return [what for order_id in self.order_ids for what in broken(laws, self.snapshot(order_id))]

    def _failure(self, what: str) -> InvariantViolated:
        """The error about this and about every law that does not hold."""
        return InvariantViolated([what, *self._wrong(INVARIANTS)], self.seed, self.trace)

    def _lived(self, act: Callable[[], T]) -> T | None:
        """What the process answers; None if it does not, because of the store or because it died."""
        try:
            return act()
        except Crashed as crash:
            self.note(f"  died {crash}")
            self.service = inject_faults(self.observer, self.faults)
        except Unavailable as error:
            self.note(f"  no answer: {error}")
        except Rejected:
            raise
        except Exception as error:
            wrong = f"a_service_raises_nothing_else: {type(error).__name__}: {error}"
            raise self._failure(wrong) from error
        return None

    def _policy_of(self, order: Order) -> ReturnPolicy:
        return as_policy_provider(self.policy)(order)

    def _may_come_twice(self, call: Call) -> bool:
        match call.method:
            case "payments.refund":
                return isinstance(self._payments.gateway, Idempotent)
            case "credits.give":
                return isinstance(self._credits.gateway, Idempotent)
            case "payouts.pay":
                return isinstance(self._payouts.gateway, Idempotent)
            case "holds.charge":
                return isinstance(self._holds.gateway, Idempotent)
            case "fulfillment.book_return" | "fulfillment.ship_replacement":
                return isinstance(self._fulfillment.gateway, Idempotent)
            case _:
                return True

    def _elsewhere(self, command: Command | None) -> None:
        self._is_alone = False
        self.note(f"  meanwhile another process {'resumes' if command is None else 'does the same'}")
        service = inject_faults(self.observer, self.faults.elsewhere())
        with suppress(Rejected):
            if command is None:
                service.resume()
            else:
                service.handle(command)

    def _keyed(self, command: Command) -> Command:
        return command if command.idempotency_key else evolve(command, idempotency_key=self._keys())

    def _ledgers(self) -> dict[str, ReturnLedger]:
        return {order_id: self.ledger_of(order_id) for order_id in self.order_ids}


def _made_by(
    refunds_made: Callable[[str], int] | None, payments: Payments, credit: Credits, payouts: Payouts
) -> Callable[[str], int] | None:
    """How many refunds gateways made under a key: yours, as you say, and those in memory; None if unknown."""
    counts = [] if refunds_made is None else [refunds_made]
    if refunds_made is None and isinstance(payments, SimulatedPayments):
        counts.append(payments.refunds_made)
    if not counts:
        return None
    inside = [each.gateway_inside for each in (credit, payouts) if isinstance(each, _SIMULATED)]
    counts += [each.refunds_made for each in inside]
    return lambda key: sum([count(key) for count in counts])


_SIMULATED = (SimulatedCredits, SimulatedPayouts)
