"""A database file for each test, and the logger off, as ports and files fail here on purpose."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rma.adapters.sql import SqlReturns, cache
from tests.quiet import quiet

__all__ = ["quiet"]


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns the cache off, so that every document is decoded; `test_cache` tests the cache."""
    cache.clear()
    monkeypatch.setattr(cache, "MAX_CHARACTERS", -1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Returns the path of the database, where no file exists yet."""
    return tmp_path / "returns.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlReturns]:
    """Yields a store over the file that does not wait for locks."""
    opened = SqlReturns(f"sqlite:///{file}", busy_timeout=0)
    yield opened
    opened.close()
