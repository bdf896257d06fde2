"""
Several processes send equal and competing commands for one order at once; some of them are killed.

The result depends on which process is faster, so the tests check what holds for every result. The test
command runs a few rounds on a SQLite file; `RMA_TEST_PROFILE=long` runs more of them, also on PostgreSQL.
"""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest

from rma import (
    CancelReturn,
    Claim,
    Command,
    Exchange,
    Gateway,
    Hold,
    Idempotent,
    NewItem,
    NotIdempotent,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RefundStatus,
    Rejected,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnRule,
    ReturnStatus,
    SettleAdvance,
)
from rma.domain.change import replay
from rma.testing.core_harness import START
from rma.testing.faults import Faults
from tests.databases import LONG, Databases
from tests.killed.deployment import KILLED, Clock, Deployment, Killing, start_process
from tests.killed.gateways import CLOSED_CARD, GatewayModel
from tests.killed.holds import check_holds
from tests.rules.given import line, order_of, receive, usd

KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

#: Number of processes at the same time, and of returns.
WORKERS, RETURNS = 4, 8
#: Number of mugs of the order: too few for all returns, each of which requests three.
MUGS = 20
#: Number of points that a process passes even if others have done everything before: it sends each request,
#: which reads at least once, and a read has a point before and one after.
FEWEST_POINTS = 2 * RETURNS
#: The last point at which the successor of a killed process may be killed; some get further.
LAST_POINT = 240


def request_mugs(number: int) -> RequestReturn:
    """Requests a return of three mugs; every other one has a label."""
    return RequestReturn(
        order_id="order_1",
        items=[RequestedItem(item_id="mug", quantity=3)],
        shipping_option_id="so_return" if number % 2 else None,
        idempotency_key=f"request {number}",
    )


def follow_up(number: int, return_id: str) -> list[Command]:
    """Returns a receipt, and either a cancellation or the same receipt again."""
    items = [ReceivedItem(item_id="mug", quantity=3)]
    receipt = ReceiveReturn(return_id=return_id, items=items, idempotency_key=f"receipt {number}")
    cancellation = CancelReturn(return_id=return_id, idempotency_key=f"cancellation {number}")
    return [receipt, receipt] if number % 3 else [receipt, cancellation]


def work(deployment: Deployment, name: str, seed: int, faults: Faults | None = None) -> None:
    """Sends every command in an order drawn from `seed`, also those that other processes have sent."""
    dice, names = Random(seed), (f"{name}_{number}" for number in count(1))
    with deployment.process(faults, ids=lambda: next(names)) as service:
        for number in dice.sample(range(RETURNS), RETURNS):
            with suppress(Rejected):
                return_id = service.handle(request_mugs(number)).id
                for command in dice.sample(commands := follow_up(number, return_id), len(commands)):
                    with suppress(Rejected):
                        service.handle(command)


#: What a process of this name does, with a seed for its order, and faults.
Work = Callable[[Deployment, str, int, Faults | None], None]


def run_workers(deployment: Deployment, seed: int, work: Work) -> int:
    """Runs the processes until each has finished, replaces the killed ones, and returns their number."""
    dice, names = Random(seed), count(1)
    running: dict[int, int] = {}

    def begin(worker: int, faults: Faults | None) -> None:
        name = f"process_{next(names)}"
        running[start_process(lambda: work(deployment, name, seed * WORKERS + worker, faults))] = worker

    for worker in range(WORKERS):
        begin(worker, Killing(dice.randint(1, FEWEST_POINTS)) if worker % 2 else None)
    killed = 0
    while running:
        pid, status = os.wait()
        worker, code = running.pop(pid), os.waitstatus_to_exitcode(status)
        assert code in {0, KILLED}, "a worker failed"
        if code == KILLED:
            killed += 1
            begin(worker, Killing(dice.randint(1, LAST_POINT)))
    return killed


def resume_all(deployment: Deployment, day: int = 0) -> ReturnLedger:
    """Resumes one and two hours after this day, and returns the ledger, which equals its replayed history."""
    for hours in (1, 2):
        with deployment.process(clock=Clock(START + timedelta(days=day, hours=hours))) as service:
            service.resume()
    with deployment.process() as service:
        ledger = service.returns.load("order_1")
        assert replay("order_1", service.history("order_1")) == ledger
        return ledger


