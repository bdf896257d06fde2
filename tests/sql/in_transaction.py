"""The laws of commands in a transaction of the host, for every database and driver."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import pytest
from attrs import evolve
from sqlalchemy import Connection, Engine, text
from sqlalchemy.ext.asyncio import AsyncConnection

from rma import InvalidValue, NotFound, Rejected, ReturnLedger, ReturnService, ReturnStatus, StaleLedger
from rma.adapters.memory import InMemoryPayments, in_memory_service
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.testing.contracts import HostTransactionContract
from rma.testing.core_harness import START, CoreHarness, counting
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike
from tests.world import RETURN_OPTION


def shop(returns: SqlReturns) -> ReturnService:
    """Returns a service with mugs, a return option, a fixed clock and ids that count."""
    return in_memory_service(
        [order_of(line(quantity=5))],
        shipping_options=[RETURN_OPTION],
        payments=InMemoryPayments(),
        returns=returns,
        clock=lambda: START,
        ids=counting(),
    )


def noted(connection: Connection) -> list[str]:
    """Returns what the host wrote."""
    return list(connection.scalars(text("SELECT note FROM notes ORDER BY note")))


def note(connection: Connection, words: str) -> None:
    """Writes a note, as a host writes its own rows."""
    connection.execute(text("INSERT INTO notes (note) VALUES (:note)"), {"note": words})


class InTransactionLaws(ABC):
    """Laws of `SqlReturns.in_transaction` and of a service in the host's transaction."""

    @abstractmethod
    def opened(self) -> Engine:
        """Returns the host's engine over an empty database, the same database each time."""

    @pytest.fixture
    def engine(self) -> Iterator[Engine]:
        """Yields the engine, with a table of the host."""
        engine = self.opened()
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE notes (note TEXT PRIMARY KEY)"))
        yield engine
        engine.dispose()

    @pytest.fixture
    def store(self, engine: Engine) -> SqlReturns:
        """Returns a store over the host's engine."""
        return SqlReturns(engine)

    @pytest.fixture
    def other(self) -> Iterator[SqlReturns]:
        """Yields a store as another process opens it."""
        store = SqlReturns(self.opened())
        yield store
        store.close()

    def test_what_the_host_commits_is_stored_and_its_effects_are_due(
        self, engine: Engine, store: SqlReturns, other: SqlReturns
    ) -> None:
        """Before the commit of the host no one else sees the change, and no port is called."""
        store.load("order_1")
        service = shop(store)

        with engine.begin() as connection:
            note(connection, "before")
            joined = service.in_transaction(connection)
            opened = joined.handle(request(2, shipping_option_id="so_return"))
            with pytest.raises(InvalidValue) as error:
                joined.resume(opened.id)
            assert error.value.code == "in_host_transaction"
            note(connection, "after")
            assert other.load("order_1") == ReturnLedger("order_1")
            assert other.outstanding(START, 9, unpublished=True) == ()
            with pytest.raises(NotFound):
                shop(other).resume(opened.id)

        assert not opened.shipping_data
        assert other.outstanding(START, 9) == ("order_1",)
        assert service.resume(opened.id).still_open == ()
        assert service.get(opened.id).shipping_data
        with engine.connect() as connection:
            assert noted(connection) == ["after", "before"]

    @pytest.mark.parametrize("is_new", [True, False])
    def test_what_the_host_rolls_back_is_not_stored(
        self, engine: Engine, store: SqlReturns, other: SqlReturns, is_new: bool
    ) -> None:
        """A rollback undoes the change and tables made by it, and the command can be repeated."""
        if not is_new:
            store.load("order_1")
        service = shop(store)

        with engine.connect() as connection:
            service.in_transaction(connection).handle(request(2))
            note(connection, "gone")
            connection.rollback()

        assert other.load("order_1") == ReturnLedger("order_1")
        assert other.history("order_1") == ()
        with engine.begin() as connection:
            assert noted(connection) == []
            again = service.in_transaction(connection).handle(request(2))
        assert other.load("order_1").get(again.id) == again

    def test_several_commands_in_one_transaction(
        self, engine: Engine, store: SqlReturns, other: SqlReturns
    ) -> None:
        """
        Each command sees the ones before it, repeats are answered, and a refusal leaves the transaction
        usable.
        """
        service = shop(store)

        with engine.begin() as connection:
            joined = service.in_transaction(connection)
            ledgers = joined.returns
            opened = joined.handle(request(2, idempotency_key="k"))
            assert joined.handle(request(2, idempotency_key="k")) == opened
            with pytest.raises(Rejected):
                joined.handle(request(4))
            received = joined.handle(receive(2, return_id=opened.id))
            assert_alike(ledgers.load_by_return(opened.id), ledgers.load("order_1"))
            assert ledgers.outstanding(START, 9) == ("order_1",)
            assert len(ledgers.history("order_1")) == 2

        assert received.status is ReturnStatus.RECEIVED
        ledger = other.load("order_1")
        assert ledger.revision == 2
        assert list(ledger.open_effects) == [f"{opened.id}-restock-1", f"{opened.id}-refund-1"]
        assert service.resume().still_open == ()

    def test_what_is_read_in_the_transaction_is_what_it_will_commit(
        self, engine: Engine, store: SqlReturns, other: SqlReturns
    ) -> None:
        """Lists, quotes, timelines and states answer in it, and see what no one else sees yet."""
        service = shop(store)
        store.load("order_1")

        with engine.begin() as connection:
            joined = service.in_transaction(connection)
            opened = joined.handle(request(2))
            assert joined.list() == joined.list("order_1") == (joined.get(opened.id),)
            assert joined.returnable_items("order_1")[0].quantity == 3
            assert joined.quote(request(3)).refund_amount.amount
            assert len(joined.timeline("order_1")) == len(joined.history("order_1")) == 1
            assert (
                joined.order_state("order_1").order_version
                == service.order_state("order_1").order_version + 1
            )
            assert shop(other).list() == ()

    def test_what_the_host_rolls_back_is_not_paid_and_what_it_commits_is_paid_once(
        self, engine: Engine, store: SqlReturns, other: SqlReturns
    ) -> None:
        """Neither by the command, though it would deliver, nor by a timer meanwhile or afterwards."""
        payments = InMemoryPayments()
        service = evolve(shop(store), payments=payments)
        opened = service.handle(request(2))
        arrival = receive(2, return_id=opened.id, idempotency_key="k")

        with engine.connect() as connection:
            service.in_transaction(connection).handle(arrival, deliver=True)
            assert service.resume().orders == ()
            connection.rollback()
        assert service.resume().orders == ()
        assert not payments.refunds

        for _ in range(2):  # the repeat is answered
            with engine.begin() as connection:
                received = service.in_transaction(connection).handle(arrival)
                assert received.refunds[0].status == "pending"
                assert not payments.refunds
        assert service.resume(opened.id).still_open == ()
        assert list(payments.refunds) == [f"{opened.id}-refund-1"]
        assert service.resume().orders == ()
        assert shop(other).get(opened.id).refunds[0].status == "succeeded"

    def test_a_service_in_a_transaction_is_not_bound_again(self, engine: Engine, store: SqlReturns) -> None:
        """Its ledgers belong to a transaction already."""
        with engine.begin() as connection:
            joined = shop(store).in_transaction(connection)
            with pytest.raises(InvalidValue) as error:
                joined.in_transaction(connection)

        assert error.value.code == "host_transaction_unsupported"

    def test_what_is_not_a_connection_is_refused(self, engine: Engine, store: SqlReturns) -> None:
        """An engine or a session begins transactions of its own; the error says what to give."""
        with pytest.raises(InvalidValue) as error:
            shop(store).in_transaction(engine)

        assert str(error.value) == (
            "connection must be an SQLAlchemy Connection in a transaction, not of class Engine"
        )

    def test_a_stale_change_is_refused_and_the_transaction_goes_on(
        self, engine: Engine, store: SqlReturns, other: SqlReturns
    ) -> None:
        """StaleLedger writes nothing, and everything else in the transaction of the host is committed."""
        life = CoreHarness(order_of(line(quantity=5)))
        first = life.handle(request(1))
        second = life.handle(request(1))
        store.commit(first)

        with engine.begin() as connection:
            note(connection, "mine")
            for change in (first, evolve(second, expected_revision=7)):
                with pytest.raises(StaleLedger) as error:
                    store.in_transaction(connection).commit(change)
                assert error.value.details["found"] == 1
            store.in_transaction(connection).commit(second)

        assert_alike(other.load("order_1"), life.ledger)
        with engine.connect() as connection:
            assert noted(connection) == ["mine"]

    def test_an_id_of_another_order_is_refused_and_nothing_of_the_change_is_stored(
        self, engine: Engine, store: SqlReturns, other: SqlReturns
    ) -> None:
        """InvalidValue leaves nothing of the change in the transaction, even if the host commits."""
        store.commit(CoreHarness(order_of()).handle(request(1)))
        order = evolve(order_of(), id="order_2")
        change = CoreHarness(order).handle(evolve(request(1), order_id="order_2"))

        with engine.connect() as connection:
            note(connection, "mine")
            with pytest.raises(InvalidValue) as error:
                store.in_transaction(connection).commit(change)
            connection.commit()

        assert error.value.code == "id_not_fresh"
        assert other.load("order_2") == ReturnLedger("order_2")
        assert other.history("order_2") == ()


