"""Inspections over ports: what is asked for once, what a host may lack, and what an operator sees."""

import asyncio
from datetime import timedelta
from typing import cast

import pytest

from rma import (
    AttentionNeeded,
    Gateway,
    Invalid,
    InvalidValue,
    LineItem,
    NotIdempotent,
    Order,
    Payment,
    RejectedItem,
    ReplacementShipment,
    ResolveReturn,
    RestockRequest,
    Return,
    ReturnPolicy,
    ReturnService,
    Searchable,
    SendBackRequest,
    Timing,
    WithdrawRequest,
)
from rma.adapters.medusa_api import return_json
from rma.adapters.memory import InMemoryFulfillment, InMemoryInventory, in_memory_service
from rma.testing.core_harness import START, counting
from tests.aio.hosts import awaited_service
from tests.rules.given import receive, request
from tests.rules.inspected import FAULTS, INSPECT, graded, inspect
from tests.shell.shop import Signals

HOUR = timedelta(hours=1)


class OnlyStock:
    """An inventory without a `dispose`."""

    def __init__(self) -> None:
        self.stock = InMemoryInventory()

    def restock(self, request: RestockRequest) -> None:
        """Adds the units."""
        self.stock.restock(request)

    def withdraw(self, request: WithdrawRequest) -> None:
        """Removes them."""
        self.stock.withdraw(request)


