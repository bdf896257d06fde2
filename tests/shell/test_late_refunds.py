"""A refund that leaves later than with its command is held against its payment as it is then."""

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    ClaimItem,
    Gateway,
    Idempotent,
    Invalid,
    NotIdempotent,
    RecordRefundOutcome,
    RefundDeclined,
    RefundStatus,
    RefundSucceeded,
    RequestClaim,
    RetryRefund,
    Searchable,
)
from rma.observing import AttentionNeeded
from tests.rules.given import line, receive, request, usd
from tests.shell.adapters import Payments, SearchedPayments
from tests.shell.shop import DAY, HOUR, MINUTE, Shop, two_payments

KEY = "ret_1-refund-1"
NO_ROOM = "payment_has_no_room: 20.00 USD asked for, {} left"


def late(payments: Payments | None = None) -> Shop:
    """A return of two mugs at 10.00 was received while the gateway was away; 100.00 were captured."""
    shop = Shop(payments=payments)
    shop.handle_all(request(2))
    shop.away = {"payments"}
    shop.handle_all(receive(2))
    shop.away.clear()
    shop.pass_time(HOUR)
    return shop


@pytest.mark.parametrize(
    ("refunded", "is_sent", "left"),
    [(0, True, ""), (8000, True, ""), (8001, False, "19.99 USD"), (10_000, False, "0.00 USD")],
)
def test_a_late_refund_is_sent_if_its_payment_has_room(refunded: int, is_sent: bool, left: str) -> None:
    """To the cent; one that has none needs attention, counts as in force, and is not tried again."""
    shop = late()
    shop.change_payment(refunded)

    shop.service.resume()
    shop.pass_time(DAY)
    shop.service.resume()

    assert shop.payments.asked == [KEY] * is_sent
    assert not shop.ledger.open_effects
    if is_sent:
        assert shop.refund.status is RefundStatus.SUCCEEDED
        return
    assert shop.refund.status is RefundStatus.NEEDS_ATTENTION
    assert shop.refund.failure == NO_ROOM.format(left)
    assert shop.refund.amount_in_force == 2000
    assert [each.id for each in shop.service.list(needs_attention=True)] == ["ret_1"]
    told = [each.reason for each in shop.signals if isinstance(each, AttentionNeeded)]
    assert told == ["refund_needs_attention"]


@pytest.mark.parametrize("gateway", [Idempotent(MINUTE), Searchable(), NotIdempotent()])
def test_every_way_to_send_it_looks_first(gateway: Gateway) -> None:
    """After a search that found nothing, and before a lease: no call, and one commit with all outcomes."""
    payments = SearchedPayments(gateway)
    shop = Shop(payments=payments)
    shop.handle_all(request(2))
    shop.service.handle(receive(2), deliver=False)
    shop.change_payment(10_000)
    shop.pass_time(HOUR)
    before = shop.calls("returns.commit")

    shop.service.resume()

    assert (payments.asked, shop.refund.status) == ([], RefundStatus.NEEDS_ATTENTION)
    assert shop.calls("returns.commit") - before == 1


def test_a_refund_that_a_search_finds_is_recorded_without_room() -> None:
    """It was made before the money was charged back; the order is not read for it."""
    payments = SearchedPayments(Searchable(MINUTE))
    payments.during(lambda: (_ for _ in ()).throw(TimeoutError))
    shop = Shop(payments=payments)
    shop.handle_all(request(2), receive(2))
    payments.found = RefundSucceeded("re_9")
    shop.change_payment(10_000)
    shop.pass_time(HOUR)
    before = shop.calls("orders.get")

    shop.service.resume()

    assert (shop.refund.status, shop.refund.reference) == (RefundStatus.SUCCEEDED, "re_9")
    assert shop.calls("orders.get") == before


