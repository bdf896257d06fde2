"""The contracts hold awaited ports to what they hold blocking ports to: wrong ones break the same laws."""

import asyncio
from collections import Counter
from typing import Any, cast

import pytest
from attrs import evolve

from rma import (
    CancelShipmentRequest,
    Change,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnLedger,
    ReturnShipment,
    ReturnShipmentRequest,
    StockLine,
    WithdrawRequest,
)
from rma.adapters.memory import InMemoryReturns
from rma.async_ports import AsyncFulfillment, AsyncInventory, AsyncPayments, AsyncReturnRepository
from rma.testing.contracts import (
    FulfillmentContract,
    InventoryContract,
    PaymentsContract,
    ReplacementsContract,
    ReturnRepositoryContract,
)
from rma.testing.contracts.port_contract import PortContract
from tests.aio.hosts import Awaited
from tests.testing import (
    test_events_contract,
    test_fulfillment_contract,
    test_inventory_contract,
    test_payments_contract,
    test_reading_contracts,
    test_replacements_contract,
    test_returns_contract,
)
from tests.testing.breaking import breaks, laws_of

#: Adapters that block, each wrong in one thing, with the law it breaks; and how the contract gets one.
SUITES = (
    (test_inventory_contract.INVENTORY, test_inventory_contract.held_inventory),
    (test_payments_contract.PAYMENTS, test_payments_contract.held_payments),
    (test_payments_contract.LOOKUPS, test_payments_contract.held_lookup),
    (test_fulfillment_contract.CARRIERS, test_fulfillment_contract.held_carrier),
    (test_replacements_contract.SENDERS, test_replacements_contract.contract_for),
    (test_events_contract.PUBLISHERS, test_events_contract.held_publisher),
    (test_returns_contract.WRONG, test_returns_contract.contract_for),
    (test_reading_contracts.ORDERS, test_reading_contracts.held_orders),
    (test_reading_contracts.OPTIONS, test_reading_contracts.held_options),
    (test_reading_contracts.CATALOGUES, test_reading_contracts.held_reasons),
)
#: Their right counterparts.
RIGHT = (
    test_inventory_contract.held_inventory(test_inventory_contract.WrongInventory),
    test_payments_contract.held_payments(test_payments_contract.WrongPayments),
    test_payments_contract.held_lookup(test_payments_contract.WrongPayments),
    test_fulfillment_contract.held_carrier(test_fulfillment_contract.WrongCarrier),
    test_replacements_contract.contract_for(test_replacements_contract.WrongSender),
    test_events_contract.held_publisher(test_events_contract.WrongPublisher),
    test_returns_contract.contract_for(InMemoryReturns),
    test_reading_contracts.held_orders(test_reading_contracts.WrongOrders),
    test_reading_contracts.held_options(test_reading_contracts.WrongOptions),
    test_reading_contracts.held_reasons(test_reading_contracts.WrongReasons),
)


def awaited(contract: type[PortContract]) -> type[PortContract]:
    """The same contract, held against the same adapter with its methods awaited."""

    class Held(contract):  # type: ignore[misc, valid-type] # mypy follows no base that is a variable
        def make(self) -> Awaited:
            return Awaited(super().make(), turns=lambda: 0)

        def reopen(self, returns: Any) -> Any:
            return Awaited(super().reopen(returns._port), turns=lambda: 0)

    return Held


def is_about_threads(wrong: object) -> bool:
    """Whether it is wrong only when threads meet; its awaited counterpart is below."""
    return "_looked" in vars(cast("Any", wrong)()) or wrong is test_returns_contract.ShowsHalfOfACommit


CASES = [
    pytest.param(held(cast("Any", wrong)), law, id=f"{getattr(wrong, '__name__', wrong)}-{law}")
    for faults, held in cast("Any", SUITES)
    for wrong, law in faults
    if not is_about_threads(wrong)
]


@pytest.mark.parametrize(("contract", "law"), CASES)
def test_a_wrong_awaited_port_breaks_the_law_that_is_about_it(contract: type[PortContract], law: str) -> None:
    """As it does when it blocks."""
    assert breaks(awaited(contract), law)


@pytest.mark.parametrize("contract", RIGHT)
def test_a_right_awaited_port_breaks_no_law(contract: type[PortContract]) -> None:
    """Whichever port it is; what only threads can do to it is left out."""
    broken = [law for law in sorted(laws_of(contract)) if breaks(awaited(contract), law)]

    assert broken == []


