"""A commit is atomic and takes few statements, and nothing is executed before the first use."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from sqlalchemy import create_engine

from rma import InvalidValue, ReturnLedger, ReturnService, StaleLedger
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import CoreHarness, counting
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.sql.watching import watch
from tests.world import RETURN_OPTION, World


def shop(store: SqlReturns) -> ReturnService:
    """Returns a service over the store, without a publisher."""
    return evolve(World(order_of(line(quantity=9))).service, returns=store, events=None)


def harness(order_id: str = "order_1", ids: Callable[[], str] | None = None) -> CoreHarness:
    """Returns the core with an order of mugs, without ports."""
    order = evolve(order_of(line(quantity=9)), id=order_id)
    return CoreHarness(order, options=[RETURN_OPTION], ids=ids)


def test_a_command_reads_once_and_writes_three_times_a_commit(store: SqlReturns) -> None:
    """
    A request executes one SELECT and one commit of three statements, a receipt two commits, a repeat none.
    """
    service = shop(store)
    service.handle(request(1))
    asked = watch(store.engine)
    opens = ["BEGIN", "UPDATE", "INSERT", "INSERT", "COMMIT"]
    changes = ["BEGIN", "UPDATE", "INSERT", "UPDATE", "COMMIT"]

    for command, expected in (
        (request(1, idempotency_key="a"), ["SELECT", *opens]),
        (receive(1, return_id="ret_2", idempotency_key="b"), ["SELECT", *changes, *changes]),
        (request(1, idempotency_key="a"), ["SELECT"]),
        (receive(1, return_id="ret_2", idempotency_key="b"), ["SELECT"]),
    ):
        asked.forget()
        service.handle(command)
        assert asked.verbs == expected


def test_nothing_is_executed_before_the_first_use(file: Path, store: SqlReturns) -> None:
    """The first use makes the file and the tables, once for all stores over it."""
    asked = watch(store.engine)
    assert not file.exists()

    store.load("order_1")
    assert asked.verbs.count("CREATE") == 10
    asked.forget()
    store.load("order_1")
    SqlReturns(store.engine).load("order_1")

    assert set(asked.verbs) <= {"SELECT", "PRAGMA"}


@pytest.mark.parametrize("statement", range(5))
def test_what_fails_anywhere_in_a_commit_leaves_nothing_behind(store: SqlReturns, statement: int) -> None:
    """
    An interrupt before any statement of a commit stores nothing, and the change can be committed
    afterwards.
    """
    life = harness()
    store.commit(life.handle(request(1, shipping_option_id="so_return")))
    before = life.ledger
    change = life.handle(receive(1))
    left = [statement]

    def die(*_: object) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise KeyboardInterrupt

    watch(store.engine, first=die)
    with pytest.raises(KeyboardInterrupt):
        store.commit(change)

    assert_alike(store.load("order_1"), before)
    assert len(store.history("order_1")) == 1
    store.commit(change)
    assert_alike(store.load("order_1"), change.ledger)


def test_a_stale_commit_says_what_was_expected_and_found(store: SqlReturns) -> None:
    """StaleLedger has the expected and the stored revision, 0 for a ledger that does not exist."""
    first = harness().handle(request(1))
    store.commit(first)

    for change, expected, found in (
        (first, 0, 1),
        (evolve(first, expected_revision=7), 7, 1),
        (evolve(first, order_id="order_2", expected_revision=1), 1, 0),
    ):
        with pytest.raises(StaleLedger) as error:
            store.commit(change)
        assert error.value.details == {"order_id": change.order_id, "expected": expected, "found": found}


def test_an_id_that_a_return_of_another_order_has_is_refused(store: SqlReturns) -> None:
    """A return id of another order raises `id_not_fresh`, as its keys would repeat at the ports."""
    store.commit(harness().handle(request(1)))
    change = harness("order_2").handle(evolve(request(1), order_id="order_2"))

    with pytest.raises(InvalidValue) as error:
        store.commit(change)

    assert (error.value.code, error.value.details) == ("id_not_fresh", {"return_id": "ret_1"})
    assert store.load("order_2") == ReturnLedger("order_2")
    assert store.load_by_return("ret_1").order_id == "order_1"


def test_every_look_up_finds_its_rows_by_an_index(store: SqlReturns) -> None:
    """No query scans a table, and what is outstanding is read in the order of an index."""
    life = harness()
    store.commit(life.handle(request(1, shipping_option_id="so_return")))
    asked = watch(store.engine)
    store.load("order_1")
    store.load_by_return("ret_1")
    store.history("order_1")
    store.outstanding(life.now, 9, unpublished=True)
    assert asked.slow_steps(store.engine) == []


def test_an_engine_of_the_host_is_not_reconfigured(file: Path) -> None:
    """Its connections have the settings of the host, and a commit over it is still atomic."""
    engine = create_engine(f"sqlite:///{file}")
    store, life = SqlReturns(engine), harness()
    store.commit(life.handle(request(1)))

    dying = [True]

    def die(verb: str) -> None:
        if verb == "COMMIT" and dying:
            raise KeyboardInterrupt

    watch(engine, first=die)
    change = life.handle(receive(1))
    with pytest.raises(KeyboardInterrupt):
        store.commit(change)
    dying.clear()

    assert store.load("order_1").revision == 1
    with engine.connect() as connection:
        assert connection.connection.driver_connection.isolation_level == ""  # type: ignore[union-attr] # sqlite3's
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    store.commit(change)
    assert_alike(store.load("order_1"), life.ledger)
    engine.dispose()


def test_other_orders_and_returns_are_not_touched(store: SqlReturns) -> None:
    """The parameters of a commit name one order, and only the places of the returns of its events."""
    life, other = harness(), harness("order_2", counting("other_"))
    store.commit(other.handle(evolve(request(1), order_id="order_2")))
    for _ in range(3):
        store.commit(life.handle(request(1)))
    change = life.handle(receive(1, return_id="ret_2"))
    asked = watch(store.engine)

    store.commit(change)

    named = [parameters for _, parameters in asked.statements if isinstance(parameters, dict)]
    named += [row for _, rows in asked.statements if isinstance(rows, list) for row in rows]
    assert {row.get("order_id") or row.get("of_order") for row in named} == {"order_1"}
    assert [row["position"] for row in named if "position" in row] == [1]
