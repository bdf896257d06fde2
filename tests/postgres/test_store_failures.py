"""
Every failure of the server is reported with a code and its cause, nothing has changed, and later uses
succeed.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from threading import Thread

import pytest
from attrs import evolve
from sqlalchemy import Connection, make_url, text

from rma import InvalidValue, NotFound, ReturnLedger, StaleLedger, Unavailable
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import CoreHarness, counting
from tests.rules.given import line, order_of, request
from tests.sql.alike import assert_alike
from tests.sql.in_transaction import shop


@pytest.fixture
def store(url: str) -> Iterator[SqlReturns]:
    """Yields a store over an empty schema."""
    with closing(SqlReturns(url)) as opened:
        yield opened


def harness(order_id: str = "order_1") -> CoreHarness:
    """Returns the core with an order of mugs, without ports."""
    return CoreHarness(evolve(order_of(line(quantity=9)), id=order_id), ids=counting(order_id))


def failure(run: Callable[[], object]) -> Unavailable:
    """Returns the Unavailable that is raised, and asserts that it has a cause."""
    with pytest.raises(Unavailable) as error:
        run()
    assert error.value.__cause__ is not None
    return error.value


def with_options(url: str, options: str) -> str:
    """Returns the URL with these settings of the server added."""
    parsed = make_url(url)
    given = f"{parsed.query['options']} {options}"
    return parsed.update_query_dict({"options": given}).render_as_string(hide_password=False)


def cut(store: SqlReturns, by: SqlReturns) -> None:
    """Ends all connections of the store, as an administrator can."""
    name = store.engine.url.query["application_name"]
    with by.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = :name"
            ),
            {"name": name},
        ).all()


def named(url: str, name: str) -> str:
    """Returns the URL with this application name."""
    return make_url(url).update_query_dict({"application_name": name}).render_as_string(hide_password=False)


def wait_until_it_blocks_another(connection: Connection) -> None:
    """Returns when another connection waits for a lock that this one holds."""
    blocked = text("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    while not connection.scalar(blocked):
        pass


def test_a_server_that_does_not_exist(url: str) -> None:
    """A server that refuses connections and an unknown database raise `store_not_opened`."""
    with closing(SqlReturns("postgresql://nobody@127.0.0.1:1/none")) as store:
        life = harness()
        assert failure(lambda: store.load("order_1")).code == "store_not_opened"
        assert failure(lambda: store.commit(life.handle(request(1)))).code == "store_not_opened"
    with closing(SqlReturns(make_url(url).set(database="nowhere"))) as store:
        assert failure(lambda: store.load("order_1")).code == "store_not_opened"


def test_readers_do_not_notice_that_connections_were_cut(url: str, store: SqlReturns) -> None:
    """A read is repeated on a new connection; a commit raises Unavailable, and the next commit is stored."""
    life = harness()
    store.commit(life.handle(request(1)))
    with closing(SqlReturns(named(url, "cut"))) as victim:
        assert_alike(victim.load("order_1"), life.ledger)

        cut(victim, by=store)
        assert_alike(victim.load("order_1"), life.ledger)

        cut(victim, by=store)
        change = life.handle(request(1))
        assert failure(lambda: victim.commit(change)).code in {"store_shut_down", "store_disconnected"}
        assert store.load("order_1").revision == 1
        victim.commit(change)
        assert_alike(store.load("order_1"), life.ledger)


def test_all_connections_that_broke_with_the_server_are_replaced_at_once(url: str, store: SqlReturns) -> None:
    """A read is repeated once, however many connections the pool has."""
    life = harness()
    store.commit(life.handle(request(1)))
    with closing(SqlReturns(named(url, "many"))) as victim:
        with ExitStack() as opened:
            for _ in range(4):
                opened.enter_context(victim.engine.connect()).execute(text("SELECT 1"))
        assert_alike(victim.load("order_1"), life.ledger)

        cut(victim, by=store)

        for _ in range(5):
            assert_alike(victim.load("order_1"), life.ledger)


def test_a_command_succeeds_after_its_connections_were_cut(url: str, store: SqlReturns) -> None:
    """A command begins with a read, which replaces the broken connections."""
    with closing(SqlReturns(named(url, "healed"))) as victim:
        service = shop(victim)
        opened = service.handle(request(1))
        for _ in range(2):
            cut(victim, by=store)
            opened = service.handle(request(1))
        assert store.load_by_return(opened.id).revision == 3


def test_a_connection_that_is_cut_while_it_writes(url: str, store: SqlReturns) -> None:
    """A commit that is cut while it waits for a lock raises `store_shut_down` and stores nothing."""
    life = harness()
    store.commit(life.handle(request(1)))
    before, change = life.ledger, life.handle(request(1))
    errors: list[Unavailable] = []
    with closing(SqlReturns(named(url, "gone"))) as victim, store.engine.connect() as connection:
        victim.load("order_1")
        connection.execute(text("SELECT 1 FROM rma_ledgers FOR UPDATE"))
        writing = Thread(target=lambda: errors.append(failure(lambda: victim.commit(change))))
        writing.start()
        wait_until_it_blocks_another(connection)
        cut(victim, by=store)
        writing.join()
        connection.rollback()

    assert errors[0].code == "store_shut_down"
    assert_alike(store.load("order_1"), before)
    store.commit(change)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("-clock_timeout=500", "store_locked"),
        ("-cstatement_timeout=500", "store_timeout"),
        ("-cdefault_transaction_read_only=on", "store_read_only"),
    ],
)
def test_limits_of_the_server_have_their_own_codes(
    url: str, store: SqlReturns, options: str, code: str
) -> None:
    """
    A lock timeout, a statement timeout and read-only mode raise their codes, and the change can be
    committed later.
    """
    life = harness()
    store.commit(life.handle(request(1)))
    change = life.handle(request(1))
    with closing(SqlReturns(with_options(url, options))) as limited, store.engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM rma_ledgers FOR UPDATE"))

        assert failure(lambda: limited.commit(change)).code == code
        assert store.load("order_1").revision == 1

    store.commit(change)
    assert_alike(store.load("order_1"), life.ledger)


def test_a_disk_that_is_full_stores_nothing(store: SqlReturns) -> None:
    """SQLSTATE 53100 raises `store_full`, and nothing is stored."""
    life = harness()
    store.commit(life.handle(request(1)))
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER full_disk BEFORE INSERT ON rma_events EXECUTE FUNCTION full_disk()"
        )

    assert failure(lambda: store.commit(life.handle(request(1)))).code == "store_full"
    assert store.load("order_1").revision == 1


def test_too_many_connections(url: str, store: SqlReturns) -> None:
    """
    A connection beyond the limit of its role raises `store_crowded`, and a reader's commit
    `store_not_permitted`.
    """
    store.load("order_1")
    schema = str(make_url(url).query["options"]).partition("=")[2]
    role = f"few_{schema}"
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1 IN ROLE pg_read_all_data")
    few = make_url(url).set(username=role)
    try:
        with closing(SqlReturns(few)) as first, closing(SqlReturns(few)) as second:
            assert first.load("order_1") == ReturnLedger("order_1")
            assert failure(lambda: second.load("order_1")).code == "store_crowded"
            life = harness()
            assert failure(lambda: first.commit(life.handle(request(1)))).code == "store_not_permitted"
    finally:
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP ROLE {role}")


def test_a_deadlock_between_hosts_is_reported_to_one_of_them(store: SqlReturns) -> None:
    """Of two transactions that write two orders in opposite order, one raises `store_deadlock`."""
    lives = [harness("order_1"), harness("order_2")]
    for life in lives:
        store.commit(life.handle(evolve(request(1), order_id=life.order.id)))
    changes = [life.handle(evolve(request(1), order_id=life.order.id)) for life in lives]
    errors: list[Unavailable] = []

    with store.engine.connect() as one, store.engine.connect() as other:
        store.in_transaction(one).commit(changes[0])
        store.in_transaction(other).commit(changes[1])

        def cross() -> None:
            try:
                store.in_transaction(one).commit(changes[1])
                one.rollback()
            except Unavailable as error:
                errors.append(error)
                one.rollback()

        crossing = Thread(target=cross)
        crossing.start()
        try:
            store.in_transaction(other).commit(changes[0])
        except Unavailable as error:
            errors.append(error)
        other.rollback()
        crossing.join()

    assert [error.code for error in errors] == ["store_deadlock"]


def test_a_repeatable_read_transaction_has_to_be_repeated(store: SqlReturns) -> None:
    """If another process committed since its snapshot, it raises `store_not_serializable`."""
    life = harness()
    store.commit(life.handle(request(1)))
    strict = store.engine.execution_options(isolation_level="REPEATABLE READ")
    with strict.connect() as connection:
        ledgers = store.in_transaction(connection)
        assert ledgers.load("order_1").revision == 1
        store.commit(life.handle(request(1)))

        late = CoreHarness(life.order, ledger=ledgers.load("order_1"), ids=counting("late")).handle(
            request(1)
        )
        assert failure(lambda: ledgers.commit(late)).code == "store_not_serializable"


@pytest.mark.parametrize("level", ["repeatable\\ read", "serializable"])
def test_stricter_isolation_by_default_hides_no_conflicts(url: str, store: SqlReturns, level: str) -> None:
    """Under stricter isolation by default, the later commit raises StaleLedger with the stored revision."""
    first, second = harness().handle(request(1)), harness().handle(request(1))
    with closing(SqlReturns(with_options(url, f"-cdefault_transaction_isolation={level}"))) as strict:
        strict.load("order_1")
        with store.engine.connect() as connection:
            store.in_transaction(connection).commit(first)
            ends: list[object] = []

            def commit() -> None:
                with pytest.raises(StaleLedger) as error:
                    strict.commit(second)
                ends.append(error.value.details["found"])

            racing = Thread(target=commit)
            racing.start()
            wait_until_it_blocks_another(connection)
            connection.commit()
            racing.join()

    assert ends == [1]


@pytest.mark.parametrize("unspeakable", ["\ud800", "order_\x00"])
def test_an_id_that_the_database_cannot_hold_is_not_found(store: SqlReturns, unspeakable: str) -> None:
    """
    Reading by such an id finds nothing and storing it raises InvalidValue; documents may have zero bytes.
    """
    assert store.load(unspeakable) == ReturnLedger(unspeakable)
    assert store.history(unspeakable) == ()
    with pytest.raises(NotFound):
        store.load_by_return(unspeakable)
    with pytest.raises(InvalidValue):
        store.commit(harness(unspeakable).handle(evolve(request(1), order_id=unspeakable)))

    life = harness()
    store.commit(life.handle(request(1, metadata={"note": "\x00"}, created_by="\x00")))
    assert_alike(store.load("order_1"), life.ledger)


def test_commits_without_synchronous_commit_log_a_warning(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A warning is logged once if `synchronous_commit` is off."""
    with closing(SqlReturns(with_options(url, "-csynchronous_commit=off"))) as store:
        store.load("order_1")
        store.load("order_1")

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "synchronous_commit is off" in caplog.text
