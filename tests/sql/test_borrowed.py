"""No connection is held longer than one read or one commit lasts, and each is given back as it was."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Barrier

import pytest
from attrs import evolve
from sqlalchemy import Engine, create_engine, event, make_url

from rma import InvalidValue, StaleLedger, Unavailable
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import CoreHarness, counting
from tests.databases import Databases
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.testing.drivers import let_between

#: What no error may show.
SECRET = "words of a customer"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """Yields the URL of an empty database of each kind."""
    with databases.new(request.param) as url:
        yield url


@pytest.fixture
def host(url: str) -> Iterator[Callable[..., Engine]]:
    """Yields what makes an engine as a host does, with these options."""
    engines: list[Engine] = []

    def made(**options: object) -> Engine:
        driver = "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
        engines.append(create_engine(make_url(url).set(drivername=driver), **options))
        return engines[-1]

    yield made
    for each in engines:
        each.dispose()


def harness() -> CoreHarness:
    """Returns the core with an order of mugs, without ports."""
    return CoreHarness(order_of(line(quantity=99)), ids=counting())


def taken(store: SqlReturns) -> int:
    """Returns how many connections are not in the pool."""
    return store.engine.pool.checkedout()  # type: ignore[attr-defined, no-any-return] # of a `QueuePool`


def test_threads_may_outnumber_connections(host: Callable[..., Engine]) -> None:
    """No thread holds one while it waits, so that all of them are done with a single connection."""
    engine = host(pool_size=1, max_overflow=0, pool_timeout=20)
    store = SqlReturns(engine)
    orders = [evolve(order_of(line(quantity=9)), id=f"order_{number}") for number in range(8)]
    service = in_memory_service(orders, returns=store, ids=counting())

    def life(order_id: str) -> None:
        opened = service.handle(evolve(request(1), order_id=order_id))
        service.handle(receive(1, return_id=opened.id))

    with ThreadPoolExecutor(len(orders)) as threads:
        list(threads.map(life, [each.id for each in orders]))
        assert taken(store) == 0  # although all threads live

    assert [len(store.load(each.id).returns) for each in orders] == [1] * len(orders)


def test_a_use_that_fails_gives_its_connection_back(host: Callable[..., Engine]) -> None:
    """A change that is stale, and one that the tables refuse."""
    store, life = SqlReturns(host(pool_size=1, max_overflow=0, pool_timeout=1)), harness()
    first = life.handle(request(1))
    store.commit(first)

    with pytest.raises(StaleLedger):
        store.commit(first)
    other = CoreHarness(evolve(order_of(line()), id="order_2"), ids=counting())
    refused = other.handle(evolve(request(1), order_id="order_2"))
    with pytest.raises(InvalidValue):
        store.commit(refused)

    assert taken(store) == 0
    assert_alike(store.load("order_1"), life.ledger)


@pytest.mark.parametrize("verbs", [("SELECT",), ("UPDATE", "WITH")])
def test_a_use_that_is_interrupted_gives_its_connection_back(
    host: Callable[..., Engine], verbs: tuple[str, ...]
) -> None:
    """While it waits for an answer, of a read or of a commit, which may have been stored."""
    engine = host(pool_size=1, max_overflow=0, pool_timeout=1)
    store, life = SqlReturns(engine), harness()
    store.commit(life.handle(request(1)))
    change = life.handle(request(1))
    interrupts = [True]

    def interrupt(statement: str, ask: Callable[[], object]) -> object:
        found = ask()
        if statement.split(maxsplit=1)[0] in verbs and "rma_" in statement and interrupts:
            interrupts.clear()
            raise KeyboardInterrupt
        return found

    engine.dispose()
    let_between(engine, interrupt)

    def read_and_commit() -> None:
        store.load("order_1")
        store.commit(change)

    with pytest.raises(KeyboardInterrupt):
        read_and_commit()

    assert taken(store) == 0
    if store.load("order_1").revision == change.expected_revision:
        store.commit(change)
    assert_alike(store.load("order_1"), change.ledger)


def test_a_few_connections_stay_open_between_uses(url: str) -> None:
    """Of an engine for a URL, and never all of its pool; a host that disposes it gets new ones."""
    opened: list[object] = []
    with closing(SqlReturns(url, busy_timeout=60)) as store:
        event.listen(store.engine, "connect", lambda connection, _: opened.append(connection))
        store.load("order_1")
        together = Barrier(12)

        def load(order_id: str) -> None:
            together.wait()
            for _ in range(5):
                store.load(order_id)

        with ThreadPoolExecutor(12) as threads:
            list(threads.map(load, [f"order_{number}" for number in range(12)]))
        assert 1 <= taken(store) <= 4
        with ExitStack() as host:
            for _ in range(11):
                host.enter_context(store.engine.connect())

        before = len(opened)
        store.load("order_1")
        assert len(opened) == before
        store.engine.dispose()
        store.load("order_1")
        assert len(opened) == before + 1
        assert taken(store) == 1
        store.close()
        assert taken(store) == 0


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_an_interrupted_commit_is_undone_even_if_the_pool_does_not(host: Callable[..., Engine]) -> None:
    """A host may have configured its pool not to reset connections."""
    engine = host(pool_size=1, max_overflow=0, pool_reset_on_return=None)
    store, life = SqlReturns(engine), harness()
    store.commit(life.handle(request(1)))
    before, change = life.ledger, life.handle(request(1))

    def interrupt(statement: str, ask: Callable[[], object]) -> object:
        if "INTO rma_events" in statement:
            raise KeyboardInterrupt
        return ask()

    engine.dispose()
    let_between(engine, interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.commit(change)

    assert_alike(store.load("order_1"), before)
    with engine.connect() as connection:
        assert not connection.connection.driver_connection.in_transaction  # type: ignore[union-attr] # sqlite3's


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("level", [None, "AUTOCOMMIT"])
def test_a_connection_is_given_back_as_the_host_configured_it(
    host: Callable[..., Engine], level: str | None
) -> None:
    """In autocommit or not: the host's own statements go on as before."""
    engine = host(pool_size=1, max_overflow=0, **({"isolation_level": level} if level else {}))
    store = SqlReturns(engine)
    with engine.connect() as connection:
        before = connection.connection.driver_connection.autocommit  # type: ignore[union-attr] # psycopg's

    store.commit(harness().handle(request(1)))
    store.load("order_1")

    assert before == (level == "AUTOCOMMIT")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver.autocommit == before  # type: ignore[union-attr] # psycopg's


