"""SettleAdvance with an amount: what a customer owes for new goods that were sent first is written off."""

from typing import Any

import pytest

from rma import (
    AdvanceWrittenOff,
    ChargeDeclined,
    ChargeRequest,
    ChargeSucceeded,
    CorrectedItem,
    CorrectReceipt,
    ExchangeStatus,
    HoldReleased,
    Money,
    OutOfStock,
    RecordChargeOutcome,
    ResolveReturn,
    ReturnStatus,
    SettleAdvance,
    WriteOff,
)
from rma.domain.messages.advance import ChargePending
from rma.domain.messages.effects import Done, GivenUp
from rma.domain.react import react
from rma.domain.views.notes import credit_notes
from rma.domain.views.postings import Account, postings
from rma.domain.views.timeline import timeline
from tests.rules.advance import NOT_GRADED, after_last_day, pay, shipped, the
from tests.rules.given import Given, effect_kinds, receive, usd

SETTLE = SettleAdvance(exchange_id="exc_1")


def write_off(amount: int | Money = 5995, note: str | None = "moved away", **more: Any) -> SettleAdvance:
    """Returns the command for what is owed of the first exchange."""
    return SettleAdvance(exchange_id="exc_1", write_off=amount, note=note, created_by="Cy", **more)


def unpaid(**more: Any) -> Given:
    """Returns shoes of 59.95 for others of 64.95; 5.00 were paid, and the charge of 59.95 was declined."""
    given = shipped(NOT_GRADED, **more)
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", ChargeDeclined("expired_hold")))
    return given


def balance(given: Given, account: Account) -> int:
    """Returns what the account has, debits above 0; and asserts that it balances with all others."""
    found = [each for event in given.history for each in postings(event)]
    assert sum(each.debit.amount - each.credit.amount for each in found) == 0
    return sum(each.debit.amount - each.credit.amount for each in found if each.account is account)


def refunded(given: Given) -> int:
    """Returns what the customer was given back, in minor units."""
    return sum(refund.amount.amount for refund in given.ledger.refunds)


def late_goods(given: Given) -> None:
    """A parcel after all, and a clerk who accepts it."""
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))


def test_what_is_owed_is_written_off_by_whom_and_why() -> None:
    """The exchange is over; nothing was paid by it, and what was due is on record."""
    given = unpaid()
    paid = the(given).paid
    written, released = given.when(write_off(idempotency_key="off"))
    assert isinstance(written, AdvanceWrittenOff)
    assert written.write_off == WriteOff(usd(5995), usd(5995), given.now, "moved away", "Cy")
    assert (written.header.by, react(written)) == ("Cy", ())
    assert isinstance(released, HoldReleased)
    exchange = the(given)
    assert (exchange.status, exchange.completed_at) == (ExchangeStatus.COMPLETED, given.now)
    assert (exchange.owed, exchange.written_off, exchange.paid) == (usd(0), usd(5995), paid)
    assert (exchange.needs_attention, exchange.write_offs) == (False, (written.write_off,))
    assert effect_kinds(given.ledger)[-1] == "release-1"
    entry = next(each for each in timeline("order_1", given.history) if each.summary.endswith("written off"))
    assert (entry.details, entry.by) == (("59.95 USD of 59.95 USD owed: moved away",), "Cy")


def test_books_have_the_write_off_and_no_credit_note_has() -> None:
    """The customer's account is even: 64.95 sold, 5.00 paid, 59.95 not waited for."""
    given = unpaid()
    assert balance(given, Account.CUSTOMER) == 5995
    given.when(write_off())
    assert (balance(given, Account.CUSTOMER), balance(given, Account.WRITE_OFF)) == (0, 5995)
    assert balance(given, Account.NEW_GOODS) == -6495
    assert credit_notes(given.ledger) == ()


