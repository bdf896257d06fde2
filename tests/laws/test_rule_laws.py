"""The laws of rules of return."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    ApproveReturn,
    Calendar,
    CancelReturn,
    Charge,
    Facts,
    HostRule,
    LineItem,
    Money,
    NewItem,
    Order,
    OrderStatus,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    Rejected,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    Return,
    ReturnBasis,
    ReturnLedger,
    ReturnPolicy,
    ReturnReason,
    ReturnRule,
    ReturnStatus,
    Review,
    Violation,
    Window,
)
from rma.domain.change import apply_command
from rma.domain.sale.charges import ChargesBack, refundable_part
from rma.domain.sale.eligibility import facts_of, find_rule
from rma.domain.sale.rules import Outcome
from rma.domain.views.returnable import ReturnOption, returnable_items
from rma.testing.commands.choices import TAGS
from rma.testing.core_harness import START, CoreHarness, counting
from rma.testing.strategies import charges, everything_fulfilled, orders, policies, policies_with_rules

REASONS = (
    ReturnReason(id="rr_mind", value="mind", label="Changed my mind", fault="customer"),
    ReturnReason(id="rr_broken", value="broken", label="Broken", fault="merchant"),
)
reason_ids = st.sampled_from([None, *[reason.id for reason in REASONS]])
tag_sets = st.sets(st.sampled_from(TAGS), max_size=2)
moments = st.integers(0, 45 * 24).map(lambda hours: START + timedelta(hours=hours))


def delivered(order: Order, days: list[int]) -> Order:
    """Returns the order with its lines delivered so many days after the beginning."""
    items = [
        evolve(item, delivered_at=START + timedelta(days=day), fulfilled_at=START)
        for item, day in zip(order.items, days, strict=False)
    ]
    return evolve(order, items=items, created_at=START)


dated = st.builds(delivered, orders().map(everything_fulfilled), st.lists(st.integers(0, 9), min_size=4))


#: Some of a tree: a category, a retired one, none that there is, and no id at all.
CATALOGUE = (
    *REASONS,
    ReturnReason(id="rr_size", value="size", label="Size"),
    ReturnReason(id="rr_big", value="big", label="Too big", parent_id="rr_size", retired=True),
)
any_reasons = st.sampled_from([None, None, "rr_mind", "rr_broken", "rr_size", "rr_big", "rr_gone", 5])
any_tags = st.one_of(tag_sets, tag_sets, st.sampled_from([["basis:policy"], "worn", [""]]))
shops = st.one_of(
    policies_with_rules(waits=True),
    st.builds(
        lambda policy, days: evolve(policy, window_days=days), policies(), st.sampled_from([None, 0, 14])
    ),
)


def judge(facts: Facts, line: LineItem, asked: RequestedItem) -> Violation | Review | None:
    """A host's own rule: of one kind of goods it wants a look at each, and another it refuses."""
    if "gift" in line.tags:
        return Violation("ask_us_first", numbers={"quantity": asked.quantity})
    return Review("odd") if line.id.endswith("2") else None


