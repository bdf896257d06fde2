"""
The laws of lots: each unit's worth leaves its line once, over returns, claims, reductions and goodwill.

Every order comes home in the end: whatever was done before, what was paid for each line is then given back
exactly, and so is each of its discounts and taxes.
"""

from collections import Counter
from fractions import Fraction

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    AmountPart,
    CancelReturn,
    Claim,
    ClaimItem,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RecordPayout,
    RecordRefundOutcome,
    RefundDeclined,
    Rejected,
    RequestClaim,
    RequestedItem,
    RequestReturn,
    RetryRefund,
    Return,
    ReturnLedger,
)
from rma.domain.sale.pricing import PricedLine, price_lines
from rma.domain.state.explained import NamedAmount, explain
from rma.domain.state.lots import Lot, ReducedBy
from rma.domain.state.refunds import in_force
from rma.domain.state.remainder import Remainder
from rma.domain.values.money import Money
from rma.domain.views.order_state import order_state
from rma.testing.command_strategies import DrawChooser
from rma.testing.core_harness import CoreHarness
from rma.testing.edits import edit_order, total_paid
from rma.testing.strategies import everything_fulfilled, orders

#: What is done with an order before all of it comes back.
DEEDS = ("reduce", "reduce", "goodwill", "goodwill after all", "return", "return", "cancel", "claim")
#: What counts against no payment.
CREDIT = ("credit", "credit that is declined")


