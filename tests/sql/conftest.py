"""A database file for each test, and a logger that is off: ports and files fail here on purpose."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rma.adapters.sql import SqlReturns, rows
from rma.adapters.sql.codec import decode
from tests.quiet import quiet

__all__ = ["quiet"]


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every document is decoded when it is read; `test_cache` has the tests of the cache."""
    monkeypatch.setattr(rows, "decode_document", decode)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of the database; the file does not exist yet."""
    return tmp_path / "returns.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlReturns]:
    """Ledgers in a file; a lock that another connection holds is not waited for."""
    opened = SqlReturns(f"sqlite:///{file}", busy_timeout=0)
    yield opened
    opened.close()