@pytest.mark.parametrize("gateway", [Idempotent(), NotIdempotent()], ids=["idempotent", "not idempotent"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(20 if LONG else 2))
def test_everything_happens_once_in_any_order_of_processes_and_kills(
    databases: Databases, tmp_path: Path, kind: str, gateway: Gateway, seed: int
) -> None:
    """No return, refund, restock or label is duplicated, and no unit is returned twice."""
    order = order_of(line(quantity=MUGS), captured=MUGS * 1000)
    with databases.new(kind) as url:
        deployment = Deployment(url, tmp_path / "gateway.db", order, gateway)
        GatewayModel(deployment.gateway_model)

        killed = run_workers(deployment, seed, work)
        ledger = resume_all(deployment)

        gateway_model, returns = GatewayModel(deployment.gateway_model), ledger.returns
        assert killed >= WORKERS // 2
        assert not ledger.open_effects

        # Each return exists once, as many as there are mugs for, and was received or canceled; or the parcel
        # of one that was canceled is here, and a person decides.
        received = {each.id for each in returns if each.status is ReturnStatus.RECEIVED}
        canceled = {each.id for each in returns if each.status is ReturnStatus.CANCELED}
        late = {each.id for each in returns if each.status is ReturnStatus.REQUIRES_ACTION}
        assert all(each.canceled_at for each in returns if each.id in late)
        assert received | canceled | late == {each.id for each in returns}
        assert len({each.idempotency_key for each in returns}) == len(returns)
        assert len(received | late) * 3 <= MUGS
        assert len(returns) == RETURNS or MUGS - len(received | late) * 3 < 3

        # Each restock and label happened once, with one key.
        requests = Counter(tuple(key.rsplit("-", 2)[:2]) for key in gateway_model.done())
        assert set(requests.values()) == {1}
        assert _returns_with("restock", requests) == received | late
        assert _returns_with("shipment", requests) == {each.id for each in returns if each.shipment}
        assert _returns_with("cancel_shipment", requests) == {
            each.id for each in returns if each.shipment
        } & (canceled | late)

        # Each received return is refunded once, in full, or needs attention if its outcome is unknown.
        refunds = {each.id: [refund.status for refund in each.refunds] for each in returns if each.refunds}
        assert refunds.keys() == received
        if isinstance(gateway, Idempotent):
            assert all(each == [RefundStatus.SUCCEEDED] for each in refunds.values())
            assert _returns_with("refund", requests) == received
        else:
            unknown = {return_id for return_id, each in refunds.items() if each != [RefundStatus.SUCCEEDED]}
            assert all(refunds[return_id] == [RefundStatus.NEEDS_ATTENTION] for return_id in unknown)
            assert received - unknown <= _returns_with("refund", requests) <= received
            assert all(times == 1 for key, times in gateway_model.times().items() if "-refund-" in key)


#: Store credit for a customer who asks for it, a payout where a card is closed, and 14 days to send goods.
POLICY = ReturnPolicy(
    when_closed="payout",
    return_within_days=14,
    rules=[ReturnRule(name="any", outcomes=["refund", "store_credit", "exchange"])],
)


def begin(number: int) -> Command:
    """Returns a request for store credit, for money of a card that is closed, or for new goods at once."""
    items = [RequestedItem(item_id="mug", quantity=1)]
    match number % 3:
        case 0:
            return RequestReturn(
                order_id="order_1", items=items, outcome="store_credit", idempotency_key=f"request {number}"
            )
        case 1:
            return RequestReturn(order_id="order_1", items=items, idempotency_key=f"request {number}")
        case _:
            return RequestExchange(
                order_id="order_1",
                items=items,
                new_items=[NewItem(variant_id="v_cup", quantity=1, unit_price=1000)],
                ship="first",
                hold=Hold(f"auth_{number}", usd(1000), START + timedelta(days=60)),
                idempotency_key=f"request {number}",
            )


def end(begun: Return | Exchange | Claim, number: int) -> list[Command]:
    """Returns the receipt, twice; for an exchange once, and the end of its days, which competes with it."""
    is_exchange = isinstance(begun, Exchange)
    return_id = begun.return_id if isinstance(begun, Exchange) else begun.id
    receipt = receive(1, return_id=return_id, idempotency_key=f"receipt {number}")
    over = SettleAdvance(exchange_id=begun.id, idempotency_key=f"end {number}")
    return [receipt, over if is_exchange else receipt]


def work_with_means(deployment: Deployment, name: str, seed: int, faults: Faults | None = None) -> None:
    """Begins everything, and ends it two weeks later, each in an order drawn from `seed`."""
    dice, names, clock = Random(seed), (f"{name}_{number}" for number in count(1)), Clock()
    with deployment.process(faults, clock=clock, ids=lambda: next(names)) as service:
        begun = {number: service.handle(begin(number)) for number in dice.sample(range(RETURNS), RETURNS)}
        clock.move_to(15)
        for number in dice.sample(range(RETURNS), RETURNS):
            for command in dice.sample(commands := end(begun[number], number), len(commands)):
                with suppress(Rejected):
                    service.handle(command)


@pytest.mark.parametrize("gateway", [Idempotent(), NotIdempotent()], ids=["idempotent", "not idempotent"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(20 if LONG else 1))
def test_credit_payouts_charges_and_releases_happen_once_in_any_order_of_processes_and_kills(
    databases: Databases, tmp_path: Path, kind: str, gateway: Gateway, seed: int
) -> None:
    """A hold is charged or released; what no one knows is left to a person, and nothing is asked twice."""
    card = Payment(id=CLOSED_CARD, captured=usd(RETURNS * 1000))
    order = order_of(line(quantity=RETURNS), payments=[card], customer_id="cus_1")
    with databases.new(kind) as url:
        deployment = Deployment(url, tmp_path / "gateway.db", order, gateway, POLICY)
        GatewayModel(deployment.gateway_model)

        killed = run_workers(deployment, seed, work_with_means)
        ledger = resume_all(deployment, day=15)

        model = GatewayModel(deployment.gateway_model)
        done, times = Counter(each.split()[0] for each in model.done().values()), model.times()
        assert killed >= WORKERS // 2
        assert not ledger.open_effects
        check_holds(ledger, times)

        # Everything was begun once, new goods were reserved and sent once, and each unit is in stock once.
        exchanges = len(range(2, RETURNS, 3))
        assert (len(ledger.returns), len(ledger.exchanges)) == (RETURNS, exchanges)
        assert done["reserve"] == done["replacement"] == exchanges
        assert done["restock"] == RETURNS

        # Each hold was charged, and its goods were late; or released, as they were back before.
        charges = {each.id for each in ledger.exchanges if each.hold_charges}
        released = {each.id for each in ledger.exchanges if each.hold_released_at}
        late = {each.exchange_id for each in ledger.returns if any(item.is_late for item in each.items)}
        assert late == charges
        assert len(charges | released) == exchanges
        assert done["release"] == len(released)

        # Money, credit and charges were asked for once, or their outcome is unknown to all but the gateway.
        statuses = [str(each.status) for each in ledger.refunds]
        statuses += [str(charge.status) for each in ledger.exchanges for charge in each.hold_charges]
        unknown = statuses.count("needs_attention")
        assert set(statuses) <= {"succeeded", "failed", "needs_attention"}
        assert all(count == 1 for key, count in times.items() if _moves_money(key)) or gateway == Idempotent()
        assert unknown == 0 or gateway != Idempotent()
        credited, declined = len(range(0, RETURNS, 3)), len(range(1, RETURNS, 3))
        assert credited - unknown <= done["credit"] <= credited
        assert declined - unknown <= done["refund"] <= declined
        assert declined - unknown <= done["payout"] <= declined
        assert len(charges) - unknown <= done["charge"] <= len(charges)


def _moves_money(key: str) -> bool:
    return key.rsplit("-", 2)[1] in ("refund", "charge")


def _returns_with(effect: str, requests: Counter[tuple[str, ...]]) -> set[str]:
    return {return_id for return_id, kind in requests if kind == effect}
