"""What `Inventory` promises."""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress

from attrs import evolve

from rma.async_ports import AsyncInventory
from rma.domain.messages.effects import RestockRequest, StockLine, WithdrawRequest
from rma.ports import Inventory
from rma.testing.contracts.port_contract import PortContract

KEY = "ret_contract-restock-1"
OTHER_KEY = "ret_contract-restock-2"
WITHDRAW_KEY = "ret_contract-withdraw-1"


class InventoryContract(PortContract):
    """Laws of a stock adapter."""

    @abstractmethod
    def make(self) -> Inventory | AsyncInventory:
        """The adapter over a stock with the items of `lines` at `location_id`; a new one for each law."""

    @abstractmethod
    def on_hand(self, item_id: str) -> int:
        """How many units of this item the stock that was made last holds at `location_id`."""

    def port(self) -> Inventory:
        """The adapter as one that blocks."""
        port: Inventory = self.blocking(self.make())
        return port

    location_id: str | None = "loc_1"
    #: What is put into stock; override it where variants have to exist. The same item may come twice.
    lines: tuple[StockLine, ...] = (
        StockLine("mug", "v_mug", 2),
        StockLine("pot", "v_pot", 1),
        StockLine("mug", "v_mug", 1),
    )

    def restock(self, key: str) -> RestockRequest:
        """The request to restock these lines."""
        return RestockRequest(key, "order_1", "ret_contract", self.location_id, self.lines)

    def withdraw(self, key: str) -> WithdrawRequest:
        """The request to withdraw the lines that were restocked under `KEY`."""
        return WithdrawRequest(key, "order_1", "ret_contract", self.location_id, self.lines, restock_key=KEY)

    def test_a_restock_adds_its_units(self) -> None:
        """Each line of it, two lines of one item too."""
        inventory = self.port()
        before = self.stock()

        inventory.restock(self.restock(KEY))

        assert self.stock() == self.more(before, 1)

    def test_a_repeated_restock_adds_nothing(self) -> None:
        """However often its key is repeated."""
        inventory = self.port()
        before = self.stock()

        for _ in range(3):
            inventory.restock(self.restock(KEY))

        assert self.stock() == self.more(before, 1)

    def test_two_keys_are_two_restocks(self) -> None:
        """Even where everything else is equal."""
        inventory = self.port()
        before = self.stock()

        inventory.restock(self.restock(KEY))
        inventory.restock(self.restock(OTHER_KEY))

        assert self.stock() == self.more(before, 2)

    def test_a_withdrawal_takes_out_what_was_put_in(self) -> None:
        """Stock is as it was before the goods were restocked."""
        inventory = self.port()
        before = self.stock()

        inventory.restock(self.restock(KEY))
        inventory.withdraw(self.withdraw(WITHDRAW_KEY))

        assert self.stock() == before

    def test_a_repeated_withdrawal_takes_nothing(self) -> None:
        """However often its key is repeated, and a repeated restock puts nothing back."""
        inventory = self.port()
        before = self.stock()

        inventory.restock(self.restock(KEY))
        for _ in range(3):
            inventory.withdraw(self.withdraw(WITHDRAW_KEY))
        inventory.restock(self.restock(KEY))

        assert self.stock() == before

    def test_another_request_under_the_same_key_moves_nothing(self) -> None:
        """It is refused or ignored; the key goes on standing for the first."""
        inventory = self.port()
        before = self.stock()
        inventory.restock(self.restock(KEY))
        inventory.restock(self.restock(OTHER_KEY))
        inventory.withdraw(self.withdraw(WITHDRAW_KEY))
        one_line = self.lines[:1]

        with suppress(Exception):
            inventory.restock(evolve(self.restock(KEY), lines=one_line))
        assert self.stock() == self.more(before, 1)
        with suppress(Exception):
            inventory.withdraw(evolve(self.withdraw(WITHDRAW_KEY), lines=one_line))
        assert self.stock() == self.more(before, 1)

    def test_a_key_that_is_sent_twice_at_once_moves_stock_once(self) -> None:
        """One of the two may be asked to try again; then nothing more is moved."""
        inventory = self.port()
        before = self.stock()

        self.at_once_and_again(lambda: inventory.restock(self.restock(KEY)))
        assert self.stock() == self.more(before, 1)

        self.at_once_and_again(lambda: inventory.withdraw(self.withdraw(WITHDRAW_KEY)))
        assert self.stock() == before

    def at_once_and_again(self, act: Callable[[], None]) -> None:
        """Four at the same time, and one afterwards."""
        self.at_once([act] * 4)
        act()

    def stock(self) -> dict[str, int]:
        """What is on hand of every item that these laws move."""
        return {line.item_id: self.on_hand(line.item_id) for line in self.lines}

    def more(self, before: dict[str, int], times: int) -> dict[str, int]:
        """The stock with all lines put in so often."""
        added = dict.fromkeys(before, 0)
        for line in self.lines:
            added[line.item_id] += times * line.quantity
        return {item_id: quantity + added[item_id] for item_id, quantity in before.items()}
