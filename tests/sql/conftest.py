"""A database file for each test, and a logger that is off: ports and files fail here on purpose."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rma.adapters.sql import SqlReturns, rows
from rma.adapters.sql.cache import Cache
from tests.quiet import quiet

__all__ = ["quiet"]


class Forgetful(Cache[tuple[str, str], rows.Document]):
    """Keeps nothing."""

    def get(self, key: tuple[str, str]) -> None:
        """As if it had not been put."""


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is always read from its document: see `test_kept` for what is not."""
    monkeypatch.setattr(rows, "STORED", Forgetful(0))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database will be; nothing is there yet."""
    return tmp_path / "returns.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlReturns]:
    """Ledgers in a file; whoever holds the file meanwhile is not waited for."""
    opened = SqlReturns(f"sqlite:///{file}", busy_timeout=0)
    yield opened
    opened.close()