def test_the_other_refunds_go_out() -> None:
    """One payment of two has no room: the refund from the other is made, and so is that of a claim."""
    shop = Shop([two_payments(line(quantity=9))])
    shop.handle_all(request(2))
    shop.away = {"payments"}
    items = [ClaimItem(item_id="mug", quantity=3, reason="missing_item")]
    shop.handle_all(receive(2), RequestClaim(order_id="order_1", type="refund", items=items))
    shop.away.clear()
    shop.change_payment(1, "pay_1")
    shop.pass_time(HOUR)

    shop.service.resume()

    assert [(each.key, each.payment_id, each.status) for each in shop.ledger.refunds] == [
        ("ret_1-refund-1", "pay_1", RefundStatus.NEEDS_ATTENTION),
        ("ret_1-refund-2", "pay_2", RefundStatus.SUCCEEDED),
        ("claim_2-refund-1", "pay_2", RefundStatus.SUCCEEDED),
    ]
    assert shop.payments.asked == ["ret_1-refund-2", "claim_2-refund-1"]


def test_a_payment_that_is_gone_has_no_room() -> None:
    """The host no longer has it among those of the order."""
    shop = late()
    shop.orders.put(evolve(shop.orders.get("order_1"), payments=[]))

    shop.service.resume()

    assert shop.payments.asked == []
    assert shop.refund.failure == NO_ROOM.format("0.00 USD")


def test_an_order_that_cannot_be_read_leaves_the_refund_for_later() -> None:
    """It counts as a failed attempt, and is sent once the order can be read."""
    shop = late()
    shop.away = {"orders"}

    shop.service.resume()

    (effect,) = shop.ledger.open_effects.values()
    assert shop.payments.asked == []
    assert (effect.delivery.attempts, effect.delivery.is_stuck) == (2, True)
    assert effect.delivery.last_error is not None
    assert "store unavailable" in effect.delivery.last_error
    shop.away.clear()
    shop.pass_time(HOUR)
    shop.service.resume()
    assert (shop.payments.asked, shop.refund.status) == ([KEY], RefundStatus.SUCCEEDED)


def test_a_command_does_not_read_the_order_again_for_its_own_refund() -> None:
    """It was decided on the order a moment ago; a repeat of the command later reads it."""
    shop = Shop()
    shop.handle_all(request(2))
    before = shop.calls("orders.get")
    shop.away = {"payments"}

    shop.service.handle(receive(2, idempotency_key="k"))
    first = shop.calls("orders.get") - before
    shop.away.clear()
    shop.change_payment(10_000)
    shop.service.handle(receive(2, idempotency_key="k"))

    assert first == 1
    assert (shop.payments.asked, shop.refund.status) == ([], RefundStatus.NEEDS_ATTENTION)


def test_what_else_a_command_finds_open_is_held_against_its_payment() -> None:
    """A resolution delivers an earlier refund, too, which was not decided just now."""
    shop = Shop()
    shop.handle_all(request(3))
    shop.away = {"payments"}
    shop.handle_all(receive(1, more_expected=True))
    shop.away.clear()
    shop.change_payment(9500)

    shop.handle_all(receive(1, more_expected=True))

    assert [(each.key, each.status) for each in shop.ledger.refunds] == [
        ("ret_1-refund-1", RefundStatus.NEEDS_ATTENTION)
    ]
    assert shop.payments.asked == []


def test_after_a_person_decided_a_retry_pays_what_is_refundable() -> None:
    """Not sent is declined; then it is refused as long as the payment has no room, and allowed again."""
    shop = late()
    shop.change_payment(9000)
    shop.service.resume()

    declined = RecordRefundOutcome(key=KEY, outcome=RefundDeclined("not_sent"), created_by="anna")
    due = shop.service.handle(declined).amount_due
    with pytest.raises(Invalid) as refused:
        shop.service.handle(RetryRefund(return_id="ret_1"))
    shop.service.handle(RetryRefund(return_id="ret_1", amount=usd(1000)))
    shop.change_payment(0)
    shop.service.handle(RetryRefund(return_id="ret_1"))

    assert due == usd(2000)
    assert [each.code for each in refused.value.violations] == ["refund_exceeds_refundable"]
    assert shop.payments.asked == ["ret_1-refund-2", "ret_1-refund-3"]
    assert not shop.ledger.get("ret_1").needs_attention


def test_effects_without_money_do_not_read_the_order() -> None:
    """A label or a restock that is late has nothing to do with payments."""
    shop = Shop()
    shop.away = {"fulfillment", "inventory"}
    shop.handle_all(request(2, shipping_option_id="so_return"), receive(1), CancelReturn(return_id="ret_1"))
    shop.away = {"orders"}
    shop.pass_time(HOUR)

    shop.service.resume()

    assert not shop.ledger.open_effects
