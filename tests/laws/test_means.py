"""The laws of means: how an amount is split, what steps leave, and what a bonus is."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    Bonus,
    CancelExchange,
    InspectedItem,
    InspectReturn,
    Means,
    Money,
    NewItem,
    Order,
    Payment,
    PayOn,
    PlannedRefund,
    ReceivedItem,
    ReceiveReturn,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    Refund,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    RefundTerms,
    Rejected,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRule,
    ReturnStatus,
    Split,
    WhenClosed,
)
from rma.domain.sale.bonus import bonus_on
from rma.domain.state.plan import Source, plan_refund
from rma.domain.state.refunds import in_force
from rma.domain.views.quotes import planned_refunds
from rma.testing.core_harness import START, CoreHarness
from rma.testing.strategies import (
    command_sequences,
    everything_fulfilled,
    orders,
    paid_by_many_means,
    refunding,
)
from tests.rules.given import Given, line, order_of, receive, request
from tests.rules.inspected import SCALE

lefts = st.lists(st.integers(0, 5000), min_size=1, max_size=5)
KINDS = ["card", "gift_card", "paypal"]


@st.composite
def some_sources(draw: st.DrawFn) -> list[Source]:
    """Payments of several kinds, with something left or nothing."""
    kinds = st.sampled_from(KINDS)
    return [Source(f"p{n}", left, kind=draw(kinds)) for n, left in enumerate(draw(lefts))]


@given(sources=some_sources(), data=st.data())
def test_proportional_parts_are_within_a_minor_unit_of_exact(
    sources: list[Source], data: st.DataObject
) -> None:
    """Their sum is exact, and none is above what its payment has left."""
    whole = sum(each.left for each in sources)
    amount = data.draw(st.integers(0, whole))
    terms = RefundTerms(split=Split.PROPORTIONAL)

    plan = plan_refund(amount, sources, terms, "usd", START)

    parts = {each.payment_id: each.amount.amount for each in plan.refunds}
    assert (sum(parts.values()), plan.carried, plan.closed) == (amount, 0, 0)
    for source in sources:
        part = parts.get(source.payment_id, 0)
        assert 0 <= part <= source.left
        assert not whole or abs(part - Fraction(amount * source.left, whole)) < 1


@given(sources=some_sources(), means=st.permutations([*KINDS, "*"]), data=st.data())
def test_a_later_payment_gives_back_once_the_earlier_ones_have_nothing_left(
    sources: list[Source], means: list[str], data: st.DataObject
) -> None:
    """In the order of the terms; of one kind, in the order of the payments."""
    amount = data.draw(st.integers(0, sum(each.left for each in sources)))
    terms = RefundTerms(means=tuple(means))

    plan = plan_refund(amount, sources, terms, "usd", START)

    parts = {each.payment_id: each.amount.amount for each in plan.refunds}
    in_order = sorted(sources, key=lambda each: means.index(each.kind or "*"))
    given_back = [parts.get(each.payment_id, 0) for each in in_order]
    assert sum(given_back) == amount
    for index, part in enumerate(given_back):
        if part:
            assert all(
                before == each.left for before, each in zip(given_back[:index], in_order, strict=False)
            )


@given(
    sources=some_sources(), means=st.sampled_from([("card",), ("gift_card", "card"), ("*",)]), data=st.data()
)
def test_what_is_closed_is_given_otherwise_or_not_at_all(
    sources: list[Source], means: tuple[str, ...], data: st.DataObject
) -> None:
    """Never a part of it: with a person to decide nothing is planned, else all of it is."""
    amount = data.draw(st.integers(0, sum(each.left for each in sources)))
    terms = RefundTerms(means=means)
    open_left = sum(each.left for each in sources if terms.rank(each.kind) is not None)

    asked = plan_refund(amount, sources, terms, "usd", START)
    paid_out = plan_refund(amount, sources, terms, "usd", START, instead=Means.PAYOUT)

    assert asked.closed == max(0, amount - open_left)
    assert not (asked.closed and asked.refunds)
    assert sum(each.amount.amount for each in paid_out.refunds) == amount
    otherwise = [each for each in paid_out.refunds if each.means is Means.PAYOUT]
    assert sum(each.amount.amount for each in otherwise) == max(0, amount - open_left)
    left = {each.payment_id: each.left for each in sources}
    for each in paid_out.refunds:
        left[each.payment_id or ""] = left.get(each.payment_id or "", 0) - (
            each.amount.amount if each.payment_id else 0
        )
        for share in each.against:
            left[share.payment_id] -= share.amount.amount
    assert min(left.values()) >= 0


@given(amounts=st.lists(st.integers(1, 3000), min_size=1, max_size=8), step=st.sampled_from([1, 5, 10, 100]))
def test_refunds_in_steps_add_up_to_all_that_was_paid(amounts: list[int], step: int) -> None:
    """Each is a multiple, as long as what was paid is one; never more than half a step is carried."""
    rest = -sum(amounts) % step
    captured = sum(amounts) + rest
    amounts = [*amounts, rest] if rest else amounts
    given_back = carried = 0

    for amount in amounts:
        source = Source("p", captured - given_back, given_back, step=step, most=captured)
        plan = plan_refund(amount, [source], RefundTerms(), "usd", START, carried=carried)
        part = sum(each.amount.amount for each in plan.refunds)
        assert part % step == 0
        given_back, carried = given_back + part, carried + plan.carried
        assert 2 * abs(carried) <= step

    assert (given_back, carried) == (captured, 0)


@given(
    parcels=st.lists(st.integers(0, 3000), min_size=1, max_size=6),
    percent=st.decimals(0, 100, places=2),
    weights=st.lists(st.integers(0, 500), min_size=1, max_size=3),
)
def test_a_bonus_is_that_of_all_credit_together(
    parcels: list[int], percent: Decimal, weights: list[int]
) -> None:
    """However it is split over parcels, and never above its percentage."""
    shares = [(Bonus("b", percent=percent) if number == 0 else None, w) for number, w in enumerate(weights)]
    so_far = given = 0

    for parcel in parcels:
        so_far += parcel
        given += bonus_on(so_far, shares) - given

    assert given == bonus_on(sum(parcels), shares)
    assert 0 <= given <= -(-sum(parcels) * Fraction(percent) // 100)


TAGGED = {
    "none": None,
    "percent": Bonus("p", percent=Decimal("12.5")),
    "other": Bonus("q", percent=Decimal(15)),
    "once": Bonus("b", amount=Money(7, "usd")),
}


@given(
    data=st.data(),
    goods=st.lists(
        st.tuples(st.integers(1, 3000), st.integers(1, 3), st.sampled_from(sorted(TAGGED))),
        min_size=1,
        max_size=4,
    ),
)
def test_the_bonus_is_what_was_quoted_in_any_order(
    data: st.DataObject, goods: list[tuple[int, int, str]]
) -> None:
    """Parcels in any order, credit that fails or is reversed, and retries of any parts: all together."""
    lines = [
        line(f"i{index}", quantity, price, tags=[tag]) for index, (price, quantity, tag) in enumerate(goods)
    ]
    rules = [
        ReturnRule(name=tag, when={tag}, outcomes=["refund", "store_credit"], bonus=bonus)
        for tag, bonus in TAGGED.items()
    ]
    captured = sum(price * quantity for price, quantity, _ in goods)
    order = order_of(*lines, captured=captured, customer_id="cus_1")
    given = Given(order, ReturnPolicy(rules=rules))
    items = [RequestedItem(item_id=each.id, quantity=each.quantity) for each in lines]
    given.when(RequestReturn(order_id="order_1", items=items, outcome="store_credit"))
    planned = planned_refunds(order, given.ledger, given.the(), given.now)
    units = data.draw(st.permutations([each.id for each in lines for _ in range(each.quantity)]))
    busy = RefundDeclined("busy", is_temporary=True)
    ends: list[RefundOutcome | None] = [RefundSucceeded("re_1"), busy, None]

    def end(key: str) -> None:
        if (outcome := data.draw(st.sampled_from(ends))) is not None:
            given.record_outcomes((key, outcome))

    for item_id in units:
        arrived = [ReceivedItem(item_id=item_id, quantity=1)]
        given.when(ReceiveReturn(return_id="ret_1", items=arrived, more_expected=True))
        end(given.the().refunds[-1].key)
    for refund in given.the().refunds:
        if data.draw(st.booleans()):
            given.when(RecordRefundOutcome(key=refund.key, outcome=RefundReversed()))
    while due := given.the().amount_due.amount:
        part = data.draw(st.integers(1, due)) if len(given.the().refunds) < 20 else due
        given.when(RetryRefund(return_id="ret_1", amount=part))

    credited = [each for each in given.the().refunds if each.is_in_force]
    assert sum(each.amount.amount for each in credited) == captured
    assert sum(each.bonus.amount for each in credited if each.bonus) == sum(
        each.bonus.amount for each in planned if each.bonus
    )


#: Every refund of an amount of so many minor units is for one of them at least.
MOST_PAYMENTS = 3

BONUSES = (None, Bonus("b", percent=Decimal("12.5")), Bonus("b", amount=Money(7, "usd")))


@given(
    data=st.data(),
    order=orders(currency="usd").map(everything_fulfilled),
    terms=refunding(),
    pay_on=st.sampled_from([None, *PayOn]),
    outcome=st.sampled_from(["refund", "store_credit"]),
    bonus=st.sampled_from(BONUSES),
)
def test_what_is_planned_is_what_is_done(
    data: st.DataObject,
    order: Order,
    terms: dict[str, Any],
    pay_on: PayOn | None,
    outcome: str,
    bonus: Bonus | None,
) -> None:
    """A quote's plan is what is paid if exactly that arrives, whenever and as what it is paid."""
    inspects = pay_on is PayOn.INSPECTION or data.draw(st.booleans())
    rule = ReturnRule(name="any", outcomes=["refund", "store_credit"], bonus=bonus)
    policy = ReturnPolicy(
        rules=[rule], pay_on=pay_on, inspect=inspects, grades=SCALE if inspects else (), **terms
    )
    order = evolve(data.draw(paid_by_many_means(order)), customer_id="cus_1")
    harness = CoreHarness(order, policy=policy)
    item = data.draw(st.sampled_from(order.items))
    quantity = data.draw(st.integers(1, item.quantity))
    given_now = request(quantity, item.id, outcome=outcome)
    harness.handle(given_now)
    plan = quoted_plan(order, policy, given_now)

    harness.handle(RecordSending(return_id=harness.ledger.returns[0].id))
    parcel = evolve(receive(quantity), items=[evolve(receive(quantity).items[0], item_id=item.id)])
    harness.handle(evolve(parcel, return_id=harness.ledger.returns[0].id))
    if inspects:
        said = [InspectedItem(item_id=item.id, quantity=quantity, grade="A")]
        harness.handle(InspectReturn(return_id=harness.ledger.returns[0].id, items=said))

    (target,) = harness.ledger.returns
    assert target.status is ReturnStatus.RECEIVED
    assert [(each.means, each.payment_id, each.amount, each.bonus, each.against) for each in plan] == [
        (each.means, each.payment_id, each.amount, each.bonus, each.against) for each in target.refunds
    ]


