"""Laws of money that moves before the goods: paid ahead, and exchanges whose new goods are sent first."""

from collections import Counter
from datetime import timedelta

from attrs import evolve
from hypothesis import given as for_all
from hypothesis import strategies as st

from rma import (
    ApproveReturn,
    Bonus,
    ChargeDeclined,
    ChargePending,
    ChargeRequest,
    ChargeSucceeded,
    Command,
    CorrectedItem,
    CorrectReceipt,
    ExchangeStatus,
    Fee,
    Hold,
    PayOn,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordSending,
    Rejected,
    ReleaseRequest,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRule,
    SettleAdvance,
)
from rma.domain.messages.advance import ChargeOutcome
from rma.domain.react import react
from rma.domain.views.postings import Account, postings
from tests.rules.advance import (
    NOT_GRADED,
    POLICY,
    SCALE,
    after_last_day,
    customer_paid,
    first,
    hold,
    pay,
    quoted,
    shoes,
    the,
)
from tests.rules.given import Given, line, order_of, receive, request, usd
from tests.rules.test_exchange_ends import CANCEL, KEEP, NONE_LEFT, exchange, instead
from tests.rules.test_pay_on import graded

SETTLE = SettleAdvance(exchange_id="exc_1")


@for_all(
    old=st.integers(1, 9999),
    new=st.integers(1, 9999),
    count=st.integers(1, 4),
    data=st.data(),
)
def test_whatever_comes_back_the_customer_pays_for_what_is_kept(
    old: int, new: int, count: int, data: st.DataObject
) -> None:
    """
    In the end the customer paid the new goods and what did not come back, or is value less: no more, no less.

    The hold is charged or released, never both; it is charged at most what it is of, and only where not
    everything is back as it was.
    """
    given = Given(shoes(count, old), POLICY)
    given.when(first(new, count, hold=hold(min(old * count, new))))
    if owed := the(given).owed.amount:
        given.when(pay(owed))
    grades = data.draw(st.lists(st.sampled_from(["A", "B", "D"]), max_size=count))
    if grades:
        given.when(receive(len(grades), allow_mismatch=True))
        for each in grades:
            given.when(graded(each))
    else:
        after_last_day(given)
        given.when(SETTLE)
    given.all_delivered()
    exchange, arrived = the(given), given.the().value_arrived(given.the().items, None)
    goods = sum(item.line.paid(running_sums) for item, running_sums in arrived.goods)
    goods += sum(each.amount for each in arrived.other if each.name.startswith("grade:"))
    assert customer_paid(given) == old * count - goods + new
    assert exchange.status is ExchangeStatus.COMPLETED
    charged = [each.amount.amount for each in exchange.hold_charges]
    assert bool(charged) != (exchange.hold_released_at is not None)
    assert sum(charged) <= min(old * count, new)
    assert not charged or goods < old * count


