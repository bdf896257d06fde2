"""Exchanges whose new goods are sent first, over ports: charged and released once, whatever fails."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from rma import (
    CancelExchange,
    ChargeDeclined,
    ChargeNotSent,
    ChargeOutcome,
    ChargePending,
    ChargeRequest,
    ChargeStatus,
    ChargeSucceeded,
    Exchange,
    ExchangeStatus,
    Gateway,
    Idempotent,
    Invalid,
    NewItem,
    NotIdempotent,
    OutOfStock,
    RecordChargeOutcome,
    RecordExchangePayment,
    ReplacementRequest,
    ResolveReturn,
    ReturnService,
    Searchable,
    SettleAdvance,
    UpdateExchange,
)
from rma.adapters.memory import (
    InMemoryFulfillment,
    InMemoryHolds,
    InMemoryInventory,
    InMemoryReservingInventory,
    in_memory_service,
)
from rma.testing.core_harness import START, counting
from rma.testing.gateways import simulated_holds
from tests.aio.hosts import awaited_service
from tests.rules.advance import NOT_GRADED, first, pay, shoes
from tests.rules.given import receive, usd

DAYS = timedelta(days=15)


class Shop:
    """A service whose clock is moved by hand."""

    def __init__(self, **ports: Any) -> None:
        self.now = START
        self.service: ReturnService = in_memory_service(
            [shoes()], policies=NOT_GRADED, clock=self.clock, ids=counting(), **ports
        )

    def clock(self) -> datetime:
        """A second later each time."""
        self.now += timedelta(seconds=1)
        return self.now

    def shipped(self) -> Exchange:
        """An exchange whose new goods were sent."""
        self.service.handle(first(idempotency_key="first"))
        return self.service.handle(pay(500))

    def exchange(self) -> Exchange:
        """The exchange as it is."""
        return self.service.get_exchange("exc_1")


class LosesAnswers(InMemoryHolds):
    """A gateway whose first answers are lost."""

    def __init__(self, losses: int = 1, answer: ChargeOutcome | None = None) -> None:
        super().__init__((lambda _: answer) if answer else None)
        self.losses = losses

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Takes it, and loses the answer."""
        answered = super().charge(request)
        self.losses -= 1
        if self.losses >= 0:
            raise TimeoutError("lost")
        return answered


def test_a_timer_charges_what_did_not_come_back() -> None:
    """By itself, once the last day is over; then never again."""
    holds = InMemoryHolds()
    shop = Shop(holds=holds)
    shop.shipped()
    assert shop.service.resume().expired == ()
    shop.now += DAYS
    assert shop.service.resume().expired == ("ret_1",)
    shop.now += DAYS
    assert shop.service.resume().expired == ()
    assert [request.amount for request in holds.charges.values()] == [usd(5995)]
    assert (holds.releases, shop.exchange().status) == ({}, ExchangeStatus.COMPLETED)
    assert shop.exchange().payments[-1].reference == "ch_exc_1-charge-1"


def test_a_hold_is_released_when_the_goods_are_back() -> None:
    """Once; nothing is charged."""
    holds = InMemoryHolds()
    shop = Shop(holds=holds)
    shop.shipped()
    shop.service.handle(receive(1))
    shop.now += DAYS
    shop.service.resume()
    assert (list(holds.releases), holds.charges) == (["exc_1-release-1"], {})


def test_late_goods_are_given_back_from_the_payments_and_the_charge() -> None:
    """All that the customer paid for the goods, once."""
    shop = Shop(holds=InMemoryHolds())
    shop.shipped()
    shop.now += DAYS
    shop.service.resume()
    shop.service.handle(receive(1))
    shop.service.handle(ResolveReturn(return_id="ret_1"))
    assert shop.service.get("ret_1").refunded == usd(5995)
    money = [(each.reference, each.amount.amount) for each in shop.service.transactions("order_1")]
    assert money == [("payment", 500), ("payment", 5995), ("refund", -5995)]


