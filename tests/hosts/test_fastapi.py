"""The FastAPI example: two processes over one PostgreSQL, the same requests sent to both, and kills."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import schemathesis
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, negative_data_rejection, positive_data_acceptance
from sqlalchemy import create_engine, make_url, select, text

import fastapi_returns
from rma import StockLine
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.aio import AsyncSqlReturns
from rma.testing.contracts import InventoryContract
from tests.databases import LONG, Databases
from tests.hosts.gateway import Gateway, running_gateway
from tests.hosts.running import MODULE, PATIENCE, Process, running

#: How many requests of each kind are drawn for a route.
EXAMPLES = 200 if LONG else 20

ADA, BOB, DAN = ({"Authorization": f"Bearer {name}-token"} for name in ("ada", "bob", "dan"))


@frozen
class Worker:
    """A process of the application, and how it is asked."""

    process: Process
    client: httpx.Client

    def post(self, path: str, who: dict[str, str], key: str, quantity: int = 1) -> httpx.Response:
        """Sends mugs back, or has received them."""
        body = {"items": [{"item_id": "mug", "quantity": quantity}]}
        headers = {**who, "Idempotency-Key": key}
        return self.client.post(path, json=body, headers=headers)


@frozen
class Deployment:
    """The database and the gateway, and how to start a worker."""

    database: str
    gateway: Gateway
    _until_the_end: ExitStack

    def worker(self) -> Worker:
        """Starts a process. Its timer runs once, when it starts."""
        environment = {"DATABASE_URL": self.database, "GATEWAY_URL": self.gateway.url, "RESUME_EVERY": "3600"}
        process = self._until_the_end.enter_context(
            running(*MODULE, "uvicorn", "--port", "0", "fastapi_returns:app", environment=environment)
        )
        client = httpx.Client(base_url=process.wait_for(r"running on (http://\S+)")[1], timeout=PATIENCE)
        return Worker(process, self._until_the_end.enter_context(client))

    def rows(self, statement: str) -> list[Any]:
        """What the database has."""
        engine = create_engine(make_url(self.database).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(statement))]
        engine.dispose()
        return found


@pytest.fixture
def deployment(databases: Databases) -> Iterator[Deployment]:
    """A prepared database."""
    with (
        databases.new("postgresql") as database,
        running_gateway() as gateway,
        ExitStack() as until_the_end,
    ):
        asyncio.run(fastapi_returns.prepare(database))
        yield Deployment(database, gateway, until_the_end)


def test_every_return_and_refund_is_made_once(deployment: Deployment) -> None:
    """
    Every request is sent twice to each of two workers at once; then one is killed while it refunds.

    The client repeats what it got no answer to at the other worker. Another worker is killed in the same way
    and its client gives up: the timer of the worker that is started in its place goes on.
    """
    first, second = deployment.worker(), deployment.worker()
    keys = ["1", "2", "3"]

    def all_at_once(path_of: dict[str, str], who: dict[str, str]) -> dict[str, list[httpx.Response]]:
        with ThreadPoolExecutor(12) as threads:
            sent = {
                key: [threads.submit(worker.post, path, who, key) for worker in (first, second) * 2]
                for key, path in path_of.items()
            }
            return {key: [each.result() for each in answers] for key, answers in sent.items()}

    opened = all_at_once(dict.fromkeys(keys, "/orders/order_ada/returns"), ADA)
    ids = {}
    for key, answers in opened.items():
        assert [each.status_code for each in answers] == [201] * 4
        (ids[key],) = {each.json()["id"] for each in answers}
    assert len(set(ids.values())) == 3

    received = all_at_once({key: f"/returns/{ids[key]}/receipts" for key in keys}, DAN)
    for answers in received.values():
        assert [(each.status_code, each.json()["status"]) for each in answers] == [(201, "received")] * 4

    opened_too = [first.post("/orders/order_bob/returns", BOB, key).json()["id"] for key in "12"]

    # The client repeats at the other worker.
    with deployment.gateway.holding(), ThreadPoolExecutor(1) as thread:
        lost = thread.submit(first.post, f"/returns/{opened_too[0]}/receipts", DAN, "4")
        deployment.gateway.wait_until_one_is_held()
        first.process.kill()
        with pytest.raises(httpx.TransportError):
            lost.result(PATIENCE)
        repeated = second.post(f"/returns/{opened_too[0]}/receipts", DAN, "4")
    assert (repeated.status_code, repeated.json()["refunded"]) == (201, 1000)

    # The client gives up; the timer of a new worker goes on.
    with deployment.gateway.holding(), ThreadPoolExecutor(1) as thread:
        lost = thread.submit(second.post, f"/returns/{opened_too[1]}/receipts", DAN, "5")
        deployment.gateway.wait_until_one_is_held()
        second.process.kill()
        with pytest.raises(httpx.TransportError):
            lost.result(PATIENCE)
        calls = deployment.gateway.times.total()
        third = deployment.worker()
        deployment.gateway.wait_for_calls(calls + 1)
    assert third.post(f"/returns/{opened_too[1]}/receipts", DAN, "5").json()["refunded"] == 1000

    every = sorted([*ids.values(), *opened_too])
    assert sorted(each["id"] for each in returns_of_all(third)) == every
    assert sorted(deployment.gateway.refunds) == [f"{each}-refund-1" for each in every]
    assert {each["amount"] for each in deployment.gateway.refunds.values()} == {1000}
    assert deployment.rows("SELECT on_hand FROM stock") == [(5,)]
    assert deployment.rows("SELECT return_id, about FROM tickets ORDER BY return_id, about") == [
        (each, about) for each in every for about in ("received", "requested")
    ]
    store = SqlReturns(deployment.database)
    for order_id in ("order_ada", "order_bob"):
        assert not store.load(order_id).open_effects
    store.close()


def returns_of_all(worker: Worker) -> list[dict[str, Any]]:
    """The returns of both customers."""
    found = []
    for name, who in (("ada", ADA), ("bob", BOB)):
        found += worker.client.get(f"/orders/order_{name}/returns", headers=who).json()
    return found


def test_refusals_have_their_status_and_change_nothing(deployment: Deployment) -> None:
    """Another customer's order is as one that does not exist; a refusal lists all that is wrong."""
    worker = deployment.worker()
    path = "/orders/order_ada/returns"

    assert worker.post(path, {}, "1").status_code == 401
    assert worker.post(path, {"Authorization": "Bearer dan-token"}, "1").status_code == 401
    foreign = worker.post(path, BOB, "1")
    missing = worker.post("/orders/order_none/returns", BOB, "1")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text.replace("order_ada", "order_none") == missing.text
    assert worker.post("/orders/%00/returns", ADA, "1").status_code == 422
    assert worker.post("/returns/%00/receipts", DAN, "1").status_code == 404
    assert worker.post(path, ADA, "1", quantity=10**30).status_code == 400
    too_many = worker.post(path, ADA, "1", quantity=4)
    assert too_many.status_code == 400
    (violation,) = too_many.json()["violations"]
    assert violation["numbers"] == {"quantity": 4, "returnable": 3}
    assert (violation["code"], violation["item_id"]) == ("quantity_exceeds_returnable", "mug")

    assert deployment.rows("SELECT count(*) FROM tickets") == [(0,)]
    assert worker.post(path, ADA, "1").status_code == 201
    reused = worker.post(path, ADA, "1", quantity=2)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert reused.json()["violations"][0]["numbers"]["idempotency_key"] == "1"
    assert "cus_ada" not in reused.text
    assert not deployment.gateway.refunds


