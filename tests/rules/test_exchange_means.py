"""By which means what was paid or charged for an exchange goes back."""

from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelExchange,
    ChargeDeclined,
    ChargeSucceeded,
    InspectedItem,
    InspectReturn,
    NewItem,
    Payment,
    RecordChargeOutcome,
    RecordRefundOutcome,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    RequestedItem,
    RequestExchange,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    SettleAdvance,
)
from rma.domain.react import react
from tests.rules.advance import POLICY, after_last_day, hold, pay, shipped, the
from tests.rules.given import Given, line, order_of, put, receive, usd

HELD = hold(kind="card", provider_id="stripe")
LARGER = RequestExchange(
    order_id="order_1",
    items=[RequestedItem(item_id="mug", quantity=1)],
    new_items=[NewItem(variant_id="v_new", quantity=1, unit_price=1505)],
)


def test_number_14_what_is_given_back_of_a_charge_has_its_kind_and_provider() -> None:
    """The hold says them; one adapter of several gateways knows where the charge was made."""
    given = shipped(hold=HELD)
    after_last_day(given)
    given.when(SettleAdvance(exchange_id="exc_1"))
    given.record_outcomes(("exc_1-charge-1", ChargeSucceeded("ch_9")))
    charged = the(given).payments[-1]
    assert (charged.reference, charged.kind, charged.provider_id) == ("ch_9", "card", "stripe")
    given.when(receive(1))

    gone = Payment(id="pay_1", captured=usd(5995), refunded=usd(5995))  # the host gave it back by itself
    put(given, payments=[gone])

    given.when(ResolveReturn(return_id="ret_1"))
    graded = [InspectedItem(item_id="mug", quantity=1, grade="A")]
    events = given.when(InspectReturn(return_id="ret_1", items=graded))

    asked = [each for event in events for each in react(event) if isinstance(each, RefundRequest)]
    assert [(each.payment_id, each.kind, each.provider_id) for each in asked] == [
        ("ch_1", None, None), ("ch_9", "card", "stripe"),
    ]  # fmt: skip


def paid_larger(policy: ReturnPolicy, **more: str) -> Given:
    """Returns an exchange whose difference of 5.05 was paid, and that can be canceled."""
    given = Given(order_of(line(quantity=1), captured=1000), policy)
    given.when(LARGER)
    given.when(pay(505, "ch_1", **more))
    return given


def test_number_14_what_is_given_back_of_an_exchange_has_its_kind_and_provider() -> None:
    """With `means=["card"]` what was paid by card is given back without a person."""
    given = paid_larger(ReturnPolicy(means=["card"]), kind="card", provider_id="adyen")

    events = given.when(CancelExchange(exchange_id="exc_1"))

    (refund,) = given.the().refunds
    assert (refund.payment_id, refund.amount, refund.kind, refund.provider_id) == (
        "ch_1", usd(505), "card", "adyen",
    )  # fmt: skip
    (asked,) = [each for event in events for each in react(event) if each.key == refund.key]
    assert (getattr(asked, "kind", ""), getattr(asked, "provider_id", "")) == ("card", "adyen")


def test_what_has_no_kind_is_of_every_kind_that_is_not_named() -> None:
    """Its own exchange gives it back all the same; a refund later in the order asks a person."""
    for means, expected in (["card"], ["refund_exceeds_means"]), (["card", "*"], []):
        given = paid_larger(ReturnPolicy(means=means))
        given.when(CancelExchange(exchange_id="exc_1"))
        given.record_outcomes(("ret_1-refund-1", RefundSucceeded("re_1")))
        lost = RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundReversed("gone"), created_by="ann")
        given.when(lost)
        assert given.the().amount_due == usd(505)
        retry = RetryRefund(return_id="ret_1")
        if expected:
            given.order = order_of(line(quantity=1), captured=0)
            assert given.codes(retry) == expected
            given.when(RetryRefund(return_id="ret_1", payment_id="ch_1"))
        else:
            given.when(retry)
        assert given.the().refunded == usd(505)


@pytest.mark.parametrize("when_closed", ["ask", "store_credit", "payout"])
@pytest.mark.parametrize("is_here", [False, True])
def test_a_canceled_exchange_gives_its_payment_back_first(when_closed: str, *, is_here: bool) -> None:
    """3.00 of 5.05 without a kind under `means=["card"]`, before or after the goods."""
    order = order_of(line(quantity=1), captured=1000, customer_id="cus_1")
    given = Given(order, ReturnPolicy(means=["card"], when_closed=when_closed))
    given.when(LARGER)
    if is_here:
        given.when(receive(1))
    given.when(pay(300, "ch_1"))

    given.when(CancelExchange(exchange_id="exc_1"))

    assert [(each.payment_id, each.amount) for each in given.the().refunds] == [
        ("ch_1", usd(300)),
        *([("pay_1", usd(1000))] if is_here else []),
    ]
    assert given.the().amount_due == usd(0)


@pytest.mark.parametrize("field", ["kind", "provider_id"])
def test_a_kind_and_a_provider_are_strings(field: str) -> None:
    """Of a payment, and of a hold."""
    wrong: dict[str, Any] = {field: 7}
    given = Given(order_of(line(quantity=2), captured=2000), POLICY)
    given.when(LARGER)

    assert given.codes(pay(505, **wrong)) == ["invalid_text"]
    advance = evolve(LARGER, ship="first", hold=hold(**wrong))
    assert given.codes(advance) == ["invalid_text"]


def test_a_hold_that_is_named_again_is_named_in_the_same_words() -> None:
    """Whether as a hold or as a payment."""
    given = shipped()

    (of_payment,) = given.refuses(pay(1, "auth_1")).violations[:1]

    assert (of_payment.code, of_payment.numbers["reference"]) == ("hold_reference_reused", "auth_1")


def test_an_outcome_that_cannot_be_names_what_it_is_of() -> None:
    """A charge ends otherwise than a refund."""
    given = shipped()
    after_last_day(given)
    given.when(SettleAdvance(exchange_id="exc_1"))
    of_refund = RecordChargeOutcome(key="exc_1-charge-1", outcome=RefundSucceeded("re_1"))  # type: ignore[arg-type] # the point
    of_charge = RecordRefundOutcome(key="ret_1-refund-1", outcome=ChargeDeclined("no"))  # type: ignore[arg-type] # the point

    assert "how a charge can end" in str(given.refuses(of_refund))
    assert "how a refund can end" in str(given.refuses(of_charge))
