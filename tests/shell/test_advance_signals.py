"""Who is signaled what goes wrong with an exchange whose new goods were sent first, or cannot be had."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from rma import (
    AttentionNeeded,
    CancelExchange,
    ChargeDeclined,
    ChargePending,
    ChargeSucceeded,
    CorrectedItem,
    CorrectReceipt,
    NotIdempotent,
    Order,
    RecordChargeOutcome,
    RecordSending,
    RefundDeclined,
    ResolveReturn,
    ReturnPolicy,
    ReturnService,
    SettleAdvance,
)
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryHolds,
    InMemoryPayments,
    InMemoryReservingInventory,
    in_memory_service,
)
from rma.observing import Signal
from rma.testing.core_harness import START
from tests.rules.advance import NOT_GRADED, first, pay, shoes
from tests.rules.given import order_of, receive, request, usd
from tests.rules.test_exchange_ends import exchange

DAYS = timedelta(days=1)


class _Shop:
    """A service, its clock, and what its observer was signaled."""

    def __init__(self, policy: ReturnPolicy = NOT_GRADED, order: Order | None = None, **ports: Any) -> None:
        self.now = START
        self.signaled: list[tuple[str, str, int | None]] = []
        ids = iter(["1", "1b", "1c"])
        fields: dict[str, Any] = {"holds": InMemoryHolds(), **ports}
        self.service: ReturnService = in_memory_service(
            [order or shoes()],
            policies=policy,
            clock=self._clock,
            ids=lambda: next(ids),
            observer=self,
            **fields,
        )

    def _clock(self) -> datetime:
        return self.now

    def observe(self, signal: Signal) -> None:
        """Keeps what needs a person."""
        if isinstance(signal, AttentionNeeded):
            amount = None if signal.amount is None else signal.amount.amount
            self.signaled.append((signal.subject_id, signal.reason, amount))

    def sent_first(self) -> None:
        """The new shoes leave, their difference of 5.00 paid."""
        self.service.handle(first())
        self.service.handle(pay())

    def pass_days(self, days: int) -> None:
        """Time passes, and a timer runs."""
        self.now += days * DAYS
        self.service.resume()

    def listed(self) -> list[str]:
        """Returns the ids of what needs attention."""
        return [each.id for each in self.service.list(needs_attention=True)]


def test_a_charge_that_is_declined_is_signaled() -> None:
    """With what is owed now."""
    shop = _Shop(holds=InMemoryHolds(lambda _: ChargeDeclined("no")))
    shop.sent_first()
    shop.pass_days(15)
    assert shop.signaled == [("exc_1", "charge_failed", 5995)]
    assert shop.listed() == ["exc_1"]


def test_a_charge_whose_outcome_is_unknown_is_signaled() -> None:
    """By a gateway that knows no keys; the exchange is listed."""

    class Holds(InMemoryHolds):
        gateway = NotIdempotent()

    def lost(_: object) -> ChargeSucceeded:
        raise TimeoutError

    shop = _Shop(holds=Holds(lost))
    shop.sent_first()
    shop.pass_days(15)
    shop.pass_days(1)
    assert shop.signaled == [("exc_1", "charge_needs_attention", 5995)]
    assert shop.listed() == ["exc_1"]


def test_a_charge_that_is_pending_for_long_is_signaled() -> None:
    """After ten days."""
    shop = _Shop(holds=InMemoryHolds(lambda _: ChargePending("p")))
    shop.sent_first()
    shop.pass_days(15)
    assert shop.signaled == []
    shop.pass_days(20)
    assert shop.signaled == [("exc_1", "charge_needs_attention", 5995)]


@pytest.mark.parametrize(
    "ports",
    [
        {"inventory": InMemoryReservingInventory({"v_new": 0})},
        {"fulfillment": InMemoryFulfillment(out_of_stock=["v_new"])},
    ],
)
def test_new_goods_that_cannot_be_had_are_signaled(ports: dict[str, Any]) -> None:
    """Whether they cannot be reserved or not be sent."""
    shop = _Shop(**ports)
    shop.sent_first()
    assert shop.signaled == [("exc_1", "out_of_stock", None)]
    assert shop.listed() == ["exc_1"]


def test_a_charge_that_is_due_again_is_signaled() -> None:
    """It succeeded once the goods were back."""
    shop = _Shop(holds=InMemoryHolds(lambda _: ChargePending("p")))
    shop.sent_first()
    shop.pass_days(15)
    shop.service.handle(receive(1))
    shop.service.handle(ResolveReturn(return_id="ret_1"))
    del shop.signaled[:]
    shop.service.handle(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeSucceeded("c")))
    assert shop.signaled == [("exc_1", "refund_due", 5995)]
    assert shop.listed() == ["ret_1"]


@pytest.mark.parametrize("is_partly_here", [False, True])
def test_goods_that_are_overdue_are_signaled_once(is_partly_here: bool) -> None:
    """Lost, or one of two here: listed by their date, then as a person's, until a person decides."""
    shop = _Shop(order=shoes(2))
    shop.service.handle(first(12000, 2))
    shop.service.handle(pay(10))
    if is_partly_here:
        shop.service.handle(receive(1, more_expected=True))
    else:
        shop.service.handle(RecordSending(return_id="ret_1"))
    shop.now += 15 * DAYS
    assert [each.id for each in shop.service.list(return_before=shop.now)] == ["ret_1"]
    assert shop.service.resume().expired == ()
    shop.pass_days(1)
    assert shop.signaled == [("ret_1", "last_day_over", None)]
    assert (shop.listed(), shop.service.list(return_before=shop.now)) == (["ret_1"], ())
    assert "overdue" in [entry.summary for entry in shop.service.timeline("order_1")][-1]

    shop.service.handle(SettleAdvance(exchange_id="exc_1"))
    assert shop.listed() == []