def test_what_is_not_a_request_is_refused_in_the_same_shape(deployment: Deployment) -> None:
    """No route, no JSON, half of a surrogate pair, no number, too large, mistakes by the hundred."""
    worker = deployment.worker()
    path = "/orders/order_ada/returns"

    typed = {**ADA, "Idempotency-Key": "1", "Content-Type": "application/json"}
    for method, route, status, code in (
        ("GET", "/nowhere", 404, "unknown_route"),
        ("PUT", path, 405, "unknown_method"),
        ("POST", path, 400, "malformed"),
    ):
        wrong = worker.client.request(method, route, headers=typed, content=b"\xff")
        assert (wrong.status_code, wrong.json()["code"]) == (status, code)
    keyless = worker.client.post(path, headers=ADA, json={"items": []})
    assert (keyless.status_code, keyless.json()["code"]) == (422, "malformed")
    for quantity, status in (
        ("1", 400),
        ('"1"', 422),
        ("1.0", 422),
        ("true", 422),
        ('1, "amount": 5', 422),
        ('1, "\\ud800": 5', 422),
    ):
        content = f'{{"items": [{{"item_id": "\\ud800", "quantity": {quantity}}}]}}'
        answer = worker.client.post(path, headers=typed, content=content)
        assert (answer.status_code, answer.json().keys()) == (status, {"code", "violations"}), quantity
    large = worker.client.post(path, headers=typed, content=b" " * (fastapi_returns.MOST_BYTES + 1))
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    for number in (1, None):  # on no order, and of no shape
        items = [{"item_id": f"hat {each}", "quantity": number} for each in range(500)]
        answer = worker.client.post(path, headers={**ADA, "Idempotency-Key": "1"}, json={"items": items})
        assert len(answer.json()["violations"]) == fastapi_returns.MOST_VIOLATIONS


