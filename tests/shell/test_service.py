"""The service over in-memory adapters, as a host uses it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelReturn,
    Command,
    EventsPublished,
    GoodsReceived,
    IdempotencyKeyReused,
    Invalid,
    InvalidValue,
    NotFound,
    RefundStatus,
    RequestReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRequested,
    ReturnService,
    ReturnStatus,
    StaleLedger,
    StaleOrder,
    Unavailable,
)
from rma.adapters.memory import (
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryReturns,
    in_memory_service,
)
from rma.domain.change import Change
from rma.domain.state.ledger import ReturnLedger
from rma.shell.commit import ATTEMPTS
from rma.shell.construction import utc_now
from rma.testing.faults import Declines
from tests.rules.given import line, order_of, receive, request, usd
from tests.world import REASONS, RETURN_OPTION, World


def test_a_return_from_request_to_refund() -> None:
    """A return books one label, restocks once and refunds once, and the ports store the keys."""
    world = World(order_of(line(quantity=2)))

    opened = world.service.handle(request(2, shipping_option_id="so_return"))
    received = world.service.handle(receive(2))

    assert opened.status is ReturnStatus.REQUESTED
    assert opened.shipping_data == {"shipment": "ret_1-shipment-1"}
    assert received.status is ReturnStatus.RECEIVED
    assert [refund.status for refund in received.refunds] == [RefundStatus.SUCCEEDED]
    assert list(world.fulfillment.shipments) == ["ret_1-shipment-1"]
    assert list(world.inventory.restocks) == ["ret_1-restock-1"]
    assert {key: asked.amount for key, asked in world.payments.refunds.items()} == {
        "ret_1-refund-1": usd(1800)
    }
    assert world.inventory.on_hand == {("loc_1", "mug"): 2}
    assert not world.ledger.open_effects


def test_a_canceled_return_cancels_its_label() -> None:
    """Canceling a return cancels the shipment that was booked for it."""
    world = World(order_of())
    opened = world.service.handle(request(2, shipping_option_id="so_return"))

    canceled = world.service.handle(CancelReturn(return_id=opened.id))

    (asked,) = world.fulfillment.cancellations.values()
    assert asked.shipment == opened.shipment
    assert canceled.status is ReturnStatus.CANCELED


def test_a_mismatch_that_is_canceled_is_withdrawn_from_stock() -> None:
    """Canceling a mismatched return withdraws its restocked units."""
    world = World(order_of())
    world.service.handle(request(2))
    world.service.handle(receive(1))

    world.service.handle(CancelReturn(return_id="ret_1"))

    assert list(world.inventory.withdrawals) == ["ret_1-withdraw-1"]
    assert sum(world.inventory.on_hand.values()) == 0


def test_the_service_reads_returns_history_and_state() -> None:
    """
    The service returns a return, the returns of an order, its history, its state and its returnable items.
    """
    world = World(order_of(line(quantity=2)))
    opened = world.service.handle(request(1))

    assert world.service.get(opened.id) == opened
    assert world.service.list("order_1") == (opened,)
    assert world.service.list("order_9") == ()
    history = [event for event in world.service.history("order_1") if not isinstance(event, EventsPublished)]
    assert [type(event) for event in history] == [ReturnRequested]
    assert world.service.history("order_9") == ()
    assert world.service.order_state("order_1").order_version == 2
    assert [each.quantity for each in world.service.returnable_items("order_1")] == [1]


NOTHING: Any = ["no id"]


@pytest.mark.parametrize(
    "read",
    [
        lambda service: service.get("ret_9"),
        lambda service: service.get(NOTHING),
        lambda service: service.handle(receive(1, return_id=NOTHING)),
        lambda service: service.quote(evolve(request(1), order_id=NOTHING)),
        lambda service: service.quote(evolve(request(1), order_id="order_9")),
        lambda service: service.order_state("order_9"),
        lambda service: service.returnable_items("order_9"),
        lambda service: service.handle(evolve(request(1), order_id="order_9")),
        lambda service: service.handle(evolve(request(1), order_id=NOTHING)),
        lambda service: service.handle(receive(1, return_id="ret_9")),
        lambda service: service.handle(CancelReturn(return_id="ret_9")),
        lambda service: service.handle(request(1, shipping_option_id="so_9")),
        lambda service: service.handle(request(1, shipping_option_id={})),
    ],
)
def test_unknown_orders_returns_and_options_are_not_found(read: Callable[[ReturnService], object]) -> None:
    """An unknown or invalid id of an order, a return or an option raises NotFound."""
    with pytest.raises(NotFound):
        read(World(order_of()).service)


def test_a_ledger_without_the_return_raises_not_found() -> None:
    """`ReturnLedger.get` raises NotFound for an id that is not in the ledger."""
    with pytest.raises(NotFound) as error:
        ReturnLedger("order_1").get("ret_1")

    assert error.value.code == "return_not_found"


def test_a_quote_says_what_the_payments_have_left() -> None:
    """It promises 20.00 of which 15.00 could be paid; and nothing at all by an order that is stale."""
    world = World(order_of(captured=1500, version=3))

    quote = world.service.quote(request(2))

    assert (quote.refund_amount, quote.refundable) == (usd(2000), usd(1500))
    world.service.handle(request(1))
    world.orders.put(evolve(world.order, version=2))
    with pytest.raises(StaleOrder):
        world.service.quote(request(1))


def test_a_quote_does_nothing_and_refuses_what_the_command_refuses() -> None:
    """A quote changes nothing, and is refused with the violations of the command."""
    world = World(order_of())

    quote = world.service.quote(request(2, shipping_option_id="so_return"))
    with pytest.raises(Invalid) as quoted:
        world.service.quote(request(3))
    with pytest.raises(Invalid) as handled:
        world.service.handle(request(3))

    assert quote.refund_amount == usd(1800)
    assert quoted.value.violations == handled.value.violations
    assert world.ledger == ReturnLedger("order_1")
    assert not world.fulfillment.shipments


def test_a_repeat_needs_no_order_reason_or_option_any_more() -> None:
    """A repeated command is answered from the ledger although its order no longer exists."""
    world = World(order_of())
    command = request(2, shipping_option_id="so_return", idempotency_key="k")
    opened = world.service.handle(command)
    later = in_memory_service(returns=world.returns, payments=world.payments)

    assert later.handle(command) == opened
    with pytest.raises(IdempotencyKeyReused):
        later.handle(request(1, idempotency_key="k"))


def test_a_policy_is_a_value_or_a_function_of_the_order() -> None:
    """`policies` is one ReturnPolicy or a function from an order to one."""
    strict = ReturnPolicy(name="strict", refund_damaged=False)

    one = in_memory_service([order_of()], policies=strict).handle(request(1))
    each = in_memory_service([order_of()], policies=lambda order: ReturnPolicy(name=order.id)).handle(
        request(1)
    )
    default = in_memory_service([order_of()]).handle(request(1))

    assert (one.terms.name, each.terms.name, default.terms.name) == ("strict", "order_1", "default")


def test_a_service_needs_orders_returns_inventory_and_payments() -> None:
    """A service with the four required ports handles returns and refuses shipments."""
    payments = InMemoryPayments()
    service = ReturnService(
        orders=InMemoryOrders([order_of()]),
        returns=InMemoryReturns(),
        inventory=InMemoryInventory(),
        payments=payments,
    )

    with pytest.raises(Invalid) as error:
        service.handle(request(1, shipping_option_id="so_return"))
    before = datetime.now(UTC)
    opened = service.handle(request(1))
    after = datetime.now(UTC)
    other = service.handle(request(1))
    service.handle(receive(1, return_id=opened.id))

    assert error.value.code == "no_fulfillment"
    assert opened.id != other.id
    assert opened.id.startswith("ret_")
    assert before <= opened.requested_at <= after
    assert utc_now().utcoffset() == timedelta(0)
    assert len(payments.refunds) == 1
    with pytest.raises(Invalid):
        service.handle(RequestReturn(order_id="order_1", items=[]))


def test_without_shipping_options_none_is_found() -> None:
    """Without a repository of shipping options every option raises NotFound."""
    world = World(order_of())
    service = ReturnService(
        orders=world.orders,
        returns=world.returns,
        inventory=world.inventory,
        payments=world.payments,
        fulfillment=world.fulfillment,
    )

    with pytest.raises(NotFound) as error:
        service.handle(request(1, shipping_option_id="so_return"))

    assert error.value.details == {"shipping_option_id": "so_return"}


def test_the_in_memory_service_accepts_repositories() -> None:
    """`in_memory_service` uses a repository as it is where it would build one from values."""
    world = World(order_of())
    service = in_memory_service(
        world.orders, world.service.return_reasons, world.service.shipping_options, returns=world.returns
    )

    assert service.orders is world.orders
    assert service.return_reasons.list() == REASONS
    assert service.shipping_options.get("so_return") is RETURN_OPTION


def test_a_naive_clock_raises_invalid_value() -> None:
    """A clock that returns a naive datetime raises InvalidValue, and nothing is committed."""
    returns = InMemoryReturns()
    service = in_memory_service(
        [order_of()],
        returns=returns,
        clock=lambda: datetime(2026, 1, 1),  # noqa: DTZ001 # the point
    )

    with pytest.raises(InvalidValue):
        service.handle(request(1))

    assert returns.load("order_1").revision == 0


class CountingReturns(InMemoryReturns):
    """A store that counts commits, can run a rival before one, and can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = self.commits = 0
        self.first: Callable[[], object] | None = None
        self.error: Exception | None = None

    def commit(self, change: Change) -> None:
        """Runs the rival, raises the error, or commits."""
        self.calls += 1
        if self.first is not None:
            first, self.first = self.first, None
            first()
        if self.error is not None:
            raise self.error
        super().commit(change)
        self.commits += bool(change.events)


