"""What an operator is shown, and can do about what was stopped."""

import logging
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import Factory, define, evolve

from rma import (
    AsyncReturnService,
    AttentionNeeded,
    Idempotent,
    InvalidValue,
    NotIdempotent,
    Payment,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    ReturnService,
    ReturnShipment,
    ReturnShipmentRequest,
    Signal,
)
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryReturns,
    in_memory_service,
)
from rma.domain.messages.gateways import Gateway
from rma.testing.core_harness import START
from tests.rules.given import order_of, receive, request, usd
from tests.world import RETURN_OPTION

HOUR = timedelta(hours=1)


@define
class Clock:
    """Stays where it is put."""

    now: datetime = START

    def __call__(self) -> datetime:
        """The moment."""
        return self.now


@define
class Seen:
    """Keeps the signals."""

    signals: list[Signal] = Factory(list)

    def observe(self, signal: Signal) -> None:
        """Keep it."""
        self.signals.append(signal)

    @property
    def reasons(self) -> list[str]:
        """Why a person was needed, in order."""
        return [each.reason for each in self.signals if isinstance(each, AttentionNeeded)]


class Carrier(InMemoryFulfillment):
    """Books nothing as long as it is away."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self.gateway = gateway
        self.is_away = True

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Books, unless it is away."""
        if self.is_away:
            raise TimeoutError("30 s")
        return super().book_return(request)


def booked_in_vain(gateway: Gateway) -> tuple[ReturnService, Carrier, str]:
    """A service whose carrier did not answer, and was given up two hours later."""
    carrier, clock = Carrier(gateway), Clock()
    service = in_memory_service(
        [order_of()], shipping_options=[RETURN_OPTION], fulfillment=carrier, clock=clock
    )
    ret = service.handle(request(shipping_option_id=RETURN_OPTION.id))
    clock.now += 2 * HOUR
    service.resume()
    return service, carrier, ret.id


@pytest.mark.parametrize("gateway", [NotIdempotent(), Idempotent(HOUR)])
def test_what_was_stopped_is_tried_again_if_a_person_asks_for_it(gateway: Gateway) -> None:
    """Whether its carrier knows no keys, or has forgotten the key since."""
    service, carrier, return_id = booked_in_vain(gateway)
    carrier.is_away = False

    stopped = [each.is_stopped for each in service.outstanding()]
    service.resume(return_id)
    unasked = service.get(return_id).shipment
    service.resume(return_id, stopped=True)

    assert (stopped, unasked) == ([True], None)
    assert service.get(return_id).shipment is not None
    assert service.outstanding() == ()
    assert not service.get(return_id).needs_attention


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(RefundDeclined("card_closed"), "refund_failed"), (RefundReversed(), "refund_reversed")],
)
def test_a_refund_that_failed_needs_a_person(outcome: RefundDeclined | RefundReversed, reason: str) -> None:
    """Its amount is due, and nothing pays it by itself: reported later, or by the gateway at once."""
    seen = Seen()
    service = in_memory_service([order_of()], observer=seen)
    service.handle(request())
    (ret,) = service.list("order_1")
    received = service.handle(receive(return_id=ret.id))
    before = list(seen.reasons)

    service.handle(RecordRefundOutcome(key=received.refunds[0].key, outcome=outcome))

    assert before == []
    assert seen.reasons == [reason]


@pytest.mark.parametrize(("charged_back", "status"), [(8000, "succeeded"), (8001, "needs_attention")])
def test_a_refund_that_leaves_late_is_held_against_its_payment_as_it_is_then(
    charged_back: int, status: str
) -> None:
    """What is left may be refunded; with a cent less left, it is not sent, and a person must decide."""
    clock, seen = Clock(), Seen()
    orders, gateway = InMemoryOrders([order_of()]), InMemoryPayments(answer=away)
    service = in_memory_service(orders, payments=gateway, clock=clock, observer=seen)
    ret = service.handle(request())
    service.handle(receive(return_id=ret.id))

    payment = Payment(id="pay_1", captured=usd(10_000), refunded=usd(charged_back))
    orders.put(evolve(order_of(), payments=[payment]))
    gateway.answer = lambda _: RefundSucceeded()
    clock.now += HOUR
    service.resume()

    (refund,) = service.get(ret.id).refunds
    assert refund.status == status
    assert len(gateway.refunds) == (status == "succeeded")
    assert seen.reasons == ["refund_needs_attention"] * (status == "needs_attention")


def away(_: RefundRequest) -> RefundOutcome:
    """A gateway that does not answer."""
    raise TimeoutError("30 s")


def test_a_refund_that_is_declined_at_once_needs_a_person() -> None:
    """As one that fails later."""
    seen = Seen()
    gateway = InMemoryPayments(answer=lambda _: RefundDeclined("card_closed"))
    service = in_memory_service([order_of()], payments=gateway, observer=seen)
    ret = service.handle(request())

    service.handle(receive(return_id=ret.id))

    assert seen.reasons == ["refund_failed"]


def test_a_line_of_the_log_has_its_signal_and_fields_apart(caplog: pytest.LogCaptureFixture) -> None:
    """So that alerts need not read the message."""
    gateway = InMemoryPayments(answer=lambda _: RefundDeclined("card_closed"))
    service = in_memory_service([order_of()], payments=gateway)
    ret = service.handle(request())

    with caplog.at_level(logging.WARNING, "rma"):
        service.handle(receive(return_id=ret.id))

    (record,) = caplog.records
    assert {name: value for name, value in vars(record).items() if name.startswith("rma_")} == {
        "rma_signal": "AttentionNeeded",
        "rma_order_id": "order_1",
        "rma_subject_id": ret.id,
        "rma_key": f"{ret.id}-refund-1",
        "rma_reason": "refund_failed",
        "rma_amount": usd(2000),
    }


class AwaitedObserver:
    """Would be called, and never run."""

    async def observe(self, signal: Signal) -> None:
        """Not run."""


@pytest.mark.parametrize("kind", [ReturnService, AsyncReturnService])
def test_an_observer_that_is_awaited_is_refused(kind: type[ReturnService] | type[AsyncReturnService]) -> None:
    """By either service, when it is built: nothing waits for an observer."""
    ports: dict[str, Any] = {
        "orders": InMemoryOrders(),
        "returns": InMemoryReturns(),
        "inventory": InMemoryInventory(),
        "payments": InMemoryPayments(),
        "observer": AwaitedObserver(),
    }

    with pytest.raises(InvalidValue, match=rf"{kind.__name__}\.observer must be an observer that returns"):
        kind(**ports)
