"""What a charge to a hold comes to, when goods, money and the gateway's answers arrive in any order."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    AdvanceCharged,
    Bonus,
    ChargeDeclined,
    ChargePending,
    ChargeStatus,
    ChargeSucceeded,
    CorrectedItem,
    CorrectReceipt,
    ExchangeStatus,
    HoldReleased,
    MissingItem,
    NewItem,
    OutOfStock,
    RecordChargeOutcome,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRule,
    ReturnStatus,
    SettleAdvance,
    UpdateExchange,
)
from rma.domain.messages.effects import Unknown
from tests.rules.advance import (
    NOT_GRADED,
    after_last_day,
    customer_paid,
    first,
    hold,
    pay,
    shipped,
    shoes,
    the,
)
from tests.rules.given import Given, order_of, receive, usd
from tests.rules.test_exchange_ends import exchange

SETTLE = SettleAdvance(exchange_id="exc_1", created_by="ann")
ACCEPT = ResolveReturn(return_id="ret_1", created_by="ann")
CHARGE = "exc_1-charge-1"


def reported(
    outcome: ChargeSucceeded | ChargePending | ChargeDeclined, key: str = CHARGE, **more: Any
) -> RecordChargeOutcome:
    """Reports the outcome of a charge."""
    return RecordChargeOutcome(key=key, outcome=outcome, **more)


def charged() -> Given:
    """Returns shoes that never returned, and whose charge is on its way."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    return given


@pytest.mark.parametrize("answer", [ChargePending("c"), Unknown("timeout")])
def test_a_charge_that_fails_is_not_owed_once_the_goods_are_back(answer: ChargePending | Unknown) -> None:
    """The parcel was faster: 5.00 is the difference, nothing is owed, and the hold is free."""
    given = charged()
    given.record_outcomes((CHARGE, answer))
    given.when(receive(1))
    given.when(ACCEPT)
    assert (the(given).difference_due, the(given).owed) == (usd(500), usd(0))

    *_, released = given.when(reported(ChargeDeclined("no")))

    assert isinstance(released, HoldReleased)
    assert (the(given).status, the(given).owed) == (ExchangeStatus.COMPLETED, usd(0))
    assert not the(given).needs_attention
    assert given.codes(SETTLE) == ["advance_already_settled", "exchange_completed"]
    assert given.codes(pay(5995, "till")) == ["exchange_completed"]
    assert customer_paid(given) == 6495


def test_a_port_that_declines_a_charge_for_goods_that_are_back_frees_the_hold() -> None:
    """The answer of the port says the same as a notice."""
    given = charged()
    given.when(receive(1))
    given.when(ACCEPT)
    *_, released = given.record_outcomes((CHARGE, ChargeDeclined("no")))
    assert isinstance(released, HoldReleased)
    assert (the(given).status, the(given).owed) == (ExchangeStatus.COMPLETED, usd(0))


def test_a_charge_that_succeeds_once_the_goods_are_back_is_due() -> None:
    """59.95 are due to the customer, and a person gives them back."""
    given = charged()
    given.when(receive(1))
    given.when(ACCEPT)
    given.record_outcomes((CHARGE, ChargeSucceeded("c")))

    assert (given.the().amount_due, given.the().needs_attention) == (usd(5995), True)
    assert given.the().breakdown[-1].name != "rounding"
    given.when(RetryRefund(return_id="ret_1"))
    assert customer_paid(given) == 6495


def test_missing_goods_that_turn_up_are_not_charged() -> None:
    """They were said to be lost; the charge for them is declined after they were here."""
    given = shipped(NOT_GRADED)
    lost = MissingItem(item_id="mug", quantity=1, pay=False, reason="lost")
    given.when(ResolveReturn(return_id="ret_1", missing=[lost]))
    given.when(receive(1))
    given.when(ACCEPT)
    given.when(reported(ChargeDeclined("no")))
    assert (the(given).status, the(given).owed) == (ExchangeStatus.COMPLETED, usd(0))
    assert customer_paid(given) == 6495


@pytest.mark.parametrize("otherwise", ["settled", "paid"])
def test_what_was_paid_twice_is_due(otherwise: str) -> None:
    """Declined, taken otherwise, and then said to be taken: 59.95 are due, and a person gives them back."""
    given = charged()
    given.record_outcomes((CHARGE, ChargeDeclined("no")))
    if otherwise == "settled":
        given.when(SETTLE)
        given.record_outcomes(("exc_1-charge-2", ChargeSucceeded("c2")))
    else:
        *_, released = given.when(pay(5995, "till"))
        assert isinstance(released, HoldReleased)
    assert customer_paid(given) == 12490

    given.when(reported(ChargeSucceeded("c1")))

    assert (the(given).paid, given.the().status) == (usd(12490), ReturnStatus.EXPIRED)
    assert (given.the().amount_due, given.the().needs_attention) == (usd(5995), True)
    given.when(RetryRefund(return_id="ret_1"))
    assert customer_paid(given) == 12490
    assert not given.the().needs_attention
    # The goods come after all: what was charged for them once is given back, too.
    given.when(receive(1))
    given.when(ACCEPT)
    assert customer_paid(given) == 6495


