"""A history of which a part is lost says so, instead of rebuilding what never was."""

from collections.abc import Callable, Iterable

import pytest
from attrs import evolve

from rma import Event, InvalidValue, RequestedItem, ReturnLedger, UpdateReturn
from rma.domain.change import replay
from rma.domain.events import GoodsReceived, ReturnRequested, ReturnUpdated
from rma.testing.core_harness import CoreHarness
from tests.rules.given import line, order_of, receive, request


def history_of_an_updated_return() -> list[Event]:
    """One line is requested, then two, then three; and all of it arrives."""
    names = ("item_1", "item_2", "item_3")
    life = CoreHarness(order_of(*[line(name, quantity=1) for name in names]))
    items = [RequestedItem(item_id=name, quantity=1) for name in names]
    history = list(life.handle(evolve(request(), items=items[:1])).events)
    return_id = life.ledger.returns[0].id
    for number in (2, 3):
        history += life.handle(UpdateReturn(return_id=return_id, items=items[:number])).events
    received = [evolve(receive().items[0], item_id=name) for name in names]
    history += life.handle(evolve(receive(), return_id=return_id, items=received)).events
    assert replay("order_1", history) == life.ledger
    return history


def rebuilt_without(lost: Callable[[Event], bool], history: Iterable[Event]) -> ReturnLedger:
    """The ledger of what is left."""
    return replay("order_1", [each for each in history if not lost(each)])


def error_without(lost: Callable[[Event], bool]) -> str:
    """What is said to be lost."""
    with pytest.raises(InvalidValue) as error:
        rebuilt_without(lost, history_of_an_updated_return())
    assert error.value.code == "history_incomplete"
    return str(error.value.details["lost"])


def test_what_is_changed_was_opened_before() -> None:
    """Without the event that opened it, the first event about it says so."""
    assert error_without(lambda each: isinstance(each, ReturnRequested)) == (
        "what opened ret_1, before revision 2"
    )


def test_an_item_that_arrives_was_made_before() -> None:
    """Without the updates that made it, its receipt says so."""
    assert error_without(lambda each: isinstance(each, ReturnUpdated)) == (
        "what made item 2 of a return that has 1 without it"
    )


def test_an_item_that_is_revised_was_made_before() -> None:
    """Without the first of two updates, the second one says so."""
    assert error_without(lambda each: each.revision == 2) == (
        "what made item 2 of a return that has 1 without it"
    )


def test_the_last_events_may_be_missing() -> None:
    """The ledger is as it was before them."""
    history = history_of_an_updated_return()
    assert rebuilt_without(lambda each: isinstance(each, GoodsReceived), history).returns[0].status == (
        "requested"
    )