class LooksThenMoves:
    """A stock that awaits its database between the look for the key and the booking."""

    def __init__(self) -> None:
        self.on_hand: Counter[str] = Counter()
        self.done: set[str] = set()

    async def restock(self, request: RestockRequest) -> None:
        """Once for the key, unless two are under way."""
        await self.move(request.key, request.lines, 1)

    async def withdraw(self, request: WithdrawRequest) -> None:
        """Once for the key, unless two are under way."""
        await self.move(request.key, request.lines, -1)

    async def move(self, key: str, lines: tuple[StockLine, ...], sign: int) -> None:
        """In or out."""
        if key not in self.done:
            await asyncio.sleep(0)
            self.done.add(key)
            for each in lines:
                self.on_hand[each.item_id] += sign * each.quantity


class BooksRepeatedKeysTwice(LooksThenMoves):
    """A stock that keeps keys with a prefix, and looks for them without it."""

    async def move(self, key: str, lines: tuple[StockLine, ...], sign: int) -> None:
        """Every time."""
        await super().move(key, lines, sign)
        self.done = {f"seen {each}" for each in self.done}


class LooksThenPays:
    """A gateway that awaits something between the look for the key and the refund."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    async def refund(self, request: RefundRequest) -> RefundOutcome:
        """Once for the key, unless two are under way."""
        if not self.made[request.key]:
            await asyncio.sleep(0)
            self.made[request.key] += 1
        return RefundSucceeded(f"re_{request.key}")


class LooksThenSends:
    """A carrier that awaits something between the look for the key and what it does."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.canceled: set[str] = set()

    async def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Once for the key, unless two are under way."""
        await self.send(request.key)
        return ReturnShipment({"label": request.key})

    async def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Once more does no harm."""
        self.canceled.add(request.shipment_key)

    async def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Once for the key, unless two are under way."""
        await self.send(request.key)
        return ReplacementShipment({"parcel": request.key})

    async def send(self, key: str) -> None:
        """A parcel."""
        if not self.made[key]:
            await asyncio.sleep(0)
            self.made[key] += 1


class ChecksThenWrites(Awaited):
    """A repository that compares the revision, awaits, and then overwrites."""

    async def commit(self, change: Change) -> None:
        """In two statements."""
        store = cast("InMemoryReturns", self._port)
        found = store.load(change.order_id).revision
        await asyncio.sleep(0)
        if change.expected_revision == found:
            change = evolve(change, expected_revision=store.load(change.order_id).revision)
        store.commit(change)


class LeavesItsLock(Awaited):
    """A repository whose writers wait for a lock, which one that is canceled does not give back."""

    def __init__(self, port: InMemoryReturns) -> None:
        super().__init__(port)
        self.lock = asyncio.Lock()

    async def commit(self, change: Change) -> None:
        """Locks, waits and stores."""
        await self.lock.acquire()
        try:
            await asyncio.sleep(0)
            cast("InMemoryReturns", self._port).commit(change)
        except Exception:
            self.lock.release()
            raise
        self.lock.release()


class ShowsHalfOfACommit(Awaited):
    """A repository whose ledger is there before what it has open, until both were read."""

    def __init__(self, port: InMemoryReturns) -> None:
        super().__init__(port)
        self.was_read = asyncio.Event()

    async def load(self, order_id: str) -> ReturnLedger:
        """What is there."""
        ledger = cast("InMemoryReturns", self._port).load(order_id)
        if ledger.revision:
            self.was_read.set()
        return ledger

    async def commit(self, change: Change) -> None:
        """In two steps."""
        store = cast("InMemoryReturns", self._port)
        before = store.load(change.order_id)
        store.commit(evolve(change, ledger=evolve(change.ledger, open_effects=before.open_effects)))
        await self.was_read.wait()
        store._ledgers[change.order_id] = change.ledger


def held_stock(adapter: type[LooksThenMoves]) -> type[InventoryContract]:
    """The contract, with this stock held against it."""

    class Held(InventoryContract):
        def make(self) -> AsyncInventory:
            self.adapter = adapter()
            return self.adapter

        def on_hand(self, item_id: str) -> int:
            return self.adapter.on_hand[item_id]

    return Held


def held_gateway() -> type[PaymentsContract]:
    """The contract, with the gateway held against it."""

    class Held(PaymentsContract):
        def make(self) -> AsyncPayments:
            self.adapter = LooksThenPays()
            return self.adapter

        def refunds_made(self, key: str) -> int:
            return self.adapter.made[key]

    return Held


def held_carrier() -> type[FulfillmentContract]:
    """The contract, with the carrier held against it."""

    class Held(FulfillmentContract):
        def make(self) -> AsyncFulfillment:
            self.adapter = LooksThenSends()
            return self.adapter

        def bookings_made(self, key: str) -> int:
            return self.adapter.made[key]

        def is_canceled(self, key: str) -> bool:
            return key in self.adapter.canceled

    return Held


def held_sender() -> type[ReplacementsContract]:
    """The contract of new goods, with the carrier held against it."""

    class Held(ReplacementsContract):
        def make(self) -> AsyncFulfillment:
            self.adapter = LooksThenSends()
            return self.adapter

        def replacements_sent(self, key: str) -> int:
            return self.adapter.made[key]

    return Held


def held_repository(wrong: type[Awaited]) -> type[ReturnRepositoryContract]:
    """The contract, with this repository held against it."""

    class Held(ReturnRepositoryContract):
        patience = 0.2

        def make(self) -> AsyncReturnRepository:
            made: AsyncReturnRepository = wrong(InMemoryReturns())
            return made

    return Held


ALONE_AND_AT_ONCE = [
    (
        held_stock(LooksThenMoves),
        "a_restock_adds_its_units",
        "a_key_that_is_sent_twice_at_once_moves_stock_once",
    ),
    (
        held_gateway(),
        "a_refund_that_is_asked_for_is_made",
        "a_key_that_is_sent_twice_at_once_makes_one_refund",
    ),
    (held_carrier(), "two_keys_are_two_shipments", "a_key_that_is_sent_twice_at_once_books_one_shipment"),
    (held_sender(), "two_keys_are_two_replacements", "a_key_that_is_sent_twice_at_once_is_one_replacement"),
    (
        held_repository(ChecksThenWrites),
        "history_is_in_order",
        "of_commits_at_the_same_revision_exactly_one_wins",
    ),
    (
        held_repository(LeavesItsLock),
        "history_is_in_order",
        "a_commit_that_is_canceled_holds_up_no_other",
    ),
    (
        held_repository(ShowsHalfOfACommit),
        "an_unknown_order_is_an_empty_ledger_at_revision_0",
        "what_is_read_while_others_commit_is_what_one_of_them_committed",
    ),
]


@pytest.mark.parametrize(("contract", "alone", "at_once"), ALONE_AND_AT_ONCE)
def test_what_goes_wrong_between_two_tasks_is_caught(
    contract: type[PortContract], alone: str, at_once: str
) -> None:
    """Calls at once take turns in one event loop, from the first `await` on."""
    assert not breaks(contract, alone)
    assert breaks(contract, at_once)


def test_an_awaited_stock_that_books_twice_for_a_repeated_key_is_caught() -> None:
    """By the laws about repeats, and by no other."""
    contract = held_stock(BooksRepeatedKeysTwice)

    assert {law for law in laws_of(contract) if breaks(contract, law)} == {
        "a_repeated_restock_adds_nothing",
        "a_repeated_withdrawal_takes_nothing",
        "another_request_under_the_same_key_moves_nothing",
        "a_key_that_is_sent_twice_at_once_moves_stock_once",
    }


class Warehouse(LooksThenMoves):
    """A stock that is right: it holds a lock between the look and the booking."""

    async def connect(self) -> None:
        """In the event loop in which it is used."""
        self.lock = asyncio.Lock()

    async def move(self, key: str, lines: tuple[StockLine, ...], sign: int) -> None:
        """One after the other."""
        async with self.lock:
            await super().move(key, lines, sign)

    async def count(self, item_id: str) -> int:
        """How many are there."""
        await asyncio.sleep(0)
        return self.on_hand[item_id]

    async def close(self) -> None:
        """Nothing is under way any more."""
        assert not self.lock.locked()


class TestWarehouse(InventoryContract):
    """It is made, looked at and closed in the event loop of the test, and keeps every law."""

    def make(self) -> Warehouse:
        """Connected."""
        self.warehouse = Warehouse()
        self.wait(self.warehouse.connect())
        return self.warehouse

    def on_hand(self, item_id: str) -> int:
        """As it says itself."""
        return self.wait(self.warehouse.count(item_id))

    def close(self) -> None:
        """With the last test's stock."""
        self.wait(self.warehouse.close())
