"""New databases of each kind that can hold ledgers, removed after use."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text

from tests.postgres.server import running_server

#: True in the longer checks.
LONG = os.environ.get("RMA_TEST_PROFILE") == "long"


class Databases:
    """
    Makes databases.

    A database of PostgreSQL is a schema on the server that `RMA_TEST_POSTGRES_URL` names, or on one that is
    started for the first of them and stopped with the last test.
    """

    def __init__(self, new_folder: Callable[[], Path], until_the_end: ExitStack) -> None:
        self._new_folder = new_folder
        self._until_the_end = until_the_end
        self._names = (f"rma_test_{os.getpid()}_{number}" for number in count(1))

    @contextmanager
    def new(self, kind: str) -> Iterator[str]:
        """
        Yields the URL of an empty database as a host writes it: `sqlite` is a file, `postgresql` a schema.
        """
        if kind == "sqlite":
            yield f"sqlite:///{self._new_folder() / 'returns.db'}"
            return
        name = next(self._names)
        self._do(f"CREATE SCHEMA {name}")
        options = {"options": f"-csearch_path={name}"}
        try:
            yield self._server.update_query_dict(options).render_as_string(hide_password=False)
        finally:
            self._do(f"DROP SCHEMA {name} CASCADE")

    def _do(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement))

    @cached_property
    def _server(self) -> URL:
        given = os.environ.get("RMA_TEST_POSTGRES_URL")
        return make_url(given or self._until_the_end.enter_context(running_server()))

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._server.set(drivername="postgresql+psycopg"), poolclass=NullPool)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Yields the maker of databases for all tests."""
    with ExitStack() as until_the_end:
        yield Databases(lambda: tmp_path_factory.mktemp("database"), until_the_end)
