"""Faults fail exactly what the plan says, at the same point in every run."""

from contextlib import suppress

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    Idempotent,
    LineItem,
    Money,
    NotIdempotent,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    RequestedItem,
    RequestReturn,
    RestockRequest,
    ReturnLedger,
    ReturnService,
    ReturnShipment,
    ShippingOption,
    StockLine,
    Unavailable,
)
from rma.adapters.memory import InMemoryEvents, InMemoryInventory, InMemoryPayments, in_memory_service
from rma.testing.core_harness import counting
from rma.testing.fault_injection import FaultyInventory, FaultyPayments, inject_faults, inject_payment_faults
from rma.testing.faults import (
    AnswerLost,
    Away,
    Call,
    Crashed,
    Declines,
    FailsLate,
    Faults,
    Pends,
    SavedError,
    Twice,
    points,
)

LINES = (StockLine("mug", None, 1),)
RESTOCK = RestockRequest("ret_1-restock-1", "order_1", "ret_1", None, LINES)
REFUND = RefundRequest("ret_1-refund-1", "order_1", "ret_1", "pay_1", Money(500, "usd"))


def shop() -> ReturnService:
    """A service over memory: two mugs, a parcel, a publisher."""
    mugs = LineItem(id="mug", quantity=2, fulfilled_quantity=2, unit_price=1000)
    order = Order(id="order_1", currency="usd", items=[mugs], payments=[Payment(id="pay_1", captured=2000)])
    return in_memory_service(
        [order],
        shipping_options=[ShippingOption(id="post", price=200)],
        events=InMemoryEvents(),
        ids=counting(),
    )


def request(key: str | None = "request") -> RequestReturn:
    """Both mugs, by parcel."""
    items = [RequestedItem(item_id="mug", quantity=2)]
    return RequestReturn(order_id="order_1", items=items, shipping_option_id="post", idempotency_key=key)


def receive(key: str | None = "receive") -> ReceiveReturn:
    """Both."""
    items = [ReceivedItem(item_id="mug", quantity=2)]
    return ReceiveReturn(return_id="ret_1", items=items, idempotency_key=key)


def number_of(method: str) -> int:
    """The number of the first call of this method while the request is handled."""
    faults = Faults()
    inject_faults(shop(), faults).handle(request())
    return next(call.number for call in faults.calls if call.method == method)