def test_a_charge_that_fails_after_it_succeeded_is_owed_again() -> None:
    """What the gateway took back was not paid; it is charged again, or paid otherwise."""
    given = charged()
    given.record_outcomes((CHARGE, ChargeSucceeded("c1")))
    given.when(reported(ChargeDeclined("bounced")))

    assert [each.status for each in the(given).hold_charges] == [ChargeStatus.FAILED]
    assert (the(given).status, the(given).owed, the(given).paid) == (
        ExchangeStatus.REQUIRES_ACTION,
        usd(5995),
        usd(500),
    )
    assert the(given).needs_attention
    assert given.when(reported(ChargeSucceeded("c1"))) == ()  # its first notice, delivered again
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-2", ChargeSucceeded("c2")))
    assert (the(given).status, customer_paid(given)) == (ExchangeStatus.COMPLETED, 12490)


def test_where_the_gateway_contradicts_itself_a_person_says_what_is_true() -> None:
    """Declined, taken, declined: the notices change nothing more, a name does, and takes it back once."""
    given = charged()
    given.record_outcomes((CHARGE, ChargeDeclined("no")))
    given.when(pay(5995, "till"))
    given.when(reported(ChargeSucceeded("c1")))
    assert given.the().amount_due == usd(5995)
    assert given.when(reported(ChargeDeclined("no"))) == ()  # its first notice, delivered again
    given.when(reported(ChargeDeclined("bounced"), created_by="ann"))
    assert given.when(reported(ChargeDeclined("bounced"), created_by="ann")) == ()
    assert (given.the().amount_due, the(given).owed, customer_paid(given)) == (usd(0), usd(0), 12490)
    assert the(given).status is ExchangeStatus.COMPLETED


def test_a_charge_that_was_given_back_cannot_fail_any_more() -> None:
    """Its money was refunded with the goods: a late failure is refused, with the amounts."""
    given = charged()
    given.record_outcomes((CHARGE, ChargeSucceeded("c1")))
    given.when(receive(1))
    given.when(ACCEPT)
    refusal = given.refuses(reported(ChargeDeclined("bounced")))
    (violation,) = refusal.violations
    assert violation.code == "charge_given_back"
    assert dict(violation.numbers) == {"key": CHARGE, "refunded": 5995, "amount": 5995, "currency": "usd"}


def test_a_late_answer_of_the_port_does_not_undo_a_success() -> None:
    """The effect is closed: two processes sent it, and the slower one was refused."""
    given = charged()
    given.record_outcomes((CHARGE, ChargeSucceeded("c1")))
    assert given.record_outcomes((CHARGE, ChargeDeclined("known"))) == ()
    assert the(given).hold_charges[0].status is ChargeStatus.SUCCEEDED


def test_what_a_hold_does_not_cover_stays_owed() -> None:
    """A hold of 50.00 for shoes of 59.95, as an earlier release may have taken it: 9.95 stay owed."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    small = evolve(the(given), hold=hold(5000))
    given.ledger = evolve(given.ledger, exchanges=(small,))

    *_, event = given.when(SETTLE)

    assert isinstance(event, AdvanceCharged)
    assert (event.charge.amount, event.status) == (usd(5000), ExchangeStatus.REQUIRES_ACTION)
    given.all_delivered()
    assert (given.ledger.exchanges[0].owed, given.ledger.exchanges[0].needs_attention) == (usd(995), True)


def test_a_success_that_the_port_and_a_notice_report_is_paid_once() -> None:
    """The notice is first; what the port answers then changes nothing."""
    given = charged()
    given.when(reported(ChargeSucceeded("c1")))
    given.record_outcomes((CHARGE, ChargeSucceeded("c1")))
    assert [each.reference for each in the(given).payments] == ["ch_1", "c1"]
    assert customer_paid(given) == 12490


@pytest.mark.parametrize(
    ("reported_as", "known_as"), [(None, "auth_1"), ("c1", "c1"), ("ch_1", CHARGE), ("", "auth_1")]
)
def test_what_was_charged_has_a_reference_of_its_own(reported_as: str | None, known_as: str) -> None:
    """The hold's, unless the port gives one; never that of the 5.00 that were paid as `ch_1`."""
    given = charged()
    given.record_outcomes((CHARGE, ChargeSucceeded(reported_as)))
    assert [each.reference for each in the(given).payments] == ["ch_1", known_as]


def test_new_goods_do_not_leave_after_the_last_day_for_the_others() -> None:
    """The rest of the difference is paid after it: it counts, nothing is sent, and a person decides."""
    given = Given(shoes(), NOT_GRADED)
    given.when(first())
    given.when(pay(200, "a"))
    after_last_day(given)
    given.when(pay(300, "b"))

    assert (the(given).paid, the(given).is_sent) == (usd(500), False)
    assert (the(given).status, the(given).needs_attention) == (ExchangeStatus.REQUIRES_ACTION, True)
    assert "exc_1-replacement-1" not in given.ledger.open_effects
    # Goods that come all the same are exchanged.
    given.when(receive(1))
    assert the(given).status is ExchangeStatus.COMPLETED
    assert "exc_1-replacement-1" in given.ledger.open_effects