def quoted_plan(order: Order, policy: ReturnPolicy, asked: RequestReturn) -> tuple[PlannedRefund, ...]:
    """Returns the plan of the quote of this request, as the first of the order."""
    harness = CoreHarness(order, policy=evolve(policy, pay_on=None))
    harness.handle(asked)
    return planned_refunds(order, harness.ledger, harness.ledger.returns[0], harness.now)


@given(
    prices=st.lists(st.integers(1, 999), min_size=1, max_size=5),
    step=st.sampled_from([2, 10, 100]),
    data=st.data(),
)
def test_a_gateway_of_steps_sees_multiples_and_the_rest_last(
    prices: list[int], step: int, data: st.DataObject
) -> None:
    """Whenever it is away, and in whatever order it is asked for what may be sent."""
    units = [line(f"u{n}", quantity=1, price=price) for n, price in enumerate(prices)]
    captured = sum(prices)
    given = Given(order_of(*units, payments=[Payment(id="p", captured=captured, refund_step=step)]))
    moved = 0
    for unit in [*units, None]:
        if unit is not None:
            given.when(request(1, unit.id))
            return_id = given.ledger.returns[-1].id
            given.when(ReceiveReturn(return_id=return_id, items=[ReceivedItem(item_id=unit.id, quantity=1)]))
        while open_refunds := may_be_sent(given):
            if unit is not None and data.draw(st.booleans(), label="away"):
                break
            key, amount = data.draw(st.sampled_from(open_refunds), label="asked")
            moved += amount
            assert moved % step == 0 or moved == captured
            given.record_outcomes((key, RefundSucceeded(key)))
    assert moved == captured