class Shop:
    """An order whose goods are reduced, claimed and returned, by the core alone."""

    def __init__(self, order: Order, data: st.DataObject) -> None:
        captured = sum(line.paid(line.running_sums) for line in lines_of(order).values())
        paid = Payment(id="p1", captured=Money(captured + 1000, order.currency))
        self.core = CoreHarness(evolve(order, payments=[paid], charges=(), shipping_methods=()))
        self.data = data

    @property
    def order(self) -> Order:
        """The order as it is now."""
        return self.core.order

    @property
    def ledger(self) -> ReturnLedger:
        """Its ledger."""
        return self.core.ledger

    def remainders(self) -> dict[str, Remainder]:
        """What remains of its lines."""
        return self.ledger.remainders(self.order, [item.id for item in self.order.items])

    def any_line(self) -> tuple[str, Remainder] | None:
        """A line of which units are left."""
        left = [(item_id, each) for item_id, each in self.remainders().items() if each.sent_quantity]
        return self.data.draw(st.sampled_from(left)) if left else None

    def do(self, deed: str) -> None:
        """Does something with the order; nothing if that cannot be done."""
        if deed == "cancel":
            is_open = [each for each in self.ledger.returns if each.is_open]
            if is_open:
                self.core.handle(CancelReturn(return_id=self.data.draw(st.sampled_from(is_open)).id))
            return
        if deed in CREDIT:
            self.credit(is_declined=deed != "credit")
            return
        if deed.startswith("goodwill"):
            self.give_goodwill(is_credit=deed != "goodwill")
            return
        if not (found := self.any_line()):
            return
        item_id, remainder = found
        quantity = self.data.draw(st.integers(1, remainder.sent_quantity))
        if deed == "return":
            self.bring_back(item_id, quantity, is_closed=self.data.draw(st.booleans()))
        elif deed == "claim":
            self.claim("refund", [ClaimItem(item_id=item_id, quantity=quantity, reason="other")])
        else:
            value = value_of(remainder, quantity)
            if value:
                amount = self.data.draw(st.integers(1, value))
                reduced = ClaimItem(item_id=item_id, quantity=quantity, reason="other", amount=amount)
                self.claim("reduce", [reduced])

    def give_goodwill(self, *, is_credit: bool) -> None:
        """A part of what is left of all lines, at once or once it was declined as credit."""
        if not (value := sum(value_left(each) for each in self.remainders().values())):
            return
        amount = self.data.draw(st.integers(1, value))
        if is_credit:
            self.pay_credit(amount)
        else:
            self.claim("goodwill", refund_amount=amount)

    def claim(
        self, kind: str, items: list[ClaimItem] | None = None, refund_amount: int | None = None
    ) -> Claim:
        """Makes a claim."""
        self.core.handle(
            RequestClaim(order_id=self.order.id, type=kind, items=items or [], refund_amount=refund_amount)
        )
        return self.ledger.claims[-1]

    def credit(self, *, is_declined: bool) -> None:
        """Gives goodwill as store credit, of any amount; once it is declined, it is asked for again."""
        amount = self.data.draw(st.integers(1, 100_000))
        claim = self.goodwill_as_credit(amount, is_declined=is_declined)
        if is_declined:
            self.core.handle(RetryRefund(claim_id=claim.id))

    def goodwill_as_credit(self, amount: int, *, is_declined: bool) -> Claim:
        """Makes a claim for store credit, which is declined or not."""
        asked = RequestClaim(
            order_id=self.order.id,
            type="goodwill",
            refund_amount=amount,
            outcome="store_credit",
            payee="cus_friend",
        )
        self.core.handle(asked)
        claim = self.ledger.claims[-1]
        if is_declined:
            key = claim.refunds[0].key
            self.core.handle(RecordRefundOutcome(key=key, outcome=RefundDeclined("no_account")))
        return claim

    def pay_credit(self, amount: int) -> None:
        """Gives goodwill as store credit that is declined, a part of it once more, and the rest as money."""
        claim = self.goodwill_as_credit(amount, is_declined=True)
        if part := self.data.draw(st.integers(0, amount - 1)):
            self.core.handle(RetryRefund(claim_id=claim.id, amount=part))
        means = self.data.draw(st.sampled_from(["payment", "payout", "by hand"]))
        if means == "by hand":
            rest = amount - part
            self.core.handle(RecordPayout(claim_id=claim.id, amount=rest, reference=claim.id))
        else:
            self.core.handle(RetryRefund(claim_id=claim.id, means=means))

    def bring_back(self, item_id: str, quantity: int, *, is_closed: bool) -> None:
        """Requests units, and receives some of them."""
        items = [RequestedItem(item_id=item_id, quantity=quantity)]
        self.core.handle(RequestReturn(order_id=self.order.id, items=items))
        opened = self.ledger.returns[-1]
        if is_closed:
            arrived = self.data.draw(st.integers(0, quantity))
            parcel = [ReceivedItem(item_id=item_id, quantity=arrived)] if arrived else []
            if parcel:
                self.core.handle(ReceiveReturn(return_id=opened.id, items=parcel, allow_mismatch=True))

    def cancel_open(self) -> None:
        """Cancels what is open."""
        for each in self.ledger.returns:
            if each.is_open:
                self.core.handle(CancelReturn(return_id=each.id))

    def bring_home(self) -> None:
        """Cancels what is open and brings back everything that is left."""
        self.cancel_open()
        items = [
            RequestedItem(item_id=item_id, quantity=each.sent_quantity)
            for item_id, each in self.remainders().items()
            if each.sent_quantity
        ]
        if items:
            self.core.handle(RequestReturn(order_id=self.order.id, items=items))
            arrived = [ReceivedItem(item_id=each.item_id, quantity=each.quantity) for each in items]
            self.core.handle(ReceiveReturn(return_id=self.ledger.returns[-1].id, items=arrived))

    def given_back(self) -> Counter[str]:
        """By line and part: what was given back in all."""
        found = Counter[str]()
        payees: list[Return | Claim] = [*self.ledger.returns, *self.ledger.claims]
        for each in payees:
            if each.canceled_at is not None:
                continue
            for part in each.breakdown:
                for leaf in part.parts:
                    found[f"{part.name} {leaf.name}"] += leaf.amount.amount
        return found


def lines_of(order: Order) -> dict[str, PricedLine]:
    """Every line with its price."""
    return price_lines(order, [item.id for item in order.items])


def value_of(remainder: Remainder, quantity: int) -> int:
    """What so many units are worth."""
    return sum(remainder.line.paid(each.running_sums) for each in remainder.take(quantity))


