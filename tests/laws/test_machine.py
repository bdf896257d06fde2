"""
One machine that does everything a host and its surroundings can do, and the laws, which always hold.

It is steered: random steps alone rarely bring every unit home, so "one more unit comes home" and
"everything left comes home" are steps of their own. The model beside it is a handful of counters.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import assert_never

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rma import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    ForeignDecision,
    IdempotencyRecord,
    Idempotent,
    InspectedItem,
    InspectReturn,
    Money,
    NotIdempotent,
    OrderStatus,
    ReceivedItem,
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
    RefundStatus,
    RefundSucceeded,
    Rejected,
    RejectedItem,
    RenewShipment,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    Return,
    ReturnPolicy,
    ReturnStatus,
    Searchable,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.state.ledger import Subject
from rma.domain.values.personal import PersonalField
from rma.testing.actions import situation_of
from rma.testing.command_strategies import DrawChooser
from rma.testing.commands import MAKERS
from rma.testing.edits import ADDING, EDITS, edit_order, total_paid
from rma.testing.faults import Declines, FailsLate, Fault, Pends, RefundFault
from rma.testing.gateway_model import KnownOutcome
from rma.testing.simulation import FAULTS, PORTS
from rma.testing.strategies import (
    everything_fulfilled,
    orders,
    paid_by_many_means,
    policies,
    refunding,
    waiting,
)
from tests.world import World

plain_policy = st.one_of(st.just(ReturnPolicy()), waiting().map(lambda fields: ReturnPolicy(**fields)))
HOUR = timedelta(hours=1)
#: What a gateway reports later.
LATER = (Pends(), Pends(RefundDeclined("lost")), FailsLate(), FailsLate(RefundReversed()))
#: How the gateway is while goods arrive.
moods = st.sampled_from([None, None, None, *FAULTS, Declines(), *LATER])
#: Kinds of commands, as often as they weigh.
kinds = st.sampled_from([kind for kind, maker in MAKERS.items() for _ in range(maker.weight)])
#: What an order that has only returns does without: what remains counts in goods alone.
LINKED_KINDS = {
    ReceiveUnannounced,
    CorrectReceipt,
    ResolveReturn,
    RequestExchange,
    RecordExchangePayment,
    UpdateExchange,
    SettleAdvance,
    RecordChargeOutcome,
    CancelExchange,
    RequestClaim,
    ResolveClaim,
    CancelClaim,
}


class Returns(RuleBasedStateMachine):
    """An order, its returns, and a host whose ports fail."""

    world: World

    @initialize(
        order=st.one_of(orders().map(everything_fulfilled), orders(), orders().flatmap(paid_by_many_means)),
        policy=st.one_of(plain_policy, policies()),
        terms=st.one_of(st.just({}), refunding()),
        gateway=st.sampled_from([None, Idempotent(2 * HOUR), Searchable(HOUR), NotIdempotent(HOUR)]),
        is_only_returns=st.sampled_from([True, True, False]),
    )
    def sell(self, order, policy, terms, gateway, is_only_returns):  # type: ignore[no-untyped-def] # hypothesis passes what initialize says
        """An order was sold, by a shop whose gateways are of some class."""
        self.world = World(order, evolve(policy, **terms), gateway)
        self.is_only_returns = is_only_returns
        self.pays_for_damage = policy.refund_damaged
        # Nothing but goods counts in what is paid, and nothing is paid for goods that may never come.
        self.is_plain = policy.refund_damaged and not policy.fees and policy.pay_on is None

    # -- what can be done -------------------------------------------------------------------------

    def handle(self, command: Command) -> Subject | None:
        """The answer, after as many attempts as it takes; None, and nothing changed, where it is refused."""
        before = self.world.ledger
        try:
            return self.world.handle(command)
        except Rejected:
            assert self.world.ledger == before
            return None

    def request(self, wanted: dict[str, int], **options: object) -> Return | None:
        """Request these units."""
        items = [RequestedItem(item_id=i, quantity=q) for i, q in wanted.items() if q]
        answer = self.handle(RequestReturn(order_id=self.world.order_id, items=items, **options))  # type: ignore[arg-type] # drawn
        assert answer is None or isinstance(answer, Return)
        if answer is not None and answer.needs_approval:
            answer = self.handle(ApproveReturn(return_id=answer.id))
            assert isinstance(answer, Return)
        return answer

    def receive(
        self, target: Return, arrivals: dict[str, tuple[int, int]], **options: object
    ) -> Return | None:
        """Receive these units, sellable and damaged."""
        items = [
            ReceivedItem(item_id=i, quantity=good, damaged_quantity=bad)
            for i, (good, bad) in arrivals.items()
        ]
        answer = self.handle(ReceiveReturn(return_id=target.id, items=items, **options))  # type: ignore[arg-type] # drawn
        assert answer is None or isinstance(answer, Return)
        return answer

    @rule(data=st.data(), kind=kinds)
    def a_command_is_handled(self, data: st.DataObject, kind: type[Command]) -> None:
        """Any kind of command, as its maker makes it for what is in the ledger."""
        kind = RequestReturn if self.is_only_returns and kind in LINKED_KINDS else kind
        self.handle_command_of(data, kind)

    @rule(data=st.data(), kind=st.sampled_from([RequestReturn, ReceiveReturn]), mood=moods)
    def goods_come_back(
        self, data: st.DataObject, kind: type[Command], mood: Fault | RefundFault | None
    ) -> None:
        """A request, or a parcel while the gateway is as it is."""
        if isinstance(mood, Fault):
            self.world.faults.breaks("payments", mood)
        elif mood is not None:
            self.world.faults.refunds.extend([mood] * len(self.world.order.payments))
        self.handle_command_of(data, kind)
        self.world.faults.calm()

    def handle_command_of(self, data: st.DataObject, kind: type[Command]) -> None:
        """Handle a command of this kind, if there is anything it could be about."""
        situation = situation_of(self.world, self.world.order_id)
        command = MAKERS[kind].make(DrawChooser(data.draw), situation)
        if command is not None:
            answer = self.handle(command)
            self.is_plain &= answer is None or self.leaves_it_plain(command)

    def leaves_it_plain(self, command: Command) -> bool:
        """True if, after this command, nothing but goods counts in what is paid."""
        match command:
            case RequestReturn():
                return command.refund_amount is None and command.shipping_option_id is None
            case ReceiveReturn():
                return command.refund_amount is None and self.pays_for_damage
            case UpdateReturn():
                return command.refund_amount is None and command.shipping_option_id is None
            case (
                ApproveReturn()
                | DeclineReturn()
                | RecordSending()
                | ExpireReturn()
                | RenewShipment()
                | CancelReturn()
                | RetryRefund()
                | RecordPayout()
                | RecordRefundOutcome()
            ):
                return True
            case (
                InspectReturn()
                | ReceiveUnannounced()
                | CorrectReceipt()
                | ResolveReturn()
                | RequestExchange()
                | RecordExchangePayment()
                | UpdateExchange()
                | SettleAdvance()
                | RecordChargeOutcome()
                | CancelExchange()
                | RequestClaim()
                | ResolveClaim()
                | CancelClaim()
            ):
                return False
            case _:
                assert_never(command)

    @rule(data=st.data())
    def one_more_unit_comes_home(self, data: st.DataObject) -> None:
        """A single unit is requested and arrives."""
        left = [each for each in self.world.observer.returnable_items(self.world.order_id) if each.quantity]
        if left:
            item_id = data.draw(st.sampled_from(left)).item_id
            opened = self.request({item_id: 1})
            assert opened is not None
            received = self.receive(opened, {item_id: (1, 0)})
            assert received is not None
            assert received.status is ReturnStatus.RECEIVED

    @precondition(lambda self: self.world.answered)
    @rule(data=st.data())
    def a_command_is_repeated(self, data: st.DataObject) -> None:
        """It changes nothing but what its outstanding effects change."""
        command = data.draw(st.sampled_from(list(self.world.answered.values())))
        before = self.world.ledger

        self.world.handle(command)

        after = self.world.ledger
        assert [each.id for each in after.returns] == [each.id for each in before.returns]
        assert after.changes == before.changes
        assert after.answered == before.answered
        assert before.open_effects or before.published < before.revision or after == before

    @rule(data=st.data())
    def meanwhile(self, data: st.DataObject) -> None:
        """Something happens around the library."""
        happenings: list[Callable[[st.DataObject], None]] = [
            self.change_faults,
            self.time_passes,
            self.a_gateway_moves_on,
            self.look_up_refunds,
            self.more_is_fulfilled,
            self.the_order_changes_its_status,
            self.refund_without_the_library,
            self.the_order_is_edited,
            self.the_history_is_archived,
            self.the_order_is_redacted,
        ]
        what = data.draw(st.sampled_from(happenings))
        what(data)

    def change_faults(self, data: st.DataObject) -> None:
        """All ports work, or one is away, before or after it acts; or a call fails, or a process dies."""
        self.world.faults.calm()
        what = data.draw(st.sampled_from(["", "port", "port", "call", "process"]))
        fault = data.draw(st.sampled_from(FAULTS))
        if what == "port":
            self.world.faults.breaks(data.draw(st.sampled_from(PORTS)), fault)
        if what == "call":
            self.world.faults.fails_after(data.draw(st.integers(0, 11)), fault)
        if what == "process":
            self.world.faults.dies_after(data.draw(st.integers(0, 23)))

    def time_passes(self, data: st.DataObject) -> None:
        """Leases end, keys are forgotten; a timer may come by."""
        self.world.now += data.draw(st.integers(1, 5)) * HOUR
        if data.draw(st.booleans()):
            self.world.resume()

    def a_gateway_moves_on(self, data: st.DataObject) -> None:
        """What was pending ends, what succeeded fails late; the notification is on its way."""
        gateway_model, notifications = self.world.gateway_model, self.world.faults.notifications
        if moving := gateway_model.keys_that_may_change():
            key, reverse = data.draw(st.sampled_from(moving)), data.draw(st.booleans())
            outcome = gateway_model.outcome_of(key)
            if isinstance(outcome, RefundPending):
                notifications.append(
                    RecordRefundOutcome(key=key, outcome=outcome, notification_id=f"evt_{len(notifications)}")
                )
                end: KnownOutcome = RefundDeclined("lost") if reverse else RefundSucceeded(f"re_{key}")
            else:
                end = RefundReversed() if reverse else RefundDeclined("late")
            notifications.append(
                RecordRefundOutcome(key=key, outcome=end, notification_id=f"evt_{len(notifications)}")
            )

    @precondition(lambda self: self.world.faults.notifications)
    @rule(data=st.data())
    def a_notification_arrives(self, data: st.DataObject) -> None:
        """Any of them, in any order, any number of times."""
        notification = data.draw(st.sampled_from(self.world.faults.notifications))
        self.world.gateway_model.record_notification(notification)
        assert self.handle(notification) is not None

    def look_up_refunds(self, _: st.DataObject | None = None) -> None:
        """A person reports the outcome of refunds that need attention."""
        for refund in self.world.ledger.refunds:
            if refund.status is RefundStatus.NEEDS_ATTENTION:
                outcome = self.world.gateway_model.outcome_of(refund.key) or RefundDeclined("never_arrived")
                known = RecordRefundOutcome(key=refund.key, outcome=outcome, created_by="clerk")
                assert self.handle(known) is not None

    @rule()
    def what_is_outstanding_is_resumed(self) -> None:
        """By a timer."""
        self.world.resume()

    def more_is_fulfilled(self, data: st.DataObject) -> None:
        """Some of what the customer still waits for."""
        items = [
            evolve(item, fulfilled_quantity=data.draw(st.integers(item.fulfilled_quantity, item.quantity)))
            for item in self.world.order.items
        ]
        self.world.orders.put(evolve(self.world.order, items=items))

    def the_order_changes_its_status(self, data: st.DataObject) -> None:
        """A canceled one takes no requests, but still takes goods; the host may take it back."""
        status = data.draw(st.sampled_from([OrderStatus.COMPLETED] * 2 + [OrderStatus.CANCELED]))
        self.world.orders.put(evolve(self.world.order, status=status))

    def refund_without_the_library(self, data: st.DataObject) -> None:
        """What is left of a payment, or a part of it."""
        order = self.world.order
        left = self.world.ledger.left_of_payments(order)
        payments = [
            evolve(
                payment,
                refunded=payment.refunded + Money(data.draw(st.integers(0, left[payment.id])), "usd"),
            )
            for payment in order.payments
        ]
        self.world.orders.put(evolve(order, payments=payments))
        self.is_plain = False

    def the_order_is_edited(self, data: st.DataObject) -> None:
        """
        Units and lines come and go, prices and discounts change.

        What only adds units or lines leaves the value of returned units alone: in the end, everything that
        the order then says was paid comes back. Only where a discount moves between lines that are taxed in
        other ways, the order says another amount of tax.
        """
        edits = data.draw(st.sampled_from([ADDING, EDITS]))
        order = edit_order(DrawChooser(data.draw), self.world.order, edits)
        self.world.orders.put(order)
        is_taxed_on_top = any(item.tax_lines and not item.is_tax_inclusive for item in order.items)
        self.is_plain &= edits is ADDING and not (order.adjustments and is_taxed_on_top)

    def the_history_is_archived(self, _: st.DataObject | None = None) -> None:
        """If the order is over; `World.archive` checks that the ledger stays as it is."""
        with suppress(Rejected):
            self.world.archive(self.world.order_id)

    def the_order_is_redacted(self, data: st.DataObject) -> None:
        """Unless something open needs the words; `World.redact` checks that all but words stays."""
        groups = data.draw(st.sets(st.sampled_from(PersonalField), min_size=1))
        with suppress(Rejected):
            self.world.redact(self.world.order_id, [each for each in PersonalField if each in groups])

    def teardown(self) -> None:
        """However it went: in the end everything comes home, and nothing is lost."""
        if hasattr(self, "world"):
            self.everything_left_comes_home()

    def everything_left_comes_home(self) -> None:
        """Ports work again; open returns are received in full, the rest is returned: nothing is lost."""
        world = self.world
        world.faults.calm()
        order = evolve(
            world.order,
            status=OrderStatus.PENDING,
            items=[evolve(item, fulfilled_quantity=item.quantity) for item in world.order.items],
        )
        world.orders.put(order)
        for each in world.all_returns:
            if each.is_open:
                self.the_rest_arrives(each)
        left = {each.item_id: each.quantity for each in world.observer.returnable_items(order.id)}
        opened = self.request(left)
        if opened is not None:
            self.receive(opened, {i: (q, 0) for i, q in left.items() if q})
        self.until_quiet()
        for means in (None, "payout"):  # what takes no refund any more is paid out
            self.what_is_due_is_paid(means)
            self.until_quiet()

        assert world.is_quiet
        self.the_history_is_archived()
        for command in list(world.answered.values()):
            world.handle(command)  # which changes nothing
        world.check()
        if self.is_plain:
            back_before = total_paid(order) - sum(world.ledger.left_of_payments(order).values())
            elsewhere = self.share_back_before()
            assert back_before == world.refunded() == total_paid(order) - elsewhere - world.ledger.carried
            # What gateways cannot move in its steps was due; but where units were returned without us,
            # payments have more left than all that can still come, and a step may keep some of that.
            assert elsewhere or not world.ledger.carried

    def what_is_due_is_paid(self, means: str | None) -> None:
        """By these means, or as the terms say."""
        for each in self.world.all_returns:
            if each.amount_due.amount:
                self.handle(RetryRefund(return_id=each.id, means=means))
        for claim in self.world.ledger.claims:
            if claim.amount_due.amount:
                self.handle(RetryRefund(claim_id=claim.id, means=means))

    def the_rest_arrives(self, target: Return) -> None:
        """All that is missing of the return; what was not claimed goes back to the customer."""
        is_pending = target.status is ReturnStatus.PENDING_APPROVAL
        if is_pending and self.handle(ApproveReturn(return_id=target.id)) is None:
            assert target.exchange_id is not None  # its hold ends too early by now
            assert self.handle(CancelExchange(exchange_id=target.exchange_id)) is not None
            return
        missing = {item.item_id: 0 for item in target.items}
        for item in target.items:
            missing[item.item_id] += 0 if target.is_released else item.missing_quantity
        extra = [item for item in target.items if not item.is_requested and item.arrived_quantity]
        is_claimed = target.claim_id is not None and bool(extra)
        if not is_claimed:
            items = {i: (q, 0) for i, q in missing.items()}
            target = self.receive(target, items, allow_mismatch=True) or target
        target = self.what_waits_is_graded(target)
        if not target.is_open:
            return
        rejected = [
            RejectedItem(
                item_id=i.item_id,
                quantity=i.received_quantity - i.rejected_quantity,
                damaged_quantity=i.damaged_quantity - i.rejected_damaged_quantity,
            )
            for i in extra
            if is_claimed and i.arrived_quantity > i.rejected_quantity + i.rejected_damaged_quantity
            if not i.is_inspected
        ]
        foreign = [ForeignDecision(number=each.number, send_back=True) for each in target.undecided_foreign]
        resolved = self.handle(ResolveReturn(return_id=target.id, rejected=rejected, foreign=foreign))
        if resolved is None and is_claimed and target.is_inspected:
            return  # what was graded beside a claim's units is worth something: a person grades it again
        assert isinstance(resolved, Return)
        assert self.what_waits_is_graded(resolved).status is ReturnStatus.RECEIVED

    def what_waits_is_graded(self, target: Return) -> Return:
        """The return once all of it was inspected: the best grade, or beside a claim's units the worst."""
        waiting: dict[tuple[str, str], int] = {}
        best, worst = target.terms.scale[0].name, target.terms.scale[-1].name
        for item in target.items:
            grade = best if item.is_requested or target.claim_id is None else worst
            key = item.item_id, grade
            waiting[key] = waiting.get(key, 0) + item.waiting_quantity
        items = [
            # Where to is said: parcels may have arrived at several locations.
            InspectedItem(item_id=item_id, quantity=quantity, grade=grade, location_id="loc_2")
            for (item_id, grade), quantity in waiting.items()
            if quantity
        ]
        answer = self.handle(InspectReturn(return_id=target.id, items=items)) if items else None
        return answer if isinstance(answer, Return) else target

    def until_quiet(self) -> None:
        """Faults stopped: what is open is delivered, what is pending ends, every notification arrives."""
        for key in self.world.gateway_model.keys_that_may_change():
            if isinstance(self.world.gateway_model.outcome_of(key), RefundPending):
                number = len(self.world.faults.notifications)
                end = RecordRefundOutcome(
                    key=key, outcome=RefundSucceeded(f"re_{key}"), notification_id=f"evt_{number}"
                )
                self.world.faults.notifications.append(end)
        self.world.quiesce()
        self.look_up_refunds()

    def share_back_before(self) -> int:
        """The value of the units that were returned without us, when their line was frozen."""
        order = self.world.order
        remainders = self.world.ledger.remainders(order, [item.id for item in order.items])
        whole = evolve(order, items=[evolve(item, returned_quantity=0) for item in order.items])
        return total_paid(whole) - sum(
            remainder.line.paid(remainder.line.running_sums) for remainder in remainders.values()
        )

    # -- what always holds ------------------------------------------------------------------------

    @invariant()
    def every_law_holds(self) -> None:
        """All that `rma.testing.invariants` has."""
        self.world.check()

    @invariant()
    def the_order_version_counts_what_the_customer_notices(self) -> None:
        """Requests, receipts and cancellations, as they were answered."""
        state = self.world.observer.order_state(self.world.order_id)
        assert state.order_version == self.world.order.version + self.count_noticed()

    def count_noticed(self) -> int:
        """How often the customer noticed something: of a parcel that no one expected, twice."""
        answered = self.world.ledger.answered.values()
        changes = sum(self.is_noticed(each) for each in answered)
        changes += sum(isinstance(each.command, ReceiveUnannounced) for each in answered)
        return changes + sum(each.canceled_at is not None for each in self.world.all_returns)

    def is_noticed(self, answered: IdempotencyRecord) -> bool:
        """True if the command requested a return or brought goods."""
        match answered.command:
            case RequestReturn() | ReceiveReturn() | RequestExchange() | ReceiveUnannounced():
                return True
            case RequestClaim():
                claim = self.world.ledger.find_claim(answered.subject_id)
                return claim is not None and claim.return_id is not None
            case _:
                return False


TestReturns = Returns.TestCase
TestReturns.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=40)
