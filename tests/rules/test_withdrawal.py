"""The right of withdrawal: no one is refused early, and both dates are known."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from rma import (
    DueFrom,
    Fee,
    InvalidValue,
    RecordSending,
    RequestedItem,
    RequestReturn,
    ReturnBasis,
    ReturnPolicy,
    ReturnRule,
    ReturnStatus,
    Window,
    Withdrawal,
)
from tests.rules.before import DECLINE, EXPIRE, berlin, withdrawals
from tests.rules.given import Given, line, order_of, receive, request, update, usd

BERLIN = ZoneInfo("Europe/Berlin")
RIGHT = Withdrawal(calendar=berlin())


def at(day: int, month: int = 3, hour: int = 12) -> datetime:
    """Returns this hour of a day of 2026 in Berlin."""
    return datetime(2026, month, day, hour, tzinfo=BERLIN)


def end_of(day: int, month: int = 3) -> datetime:
    """Returns 24:00 of a day of 2026 in Berlin, in UTC."""
    return (datetime(2026, month, day, tzinfo=BERLIN) + timedelta(days=1)).astimezone(UTC)


def shop(delivered: datetime | None = None, policy: ReturnPolicy | None = None, **more: Any) -> Given:
    """Returns two mugs for 20.00 that were ordered on 1 February, delivered then."""
    delivered = delivered or at(1)
    mugs = line(delivered_at=delivered, **more)
    given = Given(order_of(mugs, created_at=at(1, 2)), policy or withdrawals())
    given.now = delivered
    return given


def withdraw(quantity: int = 2, declared_at: datetime | None = None, **more: Any) -> RequestReturn:
    """Withdraws from mugs."""
    return request(quantity, basis="withdrawal", declared_at=declared_at, **more)


def withdrawn(policy: ReturnPolicy | None = None) -> Given:
    """Returns a withdrawal that was declared on Monday 2 March, at noon."""
    given = shop(policy=policy)
    given.now = at(2) - timedelta(minutes=1)
    given.when(withdraw())
    assert given.the().declared_at == at(2)
    return given


def test_the_window_is_judged_at_the_declaration() -> None:
    """Whenever it is recorded."""
    given = shop(at(2))
    given.now = at(30)

    assert given.codes(withdraw(declared_at=at(17))) == ["return_window_closed"]
    given.when(withdraw(declared_at=at(16, hour=23)))

    assert given.the().basis is ReturnBasis.WITHDRAWAL
    assert given.the().declared_at == at(16, hour=23)


@pytest.mark.parametrize(
    ("delivered", "until"), [(at(2), end_of(16)), (at(7), end_of(23)), (at(20), end_of(7, 4))]
)
def test_the_window_ends_with_a_working_day(delivered: datetime, until: datetime) -> None:
    """Good Friday is 3 April, and Easter Monday 6 April 2026."""
    right = Withdrawal(calendar=berlin("2026-04-03", "2026-04-06"))
    given = shop(delivered, ReturnPolicy(withdrawal=right))
    given.now = until + timedelta(days=9)

    assert given.codes(withdraw(declared_at=until + timedelta(microseconds=1))) == ["return_window_closed"]
    given.when(withdraw(declared_at=until))


def test_a_final_sale_can_be_withdrawn_from_without_a_reason() -> None:
    """Inside its window a withdrawal is refused for its quantity only."""
    given = shop(is_returnable=False)
    assert given.codes(request(1)) == ["item_not_returnable"]

    assert given.codes(withdraw(3)) == ["quantity_exceeds_returnable"]
    given.when(withdraw(2))


def test_a_withdrawal_is_never_reviewed_nor_declined() -> None:
    """And no fee is kept of it."""
    policy = ReturnPolicy(review=True, fees=[Fee("restocking", percent=10)], withdrawal=RIGHT)
    given = shop(policy=policy)

    given.when(withdraw(shipping_option_id="so_return"))

    assert given.the().status is ReturnStatus.REQUESTED
    assert given.the().refund_amount == usd(1800)
    assert given.codes(DECLINE) == ["return_not_pending", "withdrawal_not_declinable"]
    given.when(update(1))
    given.when(update(2))
    assert given.the().status is ReturnStatus.REQUESTED


def test_what_arrives_damaged_is_paid() -> None:
    """A loss of value is named by a person."""
    given = shop(policy=ReturnPolicy(refund_damaged=False, withdrawal=RIGHT))
    given.when(withdraw())
    given.when(receive(0, damaged=2))
    assert given.the().refund_amount == usd(2000)


def test_what_is_wrong_with_a_declaration() -> None:
    """Its date lies between the order and now; only a withdrawal has one."""
    given = shop()
    assert given.codes(withdraw(declared_at=given.now + timedelta(days=1))) == ["declared_at_in_future"]
    assert given.codes(withdraw(declared_at=at(31, 1))) == ["declared_before_order"]
    naive: Any = datetime(2026, 3, 1)  # noqa: DTZ001 # that is what is wrong
    assert given.codes(withdraw(declared_at=naive)) == ["invalid_datetime"]
    assert given.codes(request(1, basis="whim")) == ["invalid_basis"]
    assert given.codes(request(1, basis="policy", declared_at=given.now)) == ["declared_without_withdrawal"]
    given.policy = ReturnPolicy()
    assert given.codes(withdraw()) == ["no_right_of_withdrawal"]
    given.order = None
    assert given.codes(withdraw(declared_at=at(31, 1))) == ["order_not_found"]


def test_an_order_without_a_date_is_older_than_any_declaration() -> None:
    """Nothing is refused for what is not known."""
    given = Given(policy=withdrawals())
    given.when(withdraw(declared_at=given.now - timedelta(days=900)))


def test_number_4_the_goods_are_to_be_sent_within_14_days_and_7_of_grace() -> None:
    """Declared on Monday 2 March: until 23 March 24:00."""
    given = withdrawn()
    assert given.the().return_by == end_of(23)
    given.now = end_of(23)
    assert given.codes(EXPIRE) == ["not_expired_yet"]
    given.now += timedelta(microseconds=1)
    given.when(EXPIRE)


def test_number_4_proof_on_5_march_refund_due_on_the_16th() -> None:
    """The later of 14 days and the proof; it is due though no goods arrived."""
    given = withdrawn()
    assert (given.the().refund_due_by, given.the().payable_by) == (None, None)
    given.now = at(5)

    given.when(RecordSending(return_id="ret_1", proof="receipt"))

    assert given.the().refund_due_by == given.the().payable_by == end_of(16)


def test_number_4_neither_until_20_march_refund_due_then() -> None:
    """The merchant may wait for the goods."""
    given = withdrawn()
    given.now = at(20)

    given.when(receive(2))

    assert given.the().refund_due_by == end_of(20)
    assert given.the().payable_by is None


def test_number_4_goods_on_12_march_without_proof_refund_due_on_the_16th() -> None:
    """A part of them counts, and the rest is due as well."""
    given = withdrawn()
    given.now = at(12)

    given.when(receive(1, more_expected=True))

    assert given.the().refund_due_by == given.the().payable_by == end_of(16)


def test_number_4_in_the_united_kingdom_proof_on_5_march_refund_due_on_the_19th() -> None:
    """14 days after the earlier of both."""
    right = Withdrawal(calendar=berlin(), due_from=DueFrom.GOODS)
    given = withdrawn(ReturnPolicy(withdrawal=right))
    given.now = at(5)
    given.when(RecordSending(return_id="ret_1", proof="receipt"))
    assert given.the().refund_due_by == end_of(19)
    given.now = at(7)
    given.when(receive(2))
    assert given.the().refund_due_by == end_of(19)


def test_goods_may_be_sent_with_the_declaration() -> None:
    """Before a clerk recorded it."""
    given = shop()
    given.now = at(5)
    given.when(withdraw(declared_at=at(2)))
    assert given.codes(RecordSending(return_id="ret_1", sent_at=at(1))) == ["sent_before_requested"]
    given.when(RecordSending(return_id="ret_1", sent_at=at(2)))


def test_units_that_are_added_are_declared_now() -> None:
    """Those that were declared before stay so."""
    given = shop(at(2))
    given.when(withdraw(1))
    given.now = at(18)

    assert given.codes(update(2)) == ["return_window_closed"]
    given.when(update(1))
    assert given.the().declared_at == at(2) + timedelta(minutes=1)


def test_a_shop_may_be_kinder_than_the_law() -> None:
    """Longer windows, shorter dates; they end with a day all the same."""
    generous = Window(30, since="delivered")
    right = Withdrawal(window=generous, return_days=20, grace_days=2, refund_days=5, due_from="goods")
    given = shop(at(2), ReturnPolicy(withdrawal=right, calendar=berlin()))
    given.now = at(30)

    given.when(withdraw())
    assert given.the().return_by == end_of(21, 4)
    given.when(RecordSending(return_id="ret_1", proof="receipt.jpg"))
    assert given.the().refund_due_by == end_of(6, 4)


def test_a_right_that_cannot_be_is_refused_when_it_is_built() -> None:
    """A host learns of it when it starts."""
    wrong: list[dict[str, Any]] = [
        {"calendar": "Europe/Berlin"},
        {"window": 14},
        {"return_days": -1},
        {"grace_days": 1.5},
        {"refund_days": 36_526},
        {"due_from": "whim"},
    ]
    for fields in wrong:
        with pytest.raises(InvalidValue):
            Withdrawal(**fields)
    policies: list[dict[str, Any]] = [
        {"review": 1},
        {"return_within_days": -1},
        {"pay_within_days": "7"},
        {"withdrawal": 14},
    ]
    for fields in policies:
        with pytest.raises(InvalidValue):
            ReturnPolicy(**fields)


@pytest.mark.parametrize("window", [Window(14, ends="day"), Window(14)])
def test_a_right_without_a_calendar_is_refused(window: Window) -> None:
    """Its periods end with a day, and would end up to five days too soon."""
    right = Withdrawal(window=window)

    with pytest.raises(InvalidValue, match=r"ReturnPolicy.calendar must be a Calendar: the periods") as error:
        ReturnPolicy(withdrawal=right)

    assert error.value.code == "invalid_value"
    assert ReturnPolicy(withdrawal=right, calendar=berlin()).right_of_withdrawal == evolve(
        right, calendar=berlin()
    )
    assert ReturnPolicy(withdrawal=evolve(right, calendar=berlin())).calendar is None


def test_a_rule_for_withdrawals_needs_the_right() -> None:
    """Without it no request reaches the rule, and the merchant believes that customers can withdraw."""
    law = ReturnRule(name="law", when={"basis:withdrawal"})

    with pytest.raises(InvalidValue, match=r"ReturnPolicy.withdrawal must be a Withdrawal: rule law"):
        ReturnPolicy(rules=[ReturnRule(name="shop"), law])

    assert ReturnPolicy(rules=[ReturnRule(name="shop"), law], withdrawal=RIGHT).rules[1] is law


def test_several_lines_are_withdrawn_from_together() -> None:
    """The window begins with the last delivery of the order."""
    mug, tea = line(delivered_at=at(2)), line("tea", 1, 500, delivered_at=at(9))
    given = Given(order_of(mug, tea, created_at=at(1, 2)), withdrawals())
    given.now = at(23)
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("mug", "tea")]

    given.when(RequestReturn(order_id="order_1", items=items, basis="withdrawal"))

    assert given.the().refund_amount == usd(1500)


def test_a_declaration_that_is_recorded_late_leaves_the_days_of_grace() -> None:
    """Else it would expire as soon as it is recorded."""
    given = shop(at(2))
    given.now = at(30)
    given.when(withdraw(declared_at=at(3)))
    assert given.the().return_by == end_of(6, 4)
    assert given.codes(EXPIRE) == ["not_expired_yet"]


def test_goods_that_are_only_said_to_be_sent_make_no_refund_due() -> None:
    """A proof does, though it comes later: from when they were sent."""
    given = withdrawn(withdrawals(due_from="goods"))
    given.when(RecordSending(return_id="ret_1"))
    assert given.the().refund_due_by is None
    given.now += timedelta(days=3)
    given.when(RecordSending(return_id="ret_1", proof="receipt.jpg"))
    assert given.the().refund_due_by == end_of(16)


def test_a_withdrawal_that_was_sent_in_time_is_payable_though_it_expired() -> None:
    """A proof that comes late is a proof."""
    given = withdrawn()
    given.now = at(30)
    given.when(EXPIRE)
    assert given.the().payable_by is None
    given.when(RecordSending(return_id="ret_1", sent_at=at(10), proof="receipt.jpg"))
    assert given.the().payable_by == end_of(16)


def test_an_update_keeps_the_right_that_was_declared() -> None:
    """The policy may have none any more, or another one."""
    given = withdrawn()
    before = given.the()
    given.policy = ReturnPolicy(window_days=0)
    given.now += timedelta(days=1)

    given.when(update(1))

    assert (given.the().terms, given.the().return_by) == (before.terms, before.return_by)
    given.when(update(2))
    assert given.the().refund_amount == usd(2000)