def test_each_parcel_of_a_return_has_its_ticket(deployment: Deployment) -> None:
    """However often its receipt is sent; a receipt under another key is another parcel."""
    worker = deployment.worker()
    opened = worker.post("/orders/order_ada/returns", ADA, "1", quantity=2).json()["id"]
    for key in ("1", "1", "2"):
        assert worker.post(f"/returns/{opened}/receipts", DAN, key).status_code == 201

    written = deployment.rows("SELECT about FROM tickets ORDER BY about")
    assert written == [("received",), ("received",), ("requested",)]


def test_a_database_that_is_away_is_not_the_fault_of_the_program(deployment: Deployment) -> None:
    """Every route says that the same request may be sent again."""
    worker = evolve(deployment, database="postgresql://shop@127.0.0.1:1/shop").worker()
    answers = [
        worker.post("/orders/order_ada/returns", ADA, "1"),
        worker.client.get("/orders/order_ada/returns", headers=ADA),
        worker.post("/returns/ret_1/receipts", DAN, "1"),
    ]

    unavailable = {"code": "database_unavailable", "violations": []}
    assert [(each.status_code, each.json()) for each in answers] == [(503, unavailable)] * 3


def test_a_customer_and_a_key_are_never_another_customer_and_key() -> None:
    """Ids that end as keys begin."""
    keys = {fastapi_returns.customer_key(*each) for each in (("a", "b:c"), ("a:b", "c"), ("a", "c"))}
    assert len(keys) == 3


def test_every_answer_is_as_described(deployment: Deployment) -> None:
    """Requests that schemathesis draws from /openapi.json, well-formed and malformed: no answer is a 500."""
    worker = deployment.worker()
    opened = worker.post("/orders/order_ada/returns", ADA, "1").json()["id"]
    load_all_checks()
    document = worker.client.get("/openapi.json").json()
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security", None)  # tokens are not drawn: who asks is known
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=str(worker.client.base_url))
    known = {"order_id": "order_ada", "return_id": opened}

    def hold(method: str, path: str, mode: GenerationMode) -> None:
        @settings(max_examples=EXAMPLES, database=None)
        @given(case=schema[path][method].as_strategy(generation_mode=mode), is_known=st.booleans())
        def holds(case: Case[Any], is_known: bool) -> None:
            if is_known:
                case.path_parameters |= {each: known[each] for each in case.path_parameters}
            answer = case.call(headers=DAN if "receipts" in path else ADA)
            excluded = [positive_data_acceptance]  # rules may refuse
            if is_known:
                excluded.append(negative_data_rejection)  # it was the id that was malformed
            case.validate_response(answer, excluded_checks=excluded)

        holds()

    for path, item in document["paths"].items():
        for method in item:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                hold(method, path, mode)


class TestStock(InventoryContract):
    """The stock of the example, held to the laws of every stock."""

    lines = (StockLine("mug", None, 2), StockLine("mug", None, 1))

    @pytest.fixture(autouse=True)
    def _database(self, databases: Databases) -> Iterator[None]:
        with databases.new("postgresql") as self.url:
            yield

    def make(self) -> fastapi_returns.Stock:
        """On tables of its own."""
        self.wait(fastapi_returns.prepare(self.url))
        self.ledgers = AsyncSqlReturns(self.url)
        return fastapi_returns.Stock(self.ledgers.engine)

    def on_hand(self, item_id: str) -> int:
        """As the table has it."""
        return self.wait(self._on_hand(item_id))

    def close(self) -> None:
        """Closes the connections."""
        self.wait(self.ledgers.close())

    async def _on_hand(self, item_id: str) -> int:
        stock = fastapi_returns.stock
        async with self.ledgers.engine.connect() as connection:
            return await connection.scalar(select(stock.c.on_hand).where(stock.c.item_id == item_id)) or 0