@pytest.mark.parametrize(
    ("gateway", "made", "status"),
    [
        (Idempotent(), 1, ChargeStatus.SUCCEEDED),
        (Searchable(timedelta(minutes=5)), 1, ChargeStatus.SUCCEEDED),
        (NotIdempotent(timedelta(minutes=5)), 1, ChargeStatus.NEEDS_ATTENTION),
    ],
)
def test_a_lost_answer_charges_once_whatever_the_gateway_promises(
    gateway: Gateway, made: int, status: ChargeStatus
) -> None:
    """An idempotent gateway is asked again, a searchable one is searched, any other is left to a person."""
    holds = simulated_holds(gateway)
    answer, lost = holds.charge, [True]

    def loses(request: ChargeRequest) -> ChargeOutcome:
        answered = answer(request)
        if lost:
            lost.clear()
            raise TimeoutError("lost")
        return answered

    holds.charge = loses  # type: ignore[method-assign] # the first answer is lost
    shop = Shop(holds=holds)
    shop.shipped()
    shop.now += DAYS
    for _ in range(4):
        shop.service.resume()
        shop.now += timedelta(hours=2)
    assert holds.executions == {"exc_1-charge-1": made}
    assert shop.exchange().hold_charges[0].status is status
    if status is ChargeStatus.NEEDS_ATTENTION:
        assert shop.exchange().needs_attention
        known = RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeSucceeded("ch_9"))
        assert shop.service.handle(known).paid == usd(6495)


def test_a_gateway_that_was_not_reached_is_asked_again() -> None:
    """Nothing was sent, so that nothing is unknown, even without keys."""
    asked: list[str] = []

    class Away(InMemoryHolds):
        gateway = NotIdempotent()

        def charge(self, request: ChargeRequest) -> ChargeOutcome:
            asked.append(request.key)
            if len(asked) == 1:
                return ChargeNotSent("refused the connection")  # type: ignore[return-value] # an answer, though no outcome
            return super().charge(request)

    shop = Shop(holds=Away())
    shop.shipped()
    shop.now += DAYS
    for _ in range(3):
        shop.service.resume()
        shop.now += timedelta(hours=2)
    assert asked == ["exc_1-charge-1"] * 2
    assert shop.exchange().hold_charges[0].status is ChargeStatus.SUCCEEDED


def test_a_pending_charge_is_looked_up_or_reported() -> None:
    """It is never sent again; after too long it needs attention."""
    holds = simulated_holds(Searchable(timedelta(minutes=5)))
    holds.answer = lambda _: ChargePending("p_1")
    shop = Shop(holds=holds)
    shop.shipped()
    shop.now += DAYS
    for _ in range(3):
        shop.service.resume()
        shop.now += timedelta(hours=7)
    assert shop.exchange().hold_charges[0].status is ChargeStatus.PENDING
    shop.now += timedelta(days=11)
    shop.service.resume()
    assert shop.exchange().hold_charges[0].status is ChargeStatus.NEEDS_ATTENTION
    assert holds.executions == {"exc_1-charge-1": 1}
    known = RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeDeclined("lost"))
    assert shop.service.handle(known).owed == usd(5995)


def test_a_pending_charge_that_cannot_be_looked_up_waits_for_its_report() -> None:
    """The gateway has it."""
    shop = Shop(holds=InMemoryHolds(lambda _: ChargePending("p_1")))
    shop.shipped()
    shop.now += DAYS
    shop.service.resume()
    shop.now += timedelta(days=1)
    shop.service.resume()
    assert shop.exchange().hold_charges[0].status is ChargeStatus.PENDING
    shop.service.handle(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeSucceeded()))
    assert shop.exchange().payments[-1].reference == "p_1"


def test_a_port_that_answers_something_else_is_asked_again() -> None:
    """Whether it took the money is unknown."""
    shop = Shop(holds=InMemoryHolds(lambda _: "ok"))  # type: ignore[arg-type,return-value] # on purpose
    shop.shipped()
    shop.now += DAYS
    shop.service.resume()
    (open_effect,) = shop.service.outstanding()
    assert open_effect.key == "exc_1-charge-1"
    assert "ok" in (open_effect.last_error or "")


def test_without_a_port_of_holds_nothing_is_sent_first() -> None:
    """By a code; a hold that was to be released waits until there is one again."""
    shop = Shop()
    bare = ReturnService(
        orders=shop.service.orders,
        returns=shop.service.returns,
        inventory=shop.service.inventory,
        payments=shop.service.payments,
        fulfillment=shop.service.fulfillment,
        policies=NOT_GRADED,
        clock=shop.clock,
    )
    with pytest.raises(Invalid, match="no port of holds"):
        bare.handle(first())
    shop.shipped()
    bare.handle(receive(1))
    assert [each.key for each in bare.outstanding()] == ["exc_1-release-1"]
    shop.service.resume("exc_1")
    assert shop.service.outstanding() == ()