class Sleepy(InMemoryFulfillment):
    """A carrier whose first answer about a parcel is lost; its parcels can be searched."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self.gateway = gateway
        self.asked = 0

    def send_back(self, request: SendBackRequest) -> None:
        """Sends it, and loses the first answer."""
        self.asked += 1
        super().send_back(request)
        if self.asked == 1:
            raise TimeoutError("lost")

    def find_shipment(self, key: str) -> ReplacementShipment | None:
        """What was sent."""
        return ReplacementShipment({"found": key}) if key in self.sent_back else None


class OnlyLabels:
    """A carrier without a `send_back`; the library calls nothing else of it here."""

    gateway = NotIdempotent()


class Desk:
    """A service of which three mugs were returned, and wait."""

    def __init__(self, policy: ReturnPolicy = INSPECT, **ports: object) -> None:
        self.now = START
        self.signals = Signals()
        mugs = LineItem(id="mug", quantity=5, fulfilled_quantity=5, unit_price=1800)
        order = Order(id="order_1", currency="usd", items=[mugs], payments=[Payment("pay_1", 9000)])
        given: dict[str, object] = {
            "inventory": InMemoryInventory(),
            "fulfillment": InMemoryFulfillment(),
            **ports,
        }
        self.service: ReturnService = in_memory_service(
            [order],
            FAULTS,
            policies=policy,
            clock=lambda: self.now,
            ids=counting(),
            observer=self.signals,
            timing=Timing(),
            **given,  # type: ignore[arg-type] # any ports
        )
        self.service.handle(request(3))
        self.service.handle(receive(3))


def test_an_inspection_asks_each_port_once() -> None:
    """However often its command is repeated under its key."""
    stock, carrier = InMemoryInventory(), InMemoryFulfillment()
    desk = Desk(inventory=stock, fulfillment=carrier)
    command = inspect("A", "B", graded("D", disposition="send_back"), idempotency_key="looked")

    first = desk.service.handle(command)
    assert desk.service.handle(command) == first

    assert [len(each) for each in (stock.restocks, stock.disposals, carrier.sent_back)] == [1, 1, 1]
    assert stock.on_hand == {(None, "mug"): 1}
    assert desk.service.outstanding() == ()


@pytest.mark.parametrize("can_send", [True, False])
def test_a_carrier_is_asked_to_bring_rejected_units_if_it_can_be(can_send: bool) -> None:  # a parameter
    """Once; otherwise it is recorded, and nothing is open."""
    carrier = InMemoryFulfillment()
    mugs = LineItem(id="mug", quantity=3, fulfilled_quantity=3, unit_price=1800)
    order = Order(id="order_1", currency="usd", items=[mugs], payments=[Payment(id="pay_1", captured=5400)])
    port = carrier if can_send else cast("InMemoryFulfillment", OnlyLabels())
    service = in_memory_service([order], fulfillment=port, ids=counting())
    service.handle(request(3))
    service.handle(receive(2))
    rejected = [RejectedItem(item_id="mug", quantity=1)]

    service.handle(ResolveReturn(return_id="ret_1", rejected=rejected))

    assert len(carrier.sent_back) == can_send
    assert service.outstanding() == ()


def test_a_host_without_the_methods_is_refused_what_needs_them() -> None:
    """By a code; stock and money go on."""
    desk = Desk(inventory=OnlyStock())

    with pytest.raises(Invalid) as refused:
        desk.service.handle(inspect("B"))
    assert refused.value.code == "disposal_unsupported"
    ret = desk.service.handle(inspect("A", "A", graded("D", disposition="hold")))
    assert ret.status == "received"


def test_ports_that_are_awaited_are_refused_by_a_blocking_service() -> None:
    """The optional methods, too."""

    class Awaited(InMemoryInventory):
        async def dispose(self, request: object) -> None:  # type: ignore[override]
            """Awaited."""

    with pytest.raises(InvalidValue, match="dispose is awaited"):
        Desk(inventory=Awaited())


def test_an_awaited_service_inspects_as_a_blocking_one() -> None:
    """The same return, and the same requests."""
    blocking, awaited = Desk(), Desk()
    command = inspect("A", "B", graded("D", disposition="send_back"))

    there = asyncio.run(awaited_service(awaited.service).handle(command))

    assert there == blocking.service.handle(command)
    for name in ("restocks", "disposals"):
        assert getattr(awaited.service.inventory, name) == getattr(blocking.service.inventory, name)
    assert getattr(awaited.service.fulfillment, "sent_back", None)


def test_a_carrier_that_can_be_searched_is_not_asked_twice() -> None:
    """What it finds under the key is what was sent."""
    carrier = Sleepy(Searchable(HOUR))
    desk = Desk(fulfillment=carrier)
    desk.service.handle(inspect("A", "A", graded("D", disposition="send_back")))
    assert desk.service.outstanding()

    desk.now += 2 * HOUR
    desk.service.resume()

    assert (carrier.asked, desk.service.outstanding()) == (1, ())


def test_a_carrier_that_knows_no_keys_is_stopped_for_a_person() -> None:
    """A parcel is not sent twice."""
    carrier = Sleepy(NotIdempotent(HOUR))
    desk = Desk(fulfillment=carrier)
    ret = desk.service.handle(inspect("A", "A", graded("D", disposition="send_back")))

    desk.now += 24 * HOUR
    desk.service.resume()

    assert carrier.asked == 1
    assert [effect.is_stopped for effect in desk.service.outstanding()] == [True]
    assert desk.service.get(ret.id).needs_attention


def test_an_operator_sees_that_goods_wait() -> None:
    """Once, when they arrive; and in the list, until they are graded."""
    desk = Desk()
    reasons = [each.reason for each in desk.signals if isinstance(each, AttentionNeeded)]
    assert reasons == ["inspection_needed"]
    assert [each.id for each in desk.service.list(needs_attention=True)] == ["ret_1"]

    desk.service.handle(inspect("A", "A", "A"))

    assert desk.service.list(needs_attention=True) == ()
    assert any(
        "judged" in each.summary or "inspection" in each.summary for each in desk.service.timeline("order_1")
    )


def test_medusa_has_no_word_for_it() -> None:
    """Over its API a return in inspection is requested, and received once it was graded."""
    desk = Desk()
    waiting = desk.service.get("ret_1")
    assert return_json(waiting)["status"] == "requested"

    ret = desk.service.handle(inspect("A", "A", "A"))

    assert isinstance(ret, Return)
    assert return_json(ret)["status"] == "received"