def test_goods_of_an_exchange_that_was_paid_are_signaled_too() -> None:
    """It does not expire, as it was paid: a person cancels it, and gives the money back."""
    shop = _Shop(order=order_of(captured=2000))
    shop.service.handle(exchange(3000))
    shop.service.handle(pay(1000))
    shop.pass_days(15)
    assert shop.signaled == [("ret_1", "last_day_over", None)]
    shop.service.handle(CancelExchange(exchange_id="exc_1"))
    assert shop.listed() == []


def test_new_goods_that_are_paid_too_late_are_signaled() -> None:
    """Nothing was sent, and a person decides."""
    shop = _Shop()
    shop.service.handle(first())
    shop.service.handle(pay(200, "a"))
    shop.pass_days(15)
    del shop.signaled[:]
    shop.service.handle(pay(300, "b"))
    assert shop.signaled == [("exc_1", "last_day_over", None)]
    assert shop.listed() == ["exc_1", "ret_1"]
    shop.service.handle(CancelExchange(exchange_id="exc_1"))
    assert shop.listed() == []


def test_what_a_correction_leaves_open_is_signaled() -> None:
    """New goods for 20.00 were sent for one mug of 10.00."""
    shop = _Shop(order=order_of(captured=2000))
    shop.service.handle(exchange(2000))
    shop.service.handle(receive(2))
    correction = [CorrectedItem(item_id="mug", quantity=1)]
    shop.service.handle(CorrectReceipt(return_id="ret_1", items=correction, reason="counted twice"))
    assert shop.signaled == [("exc_1", "payment_due", 1000)]
    assert shop.listed() == ["exc_1"]


def test_a_refund_that_was_given_by_other_means_at_once_is_not_signaled() -> None:
    """A closed card, and the terms say payout: nothing is due, no one has to act."""
    closed = InMemoryPayments(lambda _: RefundDeclined("closed"))
    shop = _Shop(ReturnPolicy(when_closed="payout"), order_of(captured=2000), payments=closed)
    shop.service.handle(request(1))
    shop.service.handle(receive(1))
    assert (shop.signaled, shop.listed()) == ([], [])
    assert shop.service.get("ret_1").refunded == usd(1000)

    shop = _Shop(ReturnPolicy(), order_of(captured=2000), payments=closed)
    shop.service.handle(request(1))
    shop.service.handle(receive(1))
    assert shop.signaled == [("ret_1", "refund_failed", 1000)]