def may_be_sent(given: Given) -> list[tuple[str, int]]:
    """Returns key and amount of each refund that may be sent now."""
    return [
        (each.request.key, each.request.amount.amount)
        for each in given.ledger.open_effects.values()
        if isinstance(each.request, RefundRequest) and given.ledger.waits_for(each) is None
    ]


@given(
    prices=st.lists(st.integers(MOST_PAYMENTS, 999), min_size=1, max_size=5),
    steps=st.lists(st.sampled_from([1, 10, 100, 100]), min_size=1, max_size=MOST_PAYMENTS),
    when_closed=st.sampled_from(WhenClosed),
    split=st.sampled_from(Split),
    data=st.data(),
)
def test_steps_beside_credit_and_payouts_add_up_to_all_that_was_paid(
    prices: list[int], steps: list[int], when_closed: WhenClosed, split: Split, data: st.DataObject
) -> None:
    """Whatever is declined, retried, credited or paid out: never more than was paid, and in the end all."""
    units = [line(f"u{n}", quantity=1, price=price) for n, price in enumerate(prices)]
    cuts = [0, *sorted(data.draw(st.integers(0, sum(prices))) for _ in steps[1:]), sum(prices)]
    payments = [
        Payment(id=f"p{n}", captured=Money(cuts[n + 1] - cuts[n], "usd"), refund_step=step)
        for n, step in enumerate(steps)
    ]
    rule = ReturnRule(name="any", outcomes=["refund", "store_credit"])
    policy = ReturnPolicy(rules=[rule], when_closed=when_closed, split=split)
    given = Given(order_of(*units, payments=payments, customer_id="cus_1"), policy)

    for unit in units:
        given.when(
            request(1, unit.id, outcome=data.draw(st.sampled_from(["refund", "refund", "store_credit"])))
        )
        return_id = given.ledger.returns[-1].id
        given.when(ReceiveReturn(return_id=return_id, items=[ReceivedItem(item_id=unit.id, quantity=1)]))
        answer(given, data)
        if data.draw(st.booleans()):
            pay_by_person(given, return_id, data)
            answer(given, data)
        assert in_force(given.ledger.refunds) <= sum(prices)
    for target in given.ledger.returns:
        if given.ledger.get(target.id).amount_due.amount:
            given.when(RetryRefund(return_id=target.id, means="payout"))

    assert in_force(given.ledger.refunds) == sum(prices)
    assert given.ledger.carried == 0
    for target in given.ledger.returns:
        account = given.the(target.id).entitlement
        assert (account.due.amount, account.overpaid.amount) == (0, 0)