class Recorder:
    """A port that notes how often it was called."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def act(self) -> int:
        """How often it was asked."""
        self.asked.append("act")
        return len(self.asked)


def test_a_plan_without_faults_changes_nothing_and_numbers_every_call() -> None:
    """Of every port, loads and commits included."""
    calm, watched, faults = shop(), shop(), Faults()
    service = inject_faults(watched, faults)
    for each in (calm, service):
        each.handle(request())
        each.handle(receive())
        each.resume()

    render = [str(call).split(", ")[1] for call in faults.calls]
    assert render == [
        "returns.load order_1",
        "orders.get order_1",
        "return_reasons.list ",
        "shipping_options.get post",
        "returns.commit order_1",
        "fulfillment.book_return ret_1-shipment-1",
        "returns.commit order_1",
        "returns.history order_1",
        "events.publish order_1/1/1",
        "events.publish order_1/2/1",
        "returns.commit order_1",
        "returns.load_by_return ret_1",
        "orders.get order_1",
        "returns.commit order_1",
        "inventory.restock ret_1-restock-1",
        "payments.refund ret_1-refund-1",
        "returns.commit order_1",
        "returns.history order_1",
        "events.publish order_1/4/1",
        "events.publish order_1/5/1",
        "returns.commit order_1",
        "returns.find ",
        "returns.outstanding ",
    ]
    assert [call.number for call in faults.calls] == list(range(1, len(render) + 1))
    assert faults.points == 2 * len(render)
    assert statuses(calm) == statuses(service)


def statuses(service: ReturnService) -> list[tuple[str, int]]:
    """What became of the returns."""
    return [(each.status, each.refunded.amount) for each in service.list("order_1")]


def test_points_counts_the_moments_of_a_run() -> None:
    """Before and after each call."""
    calm = Faults()
    inject_faults(shop(), calm).handle(request())

    assert points(lambda faults: inject_faults(shop(), faults)) == 0
    assert points(lambda faults: inject_faults(shop(), faults).list("order_1")) == 2
    assert points(lambda faults: inject_faults(shop(), faults).handle(request())) == 2 * len(calm.calls)


@pytest.mark.parametrize(("point", "acted"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
def test_a_process_dies_before_or_after_a_call(point: int, acted: int) -> None:
    """Odd points are before, even ones after; what ran until then has acted."""
    port, faults = Recorder(), Faults(crash_at=[point])

    with suppress(Crashed):
        faults.call("port.act", "a", port.act)
        faults.call("port.act", "b", port.act)

    assert len(port.asked) == acted
    if point < 5:
        timestamp = "before" if point % 2 else "after"
        number = (point + 1) // 2
        assert faults.where(point) == f"{timestamp} call {number}, port.act {'ab'[number - 1]}"


def test_no_except_exception_outlives_a_crash() -> None:
    """A port that fails is survived; a process that dies is not."""
    booking = number_of("fulfillment.book_return")
    service = inject_faults(shop(), Faults(crash_at=[2 * booking]))

    with pytest.raises(Crashed, match=f"after call {booking}, fulfillment"):
        service.handle(request())
    assert not issubclass(Crashed, Exception)


def test_a_dead_process_calls_nothing() -> None:
    """Not from `finally` either, until a new one begins; numbers go on."""
    port, faults = Recorder(), Faults(crash_at=[1])
    for _ in range(2):
        with pytest.raises(Crashed):
            faults.call("port.act", "a", port.act)
    assert port.asked == []

    faults.restart()

    assert faults.call("port.act", "a", port.act) == 1
    assert [call.number for call in faults.calls] == [1, 2]


def test_a_crash_covers_an_error_of_the_port() -> None:
    """After a call that raised is a moment as any other."""

    def fails() -> None:
        raise LookupError

    with pytest.raises(Crashed):
        Faults(crash_at=[2]).call("port.act", "a", fails)
    with pytest.raises(LookupError):
        Faults(crash_at=[3]).call("port.act", "a", fails)


def test_a_port_that_is_away_has_not_acted() -> None:
    """Once: the next call gets through."""
    inventory, faults = InMemoryInventory(), Faults(at={1: Away()})
    port = FaultyInventory(inventory, faults)

    with pytest.raises(ConnectionError, match=r"call 1, inventory\.restock ret_1-restock-1: away"):
        port.restock(RESTOCK)
    assert not inventory.restocks
    port.restock(RESTOCK)
    assert inventory.restocks


def test_an_answer_that_is_lost_was_given() -> None:
    """A time-out after success."""
    inventory = InMemoryInventory()

    with pytest.raises(TimeoutError):
        FaultyInventory(inventory, Faults(at={1: AnswerLost()})).restock(RESTOCK)

    assert list(inventory.restocks) == ["ret_1-restock-1"]


def test_a_call_that_arrives_twice_acts_twice() -> None:
    """The second answer is received."""
    port = Recorder()

    assert Faults(at={1: Twice()}).call("port.act", "a", port.act) == 2


@pytest.mark.parametrize("acts", [True, False])
def test_a_saved_error_is_repeated_for_its_key(*, acts: bool) -> None:
    """As gateways replay a 500, whether they acted or not; other keys are not concerned."""
    inventory = InMemoryInventory()
    port = FaultyInventory(inventory, Faults(at={1: SavedError(acts=acts)}))

    for _ in range(3):
        with pytest.raises(ConnectionError, match=r"call 1, .*: failed"):
            port.restock(RESTOCK)
    port.restock(evolve(RESTOCK, key="ret_1-restock-2"))

    assert list(inventory.restocks) == [*["ret_1-restock-1"] * acts, "ret_1-restock-2"]


def test_faults_can_be_chosen_while_it_runs() -> None:
    """By a function of the call, or by its number."""

    def when(call: Call) -> Away | None:
        return Away() if call.method == "inventory.restock" else None

    faults = Faults(when=when)
    service = inject_faults(shop(), faults)
    service.handle(request())
    service.handle(receive())
    assert list(service.returns.load("order_1").open_effects) == ["ret_1-restock-1"]
    faults.at[len(faults.calls) + 1] = AnswerLost()
    with pytest.raises(Unavailable):
        service.list("order_1")


def test_a_gateway_that_declines_moves_no_money_and_says_it_again() -> None:
    """For the first key it receives; the next succeeds."""
    gateway = InMemoryPayments()
    port = FaultyPayments(gateway, Faults(refunds=[Declines("lost_card", "reported lost")]))

    assert [port.refund(REFUND) for _ in range(2)] == [RefundDeclined("lost_card", "reported lost")] * 2
    assert not gateway.refunds
    assert isinstance(port.refund(evolve(REFUND, key="ret_1-refund-2")), RefundSucceeded)


def test_a_gateway_that_pends_reports_later() -> None:
    """Once for a key, with a notification that can be handled as it is."""
    gateway, faults = InMemoryPayments(), Faults(refunds=[None, Pends()])
    port = FaultyPayments(gateway, faults)
    second = evolve(REFUND, key="ret_1-refund-2")

    assert isinstance(port.refund(REFUND), RefundSucceeded)
    assert [port.refund(second) for _ in range(2)] == [RefundPending("re_ret_1-refund-2")] * 2
    assert faults.notifications == [
        RecordRefundOutcome(key="ret_1-refund-2", outcome=RefundSucceeded(), notification_id="notice_1")
    ]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Pends(), RefundStatus.SUCCEEDED),
        (Pends(then=RefundDeclined("no")), RefundStatus.FAILED),
        (FailsLate(), RefundStatus.FAILED),
        (FailsLate(then=RefundReversed()), RefundStatus.REVERSED),
    ],
)
def test_notifications_report_how_refunds_really_ended(
    fault: Pends | FailsLate, status: RefundStatus
) -> None:
    """A service that handles them records it."""
    faults = Faults(refunds=[fault])
    service = inject_faults(shop(), faults)
    service.handle(request())
    received = service.handle(receive())
    before = RefundStatus.PENDING if isinstance(fault, Pends) else RefundStatus.SUCCEEDED
    assert [refund.status for refund in received.refunds] == [before]

    for notification in faults.notifications * 2:
        render = service.handle(notification)
        assert [refund.status for refund in render.refunds] == [status]


def test_a_gateway_that_refuses_by_itself_does_not_pend() -> None:
    """What the adapter under test answers is not changed into a success."""
    port = FaultyPayments(InMemoryPayments(lambda _: RefundDeclined("no")), Faults(refunds=[Pends()]))

    assert port.refund(REFUND) == RefundDeclined("no")


class Unkeyeds(InMemoryPayments):
    """A gateway that says what it is."""

    gateway = NotIdempotent()


class Searchable(InMemoryPayments):
    """A gateway that can be searched."""

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Its answer."""
        return self._outcomes.get(request.key)