def counting_world() -> tuple[CountingReturns, InMemoryPayments, ReturnService]:
    """Returns a counting store, payments, and a service with an order of two mugs."""
    returns, payments = CountingReturns(), InMemoryPayments()
    service = in_memory_service([order_of()], returns=returns, payments=payments, pause=lambda _: None)
    return returns, payments, service


def test_a_request_commits_once_and_a_receipt_twice() -> None:
    """A repeat and the cancellation of a canceled return commit nothing."""
    returns, _, service = counting_world()
    counts = []

    def count(command: Command) -> str:
        before = returns.commits
        answer = service.handle(command)
        counts.append(returns.commits - before)
        return answer.id

    first = count(request(1, idempotency_key="k"))
    count(request(1, idempotency_key="k"))
    count(CancelReturn(return_id=first))
    count(CancelReturn(return_id=first))
    second = count(request(1))
    count(receive(1, return_id=second))

    assert counts == [1, 0, 1, 0, 1, 2]


def test_a_command_that_loses_a_race_is_decided_again() -> None:
    """A command that meets a newer ledger is decided on it, and the caller gets that decision."""
    returns, _, service = counting_world()
    returns.first = lambda: service.handle(request(1))

    service.handle(request(1))
    returns.first = lambda: service.handle(CancelReturn(return_id=service.list("order_1")[0].id))
    with pytest.raises(Invalid) as error:
        service.handle(request(2))

    assert [ret.display_id for ret in service.list("order_1")] == [1, 2]
    assert error.value.code == "quantity_exceeds_returnable"


