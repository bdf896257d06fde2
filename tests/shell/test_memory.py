"""The in-memory adapters fulfill their ports."""

import pytest
from attrs import evolve

from rma import InvalidValue, ReturnLedger, StaleLedger
from rma.adapters import memory
from rma.adapters.memory import InMemoryEvents, InMemoryInventory, InMemoryReturns
from rma.domain.change import apply_command, unchanged
from rma.domain.messages.effects import RestockRequest, StockLine, WithdrawRequest
from rma.testing.core_harness import START
from tests.rules.given import Given, line, order_of, receive, request
from tests.world import World


def test_every_adapter_is_exported() -> None:
    """Those for store credit and payouts are."""
    made_here = [each for each in vars(memory).values() if getattr(each, "__module__", "") == memory.__name__]
    adapters = {each.__name__ for each in made_here if each.__name__.startswith("InMemory")}

    assert adapters <= {*memory.__all__}
    assert {"InMemoryCredits", "InMemoryPayouts"} <= adapters


def test_a_commit_for_another_revision_is_refused_and_stores_nothing() -> None:
    """A second commit of the same change raises StaleLedger and stores nothing."""
    given, returns = Given(), InMemoryReturns()
    made = apply_command(given.facts(request(1)), given.ledger, request(1))
    returns.commit(made)

    with pytest.raises(StaleLedger) as error:
        returns.commit(made)

    assert error.value.details == {"order_id": "order_1", "expected": 0, "found": 1}
    assert returns.history("order_1") == made.events
    assert returns.load("order_1") == made.ledger == returns.load_by_return("ret_1")


def test_the_id_of_another_orders_return_is_refused_and_nothing_is_stored() -> None:
    """A change with the return id of another order raises InvalidValue and stores nothing."""
    returns = InMemoryReturns()
    given = Given()
    facts = given.facts(request(1))
    first, second = [apply_command(facts, ReturnLedger(f"order_{n}"), request(1)) for n in (1, 2)]
    returns.commit(first)

    with pytest.raises(InvalidValue) as error:
        returns.commit(second)

    assert error.value.code == "id_not_fresh"
    assert returns.load("order_2") == ReturnLedger("order_2")
    assert returns.load_by_return("ret_1").order_id == "order_1"


def test_a_change_without_events_commits_nothing() -> None:
    """A change without events stores nothing, whatever its revision."""
    returns = InMemoryReturns()

    returns.commit(unchanged(ReturnLedger("order_1", revision=7)))

    assert returns.load("order_1") == ReturnLedger("order_1")


def test_outstanding_names_orders_whose_effects_are_open_or_events_unpublished() -> None:
    """
    `outstanding` returns up to `limit` orders with open effects, and on request those with unpublished
    events.
    """
    returns = InMemoryReturns()
    for number, option in (("1", None), ("2", "so_return"), ("3", "so_return")):
        given = Given()
        given.ledger = ReturnLedger(f"order_{number}")
        command = request(1, shipping_option_id=option)
        facts = evolve(given.facts(command), fresh_id=number)
        returns.commit(apply_command(facts, given.ledger, command))

    assert list(returns.outstanding(START, 9)) == ["order_2", "order_3"]
    assert list(returns.outstanding(START, 1)) == ["order_2"]
    assert sorted(returns.outstanding(START, 9, unpublished=True)) == ["order_1", "order_2", "order_3"]


def test_without_a_publisher_no_order_waits_for_one() -> None:
    """A change awaits its publication only if the service has a publisher; one may come later."""
    world = World(order_of(line(quantity=2)))
    silent = evolve(world.service, events=None)
    silent.handle(request(1))
    silent.handle(receive(1))
    assert list(world.returns.outstanding(START, 9, unpublished=True)) == []

    assert world.returns.note_unpublished(START) == 1
    assert list(world.returns.outstanding(START, 9, unpublished=True)) == ["order_1"]
    assert world.service.resume().still_open == ()
    assert silent.history("order_1")[0].event_id in world.events.published
    assert list(world.returns.outstanding(START, 9, unpublished=True)) == []


def test_stock_moves_once_for_a_key() -> None:
    """A repeated restock or withdrawal under its key moves no stock again."""
    inventory = InMemoryInventory()
    units = (StockLine("mug", None, 2), StockLine("pot", None, 1))
    restock = RestockRequest("k1", "order_1", "ret_1", "loc", units)
    withdraw = WithdrawRequest("k2", "order_1", "ret_1", "loc", units[:1], restock_key="k1")

    for _ in range(2):
        inventory.restock(restock)
        inventory.withdraw(withdraw)

    assert inventory.on_hand == {("loc", "mug"): 0, ("loc", "pot"): 1}


def test_an_event_is_published_once_for_an_id() -> None:
    """Publishing an event again under its id adds nothing."""
    given, events = Given(), InMemoryEvents()
    (event,) = given.when(request(1))

    events.publish(event.event_id, event)
    events.publish(event.event_id, event)

    assert events.published == {"order_1/1/1": event}
