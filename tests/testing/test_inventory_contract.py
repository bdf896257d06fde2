"""The contract of stock catches adapters that are wrong."""

import threading
from collections import Counter

import pytest
from attrs import evolve

from rma import (
    Inventory,
    RestockRequest,
    WithdrawRequest,
)
from rma.domain.messages.effects import StockLine
from rma.testing.contracts import (
    InventoryContract,
)
from tests.testing.breaking import breaks, laws_of


class WrongInventory:
    """Stock that would be right but for one thing."""

    def __init__(self) -> None:
        self.on_hand: Counter[str] = Counter()
        self.done: set[str] = set()

    def restock(self, request: RestockRequest) -> None:
        """Once for the key."""
        if self.is_new(request):
            self.done.add(request.key)
            self.move(request.lines, 1)

    def withdraw(self, request: WithdrawRequest) -> None:
        """Once for the key."""
        if self.is_new(request):
            self.done.add(request.key)
            self.move(request.lines, -1)

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """By its key."""
        return request.key not in self.done

    def move(self, lines: tuple[StockLine, ...], sign: int) -> None:
        """In or out."""
        for line in lines:
            self.on_hand[line.item_id] += sign * line.quantity


class MergesLines(WrongInventory):
    """Two lines of one item overwrite each other."""

    def move(self, lines: tuple[StockLine, ...], sign: int) -> None:
        """The last one counts."""
        super().move(tuple({line.item_id: line for line in lines}.values()), sign)


class IgnoresStockKeys(WrongInventory):
    """Moves stock with every call."""

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """Always."""
        return True


class RestocksOnceForAReturn(WrongInventory):
    """A return of two parcels is restocked once."""

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """By the return."""
        return not any(key.startswith(f"{request.return_id}-restock") for key in self.done)


class RepeatsWithdrawals(WrongInventory):
    """Only restocks look at their key."""

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """Unless it is a restock."""
        return isinstance(request, WithdrawRequest) or super().is_new(request)


class NeverWithdraws(WrongInventory):
    """Goods that left are still for sale."""

    def withdraw(self, request: WithdrawRequest) -> None:
        """Nothing."""


class ComparesStockRequests(WrongInventory):
    """Another request under a key is another movement."""

    def restock(self, request: RestockRequest) -> None:
        """By its lines."""
        super().restock(evolve(request, key=f"{request.key} {request.lines}"))


class LooksThenMoves(WrongInventory):
    """Two callers at once both find the key unused."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(4)

    def is_new(self, request: RestockRequest | WithdrawRequest) -> bool:
        """All look before one of them moves."""
        is_new = super().is_new(request)
        if is_new:
            self._looked.wait(timeout=5)
        return is_new


def held_inventory(adapter: type[WrongInventory]) -> type[InventoryContract]:
    """The contract, with this adapter held against it."""

    class Held(InventoryContract):
        def make(self) -> Inventory:
            self.inventory = adapter()
            return self.inventory

        def on_hand(self, item_id: str) -> int:
            return self.inventory.on_hand[item_id]

    return Held


INVENTORY = [
    (MergesLines, "a_restock_adds_its_units"),
    (IgnoresStockKeys, "a_repeated_restock_adds_nothing"),
    (RestocksOnceForAReturn, "two_keys_are_two_restocks"),
    (NeverWithdraws, "a_withdrawal_takes_out_what_was_put_in"),
    (RepeatsWithdrawals, "a_repeated_withdrawal_takes_nothing"),
    (ComparesStockRequests, "another_request_under_the_same_key_moves_nothing"),
    (RepeatsWithdrawals, "another_request_under_the_same_key_moves_nothing"),
    (LooksThenMoves, "a_key_that_is_sent_twice_at_once_moves_stock_once"),
]


@pytest.mark.parametrize(("wrong", "law"), INVENTORY)
def test_wrong_stock_breaks_the_law_that_is_about_it(wrong: type[WrongInventory], law: str) -> None:
    """And one without its fault keeps it."""
    assert breaks(held_inventory(wrong), law)
    assert law.endswith("moves_stock_once") or not breaks(held_inventory(WrongInventory), law)


def test_every_law_of_stock_catches_something() -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in INVENTORY} == laws_of(InventoryContract)