def test_a_part_is_written_off_and_the_rest_is_charged() -> None:
    """Or is paid otherwise; the hold stays for it."""
    given = unpaid()
    (event,) = given.when(write_off(1000, "half the price of sending"))
    assert isinstance(event, AdvanceWrittenOff)
    exchange = the(given)
    assert (exchange.status, exchange.owed, exchange.hold_released_at) == (
        ExchangeStatus.REQUIRES_ACTION,
        usd(4995),
        None,
    )
    (charged,) = given.when(SETTLE)
    (request,) = react(charged)
    assert isinstance(request, ChargeRequest)
    assert request.amount == usd(4995)
    given.record_outcomes(("exc_1-charge-2", ChargeSucceeded("ch_2")))
    assert (the(given).status, the(given).written_off) == (ExchangeStatus.COMPLETED, usd(1000))
    given.when(RecordChargeOutcome(key="exc_1-charge-2", outcome=ChargeDeclined("charged back")))
    assert (the(given).owed, the(given).needs_attention) == (usd(4995), True)
    given.when(write_off(4995, "gone"))
    assert (the(given).written_off, len(the(given).write_offs)) == (usd(5995), 2)


def test_late_goods_give_back_no_more_than_was_paid() -> None:
    """5.00 of 64.95 was paid, and the goods are worth 59.95: nothing is due."""
    given = unpaid()
    given.when(write_off())
    late_goods(given)
    assert given.the().status is ReturnStatus.RECEIVED
    assert (refunded(given), given.the().amount_due) == (0, usd(0))
    exchange = the(given)
    assert (exchange.difference_due, exchange.written_off, exchange.owed) == (usd(500), usd(0), usd(0))
    assert (balance(given, Account.CUSTOMER), balance(given, Account.WRITE_OFF)) == (0, 0)


def test_late_goods_give_back_what_was_paid_of_the_debt() -> None:
    """20.00 was paid in cash, 39.95 written off: the goods give back 20.00."""
    given = unpaid()
    given.when(pay(2000, "cash"))
    given.when(write_off(3995))
    late_goods(given)
    assert refunded(given) == 2000
    given.all_delivered()
    assert (balance(given, Account.CUSTOMER), balance(given, Account.WRITE_OFF)) == (0, 0)


def test_late_goods_that_were_booked_by_mistake_are_written_off_again() -> None:
    """They did not come after all: what was written off before is not owed."""
    given = unpaid()
    given.when(write_off())
    late_goods(given)
    nothing = [CorrectedItem(item_id="mug", quantity=0)]
    given.when(CorrectReceipt(return_id="ret_1", items=nothing, reason="another parcel"))
    assert (the(given).owed, the(given).written_off) == (usd(0), usd(5995))
    assert (balance(given, Account.CUSTOMER), balance(given, Account.WRITE_OFF)) == (0, 5995)


def test_goods_that_are_worth_less_are_written_off_as_well() -> None:
    """They are here, and the charge of what they are worth less was declined."""
    from rma import InspectedItem, InspectReturn  # noqa: PLC0415 # of this test only

    given = shipped()
    given.when(receive(1))
    given.when(InspectReturn(return_id="ret_1", items=[InspectedItem(item_id="mug", quantity=1, grade="B")]))
    given.record_outcomes(("exc_1-charge-1", ChargeDeclined("no")))
    assert the(given).owed == usd(1199)
    given.when(write_off(1199, "a good customer"))
    assert (the(given).status, balance(given, Account.CUSTOMER)) == (ExchangeStatus.COMPLETED, 0)


@pytest.mark.parametrize("amount", [2000, 5995])
def test_what_was_written_off_can_be_paid_after_all(amount: int) -> None:
    """It is written off as far as it is not paid; more is refused."""
    given = unpaid()
    given.when(write_off())
    assert given.codes(pay(5996, "cash")) == ["payment_exceeds_owed"]
    given.when(pay(amount, "cash"))
    exchange = the(given)
    assert (exchange.status, exchange.written_off) == (ExchangeStatus.COMPLETED, usd(5995 - amount))
    assert (exchange.owed, given.the().amount_due) == (usd(0), usd(0))
    assert balance(given, Account.WRITE_OFF) == 5995 - amount
    assert balance(given, Account.CUSTOMER) == 0
    if amount == 5995:
        assert given.codes(pay(1, "more")) == ["exchange_completed"]


