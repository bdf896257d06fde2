"""A command in a transaction of the host, on a SQLite file."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from rma.adapters.sql import SqlReturns
from tests.sql.in_transaction import AsyncSqlHostTransactions, InTransactionLaws, SqlHostTransactions


class TestWithAnEngineOfTheHost(InTransactionLaws):
    """An engine as SQLAlchemy makes it, where `sqlite3` begins transactions at the first write."""

    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        self.file = file

    def opened(self) -> Engine:
        """Returns an engine over the file."""
        return create_engine(f"sqlite:///{self.file}")


class TestWithTheEngineOfTheStore(InTransactionLaws):
    """The engine that `SqlReturns` opened."""

    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        self.file = file
        self.stores: list[SqlReturns] = []

    def opened(self) -> Engine:
        """Returns the engine of a store over the file, which is open until the test ends."""
        self.stores.append(SqlReturns(f"sqlite:///{self.file}"))
        return self.stores[-1].engine


class TestTheContract(SqlHostTransactions):
    """An engine as SQLAlchemy makes it, a file of its own for each law."""

    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        self.file = file

    def opened(self) -> Engine:
        """Returns an engine over the file."""
        return create_engine(f"sqlite:///{self.file}")


class TestTheContractAwaited(AsyncSqlHostTransactions):
    """A file of its own for each law."""

    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        self.file = file

    def url(self) -> str:
        """Returns the URL of the file."""
        return f"sqlite:///{self.file}"
