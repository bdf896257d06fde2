"""An archived history in a database: what is there, what is compared, and the host's transaction."""

import asyncio
from contextlib import closing

import pytest
from attrs import evolve
from sqlalchemy import text

from rma import (
    CancelReturn,
    Event,
    HistoryArchived,
    InvalidValue,
    ReturnPolicy,
    ReturnService,
    Unavailable,
    replay,
)
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.__main__ import main
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.shell.driver import arun, run
from rma.shell.repair import rebuild, verify, verify_order
from tests.aio.hosts import awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.sql.test_repair import do, life_in
from tests.world import World

#: What was done to the rows of an archived order, and where it is found.
DAMAGES = {
    "a status was set by hand": (
        "UPDATE rma_returns SET status = 'requested' WHERE position = 0",
        ("return ret_1", "column status"),
    ),
    "a later return is another's": (
        "UPDATE rma_returns SET status = 'received' WHERE position = 1",
        ("return ret_2", "column status"),
    ),
    "a return is gone": ("DELETE FROM rma_returns WHERE position = 0", ("return ret_1", None)),
    "the ledger's document is empty": (
        "UPDATE rma_ledgers SET document = '{}'",
        ("effect ret_2-shipment-1", None),
    ),
    "nothing is due": ("UPDATE rma_ledgers SET due_at = NULL", ("ledger", "column due_at")),
}


def shop(store: SqlReturns) -> ReturnService:
    """A service over the store, with nine mugs to return."""
    return evolve(World(order_of(line(quantity=9)), ReturnPolicy()).service, returns=store)


def archived(service: ReturnService) -> None:
    """A return was received and refunded, the history archived, and another return requested."""
    service.handle(request(2, idempotency_key="a"))
    service.handle(receive(2))
    service.archive("order_1")
    service.handle(request(1, idempotency_key="b", shipping_option_id="so_return"), deliver=False)


def test_memory_and_databases_have_the_same(url: str) -> None:
    """Ledger, history and what was removed; a blocking and an awaited store."""
    world = World(order_of(line(quantity=9)))
    memory = evolve(world.service, returns=world.returns)
    memory.handle(request(2, idempotency_key="a"))
    memory.handle(receive(2))
    expected = memory.archive("order_1")
    with closing(SqlReturns(url)) as store:
        service = shop(store)
        service.handle(request(2, idempotency_key="a"))
        service.handle(receive(2))

        async def simulate() -> None:
            awaited = AsyncSqlReturns(url)
            assert_alike(await awaited_service(service, awaited).archive("order_1"), expected)
            assert_alike(await awaited.load("order_1"), world.ledger)
            assert await arun(verify("order_1", awaited)) == ()
            await awaited.close()

        asyncio.run(simulate())
        assert_alike(store.load("order_1"), world.ledger)
        assert_alike(store.history("order_1"), world.returns.history("order_1"))
        with store.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM rma_events")) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_an_archived_order_is_found(url: str, damage: str) -> None:
    """Wherever its events or its documents say otherwise; it is not rebuilt: `history_archived`."""
    statement, place = DAMAGES[damage]
    with closing(SqlReturns(url)) as store:
        archived(shop(store))
        found = run(verify_order("order_1", store))
        assert (found.differences, found.is_archived) == ((), True)
        assert run(rebuild("order_1", store)) == ()
        do(store, statement)

        assert place in {(each.where, each.field) for each in run(verify("order_1", store))}

        with pytest.raises(InvalidValue) as error:
            run(rebuild("order_1", store))
        assert error.value.code == "history_archived"


@pytest.mark.parametrize(
    "damage",
    ["UPDATE rma_returns SET document = '{' WHERE position = 0", "DELETE FROM rma_ledgers"],
    ids=["a document is broken", "the ledger is gone"],
)
def test_an_archived_order_that_cannot_be_read_is_reported(url: str, damage: str) -> None:
    """As by every other read: `unreadable_document`."""
    with closing(SqlReturns(url)) as store:
        archived(shop(store))
        do(store, damage)
        for act in (verify, rebuild):
            with pytest.raises(Unavailable) as error:
                run(act("order_1", store))
            assert error.value.code == "unreadable_document"


def test_the_command_line_counts_archived_orders(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They do not count as damage, and a rebuild of all orders leaves them as they are."""
    with closing(SqlReturns(url)) as store:
        archived(shop(store))
        life_in(store, "order_2", "o")
        before = store.load("order_1")
        assert main(["verify", url]) == 0
        assert capsys.readouterr().out == "2 orders, 0 differ, 0 to look at, 1 archived\n"
        assert main(["rebuild", url]) == 0
        assert capsys.readouterr().out == "2 orders, 0 rebuilt, 0 to look at, 1 archived\n"
        assert store.load("order_1") == before

        do(store, "UPDATE rma_returns SET status = 'requested' WHERE return_id = 'ret_1'")
        assert main(["verify", url, "order_1"]) == 1
        assert capsys.readouterr().out.endswith("1 orders, 1 differ, 1 to look at, 1 archived\n")
        assert main(["rebuild", url, "order_1"]) == 1
        assert capsys.readouterr().out == (
            "order order_1: the history before revision 6 is archived, so it rebuilds nothing\n"
            "1 orders, 0 rebuilt, 1 to look at, 1 archived\n"
        )


def test_an_archive_is_part_of_the_hosts_transaction(url: str) -> None:
    """What it returns is stored with it, or neither."""
    with closing(SqlReturns(url)) as store:
        service = shop(store)
        service.handle(request(2))
        service.handle(receive(2))
        before = store.history("order_1")
        do(store, "CREATE TABLE kept (event_id TEXT)")
        removed: tuple[Event, ...] = ()
        for is_committed in (False, True):
            with store.engine.connect() as connection:
                removed = service.in_transaction(connection).archive("order_1")
                assert removed == before[1:]
                for each in removed:
                    row = {"event_id": each.event_id}
                    connection.execute(text("INSERT INTO kept VALUES (:event_id)"), row)
                if is_committed:
                    connection.commit()
                else:
                    connection.rollback()
            with store.engine.connect() as connection:
                kept = list(connection.scalars(text("SELECT event_id FROM kept")))
            assert kept == [each.event_id for each in before[1:] if is_committed]
            assert isinstance(store.history("order_1")[-1], HistoryArchived) == is_committed
        assert replay("order_1", [before[0], *removed, store.history("order_1")[-1]]) == store.load("order_1")


def test_a_long_history_is_removed_in_one_commit(url: str) -> None:
    """More events than most orders ever have."""
    with closing(SqlReturns(url)) as store:
        service = evolve(shop(store), events=None)
        for number in range(40):
            opened = service.handle(request(1, idempotency_key=f"key {number}"), deliver=False)
            service.handle(CancelReturn(return_id=opened.id), deliver=False)

        assert len(service.archive("order_1")) == 40
        assert len(store.history("order_1")) == 41
        assert run(verify("order_1", store)) == ()