@given(
    order=dated,
    policy=shops,
    at=moments,
    reason_id=any_reasons,
    tags=any_tags,
    basis=st.sampled_from(ReturnBasis),
    host_rules=st.sampled_from([(), (HostRule("own", judge),)]),
    changes=st.fixed_dictionaries(
        {
            "status": st.sampled_from([OrderStatus.PENDING, OrderStatus.PENDING, OrderStatus.CANCELED]),
            "tags": st.sampled_from([[], ["vip"]]),
        }
    ),
    books_shipments=st.booleans(),
    data=st.data(),
)
def test_returnable_items_and_requests_agree(
    order: Order,
    policy: ReturnPolicy,
    at: datetime,
    reason_id: Any,
    tags: Any,
    basis: ReturnBasis,
    host_rules: tuple[HostRule, ...],
    changes: dict[str, Any],
    books_shipments: bool,
    data: st.DataObject,
) -> None:
    """For every line, outcome and moment, whatever is wrong with the order or with what is asked: law 1."""
    lines = [
        evolve(
            line,
            tags=data.draw(st.sampled_from([[], [], ["gift"]])),
            is_returnable=data.draw(st.sampled_from([True, True, False])),
        )
        for line in order.items
    ]
    order = evolve(order, items=lines)
    harness = CoreHarness(order)
    for line in order.items:
        if line.is_returnable and (reserved := data.draw(st.integers(0, line.quantity))):
            items = [RequestedItem(item_id=line.id, quantity=reserved)]
            harness.handle(RequestReturn(order_id=order.id, items=items))
    facts = Facts(
        at=at,
        order=evolve(order, **changes),
        policy=policy,
        reasons=CATALOGUE,
        host_rules=host_rules,
        books_shipments=books_shipments,
        fresh_id="next",
    )
    assert facts.order is not None
    found = returnable_items(
        facts.order,
        harness.ledger,
        policy,
        at,
        reasons=CATALOGUE,
        host_rules=host_rules,
        reason_id=reason_id,
        tags=tags,
        basis=basis,
        books_shipments=books_shipments,
    )
    for each in found:
        asked = RequestedItem(item_id=each.item_id, quantity=1, reason_id=reason_id, tags=tags)
        assert bool(each.quantity) == any(option.is_offered for option in each.options)
        options = {option.outcome: option for option in each.options}
        for outcome in Outcome:
            if outcome is not Outcome.EXCHANGE or basis is ReturnBasis.POLICY:
                assert_agrees(facts, harness.ledger, asked, outcome, basis, options.get(outcome))


def assert_agrees(
    facts: Facts,
    ledger: ReturnLedger,
    asked: RequestedItem,
    outcome: Outcome,
    basis: ReturnBasis,
    option: ReturnOption | None,
) -> None:
    """Asserts that a request for one unit says what the option says; without an option it is refused."""
    order_id = ledger.order_id
    command: RequestReturn | RequestExchange
    command = RequestReturn(order_id=order_id, items=[asked], outcome=outcome, basis=basis)
    if outcome is Outcome.EXCHANGE:
        new = NewItem(variant_id="v", quantity=1, unit_price=1)
        command = RequestExchange(order_id=order_id, items=[asked], new_items=[new])
    refusal: Rejected | None = None
    try:
        ledger = apply_command(facts, ledger, command).ledger
    except Rejected as error:
        refusal = error
    if refusal is not None:
        assert option is None or refusal.violations == option.violations
        return
    assert option is not None
    assert option.is_offered
    opened = ledger.get("ret_next")
    item = opened.items[0]
    assert (item.rule, item.until if facts.policy.rules else option.until) == (option.rule, option.until)
    assert item.line.paid(item.allocated) == option.value.amount
    assert opened.needs_approval == option.needs_review
    if opened.needs_approval:
        ledger = apply_command(facts, ledger, ApproveReturn(return_id=opened.id)).ledger
        opened = ledger.get(opened.id)
    is_kept = opened.status is ReturnStatus.RECEIVED
    assert is_kept == (option.goods == "kept")
    if outcome is Outcome.REFUND:
        fees = [part for part in opened.breakdown if part.name.startswith("fee:")]
        charged = any(part.amount.amount < 0 for part in opened.breakdown if part.name.startswith("charge:"))
        assert charged or tuple(fees) == option.fees


@given(order=dated, policy=policies_with_rules(), at=moments, earlier=moments, tags=tag_sets)
def test_what_is_allowed_is_allowed_earlier(
    order: Order, policy: ReturnPolicy, at: datetime, earlier: datetime, tags: set[str]
) -> None:
    """As long as the order was fulfilled then: law 2."""
    first, last = sorted([at, earlier])
    for line in order.items:
        facts = facts_of(order, line, tags=tags)
        for outcome in Outcome:
            if not find_rule(policy, order, line, facts, outcome, last).violations:
                assert not find_rule(policy, order, line, facts, outcome, first).violations