class SqlHostTransactions(HostTransactionContract):
    """The shipped contract, over a store of the host's engine."""

    @abstractmethod
    def opened(self) -> Engine:
        """Returns the host's engine over a new, empty database, each time."""

    def make(self) -> SqlReturns:
        """Returns a store over a new database."""
        self.engine = self.opened()
        return SqlReturns(self.engine)

    def begin(self) -> Connection:
        """Returns a connection that has begun."""
        connection = self.engine.connect()
        connection.begin()
        return connection

    def commit(self, connection: Connection) -> None:
        """Commits."""
        connection.commit()
        connection.close()

    def rollback(self, connection: Connection) -> None:
        """Rolls back."""
        connection.rollback()
        connection.close()

    def close(self) -> None:
        """Closes what was opened."""
        self.engine.dispose()


class AsyncSqlHostTransactions(HostTransactionContract):
    """The same, awaited."""

    @abstractmethod
    def url(self) -> str:
        """Returns the URL of a new, empty database, each time."""

    def make(self) -> AsyncSqlReturns:
        """Returns a store over a new database."""
        self.store = AsyncSqlReturns(self.url())
        return self.store

    def begin(self) -> AsyncConnection:
        """Returns a connection that has begun."""
        return self.wait(self._connected())

    def commit(self, connection: AsyncConnection) -> None:
        """Commits."""
        self.wait(connection.commit())
        self.wait(connection.close())

    def rollback(self, connection: AsyncConnection) -> None:
        """Rolls back."""
        self.wait(connection.rollback())
        self.wait(connection.close())

    def close(self) -> None:
        """Closes what was opened."""
        self.wait(self.store.close())

    async def _connected(self) -> AsyncConnection:
        connection = await self.store.engine.connect()
        await connection.begin()
        return connection
