"""PostgreSQL keeps what the port promises, in the words of the shipped contract."""

from collections.abc import Callable, Iterator

import pytest

from rma import ReturnRepository
from rma.adapters.sql import SqlReturns
from rma.testing.contracts import ReturnRepositoryContract
from tests.databases import LONG


class TestPostgresReturns(ReturnRepositoryContract):
    """Over an empty schema for each law."""

    examples = 30 if LONG else 10
    new_url: Callable[[], str]
    urls: dict[int, str]
    opened: list[SqlReturns]

    @pytest.fixture(autouse=True)
    def _places(self, new_url: Callable[[], str]) -> Iterator[None]:
        self.new_url, self.opened = new_url, []
        yield
        for each in self.opened:
            each.close()

    def make(self) -> ReturnRepository:
        """Over tables that are not there yet."""
        return self.open(self.new_url())

    def reopen(self, returns: ReturnRepository) -> ReturnRepository:
        """As another process would."""
        assert isinstance(returns, SqlReturns)
        return self.open(returns.engine.url.render_as_string(hide_password=False))

    def open(self, url: str) -> SqlReturns:
        """Remembered, to be closed."""
        for each in self.opened[:-10]:
            each.close()
        self.opened.append(SqlReturns(url))
        return self.opened[-1]