def test_a_proxy_is_of_the_same_class_as_its_gateway() -> None:
    """Declared or not, with a look-up or without, which may fail as well."""
    faults = Faults(at={1: Away()})
    plain, unkeyed, searchable = (
        inject_payment_faults(port, faults) for port in (InMemoryPayments(), Unkeyeds(), Searchable())
    )

    assert [getattr(port, "gateway", None) for port in (plain, unkeyed, searchable)] == [
        Idempotent(),
        NotIdempotent(),
        Idempotent(),
    ]
    assert [hasattr(port, "find_refund") for port in (plain, unkeyed, searchable)] == [False, False, True]
    find = searchable.find_refund  # type: ignore[attr-defined] # that it is there was just asserted
    with pytest.raises(ConnectionError):
        find(REFUND)
    assert find(REFUND) is None


def test_a_store_that_fails_is_unavailable_with_its_cause() -> None:
    """As adapters are to say it; nothing was stored."""
    inner = shop()
    service = inject_faults(inner, Faults(at={number_of("returns.commit"): Away()}))

    with pytest.raises(Unavailable) as error:
        service.handle(request())

    assert error.value.code == "store_unavailable"
    assert isinstance(error.value.__cause__, ConnectionError)
    assert inner.returns.load("order_1") == ReturnLedger("order_1")


def test_a_commit_whose_answer_is_lost_is_stored() -> None:
    """The caller finds it when the command is repeated."""
    inner = shop()
    service = inject_faults(inner, Faults(at={number_of("returns.commit"): AnswerLost()}))

    with pytest.raises(Unavailable):
        service.handle(request())

    assert [each.id for each in inner.list("order_1")] == ["ret_1"]
    assert service.handle(request()).id == "ret_1"


def test_a_commit_that_arrives_twice_is_stale_and_answered() -> None:
    """A caller that loads the ledger again finds the command done."""
    faults = Faults(at={number_of("returns.commit"): Twice()})
    service = inject_faults(shop(), faults)

    opened = service.handle(request())

    assert (opened.id, opened.shipping_data) == ("ret_1", {"shipment": "ret_1-shipment-1"})


def test_an_absent_port_stays_absent() -> None:
    """No fulfillment, no publisher."""
    service = inject_faults(evolve(shop(), fulfillment=None, events=None), Faults())

    assert (service.fulfillment, service.events) == (None, None)


def test_every_port_can_fail() -> None:
    """Carrier, publisher and withdrawals too: resumed, nothing is missing."""

    def when(call: Call) -> AnswerLost | None:
        is_first = call.number == next(each.number for each in faults.calls if each.method == call.method)
        return AnswerLost() if is_first and not call.method.endswith(("load", "get", "list")) else None

    inner = shop()
    faults = Faults(when=when)
    service = inject_faults(inner, faults)
    part = ReceiveReturn(
        return_id="ret_1", items=[ReceivedItem(item_id="mug", quantity=1)], idempotency_key="r"
    )
    for command in (request(), part, CancelReturn(return_id="ret_1", idempotency_key="c")):
        for _ in range(3):
            with suppress(Unavailable):
                service.handle(command)
    for _ in range(4):
        with suppress(Unavailable):
            service.resume()

    assert {call.method for call in faults.calls} >= {
        "fulfillment.cancel_return",
        "inventory.withdraw",
        "events.publish",
        "returns.history",
        "returns.outstanding",
    }
    ledger = inner.returns.load("order_1")
    assert not ledger.open_effects
    assert ledger.published == ledger.revision
    assert isinstance(ledger.returns[0].shipment, ReturnShipment)