def test_an_error_shows_nothing_that_was_stored(host: Callable[..., Engine]) -> None:
    """Neither its details nor its causes have the parameters of the statement."""
    engine = host()
    store, life = SqlReturns(engine), harness()
    store.commit(life.handle(request(1)))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "CREATE TRIGGER refusing BEFORE INSERT ON rma_events BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        else:
            connection.exec_driver_sql(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no'; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER refusing BEFORE INSERT ON rma_events EXECUTE FUNCTION refuse()"
            )

    with pytest.raises(Unavailable) as error:
        store.commit(life.handle(request(1, metadata={"note": SECRET}, created_by=SECRET)))

    found: BaseException | None = error.value
    shown = []
    while found is not None:
        shown.append(f"{found!r} {found}")
        found = found.__cause__ or found.__context__
    assert len(shown) > 1
    assert SECRET not in " ".join(shown)


def test_what_a_thread_read_it_does_not_keep(tmp_path: Path) -> None:
    """A store whose file is closed has no connection left, whichever threads used it."""
    store = SqlReturns(f"sqlite:///{tmp_path / 'returns.db'}")
    opened: list[object] = []
    closed: list[object] = []
    event.listen(store.engine, "connect", lambda connection, _: opened.append(connection))
    event.listen(store.engine, "close", lambda connection, _: closed.append(connection))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(store.load, ["order_1"] * 20))
        store.close()
        assert opened
        assert sorted(map(id, closed)) == sorted(map(id, opened))


def test_a_process_that_is_forked_takes_a_connection_of_its_own(url: str) -> None:
    """What its parent keeps open stays the parent's, and is not ended by the child."""
    life = harness()
    with closing(SqlReturns(url)) as store:
        store.commit(life.handle(request(1)))
        assert taken(store) == 1
        opened: list[object] = []
        event.listen(store.engine, "connect", lambda connection, _: opened.append(connection))
        child = os.fork()
        if not child:
            store.commit(life.handle(request(1)))
            os._exit(len(opened))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1

        assert len(store.load("order_1").returns) == 2
        assert taken(store) == 1
        assert opened == []
