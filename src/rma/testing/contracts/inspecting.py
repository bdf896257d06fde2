"""What `Disposal` and `SendingBack` promise: the optional methods of inventory and fulfillment."""

from abc import abstractmethod
from contextlib import suppress

from attrs import evolve

from rma.async_ports import AsyncDisposal, AsyncSendingBack
from rma.domain.messages.effects import DisposeRequest, SendBackRequest, StockLine
from rma.ports import Disposal, SendingBack
from rma.testing.contracts.port_contract import PortContract, keyed

DISPOSE_KEY = "ret_contract-dispose-1"
OTHER_DISPOSE_KEY = "ret_contract-dispose-2"
SEND_KEY = "ret_contract-sendback-1"
OTHER_SEND_KEY = "ret_contract-sendback-2"


class DisposalContract(PortContract):
    """Laws of a `dispose`."""

    @abstractmethod
    def make(self) -> Disposal | AsyncDisposal:
        """The adapter, over a host that disposed of nothing yet; a new one for each law."""

    @abstractmethod
    def disposed(self, item_id: str, disposition: str) -> int:
        """How many units of the item the host that was made last brought where this disposition says."""

    disposition = "refurbish"
    lines: tuple[StockLine, ...] = (StockLine("mug", "v_mug", 2), StockLine("pot", "v_pot", 1))

    def port(self) -> Disposal:
        """The adapter as one that blocks."""
        port: Disposal = self.blocking(self.make())
        return port

    def request(self, key: str) -> DisposeRequest:
        """What is asked for; override it where locations have to exist."""
        return DisposeRequest(key, "order_1", "ret_contract", "loc_1", self.lines, self.disposition)

    def counts(self) -> dict[str, int]:
        """What was disposed of, of every item that these laws move."""
        return {line.item_id: self.disposed(line.item_id, self.disposition) for line in self.lines}

    def expected(self, times: int) -> dict[str, int]:
        """All lines, so often."""
        return {line.item_id: times * line.quantity for line in self.lines}

    def test_units_go_where_the_disposition_says(self) -> None:
        """Each line of the request."""
        port = self.port()

        port.dispose(self.request(DISPOSE_KEY))

        assert self.counts() == self.expected(1)

    def test_a_repeated_disposal_moves_nothing(self) -> None:
        """However often its key is repeated, and whatever else is asked for under it."""
        port = self.port()

        for _ in range(3):
            port.dispose(self.request(DISPOSE_KEY))
        with suppress(Exception):
            port.dispose(evolve(self.request(DISPOSE_KEY), lines=self.lines[:1]))

        assert self.counts() == self.expected(1)

    def test_two_keys_are_two_disposals(self) -> None:
        """Even where everything else is equal."""
        port = self.port()

        port.dispose(self.request(DISPOSE_KEY))
        port.dispose(self.request(OTHER_DISPOSE_KEY))

        assert self.counts() == self.expected(2)

    def test_a_disposal_that_is_asked_for_twice_at_once_is_made_once(self) -> None:
        """One of the two may be asked to try again; then nothing more is moved."""
        port = self.port()

        self.at_once([lambda: port.dispose(self.request(DISPOSE_KEY))] * 4)
        port.dispose(self.request(DISPOSE_KEY))

        assert self.counts() == self.expected(1)


class SendingBackContract(PortContract):
    """Laws of a `send_back`; those of repeated keys are skipped for adapters that are not `Idempotent`."""

    @abstractmethod
    def make(self) -> SendingBack | AsyncSendingBack:
        """The adapter over a carrier that has sent nothing yet; a new one for each law."""

    @abstractmethod
    def parcels(self, key: str) -> int:
        """How many parcels the carrier that was made last has really sent under this key."""

    def port(self) -> SendingBack:
        """The adapter as one that blocks."""
        port: SendingBack = self.blocking(self.make())
        return port

    def request(self, key: str) -> SendBackRequest:
        """What is asked for; override it where locations have to exist."""
        lines = (StockLine("mug", "v_mug", 2),)
        return SendBackRequest(key, "order_1", "ret_contract", "loc_1", lines)

    def test_units_are_sent_to_the_customer(self) -> None:
        """In one parcel."""
        port = self.port()

        port.send_back(self.request(SEND_KEY))

        assert [self.parcels(key) for key in (SEND_KEY, OTHER_SEND_KEY)] == [1, 0]

    def test_a_repeated_key_sends_nothing(self) -> None:
        """However often it is repeated."""
        port = keyed(self.port())

        for _ in range(3):
            port.send_back(self.request(SEND_KEY))

        assert self.parcels(SEND_KEY) == 1

    def test_two_keys_are_two_parcels(self) -> None:
        """Even where everything else is equal."""
        port = self.port()

        for key in (SEND_KEY, OTHER_SEND_KEY):
            port.send_back(self.request(key))

        assert [self.parcels(key) for key in (SEND_KEY, OTHER_SEND_KEY)] == [1, 1]

    def test_a_parcel_that_is_asked_for_twice_at_once_is_sent_once(self) -> None:
        """One of the two may be asked to try again; then nothing more is sent."""
        port = keyed(self.port())

        self.at_once([lambda: port.send_back(self.request(SEND_KEY))] * 4)
        port.send_back(self.request(SEND_KEY))

        assert self.parcels(SEND_KEY) == 1
