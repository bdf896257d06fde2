"""A server that is gone without a word is given up after a time that the library sets, and the host can."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import closing

import pytest
from sqlalchemy import create_engine, make_url, text

from rma import Unavailable
from rma.adapters.sql import SqlReturns, deadlines
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.adapters.sql.deadlines import DEADLINES


def settings(store: SqlReturns) -> Mapping[str, str]:
    """Returns the parameters with which the driver connected."""
    with store.engine.connect() as connection:
        driver = connection.connection.driver_connection
        found: Mapping[str, str] = driver.info.get_parameters()  # type: ignore[union-attr] # psycopg's
    return found


def test_connections_for_a_url_have_deadlines(url: str) -> None:
    """All of them, unless the URL has its own; those of an engine are the host's."""
    theirs = make_url(url).update_query_dict({"connect_timeout": "3", "keepalives_idle": "7"})
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    expected = {name: str(value) for name, value in DEADLINES.items()}
    with closing(SqlReturns(url)) as ours, closing(SqlReturns(theirs)) as changed:
        assert {name: settings(ours).get(name) for name in expected} == expected
        expected |= {"connect_timeout": "3", "keepalives_idle": "7"}
        assert {name: settings(changed).get(name) for name in expected} == expected
    with closing(SqlReturns(engine)) as host:
        assert "tcp_user_timeout" not in settings(host)


def test_awaited_connections_have_them_too(url: str) -> None:
    """With the same driver, awaited."""

    async def simulate() -> Mapping[str, str]:
        store = AsyncSqlReturns(url)
        async with store.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            driver = (await connection.get_raw_connection()).driver_connection
            found: Mapping[str, str] = driver.info.get_parameters()  # type: ignore[union-attr] # psycopg's
        await store.close()
        return found

    assert asyncio.run(simulate())["tcp_user_timeout"] == str(DEADLINES["tcp_user_timeout"])


def test_an_operator_sets_them_by_environment_or_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PGCONNECT_TIMEOUT` is not overridden, and neither is a service of libpq."""
    url = make_url("postgresql+psycopg://db/shop")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "60")
    assert set(deadlines.deadlines_for(url)) == set(DEADLINES) - {"connect_timeout"}
    assert deadlines.deadlines_for(url.update_query_dict({"service": "shop"})) == {}


def test_a_server_that_answers_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A black hole raises `store_not_opened` after `connect_timeout`, blocking and awaited."""
    monkeypatch.setattr(deadlines, "DEADLINES", {**DEADLINES, "connect_timeout": 2})  # the least of psycopg
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://shop@127.0.0.1:{silent.getsockname()[1]}/shop"
        with closing(SqlReturns(url)) as store, pytest.raises(Unavailable) as error:
            store.load("order_1")
        assert error.value.code == "store_not_opened"

        async def simulate() -> str:
            awaited = AsyncSqlReturns(url)
            with pytest.raises(Unavailable) as error:
                await awaited.load("order_1")
            await awaited.close()
            return error.value.code

        assert asyncio.run(simulate()) == "store_not_opened"