def test_the_last_unit_goes_to_the_first_commit() -> None:
    """The request that commits second is refused, as no unit is returnable."""
    returns, _, service = counting_world()
    returns.first = lambda: service.handle(request(2))

    with pytest.raises(Invalid) as error:
        service.handle(request(2))

    assert error.value.violations[0].numbers == {"quantity": 2, "returnable": 0}
    assert len(service.list("order_1")) == 1


def test_the_same_command_twice_at_once_is_done_once() -> None:
    """Of two equal commands at once, the second commit returns the answer of the first."""
    returns, _, service = counting_world()
    command = request(1, idempotency_key="k")
    winner = []
    returns.first = lambda: winner.append(service.handle(command))

    loser = service.handle(command)

    assert [loser] == winner
    assert len(service.list("order_1")) == 1


def test_retries_after_conflicts_are_bounded() -> None:
    """A command that meets a newer ledger in every attempt raises StaleLedger and changes nothing."""
    returns, _, service = counting_world()
    returns.error = StaleLedger("stale_ledger", {"order_id": "order_1", "expected": 0, "found": 1})

    with pytest.raises(StaleLedger) as error:
        service.handle(request(1))

    assert returns.calls == ATTEMPTS
    assert str(error.value) == "order order_1: revision 0 expected, found 1"
    assert service.list("order_1") == ()


