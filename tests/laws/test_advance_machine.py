"""The machine of the laws, in a shop that sends new goods first, reserves them, and runs out of them."""

from datetime import timedelta

from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from rma import (
    CancelClaim,
    CancelExchange,
    ChargeDeclined,
    ChargePending,
    ChargeSucceeded,
    ClaimItem,
    Exchange,
    Hold,
    Money,
    NewItem,
    ReceivedItem,
    ReceiveReturn,
    RecordChargeOutcome,
    RecordExchangePayment,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    ResolveClaim,
    ResolveReturn,
    SettleAdvance,
    UpdateExchange,
)
from rma.adapters.memory import InMemoryReservingInventory
from rma.domain.messages.advance import ChargeOutcome
from rma.testing.strategies import everything_fulfilled, inspecting, orders, policies
from tests.laws.test_machine import Returns
from tests.world import World

ABOUT_EXCHANGES = (
    RequestExchange,
    RecordExchangePayment,
    UpdateExchange,
    SettleAdvance,
    RecordChargeOutcome,
    CancelExchange,
)


class Advance(Returns):
    """An order, its exchanges, and a host whose stock ends."""

    @initialize(
        order=orders().map(everything_fulfilled),
        policy=st.builds(
            lambda policy, more: evolve(policy, return_within_days=3, **more),
            policies(),
            st.one_of(st.just({}), inspecting()),
        ),
        available=st.integers(0, 6),
        reserves=st.booleans(),
    )
    def sell(self, order, policy, available, reserves):  # type: ignore[no-untyped-def] # hypothesis passes what initialize says
        """An order was sold, by a shop that has so many new goods."""
        inventory = InMemoryReservingInventory({"v_new": available}) if reserves else None
        self.world = World(order, policy, inventory=inventory)
        self.is_only_returns = False
        self.pays_for_damage = policy.refund_damaged
        self.is_plain = False

    @rule(data=st.data())
    def one_more_unit_comes_home(self, data: st.DataObject) -> None:
        """A single unit of a return is not what this machine is about: goods may wait for an inspection."""

    @rule(data=st.data(), kind=st.sampled_from(ABOUT_EXCHANGES))
    def an_exchange_goes_on(self, data: st.DataObject, kind: type) -> None:
        """Any of the commands about exchanges."""
        self.handle_command_of(data, kind)

    @rule(data=st.data(), kind=st.sampled_from([RequestClaim, ResolveClaim, CancelClaim]))
    def a_claim_goes_on(self, data: st.DataObject, kind: type) -> None:
        """Any of the commands about claims."""
        self.handle_command_of(data, kind)

    @rule(data=st.data(), is_out=st.sampled_from([True, True, False]))
    def units_are_replaced(self, data: st.DataObject, is_out: bool) -> None:
        """By new goods, which often cannot be had."""
        left = [each for each in self.world.observer.returnable_items(self.world.order_id) if each.quantity]
        if not left:
            return
        self.new_goods_run_out(is_out=is_out)
        item = ClaimItem(item_id=data.draw(st.sampled_from(left)).item_id, quantity=1, reason="other")
        new = NewItem(variant_id="v_new", quantity=1, unit_price=Money(500, "usd"))
        self.handle(RequestClaim(order_id=self.world.order_id, type="replace", items=[item], new_items=[new]))
        self.new_goods_run_out(is_out=False)

    @rule(data=st.data())
    def what_is_owed_is_written_off(self, data: st.DataObject) -> None:
        """By a clerk, all of it or a part, whatever became of the charge."""
        owing = [each for each in self.world.ledger.exchanges if each.sent_first and each.is_open]
        if not owing:
            return
        target = data.draw(st.sampled_from(owing))
        amount = data.draw(st.integers(1, max(1, target.owed.amount)))
        self.handle(SettleAdvance(exchange_id=target.id, write_off=amount, note="gone"))

    @rule()
    def the_last_day_ends(self) -> None:
        """A timer charges what did not come back."""
        self.world.now += timedelta(days=4)
        self.world.resume()
        for each in self.world.ledger.exchanges:
            target = self.world.ledger.get(each.return_id)
            is_past = target.return_by is not None and target.return_by < self.world.now - timedelta(days=1)
            is_shown = each.needs_attention or target.needs_attention
            if is_past and each.is_open and (each.sent_first or each.payments):
                assert is_shown, f"{each.id} waits for goods of {target.id}, and no list has it"

    @rule(answer=st.sampled_from([ChargeSucceeded("ch"), ChargePending("ch"), ChargeDeclined("no")]))
    def the_gateway_of_holds_answers(self, answer: ChargeOutcome) -> None:
        """From now on: it takes what it is asked for, takes its time, or declines."""
        self.world.holds.answer = lambda request: (
            ChargeSucceeded(f"ch_{request.key}") if isinstance(answer, ChargeSucceeded) else answer
        )

    @rule(data=st.data())
    def late_goods_are_accepted(self, data: st.DataObject) -> None:
        """A parcel of a return that ended, and a clerk who takes it."""
        over = [each for each in self.world.ledger.returns if each.exchange_id and not each.is_open]
        if not over:
            return
        target = data.draw(st.sampled_from(over))
        items = [ReceivedItem(item_id=item.item_id, quantity=1) for item in target.items]
        self.handle(ReceiveReturn(return_id=target.id, items=items))
        self.handle(ResolveReturn(return_id=target.id))

    @rule(is_out=st.booleans())
    def new_goods_run_out(self, is_out: bool) -> None:
        """Or can be had again."""
        self.world.fulfillment.out_of_stock = {"v_new"} if is_out else set()

    @rule(data=st.data(), price=st.integers(0, 3000))
    def new_goods_are_sent_first(self, data: st.DataObject, price: int) -> None:
        """A single unit is exchanged, and the difference paid."""
        left = [each for each in self.world.observer.returnable_items(self.world.order_id) if each.quantity]
        if not left:
            return
        item_id = data.draw(st.sampled_from(left)).item_id
        number = len(self.world.ledger.exchanges)
        command = RequestExchange(
            order_id=self.world.order_id,
            items=[RequestedItem(item_id=item_id, quantity=1)],
            new_items=[NewItem(variant_id="v_new", quantity=1, unit_price=Money(price, "usd"))],
            ship="first",
            hold=Hold(f"auth_{number}", Money(10**6, "usd"), self.world.now + timedelta(days=30)),
        )
        opened = self.handle(command)
        assert opened is None or isinstance(opened, Exchange)
        if opened is not None and opened.owed.amount:
            self.handle(
                RecordExchangePayment(exchange_id=opened.id, amount=opened.owed, reference=f"paid_{number}")
            )


TestAdvance = Advance.TestCase
TestAdvance.settings = settings(max_examples=settings().max_examples, stateful_step_count=30)
del Returns  # its own machine runs where it is