@for_all(
    new=st.integers(1, 4000),
    other=st.integers(1, 4000),
    part=st.integers(0, 100),
    keep=st.booleans(),
    here=st.booleans(),
    declined=st.booleans(),
)
def test_a_canceled_exchange_leaves_the_customer_what_was_paid_for_it(
    new: int, other: int, part: int, keep: bool, here: bool, declined: bool
) -> None:
    """Whatever happened before: nothing is paid for goods that are back, and the order's for those kept."""
    given = Given(order_of(line(), captured=2000))
    given.when(exchange(new))
    if (owed := the(given).owed.amount) and part:
        given.when(
            RecordExchangePayment(exchange_id="exc_1", amount=max(1, owed * part // 100), reference="c")
        )
    if here:
        given.when(receive(2))
    if declined and "exc_1-replacement-1" in given.ledger.open_effects:
        given.record_outcomes(("exc_1-replacement-1", NONE_LEFT))
    if the(given).status is ExchangeStatus.COMPLETED:
        return
    if not here:
        given.when(instead(other))
    given.when(KEEP if keep else CANCEL)
    if keep and not here:
        given.when(receive(2))
    assert customer_paid(given) == (0 if here or keep else 2000)


@for_all(
    old=st.integers(1, 300),
    new=st.integers(0, 900),
    count=st.integers(1, 4),
    fee=st.integers(0, 300),
    days=st.integers(0, 30),
    review=st.booleans(),
    bonus=st.integers(0, 300),
)
def test_the_hold_that_is_quoted_is_the_least_that_is_taken(
    old: int, new: int, count: int, fee: int, days: int, review: bool, bonus: int
) -> None:
    """Of a minor unit less, or a second less, it is refused; whatever comes back, it covers what is owed."""
    fees = [Fee("handling", amount=fee)] if fee else []
    rules = [ReturnRule(name="all", outcomes=["exchange"], fees=fees, bonus=Bonus("more", amount=bonus))]
    policy = ReturnPolicy(return_within_days=days, review=review, fees=fees)
    if bonus:
        policy = ReturnPolicy(return_within_days=days, review=review, rules=rules)
    given = Given(shoes(count, old), policy)
    asked = first(new, count, hold=None, ship="last")
    needed = quoted(given, asked).hold_needed
    assert needed is not None
    least, until = needed.amount.amount, needed.until

    too_short = evolve(asked, ship="first", hold=hold(least, until=until - timedelta(seconds=1)))
    assert given.codes(too_short) == ["hold_ends_before_return_by"]
    if least > 1:
        too_small = evolve(asked, ship="first", hold=hold(least - 1, until=until))
        assert given.codes(too_small) == ["hold_too_small"]
    given.now -= timedelta(minutes=1)
    given.when(evolve(asked, ship="first", hold=hold(least, until=until)))
    if review:
        given.now -= timedelta(minutes=1)
        given.when(ApproveReturn(return_id="ret_1"))
    if owed := the(given).owed.amount:
        given.now -= timedelta(minutes=1)
        given.when(pay(owed))
    after_last_day(given)
    given.when(SETTLE)
    given.all_delivered()
    assert (the(given).status, the(given).owed.amount) == (ExchangeStatus.COMPLETED, 0)
    assert sum(each.amount.amount for each in the(given).hold_charges) <= least


@for_all(
    old=st.integers(1, 5000),
    prices=st.lists(st.integers(0, 9000), min_size=1, max_size=4),
    more=st.integers(0, 100),
    comes_back=st.booleans(),
)
def test_of_all_holds_one_is_charged_at_most_and_the_others_are_released(
    old: int, prices: list[int], more: int, comes_back: bool
) -> None:
    """New goods run out again and again: each others are on a hold of their own, and each ends once."""
    given = Given(shoes(1, old), NOT_GRADED)
    until = given.now + timedelta(days=20)
    amounts = [usd(min(old, max(1, price)) + more) for price in prices]
    holds = [Hold(f"auth_{number}", amount, until) for number, amount in enumerate(amounts)]
    for number, (price, each) in enumerate(zip(prices, holds, strict=True)):
        given.when(instead(price, hold=each) if number else first(price, hold=each))
        if owed := the(given).owed.amount:
            given.when(pay(owed, f"ch_{number}"))
        if number < len(prices) - 1:
            given.record_outcomes((f"exc_1-replacement-{number + 1}", NONE_LEFT))
    if comes_back:
        given.when(receive(1))
    else:
        after_last_day(given)
        given.when(SETTLE)

    asked = [effect for event in given.history for effect in react(event)]
    released = [each.hold for each in asked if isinstance(each, ReleaseRequest)]
    charged = [each.hold for each in asked if isinstance(each, ChargeRequest)]
    assert Counter(released + charged) == Counter(holds)
    assert set(charged) <= {holds[-1]}
    assert all(each.amount <= each.hold.amount for each in asked if isinstance(each, ChargeRequest))
    assert not (comes_back and charged)


@for_all(
    st.sampled_from([None, *PayOn]),
    st.lists(st.sampled_from(["A", "B", "D"]), min_size=1, max_size=4),
    st.integers(0, 9999),
)
def test_whenever_it_is_paid_the_customer_gets_what_is_due_at_least(
    pay_on: PayOn | None, grades: list[str], price: int
) -> None:
    """Paid is the larger of the quote, if it was paid before the grades, and of what is due; never twice."""
    policy = ReturnPolicy(pay_on=pay_on, inspect=True, grades=SCALE)
    count = len(grades)
    given = Given(order_of(line(quantity=count, price=price), captured=price * count), policy)
    given.when(request(count))
    given.when(RecordSending(return_id="ret_1"))
    given.when(receive(count))
    for each in grades:
        given.when(graded(each))
    account = given.the().entitlement
    ahead = pay_on not in (None, PayOn.INSPECTION)
    assert account.paid.amount == (price * count if ahead else account.entitled.amount)
    assert account.entitled == given.the().refund_amount
    promised = given.the().paid_ahead
    assert promised is None or promised.amount > 0
    assert (account.due.amount, account.overpaid.amount) == (
        0,
        account.paid.amount - account.entitled.amount,
    )


@for_all(
    st.sampled_from([None, *PayOn]),
    st.booleans(),
    st.integers(0, 3000),
    st.lists(st.sampled_from([3, 0, 1, 4]), min_size=1, max_size=3),
    st.data(),
)
def test_no_more_is_due_than_was_named_last(
    pay_on: PayOn | None, inspects: bool, captured: int, parcels: list[int], data: st.DataObject
) -> None:
    """Whatever was promised before, and whether it could be paid: of the amount, what is not paid is due."""
    inspects = inspects or pay_on is PayOn.INSPECTION
    policy = ReturnPolicy(pay_on=pay_on, inspect=inspects, grades=SCALE if inspects else ())
    given = Given(order_of(line(quantity=9), captured=captured), policy)
    given.when(request(3))
    given.when(RecordSending(return_id="ret_1"))
    for quantity in parcels:
        refused(given, receive(quantity, more_expected=data.draw(st.booleans())))
        named = data.draw(st.integers(0, captured))
        accepted = data.draw(st.booleans())
        nothing = receive(0, allow_mismatch=accepted, refund_amount=named, refund_note="so it is")
        if not refused(given, nothing):
            account = given.the().entitlement
            assert account.due.amount <= max(0, named - account.covered)
            assert account.due.amount or not account.is_refund_blocked


def refused(given: Given, command: Command) -> bool:
    """Handles the command, and says whether it was refused."""
    try:
        given.when(command)
    except Rejected:
        return True
    return False


CHARGED = ("succeeded", "declined", "pending", "settle", "cash", "parcel", "accept", "refund")


@for_all(
    old=st.integers(2, 9999),
    new=st.integers(1, 9999),
    steps=st.lists(st.sampled_from(CHARGED), max_size=9),
)
def test_whenever_answers_come_no_one_pays_for_goods_that_are_back(
    old: int, new: int, steps: list[str]
) -> None:
    """
    What was paid, less what is due, with what is owed, is the new goods and those that are not back.

    What the gateway has taken counts as paid, also after it was declined; while it is open it may be.
    """
    given = Given(shoes(1, old), NOT_GRADED)
    given.when(first(new, hold=hold(min(old, new))))
    if difference := the(given).owed.amount:
        given.when(pay(difference))
    after_last_day(given)
    given.when(SETTLE)
    for number, step in enumerate(steps):
        exchange = the(given)
        key = exchange.hold_charges[-1].key
        if step in ("succeeded", "declined", "pending"):
            outcomes: dict[str, ChargeOutcome] = {
                "succeeded": ChargeSucceeded(f"ch_{key}"),
                "declined": ChargeDeclined("no"),
                "pending": ChargePending("p"),
            }
            asked: Command = RecordChargeOutcome(key=key, outcome=outcomes[step], created_by="ann")
        elif step == "settle":
            asked = SETTLE
        elif step == "cash":
            asked = pay(max(1, exchange.owed.amount), f"till_{number}")
        elif step == "parcel":
            asked = receive(1)
        elif step == "accept":
            asked = ResolveReturn(return_id="ret_1")
        else:
            asked = RetryRefund(return_id="ret_1")
        refused(given, asked)
        exchange, target = the(given), given.the()
        pending = sum(each.amount.amount for each in exchange.hold_charges if each.is_pending)
        is_back = target.received_at is not None
        value = new if is_back else new + old
        open_amounts = exchange.owed.amount - target.amount_due.amount
        paid = customer_paid(given) + open_amounts
        assert paid <= value <= paid + pending, steps[: number + 1]
        assert exchange.needs_attention or not exchange.owed.amount
        assert target.needs_attention or not target.amount_due.amount


@for_all(
    old=st.integers(1, 9999),
    new=st.integers(1, 9999),
    paid=st.integers(0, 9999),
    off=st.integers(1, 9999),
    is_late=st.booleans(),
    is_mistaken=st.booleans(),
)
def test_whatever_is_written_off_no_more_is_given_back_than_was_paid(
    old: int, new: int, paid: int, off: int, is_late: bool, is_mistaken: bool
) -> None:
    """Late goods give back what was paid for those that are kept, and the books are even."""
    given = Given(shoes(price=old), NOT_GRADED)
    given.when(first(new, hold=hold(10**6)))
    if due := the(given).owed.amount:
        given.when(pay(due))
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", ChargeDeclined("no")))
    owed = the(given).owed.amount
    if cash := min(paid, owed):
        given.when(pay(cash, "cash"))
    if written_off := min(off, owed - cash):
        given.when(SettleAdvance(exchange_id="exc_1", write_off=written_off, note="gone"))
    assert the(given).owed.amount == owed - cash - written_off
    assert the(given).written_off.amount == written_off
    if is_late:
        given.when(receive(1))
        given.when(ResolveReturn(return_id="ret_1"))
        assert the(given).written_off.amount == the(given).owed.amount == 0
        assert customer_paid(given) == new  # what was paid for the old ones counts, and they are here
    if is_late and is_mistaken:
        nothing = [CorrectedItem(item_id="mug", quantity=0)]
        given.when(CorrectReceipt(return_id="ret_1", items=nothing, reason="another parcel"))
    given.all_delivered()
    found = [each for event in given.history for each in postings(event) if each.account is Account.CUSTOMER]
    balance = sum(each.credit.amount - each.debit.amount for each in found)
    assert balance == -the(given).owed.amount - given.the().entitlement.overpaid.amount
