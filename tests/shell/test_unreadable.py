"""A list goes on where a document cannot be read, and the observer hears of it."""

from collections.abc import Iterable

import pytest
from attrs import evolve, field, frozen

from rma import (
    ReturnLedger,
    ReturnQuery,
    ReturnService,
    Signal,
    StoringFailed,
    Unavailable,
    UnreadableSubject,
)
from rma.adapters.memory import InMemoryFulfillment, InMemoryReturns, in_memory_service
from rma.domain.state.ledger import kind_of
from rma.domain.views.query import FoundSubject
from rma.observing import DocumentUnreadable
from tests.rules.given import order_of, request
from tests.world import RETURN_OPTION


class Damaged(InMemoryReturns):
    """Ledgers of which some documents cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: frozenset[str] = frozenset()
        self.asked = 0
        self.broken: str | None = None

    def load(self, order_id: str) -> ReturnLedger:
        """Refuses one of them."""
        if self.broken and order_id == "order_001":
            raise Unavailable(self.broken, {"order_id": order_id})
        return super().load(order_id)

    def find(self, query: ReturnQuery) -> tuple[FoundSubject, ...]:  # type: ignore[override] # memory reads all
        """Says of them that they cannot be read."""
        self.asked += 1
        return tuple(
            [
                UnreadableSubject(
                    id=each.id,
                    order_id=each.order_id,
                    kind=kind_of(each),
                    requested_at=each.requested_at,
                    error="gone",
                )
                if each.id in self.lost
                else each
                for each in super().find(query)
            ]
        )


@frozen
class Heard:
    """An observer that keeps what it hears of."""

    signals: list[Signal] = field(factory=list)

    def observe(self, signal: Signal) -> None:
        """Keeps it."""
        self.signals.append(signal)


def shop(count: int) -> tuple[Damaged, Heard, ReturnService, list[str]]:
    """Returns ledgers, an observer and a service with so many returns of as many orders, and their ids."""
    returns, heard = Damaged(), Heard()
    orders = [evolve(order_of(), id=f"order_{number:03}") for number in range(count)]
    service = in_memory_service(
        orders,
        shipping_options=[RETURN_OPTION],
        returns=returns,
        fulfillment=InMemoryFulfillment(),
        observer=heard,
    )
    ids = [service.handle(evolve(request(1), order_id=order.id)).id for order in orders]
    heard.signals.clear()
    return returns, heard, service, ids


def ids_of(found: Iterable[object]) -> list[str]:
    """Returns the ids of what was listed."""
    return [each.id for each in found]  # type: ignore[attr-defined] # subjects


@pytest.mark.parametrize("lost", [(0,), (2,), (1, 2), (2, 3, 4), (6,), (0, 1, 2, 3, 4, 5, 6)])
@pytest.mark.parametrize("offset", [0, 1])
def test_pages_go_on_behind_what_cannot_be_read(lost: tuple[int, ...], offset: int) -> None:
    """A page is full as long as there are more, each readable one is on one page, and each other reported."""
    returns, heard, service, ids = shop(7)
    returns.lost = frozenset([ids[number] for number in lost])
    expected = [each for each in ids[offset:] if each not in returns.lost]

    pages = [service.list(limit=3, offset=offset)]
    while pages[-1]:
        pages.append(service.list(limit=3, after=pages[-1][-1].id))

    assert [each for page in pages for each in ids_of(page)] == expected
    assert all(len(page) == 3 for page in pages[:-2])
    told = [each for each in heard.signals if isinstance(each, DocumentUnreadable)]
    assert {each.subject_id for each in told} == returns.lost - set(ids[:offset])
    assert all(each.error == "gone" and each.order_id.startswith("order_") for each in told)


def test_one_ledger_that_cannot_be_read_hides_no_other_effects() -> None:
    """What is outstanding of other orders is listed, and the observer hears of the one."""
    returns, heard, service, _ = shop(3)
    for number in range(3):
        asked = evolve(request(1, shipping_option_id="so_return"), order_id=f"order_{number:03}")
        service.handle(asked, deliver=False)
    heard.signals.clear()
    returns.broken = "unreadable_document"

    found = service.outstanding()

    assert [each.order_id for each in found] == ["order_000", "order_002"]
    (told,) = heard.signals
    assert isinstance(told, StoringFailed)
    assert told.order_id == "order_001"
    returns.broken = "store_locked"
    with pytest.raises(Unavailable):
        service.outstanding()


def test_a_list_without_damage_asks_once() -> None:
    """Also if the page is full."""
    returns, heard, service, ids = shop(4)

    assert ids_of(service.list(limit=3)) == ids[:3]
    assert (returns.asked, heard.signals) == (1, [])


def test_a_list_of_which_very_much_cannot_be_read_fails() -> None:
    """Single rows are damaged by hand; a hundred are a store of a later version."""
    returns, _, service, ids = shop(101)
    returns.lost = frozenset(ids[:99])
    assert ids_of(service.list()) == ids[99:]

    returns.lost = frozenset(ids[:100])
    with pytest.raises(Unavailable) as error:
        service.list()
    assert error.value.code == "unreadable_document"