@given(order=dated, policy=policies_with_rules(), at=moments, tags=tag_sets)
def test_a_rule_behind_others_changes_nothing_that_they_decided(
    order: Order, policy: ReturnPolicy, at: datetime, tags: set[str]
) -> None:
    """Law 3."""
    fewer = evolve(policy, rules=policy.rules[:-1])
    for line in order.items if fewer.rules else ():
        facts = facts_of(order, line, tags=tags)
        for outcome in Outcome:
            before = find_rule(fewer, order, line, facts, outcome, at)
            if before.rule is not None:
                assert find_rule(policy, order, line, facts, outcome, at) == before


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    since=st.integers(0, 19 * 365 * 24).map(
        lambda hours: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    ),
    days=st.integers(0, 60),
    free=st.sets(st.integers(0, 6), max_size=6),
    holidays=st.sets(st.dates(date(2011, 1, 1), date(2030, 1, 1)), max_size=5),
)
def test_a_calendar_never_shortens_a_window(
    zone: str, since: datetime, days: int, free: set[int], holidays: set[date]
) -> None:
    """Law 4: where the clock changes, too; and it ends with a day on which windows end."""
    calendar = Calendar(zone, free_weekdays=free, holidays=holidays)
    mug = LineItem(id="mug", quantity=1, unit_price=1, fulfilled_quantity=1, delivered_at=since)
    order = Order(id="order_1", currency="usd", items=[mug])
    exact = Window(days).until(order, mug, None)
    with_day = Window(days, ends="day").until(order, mug, calendar)

    assert exact is not None
    assert with_day is not None
    assert with_day >= exact
    last = (with_day - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    assert (last.weekday() not in free and last.date() not in holidays) or with_day == exact
    assert Window(days, ends="day").covers(Window(days))


charging = st.sampled_from([ChargesBack.ALL_BACK, ChargesBack.SHARE])


@given(
    order=orders(most_lines=3, most_units=4).map(everything_fulfilled),
    paid=charges(),
    modes=st.tuples(charging, charging),
    data=st.data(),
)
def test_everything_back_gives_back_each_charge_exactly(
    order: Order, paid: tuple[Charge, ...], modes: tuple[ChargesBack, ChargesBack], data: st.DataObject
) -> None:
    """
    Law 5: in any partition and order, with cancellations between, whatever the mixture of rules.

    Where the quote is named for some, which is the most without a note, as much of it as they were quoted.
    """
    order = evolve(order, charges=paid, payments=[Payment(id="pay_1", captured=10**9)])
    one, other = modes
    policy = ReturnPolicy(
        rules=[
            ReturnRule(name="one", when={"one"}, charges_back=one),
            ReturnRule(name="other", charges_back=other),
        ]
    )
    harness = CoreHarness(order, policy=policy)
    open_returns: list[Return] = []
    while True:
        left = {
            each.item_id: each.quantity
            for each in returnable_items(order, harness.ledger, policy, harness.now)
            if each.quantity
        }
        if left and (not open_returns or data.draw(st.booleans(), label="request")):
            item_id = data.draw(st.sampled_from(sorted(left)))
            item = RequestedItem(
                item_id=item_id,
                quantity=data.draw(st.integers(1, left[item_id])),
                tags=data.draw(st.sampled_from([[], ["one"]])),
            )
            command = RequestReturn(order_id=order.id, items=[item])
            if data.draw(st.booleans(), label="name the quote"):
                command = naming_the_quote(harness, command)
            harness.handle(command)
            open_returns.append(harness.ledger.returns[-1])
        elif open_returns:
            target = open_returns.pop(data.draw(st.integers(0, len(open_returns) - 1)))
            if data.draw(st.integers(0, 3), label="cancel") == 3:
                harness.handle(CancelReturn(return_id=target.id))
                continue
            arrive(harness, target, data)
        else:
            break
    assert not any(
        part.name == "custom_amount" and part.amount.amount
        for target in harness.ledger.returns
        for part in target.breakdown
    )
    is_named = any(target.entitlement.requested_refund for target in harness.ledger.returns)
    for charge in paid:
        check_given_back(charge, harness.ledger.returns, is_whole=not is_named)


def check_given_back(charge: Charge, returns: tuple[Return, ...], *, is_whole: bool) -> None:
    """The returns that were received give back the whole charge, and each tax; or no more than it."""
    given_back = [
        each
        for target in returns
        for each in target.charges_back
        if each.id == charge.id and target.status is ReturnStatus.RECEIVED
    ]
    pool = refundable_part(charge)
    total = sum([each.amount for each in given_back])
    assert total == pool.amount or (not is_whole and 0 <= total < pool.amount)
    if total != pool.amount:
        return
    taxes: dict[str, int] = {}
    for each in given_back:
        for name, amount in each.parts:
            taxes[name] = taxes.get(name, 0) + amount
    expected: dict[str, int] = {}
    for name, amount in pool.parts:
        expected[name] = expected.get(name, 0) + amount
    assert {name: amount for name, amount in taxes.items() if amount} == {
        name: amount for name, amount in expected.items() if amount
    }


@given(
    order=dated,
    paid=charges(at_most=2),
    cash=st.integers(-5, 5),
    policy=policies_with_rules(),
    missing=st.integers(0, 6),
    outcome=st.sampled_from(["refund", "store_credit"]),
    data=st.data(),
)
def test_what_is_quoted_is_paid_when_exactly_that_arrives(
    order: Order,
    paid: tuple[Charge, ...],
    cash: int,
    policy: ReturnPolicy,
    missing: int,
    outcome: str,
    data: st.DataObject,
) -> None:
    """To the last minor unit and part, also where the payments lack what the host rounded otherwise."""
    rounding = Charge("cash", "cash_rounding", Money(cash, order.currency))
    first, *others = order.payments
    kept = first.captured.amount - min(missing, first.captured.amount)
    payments = [evolve(first, captured=Money(kept, order.currency)), *others]
    order = evolve(order, charges=(*paid, rounding), payments=payments, customer_id="cus_1")
    harness = CoreHarness(order, policy=policy, reasons=REASONS)
    wanted = [
        RequestedItem(item_id=item.id, quantity=data.draw(st.integers(1, item.quantity)))
        for item in order.items
    ]
    try:
        harness.handle(RequestReturn(order_id=order.id, items=wanted, outcome=outcome))
    except Rejected:
        return
    if (quoted := harness.ledger.returns[0]).needs_approval:
        harness.handle(ApproveReturn(return_id=quoted.id))
    quoted = harness.ledger.returns[0]
    expected = [
        ReceivedItem(item_id=item.item_id, quantity=item.missing_quantity)
        for item in quoted.items
        if item.missing_quantity
    ]
    if expected and quoted.is_open:
        harness.handle(ReceiveReturn(return_id=quoted.id, items=expected))

    closed = harness.ledger.returns[0]
    assert closed.status is ReturnStatus.RECEIVED
    assert closed.quoted_refund == closed.refund_amount == closed.entitlement.entitled
    assert sum([part.amount.amount for part in quoted.breakdown]) == quoted.quoted_refund.amount
    if not closed.entitlement.is_refund_blocked:
        assert closed.refunded == closed.quoted_refund
        assert quoted.breakdown == closed.breakdown


def naming_the_quote(harness: CoreHarness, command: RequestReturn) -> RequestReturn:
    """The request with the amount that it would be quoted, which is the most that can be named."""
    plain = CoreHarness(harness.order, ledger=harness.ledger, policy=harness.policy, ids=counting("plain_"))
    with pytest.raises(Rejected) as refusal:
        plain.handle(evolve(command, refund_amount=10**8))
    plain.handle(command)
    quoted = plain.ledger.returns[-1].quoted_refund
    (violation,) = refusal.value.violations
    assert (violation.code, violation.numbers["value"]) == ("refund_exceeds_worth", quoted.amount)
    return evolve(command, refund_amount=quoted.amount)


def arrive(harness: CoreHarness, target: Return, data: st.DataObject) -> None:
    """All units of the return arrive, in one parcel or two."""
    (item,) = target.items
    first = data.draw(st.integers(0, item.quantity - 1), label="first parcel")
    if first:
        parcel = [ReceivedItem(item_id=item.item_id, quantity=first)]
        harness.handle(ReceiveReturn(return_id=target.id, items=parcel, more_expected=True))
    parcel = [ReceivedItem(item_id=item.item_id, quantity=item.quantity - first)]
    harness.handle(ReceiveReturn(return_id=target.id, items=parcel))


@given(
    order=dated,
    paid=charges(),
    policy=policies_with_rules(),
    shipping=st.integers(0, 900),
    data=st.data(),
)
def test_a_refund_is_within_its_bounds_and_no_change_of_policy_touches_it(
    order: Order, paid: tuple[Charge, ...], policy: ReturnPolicy, shipping: int, data: st.DataObject
) -> None:
    """Laws 6 and 7: 0 <= total <= goods + charges, fees <= goods; its terms are those of its request."""
    order = evolve(order, charges=paid)
    harness = CoreHarness(order, policy=policy, reasons=REASONS)
    wanted = [
        RequestedItem(
            item_id=item.id,
            quantity=data.draw(st.integers(1, item.quantity)),
            reason_id=data.draw(reason_ids),
            tags=data.draw(tag_sets),
        )
        for item in order.items
    ]
    overrule = data.draw(st.sampled_from([None, "kind"]))
    try:
        harness.handle(RequestReturn(order_id=order.id, items=wanted, overrule=overrule))
    except Rejected:
        return
    quoted = harness.ledger.returns[0]
    harness.policy = ReturnPolicy(fees=[])
    if quoted.needs_approval:
        harness.handle(ApproveReturn(return_id=quoted.id))
    if harness.ledger.returns[0].is_open:
        parcel = [
            ReceivedItem(item_id=item.item_id, quantity=item.missing_quantity)
            for item in quoted.items
            if item.missing_quantity and not quoted.terms.is_kept(item.rule)
        ]
        harness.handle(ReceiveReturn(return_id=quoted.id, items=parcel))
    received = harness.ledger.returns[0]
    amounts = {part.name: part.amount.amount for part in received.breakdown}
    goods = sum([item.line.paid(item.allocated) for item in received.items])
    back = sum([each.amount for each in received.charges_back])
    fees = -sum([amount for name, amount in amounts.items() if name.startswith("fee:")])

    assert received.status is ReturnStatus.RECEIVED
    assert received.quoted_refund == quoted.quoted_refund
    assert 0 <= received.quoted_refund.amount <= goods + back
    assert 0 <= fees <= goods
    rounding = amounts.get("rounding", 0)
    assert received.refund_amount.amount - rounding in {
        received.quoted_refund.amount, received.entitlement.entitled.amount
    }  # fmt: skip
    if not received.entitlement.is_refund_blocked:
        assert abs(received.refund_amount.amount - quoted.quoted_refund.amount) <= len(order.items)
    for part in received.breakdown:
        assert not part.parts or sum([each.amount.amount for each in part.parts]) == part.amount.amount
    assert sum([part.amount.amount for part in received.breakdown]) == received.refund_amount.amount


@given(order=dated, policy=policies_with_rules(), price=st.integers(0, 5000), data=st.data())
def test_fees_of_an_exchange_are_at_most_what_its_goods_are_worth(
    order: Order, policy: ReturnPolicy, price: int, data: st.DataObject
) -> None:
    """Law 6, where the customer can be asked for more: what each rule keeps, the units under it are worth."""
    harness = CoreHarness(order, policy=policy, reasons=REASONS)
    wanted = [
        RequestedItem(
            item_id=item.id,
            quantity=data.draw(st.integers(1, item.quantity)),
            reason_id=data.draw(reason_ids),
            tags=data.draw(tag_sets),
        )
        for item in order.items
    ]
    new = NewItem(variant_id="v", quantity=1, unit_price=price)
    try:
        harness.handle(RequestExchange(order_id=order.id, items=wanted, new_items=[new]))
    except Rejected:
        return
    opened, exchange = harness.ledger.returns[0], harness.ledger.exchanges[0]
    values: dict[str | None, int] = {}
    for item in opened.items:
        values[item.rule] = values.get(item.rule, 0) + item.line.paid(item.allocated)
    with_fees = [rule.name for rule in opened.terms.rules if rule.fees]
    fees = -sum([part.amount.amount for part in opened.breakdown if part.name.startswith("fee:")])

    assert 0 <= fees <= sum([values[name] for name in with_fees])
    assert exchange.difference_due.amount <= price
