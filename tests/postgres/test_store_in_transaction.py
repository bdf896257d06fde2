"""A command in a transaction of the host, on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, make_url

from rma import InvalidValue
from rma.adapters.sql import SqlReturns
from tests.sql.in_transaction import (
    AsyncSqlHostTransactions,
    InTransactionLaws,
    SqlHostTransactions,
    shop,
)


class TestWithAnEngineOfTheHost(InTransactionLaws):
    """An engine as SQLAlchemy makes it."""

    @pytest.fixture(autouse=True)
    def _url(self, url: str) -> None:
        self.url = url

    def opened(self) -> Engine:
        """Returns an engine over the schema of this test."""
        return create_engine(make_url(self.url).set(drivername="postgresql+psycopg"))


class TestWithTheEngineOfTheStore(InTransactionLaws):
    """The engine that `SqlReturns` opened."""

    @pytest.fixture(autouse=True)
    def _url(self, url: str) -> None:
        self.url = url
        self.stores: list[SqlReturns] = []

    def opened(self) -> Engine:
        """Returns the engine of a store over the schema of this test."""
        self.stores.append(SqlReturns(self.url))
        return self.stores[-1].engine


class TestTheContract(SqlHostTransactions):
    """An engine as SQLAlchemy makes it, a schema of its own for each law."""

    @pytest.fixture(autouse=True)
    def _url(self, url: str, _finished: None) -> Iterator[None]:
        self.given = url
        yield
        self.finish()  # before the schema goes

    def opened(self) -> Engine:
        """Returns an engine over the schema of this test."""
        return create_engine(make_url(self.given).set(drivername="postgresql+psycopg"))


class TestTheContractAwaited(AsyncSqlHostTransactions):
    """A schema of its own for each law."""

    @pytest.fixture(autouse=True)
    def _url(self, url: str, _finished: None) -> Iterator[None]:
        self.given = url
        yield
        self.finish()  # before the schema goes

    def url(self) -> str:
        """Returns the URL of the schema."""
        return self.given


def test_a_connection_that_commits_each_statement_is_refused(url: str) -> None:
    """`in_transaction` raises InvalidValue for an AUTOCOMMIT connection, where no rollback is possible."""
    store = SqlReturns(url)
    with (
        store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
        pytest.raises(InvalidValue),
    ):
        shop(store).in_transaction(connection)
    store.close()
