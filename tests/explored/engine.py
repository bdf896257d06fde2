"""
Trying everything on a small order: each state is visited once, breadth first, and in each every command that
could change it is handled.

A shop says where that begins, what is left out, and what counts of a state.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar, assert_never

from attrs import field, frozen

from rma import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Change,
    ChargeSucceeded,
    Claim,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    Order,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
    Rejected,
    RenewShipment,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnStatus,
    SettleAdvance,
    ShippingOption,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.change import apply_command, apply_outcomes
from rma.domain.decide.facts import Facts
from rma.domain.messages.commands import ExchangeCommand, subject_of
from rma.domain.messages.effects import Effect, Outcome
from rma.domain.state.exchanges import HoldCharge
from rma.domain.state.lifecycle import claim_refusal, exchange_refusal, return_refusal
from rma.testing.commands import MAKERS, Situation, every
from rma.testing.core_harness import START, Result

T = TypeVar("T")

#: Goods have always been waited for too long.
LATER = START + timedelta(days=2)
POST = ShippingOption(id="post", price=100)

#: What begins something; in an exploration, only where there is nothing yet.
REQUESTS: tuple[type[Command], ...] = (RequestReturn, RequestExchange, RequestClaim, ReceiveUnannounced)
#: What may be reported of any refund.
REPORTED = (RefundSucceeded("re"), RefundPending("re"), RefundDeclined("no"), RefundReversed())


@frozen
class Trial:
    """
    A command that was tried on something of this status.

    Attributes:
        kind: what the command is about: return, exchange or claim.
        by_table: the code with which the table of states refuses it; None where the status allows it.
        codes: of what it was refused with; empty where it was accepted.
    """

    kind: str
    status: str
    command: type[Command]
    by_table: str | None
    codes: frozenset[str]


@frozen
class Snapshot:
    """An order as the host has it, and its ledger."""

    order: Order
    ledger: ReturnLedger


@frozen(eq=False, kw_only=True)
class Shop:
    """
    What an exploration tries.

    Attributes:
        first: where it begins.
        edited: the order as it may be at any time besides; commands are tried on this one.
        policies: each is tried for what begins with one, or is updated (`by_policy`); else the first.
        requests: what begins something, in the order in which it is tried.
        goes_on: the commands by which it may go on; what is not within bounds need not be made.
        tried: the commands with which the table of states is tried.
        is_within_bounds: False for a command that would only make the number of states grow.
        shape: whatever could matter to what is decided next.
        results: what may become known of an effect, if anything is tried.
        also: commands besides those that makers make.
        reserves: whether new goods of exchanges are reserved.
    """

    first: Snapshot
    edited: Order
    policies: tuple[ReturnPolicy, ...]
    by_policy: tuple[type[Command], ...] = (RequestReturn, UpdateReturn)
    requests: Sequence[type[Command]] = REQUESTS
    goes_on: Sequence[type[Command]] = tuple(kind for kind in MAKERS if kind not in REQUESTS)
    tried: Sequence[type[Command]] = tuple(kind for kind in MAKERS if kind not in REQUESTS)
    is_within_bounds: Callable[[ReturnLedger, Command], bool]
    shape: Callable[[Snapshot], Hashable]
    results: Callable[[Effect], Iterable[Result]]
    also: Callable[[Snapshot], Iterable[Command]] = lambda _: ()
    reserves: bool = False

    #: What makers made, by kind and by what they look at: most states differ in something else.
    _made: dict[tuple[type[Command], Hashable], list[Command]] = field(factory=dict, init=False, repr=False)

    def commands_in(self, snapshot: Snapshot, kinds: Iterable[type[Command]] = MAKERS) -> Iterator[Command]:
        """Every command of these kinds that its maker can make here, allowed or refused."""
        seen = _, of_others = seen_by_makers(snapshot.ledger)
        for kind in kinds:
            known = seen if issubclass(kind, ExchangeCommand) else of_others
            if (kind, known) not in self._made:
                self._made[kind, known] = self.made_in(snapshot, kind)
            yield from self._made[kind, known]

    def made_in(self, snapshot: Snapshot, kind: type[Command]) -> list[Command]:
        """Every command of this kind that its maker can make here."""
        situation = Situation(
            order=snapshot.order,
            ledger=snapshot.ledger,
            now=START,
            policy=self.policies[0],
            outcomes=lambda _: REPORTED,
        )
        return list(every(MAKERS[kind].make, situation))

    def facts_for(self, snapshot: Snapshot, command: Command, fresh_id: str, policy: ReturnPolicy) -> Facts:
        """What there is to know; what ends with the last day for goods is tried after it."""
        has_way = isinstance(command, RequestReturn | UpdateReturn) and command.shipping_option_id is not None
        return Facts(
            at=LATER if isinstance(command, ExpireReturn | SettleAdvance) else START,
            order=snapshot.order,
            fresh_id=fresh_id,
            policy=policy,
            shipping_option=POST if has_way else None,
            reserves=self.reserves,
        )

    def changes(self, snapshot: Snapshot) -> Iterator[Change]:
        """Everything that can happen next."""
        ledger = snapshot.ledger
        is_new = not ledger.returns and not ledger.claims
        kinds = self.requests if is_new else self.goes_on
        for command in (*self.commands_in(snapshot, kinds), *self.also(snapshot)):
            if not self.is_within_bounds(ledger, command):
                continue
            for policy in self._policies_for(command):
                try:
                    yield apply_command(self.facts_for(snapshot, command, "1", policy), ledger, command)
                except Rejected:
                    continue
        for key, effect in ledger.open_effects.items():
            if ledger.waits_for(effect) is not None:
                continue
            for result in self.results(effect.request):
                yield apply_outcomes(ledger, [Outcome(key, result)], START)

    def _policies_for(self, command: Command) -> tuple[ReturnPolicy, ...]:
        return self.policies if isinstance(command, self.by_policy) else self.policies[:1]

    def trials(self, snapshot: Snapshot) -> Iterator[Trial]:
        """Every command, tried here; of what begins something, none."""
        payees: list[Return | Claim] = [*snapshot.ledger.returns, *snapshot.ledger.claims]
        unknown = [f"{each.id}-refund-9" for each in payees]
        notices = [RecordRefundOutcome(key=key, outcome=outcome) for key in unknown for outcome in REPORTED]
        keys = [f"{each.id}-charge-9" for each in snapshot.ledger.exchanges]
        charges = [RecordChargeOutcome(key=key, outcome=ChargeSucceeded()) for key in keys]
        for command in (*self.commands_in(snapshot, self.tried), *notices, *charges):
            if (asked := _by_table(snapshot.ledger, command)) is None:
                continue
            codes = set[str]()
            try:
                apply_command(
                    self.facts_for(snapshot, command, "2", self.policies[0]), snapshot.ledger, command
                )
            except Rejected as refused:
                codes = {violation.code for violation in refused.violations} or {refused.code}
            yield Trial(*asked[:2], type(command), asked[2], frozenset(codes))

    def snapshots(self, visit: Callable[[Snapshot, Change], None] | None = None) -> Iterator[Snapshot]:
        """Every state of the order and its ledger that can be reached; `visit` gets each change."""

        def then(snapshot: Snapshot) -> Iterator[Snapshot]:
            if snapshot.order is not self.edited:
                yield Snapshot(self.edited, snapshot.ledger)
            for made in self.changes(snapshot):
                if visit is not None:
                    visit(snapshot, made)
                yield Snapshot(snapshot.order, made.ledger)

        return explore(self.first, then, self.shape)


def explore(first: T, then: Callable[[T], Iterable[T]], shape: Callable[[T], Hashable]) -> Iterator[T]:
    """Everything that can be reached, breadth first, once for each shape."""
    seen, waiting = {shape(first)}, deque([first])
    while waiting:
        here = waiting.popleft()
        yield here
        for there in then(here):
            known = shape(there)
            if known not in seen:
                seen.add(known)
                waiting.append(there)


def _by_table(ledger: ReturnLedger, command: Command) -> tuple[str, str, str | None] | None:
    """What the command is about, its status, and what the table says; None for what begins something."""
    match command:
        case RequestReturn() | RequestExchange() | RequestClaim() | ReceiveUnannounced():
            return None
        case (
            ApproveReturn()
            | DeclineReturn()
            | UpdateReturn()
            | RecordSending()
            | ExpireReturn()
            | RenewShipment()
            | ReceiveReturn()
            | InspectReturn()
            | CorrectReceipt()
            | ResolveReturn()
            | CancelReturn()
        ):
            target = ledger.get(command.return_id)
            return "return", target.status, return_refusal(target.status, command)
        case (
            RecordExchangePayment()
            | UpdateExchange()
            | SettleAdvance()
            | RecordChargeOutcome()
            | CancelExchange()
        ):
            exchange = ledger.find_exchange(command.exchange_id)
            assert exchange is not None
            return "exchange", exchange.status, exchange_refusal(exchange.status, command)
        case ResolveClaim() | CancelClaim():
            claim = ledger.find_claim(command.claim_id)
            assert claim is not None
            return "claim", claim.status, claim_refusal(claim.status, command)
        case RetryRefund() | RecordPayout() | RecordRefundOutcome():
            subject_id = subject_of(command)
            claim = ledger.find_claim(subject_id)
            if claim is not None:
                return "claim", claim.status, claim_refusal(claim.status, command)
            target = ledger.get(subject_id)
            return "return", target.status, return_refusal(target.status, command)
        case _:
            assert_never(command)


# What makers look at


def seen_by_makers(ledger: ReturnLedger) -> tuple[Hashable, Hashable]:
    """What makers of commands look at: of exchanges, if they are about these, and of all else."""
    of_exchanges = tuple(
        [
            (
                (each.status, each.owed, len(each.payments)),
                (each.sent_first, len(each.hold_references), each.is_hold_closed),
                tuple([(charge.key, charge.status, charge.reference) for charge in each.hold_charges]),
            )
            for each in ledger.exchanges
        ]
    )
    return of_exchanges, (
        tuple(
            [
                (
                    (each.id, each.status, each.exchange_id, each.claim_id, shape_of_items(each)),
                    (bool(each.receipts), each.amount_due.amount, each.entitlement.is_refund_blocked),
                    shape_before_goods(each),
                    shape_at_the_dock(each),
                    tuple([item.rejected_damaged_quantity for item in each.items]),
                    len(each.terms.grades),
                )
                for each in ledger.returns
            ]
        ),
        tuple(
            [
                (
                    each.id,
                    each.status,
                    each.amount_due.amount,
                    each.refunded,
                    tuple(each.reserved_quantities()),
                )
                for each in ledger.claims
            ]
        ),
        tuple([each.key for each in ledger.refunds]),
    )


def standing_of(ledger: ReturnLedger) -> Hashable:
    """What the table of states decides by, and little else: most refusals are the same for all of these."""
    return (
        tuple(
            [
                (
                    (each.status, each.exchange_id is None, each.claim_id is None, bool(each.receipts)),
                    any(item.waiting_quantity for item in each.items),
                    any(item.graded for item in each.items),
                    bool(each.amount_due.amount),
                )
                for each in ledger.returns
            ]
        ),
        tuple(
            [
                (each.status, each.sent_first, bool(each.hold_references), *_statuses(each.hold_charges))
                for each in ledger.exchanges
            ]
        ),
        tuple([(each.status, each.type, bool(each.amount_due.amount)) for each in ledger.claims]),
    )


def _statuses(charges: Iterable[HoldCharge]) -> list[Hashable]:
    return [each.status for each in charges]


# What counts of a state


def shape_of_return(each: Return) -> Hashable:
    """What matters of a return."""
    return (
        each.status,
        each.exchange_id,
        each.claim_id,
        shape_of_items(each),
        each.entitlement.entitled.amount,
        each.refunded,
        each.entitlement.is_refund_blocked,
        each.was_partially_received,
        len(each.receipts),
        shape_at_the_dock(each),
        len(each.inspections),
        each.terms.inspect,
        shape_before_goods(each),
    )


def shape_at_the_dock(each: Return) -> Hashable:
    """What matters of goods that were counted, and is not said by the items."""
    booked = tuple(each.booked_quantities().items()) if each.canceled_at else None
    return (len(each.corrections), len(each.undecided_foreign), booked, each.received_at is not None)


def shape_before_goods(each: Return) -> Hashable:
    """What matters as long as it goes on."""
    is_over = each.status in (ReturnStatus.RECEIVED, ReturnStatus.CANCELED)
    is_sent = each.sending is not None and each.status is ReturnStatus.REQUESTED
    return not is_over and (each.needs_approval and not each.is_released, each.is_released, is_sent)


def shape_of_items(each: Return) -> Hashable:
    """What matters of its items."""
    return tuple(
        [
            (
                item.is_requested,
                item.quantity,
                item.received_quantity,
                item.damaged_quantity,
                item.rejected_quantity,
                item.returned_to_customer_quantity,
                item.lost_quantity,
                item.waiting_quantity,
                tuple([(units.grade, units.quantity, units.is_returned) for units in item.graded]),
            )
            for item in each.items
        ]
    )


def shape_of_claim(each: Claim) -> Hashable:
    """What matters of a claim."""
    return (
        each.status,
        each.type,
        each.entitlement.entitled.amount,
        each.refunded,
        each.entitlement.is_refund_blocked,
        each.return_id,
        each.lacks_new_goods,
        each.is_revised,
    )