def test_new_goods_are_reserved_and_freed() -> None:
    """While the exchange is open; the request to send them names the reservation."""
    stock, carrier = InMemoryReservingInventory({"v_new": 1}), InMemoryFulfillment()
    shop = Shop(inventory=stock, fulfillment=carrier)
    shop.service.handle(first())
    assert stock.reserved == {"v_new": 1}
    shop.service.handle(pay(500))
    (sent,) = carrier.replacements.values()
    assert sent.reservation_key == "exc_1-reserve-1"

    stock = InMemoryReservingInventory({"v_new": 1})
    shop = Shop(inventory=stock)
    shop.service.handle(first(ship="last", hold=None))
    shop.service.handle(CancelExchange(exchange_id="exc_1"))
    assert not +stock.reserved


def test_what_is_out_of_stock_is_replaced_by_other_goods() -> None:
    """Nothing was sent; the others are."""
    stock, carrier = InMemoryReservingInventory({"v_new": 0}), InMemoryFulfillment()
    shop = Shop(inventory=stock, fulfillment=carrier)
    opened = shop.service.handle(first(5995))
    assert (opened.status, opened.out_of_stock) == (ExchangeStatus.REQUIRES_ACTION, OutOfStock("no v_new"))
    assert not carrier.replacements

    other = [NewItem(variant_id="v_other", quantity=1, unit_price=5995)]
    updated = shop.service.handle(UpdateExchange(exchange_id="exc_1", new_items=other))

    assert (updated.status, updated.shipment is not None) == (ExchangeStatus.REQUESTED, True)
    assert list(carrier.replacements) == ["exc_1-replacement-2"]


def test_what_a_carrier_does_not_have_is_a_state() -> None:
    """It answers so, once for the key."""
    carrier = InMemoryFulfillment(out_of_stock=["v_new"])
    shop = Shop(fulfillment=carrier)
    opened = shop.service.handle(first(5995))
    assert opened.status is ExchangeStatus.REQUIRES_ACTION
    request = carrier.replacements["exc_1-replacement-1"]
    assert carrier.ship_replacement(request) == OutOfStock("no v_new")
    canceled = shop.service.handle(CancelExchange(exchange_id="exc_1"))
    assert canceled.status is ExchangeStatus.CANCELED


def test_out_of_stock_is_said_in_a_string() -> None:
    """A port that is not typed may answer anything."""

    class Odd(InMemoryFulfillment):
        def ship_replacement(self, request: ReplacementRequest) -> OutOfStock:
            return OutOfStock(3)  # type: ignore[arg-type] # on purpose

    shop = Shop(fulfillment=Odd())
    shop.service.handle(first(5995))
    assert [each.key for each in shop.service.outstanding()] == ["exc_1-replacement-1"]


def test_an_inventory_without_reserve_is_not_asked() -> None:
    """What it cannot do is not needed."""
    shop = Shop(inventory=InMemoryInventory())
    assert shop.service.handle(first()).reservation is None


def test_the_same_awaited() -> None:
    """Every port is awaited, and the same happens."""
    shop = Shop(inventory=InMemoryReservingInventory({"v_new": 1}), holds=InMemoryHolds())
    service = awaited_service(shop.service)

    async def story() -> Exchange:
        await service.handle(first())
        await service.handle(RecordExchangePayment(exchange_id="exc_1", amount=500, reference="ch_1"))
        shop.now += DAYS
        await service.resume()
        return await service.get_exchange("exc_1")

    charged = asyncio.run(story())
    assert (charged.status, charged.paid) == (ExchangeStatus.COMPLETED, usd(6495))


def test_a_repeated_command_charges_nothing_more() -> None:
    """Each is sent twice under its key."""
    holds = LosesAnswers(losses=1)
    shop = Shop(holds=holds)
    shop.service.handle(first(idempotency_key="a"))
    shop.service.handle(first(idempotency_key="a"))
    for _ in range(2):
        shop.service.handle(pay(500, idempotency_key="b"))
    shop.now += DAYS
    for _ in range(2):
        shop.service.handle(SettleAdvance(exchange_id="exc_1", idempotency_key="c"))
    assert list(holds.charges) == ["exc_1-charge-1"]
    assert shop.exchange().paid == usd(6495)
