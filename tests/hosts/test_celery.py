"""The Celery example: real workers and beat over a broker of files, tasks that are doubled, and kills."""

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import celery_returns
from rma import Conflict, RequestedItem, RequestReturn, ReturnService, Unavailable
from rma.adapters.memory import in_memory_service
from rma.adapters.sql import SqlReturns
from tests.databases import Databases
from tests.hosts.celery_on_files import use
from tests.hosts.gateway import running_gateway
from tests.hosts.running import MODULE, ROOT, running

APP = "tests.hosts.celery_on_files"
WORKER = ["-A", APP, "worker", "-l", "INFO", "--concurrency", "2"]
WORKER += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
MUG = [RequestedItem(item_id="mug", quantity=1)]


def send(return_id: str) -> str:
    """Sends the receipt of the return's parcel, and returns the id of its task."""
    with celery_returns.app.connection_for_write() as broker:  # an open one has the folder of an earlier test
        keywords = {"key": f"parcel of {return_id}", "clerk": "dan"}
        sent = celery_returns.receive.apply_async((return_id, {"mug": 1}), keywords, connection=broker)  # type: ignore[call-arg] # its stubs
        return sent.id


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT", {}, Exception("gone")),
        InterfaceError("SELECT", {}, Exception("gone")),
        PoolTimeout(),
        Unavailable("store_not_opened"),
        Conflict("stale_ledger"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_is_tried_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what the tables of the shop raise, which the library does not wrap."""
    service = in_memory_service([celery_returns.Orders().get("order_1")])
    opened = service.handle(RequestReturn(order_id="order_1", items=MUG))
    errors = [error]

    def failing_once() -> ReturnService:
        if errors:
            raise errors.pop()
        return service

    monkeypatch.setattr(celery_returns, "service", failing_once)
    celery_returns.receive.apply((opened.id, {"mug": 1}), {"key": "parcel", "clerk": "dan"})

    assert service.get(opened.id).status == "received"


def test_every_effect_is_done_once(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One receipt is sent twice; the process that refunds another is killed, and a whole worker with a third.

    The broker gives the second to another process. It has lost the third with the worker: beat sends
    `resume`, which goes on with what the ledger has.
    """
    with databases.new("postgresql") as database, running_gateway() as gateway:
        use(tmp_path)
        environment = {
            "DATABASE_URL": database,
            "GATEWAY_URL": gateway.url,
            "BROKER_FOLDER": str(tmp_path),
            "RESUME_EVERY": "2",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        for name in ("DATABASE_URL", "GATEWAY_URL"):
            monkeypatch.setenv(name, environment[name])
        celery_returns.prepare(database)
        celery_returns.service.cache_clear()
        service = celery_returns.service()

        def request(name: str) -> str:
            return service.handle(RequestReturn(order_id=f"order_{name}", items=MUG)).id

        doubled, one, whole = [request(name) for name in ("doubled", "one", "whole")]
        with running(*MODULE, "celery", *WORKER, environment=environment) as worker:
            for task in [send(doubled), send(doubled)]:
                worker.wait_for(rf"receive\[{task}\] succeeded in .*: 'received'")

            with gateway.holding():
                task = send(one)
                gateway.wait_until_one_is_held()
                os.kill(int(worker.wait_for(rf"{task} runs in process (\d+)")[1]), signal.SIGKILL)
                worker.wait_for(rf"receive\[{task}\] succeeded in .*: 'received'")
            assert gateway.times[f"{one}-refund-1"] == 2

            with gateway.holding():
                send(whole)
                gateway.wait_until_one_is_held()
                worker.kill()

        schedule = ["-l", "INFO", "--schedule", str(tmp_path / "schedule")]
        with (
            running(*MODULE, "celery", *WORKER, environment=environment) as worker,
            running(
                *MODULE,
                "celery",
                "-A",
                APP,
                "beat",
                *schedule,
                environment=environment,
            ),
        ):
            worker.wait_for(r"resume\[.*\] succeeded in .*: 1$")
            assert gateway.times[f"{whole}-refund-1"] == 2
            task = send(whole)  # its sender heard of no receipt
            worker.wait_for(rf"receive\[{task}\] succeeded in .*: 'received'")

        every = sorted([doubled, one, whole])
        assert [service.get(each).refunds[0].status for each in every] == ["succeeded"] * 3
        assert sorted(gateway.refunds) == [f"{each}-refund-1" for each in every]
        ledgers = SqlReturns(database)
        assert not [
            name for name in ("doubled", "one", "whole") if ledgers.load(f"order_{name}").open_effects
        ]
        with ledgers.engine.connect() as connection:
            moves = connection.execute(text("SELECT * FROM stock_moves ORDER BY key")).all()
        assert [tuple(each) for each in moves] == [(f"{each}-restock-1", 1) for each in every]
        ledgers.close()


def test_a_receipt_waits_for_a_database_that_is_away(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it is the first task of the process: the receipt is done when the database is there."""
    with databases.new("postgresql") as database, running_gateway() as gateway:
        url = make_url(database)
        if not str(url.query.get("host", "")).startswith("/"):
            pytest.skip("the server listens on no socket that could be hidden")
        use(tmp_path)
        hidden = tmp_path / "server"
        away = url.update_query_dict({"host": str(hidden)}).render_as_string(hide_password=False)
        celery_returns.prepare(database)
        monkeypatch.setenv("DATABASE_URL", database)
        monkeypatch.setenv("GATEWAY_URL", gateway.url)
        celery_returns.service.cache_clear()
        service = celery_returns.service()
        opened = service.handle(RequestReturn(order_id="order_1", items=MUG))
        environment = {
            "DATABASE_URL": away,
            "GATEWAY_URL": gateway.url,
            "BROKER_FOLDER": str(tmp_path),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        with running(*MODULE, "celery", *WORKER, environment=environment) as worker:
            task = send(opened.id)
            worker.wait_for(rf"receive\[{task}\] (retry|raised)")
            hidden.symlink_to(str(url.query["host"]))
            worker.wait_for(rf"receive\[{task}\] succeeded in .*: 'received'")

        assert service.get(opened.id).refunds[0].status == "succeeded"