def value_left(remainder: Remainder) -> int:
    """What all that remains of a line is worth."""
    return sum(remainder.line.paid(each.running_sums) for each in remainder.all_lots)


def paid_for(order: Order) -> Counter[str]:
    """By line and part: what was paid for the units that are not back without us."""
    found = Counter[str]()
    for line in lines_of(order).values():
        for leaf in line.part(line.running_sums).parts:
            found[f"item:{line.item_id} {leaf.name}"] += leaf.amount.amount
    return found


@given(order=orders(most_lines=3, most_units=4).map(everything_fulfilled), data=st.data())
def test_all_back_is_all_paid_each_tax_too(order: Order, data: st.DataObject) -> None:
    """Whatever was reduced, claimed, returned and canceled before, in any order."""
    shop = Shop(order, data)
    for deed in data.draw(st.lists(st.sampled_from(DEEDS), max_size=7)):
        shop.do(deed)

    shop.bring_home()

    paid, back = paid_for(shop.order), shop.given_back()
    assert {name: back[name] for name in {*paid, *back}} == {name: paid[name] for name in {*paid, *back}}
    assert not any(value_left(each) for each in shop.remainders().values())


@given(order=orders(most_lines=3, most_units=4).map(everything_fulfilled), data=st.data())
def test_whatever_goodwill_credits_all_back_is_all_paid(order: Order, data: st.DataObject) -> None:
    """Extra credit, as often and as much as one likes, changes nothing of what comes back and counts."""
    shop = Shop(order, data)
    for deed in data.draw(st.lists(st.sampled_from(DEEDS + CREDIT * 3), max_size=7)):
        before, refundable = shop.remainders(), shop.ledger.refundable(shop.order)
        state = order_state(shop.order, shop.ledger)
        shop.do(deed)
        if deed in CREDIT:
            assert (shop.remainders(), shop.ledger.refundable(shop.order)) == (before, refundable)
            assert order_state(shop.order, shop.ledger) == state
            assert shop.ledger.claims[-1].amount_due.amount == 0

    shop.bring_home()

    paid, back = paid_for(shop.order), shop.given_back()
    assert {name: back[name] for name in {*paid, *back}} == {name: paid[name] for name in {*paid, *back}}
    counted = in_force([each for each in shop.ledger.refunds if not each.is_extra])
    captured = sum(payment.captured.amount for payment in shop.order.payments)
    assert counted + shop.ledger.refundable(shop.order).amount == captured


@given(order=orders(most_lines=3, most_units=4).map(everything_fulfilled), data=st.data())
def test_what_remains_and_what_left_are_together_what_was_paid(order: Order, data: st.DataObject) -> None:
    """After every step; nothing that remains is negative, and no unit is counted twice."""
    shop = Shop(order, data)
    lines = lines_of(shop.order)
    for deed in data.draw(st.lists(st.sampled_from(DEEDS), min_size=1, max_size=6)):
        shop.do(deed)
        remainders, reserved = shop.remainders(), shop.ledger.reserved()
        for item_id, line in lines.items():
            remainder = remainders[item_id]
            taken = [each.running_sums for each in reserved.get(item_id, [])]
            taken += [each.taken for each in shop.ledger.reductions().get(item_id, [])]
            left = [each.running_sums for each in remainder.all_lots]
            assert tuple(sum(each) for each in zip(*taken, *left, line.nothing, strict=True)) == (
                line.running_sums
            )
            assert all(line.are_valid(each) for each in left)
            units = sum(each.quantity for each in reserved.get(item_id, []))
            assert remainder.free_quantity == line.quantity - units
            assert all(each.quantity > 0 for each in remainder.all_lots)


