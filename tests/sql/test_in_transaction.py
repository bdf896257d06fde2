"""A command as a part of the host's own transaction, on a SQLite file."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from rma.adapters.sql import SqlReturns
from tests.sql.in_transaction import WithinTheHostsTransaction


class TestWithAnEngineOfTheHost(WithinTheHostsTransaction):
    """As SQLAlchemy makes it: `sqlite3` begins transactions when it thinks fit."""

    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        self.file = file

    def opened(self) -> Engine:
        """Over the file."""
        return create_engine(f"sqlite:///{self.file}")


class TestWithTheEngineOfTheStore(WithinTheHostsTransaction):
    """As `SqlReturns` opened it."""

    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        self.file = file
        self.stores: list[SqlReturns] = []

    def opened(self) -> Engine:
        """Over the file; kept open as long as the test goes on."""
        self.stores.append(SqlReturns(f"sqlite:///{self.file}"))
        return self.stores[-1].engine
