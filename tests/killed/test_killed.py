"""The process dies, by `os._exit`, before and after every call and commit; another one goes on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from attrs import frozen

from rma import (
    CancelReturn,
    Command,
    OrderState,
    ReceivedItem,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
    Return,
    ReturnStatus,
)
from rma.testing.faults import Faults
from tests.databases import LONG, Databases
from tests.killed.gateways import GatewayModel
from tests.killed.lives import KILLED, Killing, Place, dies
from tests.rules.given import line, order_of

#: Databases that have to bear it.
KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

#: A new place for a life.
NewPlace = Callable[[], AbstractContextManager[Place]]


def commands() -> list[Command]:
    """Two parcels of one return, and another one that is called off after a part of it came."""
    mug = RequestedItem(item_id="mug", quantity=2)

    def arrivals(return_id: str, key: str, **more: bool) -> ReceiveReturn:
        items = [ReceivedItem(item_id="mug", quantity=1)]
        return ReceiveReturn(return_id=return_id, items=items, idempotency_key=key, **more)  # type: ignore[arg-type] # flags by name

    return [
        RequestReturn(
            order_id="order_1", items=[mug], shipping_option_id="so_return", idempotency_key="first"
        ),
        arrivals("ret_1", "parcel 1", more_expected=True),
        arrivals("ret_1", "parcel 2"),
        RequestReturn(
            order_id="order_1", items=[mug], shipping_option_id="so_return", idempotency_key="second"
        ),
        arrivals("ret_2", "parcel 3"),
        CancelReturn(return_id="ret_2", idempotency_key="cancel"),
    ]


def simulate(place: Place, faults: Faults | None = None) -> None:
    """A process that sends every command, as a client would that heard no answer to any."""
    with place.process(faults) as service:
        for command in commands():
            service.handle(command)


def resume(place: Place) -> None:
    """A process that a timer starts; nothing is open after it."""
    with place.process() as service:
        service.resume()
        assert not service.returns.load("order_1").open_effects


@frozen
class End:
    """How it all stands, as far as anybody can tell from outside; how often it was tried may differ."""

    returns: tuple[Return, ...]
    state: OrderState
    open_effects: tuple[str, ...]
    done: dict[str, str]


def end(place: Place) -> End:
    """As a new process finds it."""
    with place.process() as service:
        ledger = service.returns.load("order_1")
        state = service.order_state("order_1")
    return End(ledger.returns, state, tuple(ledger.open_effects), GatewayModel(place.gateway_model).done())


@pytest.fixture(scope="module", params=KINDS)
def new_place(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> NewPlace:
    """Where nothing has happened yet."""

    @contextmanager
    def new() -> Iterator[Place]:
        with databases.new(request.param) as url:
            yield Place(url, tmp_path_factory.mktemp("books") / "books.db", order_of(line(quantity=5)))

    return new


@pytest.fixture(scope="module")
def undisturbed(new_place: NewPlace) -> tuple[End, int]:
    """How it ends without a death, and how many points there are to die at."""
    faults = Faults()
    with new_place() as place:
        simulate(place, faults)
        return end(place), faults.points


def test_the_life_that_is_disturbed_has_everything_in_it(undisturbed: tuple[End, int]) -> None:
    """Labels, parcels, refunds, a withdrawal and a cancellation; dozens of points."""
    expected, points = undisturbed

    assert [each.status for each in expected.returns] == [ReturnStatus.RECEIVED, ReturnStatus.CANCELED]
    assert expected.open_effects == ()
    kinds = {key.split("/")[1] for key in expected.done}
    assert kinds == {"shipment", "cancel_shipment", "restock", "withdraw", "refund"}
    assert points > 60


@pytest.mark.parametrize("resumed_first", [False, True])
def test_wherever_a_process_is_killed_everything_happens_once(
    new_place: NewPlace, undisturbed: tuple[End, int], *, resumed_first: bool
) -> None:
    """
    After a repeat of the commands, with or without a `resume` before it.

    After a call is before the next: in the test command one of them is resumed first, the other is not.
    """
    expected, points = undisturbed

    for point in range(1, points + 1) if LONG else range(1 + resumed_first, points + 1, 2):
        with new_place() as place:
            assert dies(lambda: simulate(place, Killing(point))) == KILLED  # noqa: B023 # called at once
            if resumed_first:
                assert dies(lambda: resume(place)) == 0  # called at once
            assert dies(lambda: simulate(place)) == 0  # called at once

            assert end(place) == expected, f"killed at point {point}"
