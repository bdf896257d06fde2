"""A database file for each test, and the logger off, as ports and files fail here on purpose."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns, cache
from tests.databases import Databases
from tests.quiet import quiet
from tests.sql.before_grants import recording_no_grants
from tests.sql.formats import make_format_1
from tests.sql.kinds import fill

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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """Yields the URL of an empty database of each kind."""
    with databases.new(request.param) as made:
        yield made


@pytest.fixture
def old_url(url: str) -> str:
    """Returns the URL of a database of format 1, with the rows of the kept file."""
    make_format_1(url)
    return url


@pytest.fixture(scope="module")
def expected() -> InMemoryReturns:
    """Returns the ledgers that the kept file holds, made by the present code: that format has no grants."""
    returns = InMemoryReturns()
    with recording_no_grants():
        fill(returns)
    return returns
