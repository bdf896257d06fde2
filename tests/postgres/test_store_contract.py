"""PostgreSQL fulfills the shipped contract of the port."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from rma import ReturnRepository
from rma.adapters.sql import SqlReturns
from rma.testing.contracts import ReturnRepositoryContract
from tests.databases import LONG


class TestPostgresReturns(ReturnRepositoryContract):
    """An empty schema for each law."""

    examples = 30 if LONG else 10
    new_url: Callable[[], str]
    urls: dict[int, str]
    opened: list[SqlReturns]

    @pytest.fixture(autouse=True)
    def _urls(self, new_url: Callable[[], str]) -> Iterator[None]:
        self.new_url, self.opened = new_url, []
        yield
        for each in self.opened:
            each.close()

    def make(self) -> ReturnRepository:
        """Returns a store over a schema without tables."""
        return self.open(self.new_url())

    def reopen(self, returns: ReturnRepository) -> ReturnRepository:
        """Returns another store over the same schema, as another process opens it."""
        assert isinstance(returns, SqlReturns)
        return self.open(returns.engine.url.render_as_string(hide_password=False))

    def open(self, url: str) -> SqlReturns:
        """Opens a store that the fixture closes."""
        for each in self.opened[:-10]:
            each.close()
        self.opened.append(SqlReturns(url))
        return self.opened[-1]

    def damage(self, returns: SqlReturns, return_id: str) -> None:
        """Breaks the document off."""
        with returns.engine.begin() as connection:
            statement = text("UPDATE rma_returns SET document = '{' WHERE return_id = :id")
            connection.execute(statement, {"id": return_id})