@given(order=orders(most_lines=2, most_units=4).map(everything_fulfilled), data=st.data())
def test_a_return_that_is_canceled_gives_each_lot_back_its_units(order: Order, data: st.DataObject) -> None:
    """Requesting and canceling changes nothing that remains."""
    shop = Shop(order, data)
    for deed in data.draw(st.lists(st.sampled_from(("reduce", "goodwill", "return")), max_size=4)):
        shop.do(deed)
    before = shop.remainders()
    if not (found := shop.any_line()):
        return
    quantity = data.draw(st.integers(1, found[1].sent_quantity))

    shop.bring_back(found[0], quantity, is_closed=False)
    shop.core.handle(CancelReturn(return_id=shop.ledger.returns[-1].id))

    assert shop.remainders() == before


@given(order=orders(most_lines=2, most_units=4).map(everything_fulfilled), data=st.data())
def test_untouched_units_come_back_first(order: Order, data: st.DataObject) -> None:
    """As many as there are; those that were reduced follow, and are items of their own."""
    shop = Shop(order, data)
    for deed in data.draw(st.lists(st.sampled_from(("reduce", "return")), max_size=4)):
        shop.do(deed)
    if not (found := shop.any_line()):
        return
    item_id, remainder = found
    quantity = data.draw(st.integers(1, remainder.sent_quantity))

    shop.bring_back(item_id, quantity, is_closed=False)

    counts = [(item.reduced_by is None, item.quantity) for item in shop.ledger.returns[-1].items]
    untouched = min(quantity, remainder.quantity)
    assert sum(count for is_untouched, count in counts if is_untouched) == untouched
    assert sum(count for _, count in counts) == quantity
    assert [is_untouched for is_untouched, _ in counts] == sorted([each for each, _ in counts], reverse=True)


@given(order=orders(most_lines=2, most_units=4).map(everything_fulfilled), data=st.data())
def test_edits_of_the_host_move_no_more_than_the_order_says(order: Order, data: st.DataObject) -> None:
    """
    What remains after an edit is what the order says now, less what left it, or nothing.

    Also of lines whose prices were reduced: a lower price is a lower price of reduced units too.
    """
    shop = Shop(order, data)
    for deed in data.draw(st.lists(st.sampled_from(DEEDS), max_size=4)):
        shop.do(deed)
    chooser = DrawChooser(data.draw)
    for _ in range(data.draw(st.integers(1, 2))):
        shop.core.order = edit_order(chooser, shop.core.order)

    lines = lines_of(shop.order)
    is_spread = bool(order.adjustments or shop.order.adjustments)
    for item_id, remainder in shop.remainders().items():
        for each in remainder.all_lots:
            assert each.quantity > 0
            assert remainder.line.are_valid(each.running_sums)
        reserved = shop.ledger.reserved().get(item_id, [])
        reductions = shop.ledger.reductions().get(item_id, [])
        line = lines[item_id]
        assert remainder.free_quantity == max(0, line.quantity - sum(each.quantity for each in reserved))
        left = line.paid(line.running_sums)
        left -= sum(each.line.paid(each.running_sums) for each in reserved)
        left -= sum(each.line.paid(each.taken) for each in reductions)
        if remainder.free_quantity and not is_spread:
            assert value_left(remainder) == max(0, left)
    assert total_paid(shop.order) >= 0


@given(order=orders(most_lines=2, most_units=4).map(everything_fulfilled), data=st.data())
def test_everything_comes_home_after_edits_too(order: Order, data: st.DataObject) -> None:
    """No edit, however often, breaks a return of what is left."""
    shop = Shop(order, data)
    chooser = DrawChooser(data.draw)
    for deed in data.draw(st.lists(st.sampled_from((*DEEDS, "edit")), max_size=6)):
        if deed == "edit":
            shop.core.order = edit_order(chooser, shop.core.order)
        else:
            try:
                shop.do(deed)
            except Rejected as error:
                assert error.code == "refund_exceeds_refundable"  # noqa: PT017 # the one that edits can cause
    shop.cancel_open()
    value = sum(value_left(each) for each in shop.remainders().values())
    before = len(shop.ledger.returns)

    shop.bring_home()

    if len(shop.ledger.returns) > before:
        assert shop.ledger.returns[-1].entitlement.entitled.amount <= value