def test_more_than_the_rest_is_paid_after_a_part_was_written_off() -> None:
    """Nothing is owed any more, and the hold is released."""
    given = unpaid()
    given.when(write_off(1000))
    _, released = given.when(pay(5500, "cash"))
    assert isinstance(released, HoldReleased)
    assert (the(given).status, the(given).written_off) == (ExchangeStatus.COMPLETED, usd(495))


def test_a_charge_that_succeeded_after_all_takes_the_place_of_the_write_off() -> None:
    """The gateway contradicts itself: it was paid, and nothing is given back."""
    given = unpaid()
    given.when(write_off())
    given.when(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeSucceeded("ch_9")))
    assert (the(given).paid, the(given).written_off) == (usd(6495), usd(0))
    assert (given.the().amount_due, balance(given, Account.WRITE_OFF)) == (usd(0), 0)
    assert balance(given, Account.CUSTOMER) == 0


def test_nothing_is_written_off_while_the_money_may_move() -> None:
    """The charge is on its way, pending, or not known at all."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    for result in (None, ChargePending("ch"), GivenUp("time-out")):
        if result is not None:
            given.record_outcomes(("exc_1-charge-1", result))
        assert given.codes(write_off()) == ["exchange_completed", "charge_outcome_unknown"]
    given.when(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeDeclined("no")))
    given.when(write_off())
    assert the(given).status is ExchangeStatus.COMPLETED


def test_what_cannot_be_written_off_is_refused() -> None:
    """With everything that is wrong."""
    given = unpaid()
    assert given.codes(write_off(5996)) == ["write_off_exceeds_owed"]
    assert given.codes(write_off(0, note=None)) == ["invalid_write_off", "write_off_without_note"]
    assert given.codes(write_off(Money(5, "eur"), note="")) == ["currency_mismatch", "write_off_without_note"]
    assert given.codes(write_off(note="\ud800")) == ["invalid_text"]
    assert given.codes(SettleAdvance(exchange_id="exc_9", write_off=5, note="n")) == ["exchange_not_found"]
    assert given.codes(SettleAdvance(exchange_id="exc_1", note="n")) == ["note_without_write_off"]
    given.when(write_off())
    assert given.codes(write_off(1)) == ["exchange_completed", "nothing_owed"]


def test_nothing_is_written_off_before_the_end() -> None:
    """Its new goods were not sent; its goods are expected; late ones wait for a person."""
    given = shipped(NOT_GRADED)
    assert given.codes(write_off()) == ["advance_not_over"]
    late = unpaid()
    late.when(receive(1))
    assert late.codes(write_off()) == ["advance_not_over"]
    late.when(ResolveReturn(return_id="ret_1"))
    assert late.codes(write_off()) == ["exchange_completed", "nothing_owed"]
    unsent = unpaid()
    unsent.record_outcomes(("exc_1-replacement-1", OutOfStock()))
    assert unsent.codes(write_off()) == ["advance_not_sent"]


def test_an_exchange_of_goods_first_is_not_written_off() -> None:
    """Its new goods were not sent."""
    from tests.rules.test_exchange_ends import opened  # noqa: PLC0415 # of this test only

    assert opened().codes(write_off()) == ["not_an_advance"]


def test_nothing_is_written_off_of_goods_that_were_never_sent() -> None:
    """The carrier says so afterwards: they are not sold, and nothing is owed for them."""
    given = unpaid()
    given.when(write_off())
    given.record_outcomes(("exc_1-release-1", Done()), ("exc_1-replacement-1", OutOfStock()))
    assert (the(given).write_offs, balance(given, Account.WRITE_OFF)) == ((), 0)
    assert balance(given, Account.NEW_GOODS) == 0
