"""The process dies, by `os._exit`, before and after every call and commit; another one goes on."""

import os
from collections.abc import Callable
from pathlib import Path

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
    ReturnService,
    ReturnStatus,
)
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from rma.testing.faults import Faults
from rma.testing.faulty import faulty
from rma.testing.rehearsal import START, counting
from tests.killed.gateways import BookedFulfillment, BookedInventory, BookedPayments, Books
from tests.rules.given import line, order_of
from tests.world import RETURN_OPTION

KILLED = 9


class Killing(Faults):
    """A plan that ends the process at a point, so that nothing of it is left: no `finally`, no memory."""

    def __init__(self, point: int) -> None:
        super().__init__()
        self._point = point

    def _pass(self, point: int) -> None:
        if point == self._point:
            os._exit(KILLED)


def commands() -> list[Command]:
    """Two parcels of one return, and another one that is called off after a part of it came."""
    mug = RequestedItem(item_id="mug", quantity=2)

    def came(return_id: str, key: str, **more: bool) -> ReceiveReturn:
        items = [ReceivedItem(item_id="mug", quantity=1)]
        return ReceiveReturn(return_id=return_id, items=items, idempotency_key=key, **more)  # type: ignore[arg-type] # flags by name

    return [
        RequestReturn(
            order_id="order_1", items=[mug], shipping_option_id="so_return", idempotency_key="first"
        ),
        came("ret_1", "parcel 1", more_expected=True),
        came("ret_1", "parcel 2"),
        RequestReturn(
            order_id="order_1", items=[mug], shipping_option_id="so_return", idempotency_key="second"
        ),
        came("ret_2", "parcel 3"),
        CancelReturn(return_id="ret_2", idempotency_key="cancel"),
    ]


def new_process(place: Path, faults: Faults | None = None) -> ReturnService:
    """A service as a process that just started would build it."""
    books = Books(place / "books.db")
    service = in_memory_service(
        [order_of(line(quantity=5))],
        shipping_options=[RETURN_OPTION],
        returns=SqlReturns(f"sqlite:///{place / 'returns.db'}"),
        payments=BookedPayments(books),
        inventory=BookedInventory(books),
        fulfillment=BookedFulfillment(books),
        clock=lambda: START,
        ids=counting(),
    )
    return service if faults is None else faulty(service, faults)


def live(place: Path, faults: Faults | None = None) -> ReturnService:
    """A process that sends every command, as a client would that heard no answer to any."""
    service = new_process(place, faults)
    for command in commands():
        service.handle(command)
    return service


def dies(life: Callable[[], object]) -> int:
    """The exit status of a process that lives this life."""
    pid = os.fork()
    if not pid:
        try:
            life()
        except BaseException:  # a child must never come back into the tests
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@frozen
class End:
    """How it all stands, as far as anybody can tell from outside."""

    returns: tuple[Return, ...]
    state: OrderState
    open_effects: tuple[str, ...]
    done: dict[str, str]


def end(place: Path) -> End:
    """As a new process finds it; revisions differ by how often it was tried."""
    service = new_process(place)
    ledger = service.returns.load("order_1")
    return End(
        ledger.returns,
        service.order_state("order_1"),
        tuple(ledger.open_effects),
        Books(place / "books.db").done(),
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[End, int]:
    """How it ends without a death, and how many points there are to die at."""
    place, faults = tmp_path_factory.mktemp("undisturbed"), Faults()
    live(place, faults)
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
    tmp_path: Path, undisturbed: tuple[End, int], *, resumed_first: bool
) -> None:
    """After a repeat of the commands, with or without a `resume` before it."""
    expected, points = undisturbed

    for point in range(1, points + 1):
        place = tmp_path / str(point)
        place.mkdir()
        assert dies(lambda: live(place, Killing(point))) == KILLED  # noqa: B023 # called at once

        if resumed_first:
            assert dies(lambda: new_process(place).resume()) == 0  # noqa: B023 # called at once
            assert not new_process(place).returns.load("order_1").open_effects
        assert dies(lambda: live(place)) == 0  # noqa: B023 # called at once

        assert end(place) == expected, f"killed at point {point}"