def test_new_goods_leave_on_the_last_day_for_the_others() -> None:
    """Up to its last moment."""
    given = Given(shoes(), NOT_GRADED)
    given.when(first())
    until = given.the().return_by
    assert until is not None
    given.now = until - timedelta(minutes=1)
    given.when(pay())
    assert the(given).sent_first


def test_other_new_goods_do_not_leave_after_the_last_day_for_the_others() -> None:
    """Out of stock for weeks: other new goods are refused while they would go first."""
    given = Given(shoes(), NOT_GRADED)
    given.reserves = True
    given.when(first())
    given.when(pay())
    given.record_outcomes(("exc_1-reserve-1", OutOfStock("none left")))
    after_last_day(given)
    given.now += timedelta(minutes=1)
    instead = UpdateExchange(
        exchange_id="exc_1", new_items=[NewItem(variant_id="v", quantity=1, unit_price=6495)]
    )
    assert given.codes(instead) == ["advance_too_late"]


BONUS = ReturnPolicy(
    return_within_days=14,
    rules=[ReturnRule(name="r", outcomes=["refund", "exchange"], bonus=Bonus("b", amount=500))],
)


def test_the_hold_covers_the_bonus() -> None:
    """Goods that do not come back have none: 59.95 and 5.00 can be owed, for new goods of 64.95."""
    given = Given(shoes(), BONUS)
    refusal = given.refuses(first())
    (violation,) = refusal.violations
    assert (violation.code, violation.numbers["needed"]) == ("hold_too_small", 6495)

    given.when(first(hold=hold(6495)))
    after_last_day(given)
    given.when(SETTLE)
    given.all_delivered()
    assert (the(given).owed, customer_paid(given)) == (usd(0), 12490)


def miscounted(*, is_advance: bool = False) -> Given:
    """Returns two mugs exchanged for new goods of 20.00, of which one did not arrive, as was found later."""
    given = Given(order_of(captured=2000), NOT_GRADED)
    given.when(first(2000, 2, hold=hold(2000)) if is_advance else exchange(2000))
    given.when(receive(2))
    given.all_delivered()
    assert the(given).status is ExchangeStatus.COMPLETED
    correction = [CorrectedItem(item_id="mug", quantity=1)]
    given.when(CorrectReceipt(return_id="ret_1", items=correction, reason="counted twice"))
    return given


@pytest.mark.parametrize("is_advance", [False, True])
def test_what_a_correction_leaves_open_is_shown(is_advance: bool) -> None:
    """One mug arrived for 20.00: 10.00 are owed, no one is charged, and a person decides."""
    given = miscounted(is_advance=is_advance)
    exchange = the(given)
    assert (exchange.difference_due, exchange.owed) == (usd(1000), usd(1000))
    assert (exchange.status, exchange.needs_attention) == (ExchangeStatus.COMPLETED, True)
    assert not given.ledger.open_effects.keys() - {"ret_1-withdraw-1"}


@pytest.mark.parametrize("is_advance", [False, True])
def test_what_a_correction_leaves_open_can_be_paid(is_advance: bool) -> None:
    """The customer pays it: nothing is sent again."""
    given = miscounted(is_advance=is_advance)
    assert given.codes(pay(1001, "late")) == ["payment_exceeds_owed"]
    given.when(pay(1000, "late"))
    exchange = the(given)
    assert (exchange.status, exchange.owed, exchange.needs_attention) == (
        ExchangeStatus.COMPLETED,
        usd(0),
        False,
    )
    assert "exc_1-replacement-2" not in {*given.ledger.open_effects}
    assert not [key for key in given.ledger.open_effects if "replacement" in key]
    assert given.codes(pay(1, "more")) == ["exchange_completed"]


@pytest.mark.parametrize("is_advance", [False, True])
def test_what_a_correction_leaves_open_can_be_left_to_the_customer(is_advance: bool) -> None:
    """A person names what the customer keeps: nothing is owed any more."""
    given = miscounted(is_advance=is_advance)
    given.when(ResolveReturn(return_id="ret_1", refund_amount=0, created_by="ann"))
    exchange = the(given)
    assert (exchange.owed, exchange.needs_attention, given.the().needs_attention) == (usd(0), False, False)
    assert given.codes(ResolveReturn(return_id="ret_1", refund_amount=0)) == ["return_already_received"]


def test_what_was_not_sent_is_not_left_to_the_customer() -> None:
    """While new goods wait for the difference, it cannot be named away."""
    given = Given(order_of(captured=2000))
    given.when(exchange(2500))
    given.when(receive(2))
    assert the(given).status is ExchangeStatus.AWAITING_PAYMENT
    assert given.codes(ResolveReturn(return_id="ret_1", refund_amount=0)) == ["return_already_received"]