@given(order=orders(most_lines=3, most_units=4).map(everything_fulfilled), data=st.data())
def test_goodwill_is_taken_from_all_lines_by_what_is_left_of_them(order: Order, data: st.DataObject) -> None:
    """Each line gives its exact part to a minor unit, and all of them together the amount."""
    shop = Shop(order, data)
    for deed in data.draw(st.lists(st.sampled_from(("reduce", "return")), max_size=3)):
        shop.do(deed)
    before = {item_id: value_left(each) for item_id, each in shop.remainders().items()}
    value = sum(before.values())
    if not value:
        return
    amount = data.draw(st.integers(1, value))

    made = shop.claim("goodwill", refund_amount=amount)

    assert made.refund_amount.amount == made.value == amount
    lots = sum(len(each.all_lots) for each in shop.remainders().values())
    for item_id, each in shop.remainders().items():
        fair = Fraction(amount * before[item_id], value)
        assert abs(before[item_id] - value_left(each) - fair) < lots
    assert value - amount == sum(value_left(each) for each in shop.remainders().values())


@given(order=orders(most_lines=2, most_units=4).map(everything_fulfilled), data=st.data())
def test_a_named_amount_takes_its_part_of_each_tax(order: Order, data: st.DataObject) -> None:
    """To a minor unit of each line; what it takes and what it leaves are the whole, each tax too."""
    goods = [(line, line.running_sums) for line in lines_of(order).values()]
    value = sum(line.paid(running_sums) for line, running_sums in goods)
    amount = data.draw(st.integers(0, value))

    *items, named = explain(goods, [NamedAmount("custom_amount", -amount, of=None)], order.currency)

    leaves = Counter[str]()
    for part in items:
        for leaf in part.parts:
            leaves[leaf.name] += leaf.amount.amount
    if named.parts:
        assert sum(leaf.amount.amount for leaf in named.parts) == -amount
    for leaf in named.parts:
        sign = 1 if leaf.name.startswith("discount:") else -1
        assert 0 <= sign * leaf.amount.amount <= abs(leaves[leaf.name])


@given(order=orders(most_lines=2, most_units=4).map(everything_fulfilled), data=st.data())
def test_amounts_taken_one_after_the_other_take_no_more_than_all(order: Order, data: st.DataObject) -> None:
    """Taking all of the goods takes all of every tax and discount, in however many parts; back again too."""
    goods = [(line, line.running_sums) for line in lines_of(order).values() if line.paid(line.running_sums)]
    left = value = sum(line.paid(running_sums) for line, running_sums in goods)
    taken = []
    for number in range(data.draw(st.integers(0, 4))):
        amount = data.draw(st.integers(0, left))
        left -= amount
        taken.append(NamedAmount(f"fee:{number}", -amount, of=None))
    taken.append(NamedAmount("fee:last", -left, of=None))

    parts = explain(goods, taken, order.currency)

    running_sums = _leaves(parts)
    assert not any(running_sums.values())
    back = explain(goods, [*taken, NamedAmount("already_paid", value, of=None)], order.currency)
    assert _leaves(back) == _leaves(explain(goods, [], order.currency))


def _leaves(parts: tuple[AmountPart, ...]) -> dict[str, int]:
    """By name: what the parts of parts are, all together; parts without any are a price."""
    found = Counter[str]()
    for part in parts:
        for leaf in part.parts or (AmountPart("price", part.amount),):
            found[leaf.name] += leaf.amount.amount
    return {name: amount for name, amount in found.items() if amount}


def test_a_lot_gives_and_keeps_its_units() -> None:
    """Three units worth 29.00: one takes 9.67, and two are left with 19.33."""
    lot = Lot(3, (2900,), ReducedBy("claim_1", 0), ("claim_1",))

    part = lot.part(1)

    assert (part.quantity, part.running_sums, part.reduced_by) == (1, (967,), ReducedBy("claim_1", 0))
    assert lot.less(part) == Lot(2, (1933,), ReducedBy("claim_1", 0), ("claim_1",))
    assert lot.part(0).running_sums == (0,)