def answer(given: Given, data: st.DataObject) -> None:
    """Answers each request that is open; some are declined."""
    while given.ledger.open_effects:
        said = [
            (key, RefundDeclined("no") if data.draw(st.booleans()) else RefundSucceeded(key))
            for key in given.ledger.open_effects
        ]
        given.record_outcomes(*said)


def pay_by_person(given: Given, return_id: str, data: st.DataObject) -> None:
    """Pays something of what is due of the return in a way that a person chooses."""
    account = given.ledger.get(return_id).entitlement
    if not account.due.amount:
        return
    most = account.due.amount - MOST_PAYMENTS
    part = data.draw(st.integers(MOST_PAYMENTS, most)) if most > MOST_PAYMENTS else None
    part = data.draw(st.sampled_from([None, part]))
    means = data.draw(st.sampled_from([None, "payment", "store_credit", "payout", "by hand"]))
    payment_id = data.draw(st.sampled_from([None, "p0"]))
    with suppress(Rejected):
        if means == "by hand":
            given.when(RecordPayout(return_id=return_id, amount=part or account.due, reference=return_id))
        else:
            given.when(RetryRefund(return_id=return_id, means=means, payment_id=payment_id, amount=part))


@given(data=st.data(), order=orders().map(everything_fulfilled))
def test_terms_that_are_not_asked_for_change_nothing(data: st.DataObject, order: Order) -> None:
    """Payments give back in their order, each up to what it has left, as before there were terms."""
    harness = CoreHarness(order)
    for command in data.draw(command_sequences(order)):
        left, known = harness.ledger.left_of_payments(order), set(harness.ledger.refunds)
        with suppress(Rejected):
            made = harness.handle(command)
            new = [refund for refund in made.ledger.refunds if refund not in known]
            if isinstance(command, ReceiveReturn):
                assert [(each.payment_id, each.amount.amount) for each in new] == in_their_order(new, left)
        harness.record_outcomes()


