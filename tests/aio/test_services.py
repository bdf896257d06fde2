"""The awaited service is the blocking one, awaited; and the blocking one refuses ports that are awaited."""

import asyncio
import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any, get_overloads

import pytest
from attrs import evolve, fields

from rma import AsyncReturnService, InvalidValue, NotFound, Order, ReturnPolicy, ReturnService
from tests.aio.hosts import Awaited, awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.world import World


def public_methods(service: type) -> dict[str, Callable[..., object]]:
    """The methods a host calls, by name."""
    return {name: each for name, each in vars(service).items() if not name.startswith("_") and callable(each)}


#: What asks no port, and is not awaited.
AT_ONCE = {"in_transaction"}


def test_both_services_have_the_same_methods_and_signatures() -> None:
    """Overloads, names, defaults, annotations and what is returned; one blocks, the other is awaited."""
    blocking, awaited = public_methods(ReturnService), public_methods(AsyncReturnService)

    assert list(blocking) == list(awaited)
    for name, method in blocking.items():
        assert inspect.signature(method) == inspect.signature(awaited[name]), name
        overloads = [[inspect.signature(e) for e in get_overloads(m)] for m in (method, awaited[name])]
        assert overloads[0] == overloads[1], name
        assert inspect.iscoroutinefunction(awaited[name]) is (name not in AT_ONCE), name
        assert not inspect.iscoroutinefunction(method), name


def test_both_services_have_the_same_ports() -> None:
    """In the same order, and the same of them may be left out."""
    ports = [
        [(each.name, each.default is not None) for each in fields(service)]
        for service in (ReturnService, AsyncReturnService)
    ]

    assert ports[0] == ports[1]


def test_every_method_answers_what_the_blocking_one_answers() -> None:
    """On the same ledgers: what is read, quoted, listed and resumed."""
    world = World(order_of(line(quantity=3)))
    blocking, awaited = world.service, awaited_service(world.service)
    opened = blocking.handle(request(2))
    blocking.handle(receive(2, return_id=opened.id))

    async def compare() -> None:
        for name, given in {
            "quote": (request(1),),
            "returnable_items": ("order_1",),
            "get": (opened.id,),
            "exchanges": ("order_1",),
            "claims": ("order_1",),
            "list": (),
            "history": ("order_1",),
            "timeline": ("order_1",),
            "transactions": ("order_1",),
            "credit_notes": ("order_1",),
            "order_state": ("order_1",),
            "resume": (opened.id,),
        }.items():
            assert_alike(await getattr(awaited, name)(*given), getattr(blocking, name)(*given))
        for name in ("get", "get_exchange", "get_claim", "resume"):
            with pytest.raises(NotFound) as heard:
                getattr(blocking, name)("nobody's")
            with pytest.raises(NotFound) as again:
                await getattr(awaited, name)("nobody's")
            assert (again.value.args, str(again.value)) == (heard.value.args, str(heard.value))

    asyncio.run(compare())


def test_of_all_orders_a_hundred_returns_are_listed_unless_a_limit_is_given() -> None:
    """The limit of a page is the same for both services."""
    world = World(order_of(line(quantity=101)))
    for _ in range(101):
        world.service.handle(request(1))

    async def lengths() -> list[int]:
        awaited = awaited_service(world.service)
        pages = (awaited.list(), awaited.list("order_1"), awaited.list(limit=101))
        return [len(await page) for page in pages]

    assert asyncio.run(lengths()) == [100, 101, 101]
    assert len(world.service.list()) == 100


PORTS = (
    "orders",
    "returns",
    "inventory",
    "payments",
    "fulfillment",
    "shipping_options",
    "return_reasons",
    "events",
)


@pytest.mark.parametrize("port", PORTS)
def test_a_blocking_service_is_not_built_over_an_awaited_port(port: str) -> None:
    """The error names the port, and the service to use."""
    service = World(order_of()).service
    awaited: dict[str, Any] = {port: Awaited(getattr(service, port))}

    with pytest.raises(InvalidValue, match=rf"ReturnService\.{port} must .* use AsyncReturnService"):
        evolve(service, **awaited)


def test_nor_over_callables_that_are_awaited() -> None:
    """Policies, a clock, ids: as functions, or as objects that are called."""

    async def policy_of(order: Order) -> ReturnPolicy:
        return ReturnPolicy()

    class Clock:
        async def __call__(self) -> datetime:
            raise AssertionError

    service = World(order_of()).service
    awaited: dict[str, Any] = {"policies": policy_of, "clock": Clock(), "ids": Clock()}

    for name, port in awaited.items():
        with pytest.raises(InvalidValue, match=rf"ReturnService\.{name} must .* use AsyncReturnService"):
            evolve(service, **{name: port})


@pytest.mark.parametrize("at", [datetime(2026, 1, 1), "now", None])  # noqa: DTZ001 # that is the mistake
def test_a_naive_clock_is_named_by_the_error(at: Any) -> None:
    """Whatever is asked of either service."""
    world = World(order_of(line(quantity=1)))
    service = evolve(world.service, clock=lambda: at)
    awaited = awaited_service(service)

    for ask in (
        lambda: service.handle(request(1)),
        lambda: service.quote(request(1)),
        lambda: service.returnable_items("order_1"),
        service.resume,
        lambda: asyncio.run(awaited.handle(request(1))),
    ):
        with pytest.raises(InvalidValue) as error:
            ask()
        assert error.value.code == "invalid_value"
        assert error.value.details["field"] == "clock"
        assert str(error.value).startswith(
            "clock must be a callable that returns a datetime with a time zone"
        )
