"""
Several processes ask the same and competing things at once, on one order; some of them are killed.

What they come to depends on who is faster, so what is asked is what must hold whoever was. In the test
command a few rounds on a SQLite file; with `RMA_TEST_PROFILE=long` more of them, and on PostgreSQL.
"""

import os
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest

from rma import (
    CancelReturn,
    Command,
    Gateway,
    Idempotent,
    NotIdempotent,
    ReceivedItem,
    ReceiveReturn,
    RefundStatus,
    Rejected,
    RequestedItem,
    RequestReturn,
    ReturnLedger,
    ReturnStatus,
)
from rma.domain.change import replay
from rma.testing.core_harness import START
from rma.testing.faults import Faults
from tests.databases import LONG, Databases
from tests.killed.gateways import GatewayModel
from tests.killed.lives import KILLED, Killing, Place, born
from tests.rules.given import line, order_of

KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

#: How many work at the same time, and on how many returns.
WORKERS, RETURNS = 4, 8
#: Mugs of the order: too few for all returns, of which each wants three.
MUGS = 20
#: Points that a process passes even if others have done everything before: it asks for each return, and is
#: at least answered by one read, which has a point before and one after.
FEWEST = 2 * RETURNS
#: Points up to which the successor of a process that was killed may be killed; some get further.
DEEPEST = 240


def requested(number: int) -> RequestReturn:
    """Three mugs; every other parcel has a label."""
    return RequestReturn(
        order_id="order_1",
        items=[RequestedItem(item_id="mug", quantity=3)],
        shipping_option_id="so_return" if number % 2 else None,
        idempotency_key=f"request {number}",
    )


def then(number: int, return_id: str) -> list[Command]:
    """They come; or the customer calls it off, who can tell; somebody receives them under another key."""
    items = [ReceivedItem(item_id="mug", quantity=3)]
    arrivals = ReceiveReturn(return_id=return_id, items=items, idempotency_key=f"receipt {number}")
    twice = ReceiveReturn(return_id=return_id, items=items, idempotency_key=f"receipt {number} again")
    off = CancelReturn(return_id=return_id, idempotency_key=f"cancellation {number}")
    return [arrivals, twice] if number % 3 else [arrivals, off]


def work(place: Place, name: str, seed: int, faults: Faults | None = None) -> None:
    """Everything that there is to do, in an order of one's own; what others did already is done again."""
    dice, names = Random(seed), (f"{name}_{number}" for number in count(1))
    with place.process(faults, ids=lambda: next(names)) as service:
        for number in dice.sample(range(RETURNS), RETURNS):
            with suppress(Rejected):
                return_id = service.handle(requested(number)).id
                for command in dice.sample(commands := then(number, return_id), len(commands)):
                    with suppress(Rejected):
                        service.handle(command)


def all_at_work(place: Place, seed: int) -> int:
    """Until each has done everything; how many were killed on the way, each to be followed by another."""
    dice, names = Random(seed), count(1)
    at_work: dict[int, int] = {}

    def begin(worker: int, faults: Faults | None) -> None:
        name = f"process_{next(names)}"
        at_work[born(lambda: work(place, name, seed * WORKERS + worker, faults))] = worker

    for worker in range(WORKERS):
        begin(worker, Killing(dice.randint(1, FEWEST)) if worker % 2 else None)
    killed = 0
    while at_work:
        pid, status = os.wait()
        worker, code = at_work.pop(pid), os.waitstatus_to_exitcode(status)
        assert code in {0, KILLED}, "a worker met what it should not have"
        if code == KILLED:
            killed += 1
            begin(worker, Killing(dice.randint(1, DEEPEST)))
    return killed


def at_rest(place: Place) -> ReturnLedger:
    """The ledger when a timer has run, an hour later and again; history tells the same."""
    for hours in (1, 2):
        with place.process(at=START + timedelta(hours=hours)) as service:
            service.resume()
    with place.process() as service:
        ledger = service.returns.load("order_1")
        assert replay("order_1", service.history("order_1")) == ledger
        return ledger


@pytest.mark.parametrize("gateway", [Idempotent(), NotIdempotent()], ids=["keyed", "unkeyed"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(20 if LONG else 2))
def test_whoever_is_faster_and_whoever_is_killed_everything_is_done_once(
    databases: Databases, tmp_path: Path, kind: str, gateway: Gateway, seed: int
) -> None:
    """Each return, each refund, each parcel and label, and no unit or cent more than there is."""
    order = order_of(line(quantity=MUGS), captured=MUGS * 1000)
    with databases.new(kind) as url:
        place = Place(url, tmp_path / "books.db", order, gateway)
        GatewayModel(place.gateway_model)

        killed = all_at_work(place, seed)
        ledger = at_rest(place)

        gateway_model, returns = GatewayModel(place.gateway_model), ledger.returns
        assert killed >= WORKERS // 2
        assert not ledger.open_effects

        # Each return once, as many as there are mugs for; each came, or was called off.
        received = {each.id for each in returns if each.status is ReturnStatus.RECEIVED}
        canceled = {each.id for each in returns if each.status is ReturnStatus.CANCELED}
        assert received | canceled == {each.id for each in returns}
        assert len({each.idempotency_key for each in returns}) == len(returns)
        assert len(received) * 3 <= MUGS
        assert len(returns) == RETURNS or MUGS - len(received) * 3 < 3

        # Each parcel and label once, under its only key.
        asked = Counter(tuple(key.split("/")[:2]) for key in gateway_model.done())
        assert set(asked.values()) == {1}
        assert _returns_with("restock", asked) == received
        assert _returns_with("shipment", asked) == {each.id for each in returns if each.shipment}
        assert (
            _returns_with("cancel_shipment", asked)
            == {each.id for each in returns if each.shipment} & canceled
        )

        # Each refund once, and all of what came; where nobody can tell, a person looks.
        refunds = {each.id: [refund.status for refund in each.refunds] for each in returns if each.refunds}
        assert refunds.keys() == received
        if isinstance(gateway, Idempotent):
            assert all(each == [RefundStatus.SUCCEEDED] for each in refunds.values())
            assert _returns_with("refund", asked) == received
        else:
            unsure = {return_id for return_id, each in refunds.items() if each != [RefundStatus.SUCCEEDED]}
            assert all(refunds[return_id] == [RefundStatus.NEEDS_ATTENTION] for return_id in unsure)
            assert received - unsure <= _returns_with("refund", asked) <= received
            assert all(times == 1 for key, times in gateway_model.times().items() if "/refund/" in key)


def _returns_with(what: str, asked: Counter[tuple[str, ...]]) -> set[str]:
    return {return_id for return_id, kind in asked if kind == what}
