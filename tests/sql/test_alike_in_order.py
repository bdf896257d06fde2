"""Returns, exchanges and claims that differ in their kind only have one order, on every page."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import product

import pytest
from attrs import evolve

from rma import ClaimItem, NewItem, RequestClaim, RequestedItem, RequestExchange, ReturnQuery, SubjectKind
from rma.adapters.sql import SqlReturns
from rma.domain.views.query import sort_key
from rma.testing.core_harness import START, CoreHarness
from tests.databases import Databases
from tests.rules.given import line, order_of, usd


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, databases: Databases) -> Iterator[SqlReturns]:
    """Yields a store with three of a kind and of a moment in each of three orders."""
    with databases.new(request.param) as url, closing(SqlReturns(url)) as store:
        for number in range(3):
            order = evolve(order_of(line(quantity=9)), id=f"order_{number}")
            life = CoreHarness(order, ids=iter([f"{number}_{each}" for each in "ab"]).__next__)
            items = [RequestedItem(item_id="mug", quantity=1)]
            new = [NewItem(variant_id="v_mug", quantity=1, unit_price=usd(1000))]
            wrong = [ClaimItem(item_id="mug", quantity=1, reason="other")]
            for command in (
                RequestExchange(order_id=order.id, items=items, new_items=new),
                RequestClaim(order_id=order.id, type="refund", items=wrong),
            ):
                life.now = START - timedelta(minutes=1)
                store.commit(life.handle(command))
        yield store


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_of_what_is_alike_but_for_its_kind(store: SqlReturns, newest_first: bool) -> None:
    """In the order of kinds, wherever a page begins and ends, behind another page or by number."""
    everything = ReturnQuery(kinds=list(SubjectKind), newest_first=newest_first)
    found = store.find(everything)
    keys = [sort_key(each) for each in found]  # type: ignore[arg-type] # all are readable
    assert keys == sorted(keys, reverse=newest_first)
    assert len({key[:3] for key in keys}) * 3 == len(keys) == 9

    for number, each in enumerate(found):
        assert store.find(evolve(everything, after=each.id)) == found[number + 1 :]
        for limit in (1, 2, 4, None):
            assert store.find(evolve(everything, after=each.id, limit=limit)) == found[number + 1 :][:limit]
            assert store.find(evolve(everything, offset=number, limit=limit)) == found[number:][:limit]


def test_two_kinds_of_what_is_alike(store: SqlReturns) -> None:
    """The last one of a page may be of a kind that is not asked for."""
    everything = store.find(ReturnQuery(kinds=list(SubjectKind)))
    for kinds, (number, last) in product((["return", "claim"], ["exchange"]), enumerate(everything)):
        behind = store.find(ReturnQuery(kinds=kinds, after=last.id, limit=3))
        assert (
            list(behind)
            == [each for each in everything[number + 1 :] if each.id.startswith(_PREFIXES[tuple(kinds)])][:3]
        )


_PREFIXES = {("return", "claim"): ("ret_", "claim_"), ("exchange",): ("exc_",)}