def in_their_order(refunds: list[Refund], left: dict[str, int]) -> list[tuple[str, int]]:
    """Returns how the sum of these is split over payments with so much left, the first one first."""
    amount, found = sum(each.amount.amount for each in refunds), []
    for payment_id, most in left.items():
        part = min(amount, most)
        amount -= part
        found += [(payment_id, part)] * bool(part)
    return found


@given(data=st.data())
def test_no_more_goes_out_than_was_captured_whatever_the_host_gives_back_besides(data: st.DataObject) -> None:
    """By its own gateway up to what a payment has, though credit was given instead of it."""
    captured = data.draw(st.lists(st.integers(0, 3000), min_size=1, max_size=3))
    payments = [Payment(id=f"p{n}", captured=Money(most, "usd")) for n, most in enumerate(captured)]
    credit = ReturnRule(name="any", outcomes=["refund", "store_credit"])
    order = order_of(line(quantity=6, price=1000), payments=payments, customer_id="cus_1")
    given = Given(order, ReturnPolicy(rules=[credit]))
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            outcome = data.draw(st.sampled_from(["refund", "store_credit"]))
            given.when(request(1, outcome=outcome))
            given.when(receive(1, return_id=given.ledger.returns[-1].id))
        else:
            number = data.draw(st.integers(0, len(payments) - 1))
            payment = payments[number]
            ours = in_force(each for each in given.ledger.refunds if each.payment_id == payment.id)
            elsewhere = sum(each.refunded.amount for each in payments)
            room = sum(captured) - elsewhere - in_force(given.ledger.refunds)
            most = min(room, payment.captured.amount - payment.refunded.amount - ours)
            more = Money(data.draw(st.integers(0, most)), "usd")
            payments[number] = evolve(payment, refunded=payment.refunded + more)
            given.order = order = evolve(order, payments=payments)

        out = sum(each.refunded.amount for each in payments) + in_force(given.ledger.refunds)
        assert out + given.ledger.refundable(order).amount == sum(captured)


@given(
    amount=st.integers(1, 504),
    means=st.permutations([*KINDS, "*"]).flatmap(
        lambda kinds: st.sampled_from([kinds[:1], kinds[:2], kinds])
    ),
    split=st.sampled_from(Split),
    when_closed=st.sampled_from(WhenClosed),
    kind=st.sampled_from([None, *KINDS]),
    is_here=st.booleans(),
)
def test_what_was_paid_for_a_canceled_exchange_goes_back_where_it_came_from(
    amount: int, means: list[str], split: Split, when_closed: WhenClosed, kind: str | None, *, is_here: bool
) -> None:
    """Whatever the terms are, and whether its goods arrived before it was canceled."""
    kinds = list(dict.fromkeys([*means, "card"]))  # that of the order's own payment
    policy = ReturnPolicy(means=kinds, split=split, when_closed=when_closed)
    given = Given(order_of(line(quantity=1), captured=1000, customer_id="cus_1"), policy)
    new = NewItem(variant_id="v_new", quantity=1, unit_price=1505)
    item = RequestedItem(item_id="mug", quantity=1)
    given.when(RequestExchange(order_id="order_1", items=[item], new_items=[new]))
    if is_here:
        given.when(receive(1))
    given.when(RecordExchangePayment(exchange_id="exc_1", amount=amount, reference="ch_1", kind=kind))

    given.when(CancelExchange(exchange_id="exc_1"))

    parts = [(each.payment_id, each.amount.amount) for each in given.the().refunds]
    assert parts == [("ch_1", amount), *([("pay_1", 1000)] if is_here else [])]


def test_the_figures_of_the_specification() -> None:
    """10.00 of 15.00 and 25.00 left."""
    sources = [Source("a", 1500), Source("b", 2500)]

    plan = plan_refund(1000, sources, RefundTerms(split=Split.PROPORTIONAL), "usd", START)

    assert [each.amount for each in plan.refunds] == [Money(375, "usd"), Money(625, "usd")]