@pytest.mark.parametrize("error", [Unavailable("database_locked"), OSError("disk full")])
def test_a_store_that_fails_changes_nothing(error: Exception) -> None:
    """An error of the store is raised as it is, and no port is called."""
    returns, payments, service = counting_world()
    opened = service.handle(request(1))
    returns.error = error

    with pytest.raises(type(error)):
        service.handle(receive(1, return_id=opened.id))

    assert service.get(opened.id) == opened
    assert not payments.refunds


def test_an_event_has_its_author_and_notification() -> None:
    """Events have the author of the command and the `no_notification` of the order."""
    world = World(order_of(no_notification=True))
    world.service.handle(request(2, created_by="anna"))
    world.service.handle(receive(2, created_by="bob"))

    said = [
        (type(event), event.by, event.no_notification)
        for event in world.service.history("order_1")
        if isinstance(event, ReturnRequested | GoodsReceived)
    ]
    assert said == [(ReturnRequested, "anna", True), (GoodsReceived, "bob", True)]


def test_a_refund_that_was_declined_is_retried_through_the_service() -> None:
    """A retry after a declined refund pays under the next key."""
    world = World(order_of())
    world.faults.refunds.append(Declines())
    world.service.handle(request(2))
    world.service.handle(receive(2))

    retried = world.service.handle(RetryRefund(return_id="ret_1", created_by="anna"))

    assert [refund.status for refund in retried.refunds] == [RefundStatus.FAILED, RefundStatus.SUCCEEDED]
    assert world.refunded() == 2000


def test_an_unknown_command_raises_invalid_value() -> None:
    """The error, which is not a refusal, names the commands and the class that was given instead."""
    service: Any = World(order_of()).service
    for call in (service.handle, service.quote):
        for odd, name in ((NOTHING, "a list"), ({}, "a dict"), (None, "None"), (RequestReturn, "the class")):
            with pytest.raises(InvalidValue, match=f"command must be one of RequestReturn, .*, not {name}"):
                call(odd)
    with pytest.raises(InvalidValue, match="RequestReturn, RequestExchange, not a CancelReturn"):
        service.quote(CancelReturn(return_id="ret_1"))


def test_all_violations_for_an_unknown_return_are_reported() -> None:
    """The refusal lists the unknown return and the violations that do not depend on it."""
    with pytest.raises(NotFound) as error:
        World(order_of()).service.handle(
            receive(-1, return_id="ret_9", allow_mismatch=True, more_expected=True, idempotency_key="")
        )

    assert [violation.code for violation in error.value.violations] == [
        "return_not_found",
        "mismatch_and_more_expected",
        "invalid_quantity",
        "invalid_idempotency_key",
    ]


def test_a_port_that_is_falsy_is_used() -> None:
    """A port whose length is 0 is used."""

    class Sized(InMemoryPayments):
        """A gateway with a length."""

        def __len__(self) -> int:
            return len(self.refunds)

    payments = Sized()
    service = in_memory_service([order_of()], payments=payments)
    opened = service.handle(request(2))

    service.handle(receive(2, return_id=opened.id))

    assert len(payments) == 1


def test_a_naive_clock_is_refused_when_reading_too() -> None:
    """A naive clock raises InvalidValue when returnable items are read."""
    service = in_memory_service([order_of()], clock=lambda: datetime(2026, 1, 1))  # noqa: DTZ001 # the point

    with pytest.raises(InvalidValue):
        service.returnable_items("order_1")
