"""Several processes serve the shop and are killed, while every form is sent twice: all is done once."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.databases import LONG, Databases
from tests.shop.clients import Client, hidden
from tests.shop.processes import SHOP, Running, environment, running

#: How many orders, processes, clients at once, and answers between two kills.
ORDERS, WORKERS, CLIENTS, ANSWERS = (24, 3, 4, 20) if LONG else (4, 2, 2, 16)

#: A mug, less the way back.
AMOUNT = 1290 - 390


@define
class Workers:
    """
    Processes that serve one socket; every so many answers, one is killed and another is started.

    Attributes:
        killed: how many were.
    """

    variables: dict[str, str]
    listening: socket.socket
    running: list[Running] = field(factory=list)
    killed: int = 0
    answers: int = 0
    lock: threading.Lock = field(factory=threading.Lock)

    def start(self) -> None:
        """Starts one more."""
        number = self.listening.fileno()
        arguments = ["manage.py", "serve", "--socket", str(number)]
        self.running.append(Running(arguments, self.variables, passed=[number]))

    def answered(self) -> None:
        """Counts an answer, and kills the oldest process if it is time."""
        with self.lock:
            self.answers += 1
            if self.answers % ANSWERS:
                return
            self.running.pop(0).kill()
            self.killed += 1
            self.start()


@contextmanager
def serving(folder: Path, variables: dict[str, str]) -> Iterator[tuple[Workers, str]]:
    """Yields processes that serve a shop, and where."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        listening.set_inheritable(True)
        workers = Workers(variables, listening)
        try:
            for _number in range(WORKERS):
                workers.start()
            yield workers, workers.running[0].url
        finally:
            for each in workers.running:
                each.kill()


def return_a_mug(number: str, ada: Client, cleo: Client) -> None:
    """Returns a mug of an order, and takes it back; every form is sent twice."""
    path = f"/orders/{number}/return/"
    form = {
        "key": hidden(ada.get(path), "key"),
        "line1-quantity": "1",
        "line1-reason": "mind",
        "outcome": "refund",
        "way": "label",
        "action": "request",
    }
    made, again = ada.post_twice(path, form)
    assert (made.status, made.location) == (again.status, again.location) == (302, made.location), made.page
    page = f"/admin/rma/storedreturn/{made.location.split('/')[2].replace('_', '_5F')}"
    do(cleo, page, "receive", received_0="1", damaged_0="0")
    do(cleo, page, "inspect", graded_0_0="1", graded_0_1="0", graded_0_2="0")


def do(clerk: Client, page: str, action: str, **counts: str) -> None:
    """Sends the form of an action twice under its key, until the return says that it is done."""
    key = hidden(clerk.get(f"{page}/do/{action}/"), "key")
    for _attempt in range(10):
        clerk.post_twice(f"{page}/do/{action}/", {"key": key, **counts})
        if ("/do/inspect/" in clerk.get(f"{page}/change/")) is (action == "receive"):
            return
    raise AssertionError(f"{page}: {action} is not done")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_return_label_and_refund_is_made_once(kind: str, databases: Databases, tmp_path: Path) -> None:
    """Whichever processes die while they serve, deliver or publish."""
    with databases.new(kind) as url:
        variables = dict(environment(tmp_path, url if kind == "postgresql" else None))
        bookkeeping(variables, "make", str(ORDERS))
        movements = tmp_path / "gateway.sqlite3"
        gateway = ["-m", "gateway", "--port", "0", "--file", str(movements)]
        variables["GATEWAY_SECRET"] = "of the load"
        with running(gateway, variables) as process:
            variables["GATEWAY_URL"] = process.url
            with serving(tmp_path, variables) as (workers, shop):
                ada, cleo = (Client.of(shop, name, workers.answered) for name in ("ada", "cleo"))
                with ThreadPoolExecutor(CLIENTS) as pool:
                    list(pool.map(lambda n: return_a_mug(f"L{n}", ada, cleo), range(ORDERS)))
            assert workers.killed > ORDERS // 4
            resumed = run(["manage.py", "rma_resume"], {**variables, "SHOP_DAYS_AHEAD": "1"})
        found = json.loads(bookkeeping(variables, "count"))

    assert "0 still open" in resumed
    assert found["open"] == found["differences"] == []
    assert found["forms"] == len(found["returns"]) == ORDERS
    assert set(found["returns"].values()) == {"received"}
    assert found["labels"] == sorted(f"{each}-shipment-1" for each in found["returns"])
    assert found["stock"] == sorted(f"{each}-restock-1" for each in found["returns"])
    assert found["refunds"] == {f"{each}-refund-1": ["succeeded", AMOUNT] for each in found["returns"]}
    assert moved(movements) == dict.fromkeys(found["refunds"], AMOUNT)
    assert found["mails"] == len(list((tmp_path / "mails").glob("*.eml")))
    texts = [path.read_text() for path in (tmp_path / "mails").glob("*.eml")]
    assert sum("We paid back 9.00 EUR." in each for each in texts) == ORDERS


def moved(file: Path) -> dict[str, int]:
    """Returns the amount that the gateway moved under each key."""
    with closing(sqlite3.connect(file)) as database:
        rows: list[Any] = database.execute("SELECT key, amount FROM movements").fetchall()
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def bookkeeping(variables: dict[str, str], *arguments: str) -> str:
    """Returns what `tests.shop.bookkeeping` prints."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, variables["PYTHONPATH"]])
    return run(["-m", "tests.shop.bookkeeping", *arguments], {**variables, "PYTHONPATH": paths})


def run(arguments: list[str], variables: dict[str, str]) -> str:
    """Returns what a command of Python prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=SHOP, env=os.environ | variables, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
