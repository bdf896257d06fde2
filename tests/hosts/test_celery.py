"""The Celery example: real workers and beat over a broker of files, tasks that are doubled, and kills."""

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import text

import celery_returns
from rma import RequestedItem, RequestReturn
from rma.adapters.sql import SqlReturns
from tests.databases import Databases
from tests.hosts.celery_on_files import use
from tests.hosts.gateway import running_gateway
from tests.hosts.running import MODULE, ROOT, running


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
        celery_returns.service.cache_clear()
        service = celery_returns.service()

        def request(name: str) -> str:
            mug = [RequestedItem(item_id="mug", quantity=1)]
            return service.handle(RequestReturn(order_id=f"order_{name}", items=mug)).id

        def send(return_id: str) -> str:
            """Sends the receipt, and returns the id of its task."""
            sent = celery_returns.receive.delay(
                return_id, {"mug": 1}, key=f"parcel of {return_id}", clerk="dan"
            )
            return sent.id

        doubled, one, whole = [request(name) for name in ("doubled", "one", "whole")]
        worker_of = ["-A", "tests.hosts.celery_on_files", "worker", "-l", "INFO", "--concurrency", "2"]
        quick = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with running(*MODULE, "celery", *worker_of, *quick, environment=environment) as worker:
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
            running(*MODULE, "celery", *worker_of, *quick, environment=environment) as worker,
            running(
                *MODULE,
                "celery",
                "-A",
                "tests.hosts.celery_on_files",
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
