"""What `Fulfillment` promises to those who send new goods, for exchanges and claims."""

from abc import abstractmethod

from attrs import evolve

from rma.async_ports import AsyncFulfillment
from rma.domain.messages.effects import ReplacementRequest, ReplacementShipment
from rma.domain.sale.new_item import NewItem
from rma.domain.values.money import Money
from rma.ports import Fulfillment
from rma.testing.contracts.port_contract import PortContract, keyed

KEY = "exc_contract-replacement-1"
OTHER_KEY = "claim_contract-replacement-1"


class ReplacementsContract(PortContract):
    """
    Laws of an adapter for carriers that send new goods.

    What is said of repeated keys is skipped for adapters that are not `Idempotent`.
    """

    @abstractmethod
    def make(self) -> Fulfillment | AsyncFulfillment:
        """The adapter over a carrier that has sent nothing yet, a new one for each law."""

    def port(self) -> Fulfillment:
        """The adapter as one that blocks."""
        port: Fulfillment = self.blocking(self.make())
        return port

    @abstractmethod
    def replacements_sent(self, key: str) -> int:
        """How many parcels the carrier that was made last has really sent under this key, ever."""

    def request(self, key: str) -> ReplacementRequest:
        """A parcel that the carrier sends; override it where variants have to exist."""
        is_exchange = key == KEY
        return ReplacementRequest(
            key=key,
            order_id="order_1",
            exchange_id="exc_contract" if is_exchange else None,
            claim_id=None if is_exchange else "claim_contract",
            new_items=(NewItem(variant_id="v_cup", quantity=2, unit_price=Money(500, "usd"), title="Cup"),),
        )

    def test_a_replacement_that_is_asked_for_is_sent(self) -> None:
        """Once, and the answer says what the carrier said."""
        answer = self.port().ship_replacement(self.request(KEY))

        assert isinstance(answer, ReplacementShipment)
        assert self.replacements_sent(KEY) == 1

    def test_a_repeated_key_sends_nothing_and_gives_the_first_answer(self) -> None:
        """However often it is asked for."""
        carrier = keyed(self.port())

        answers = [carrier.ship_replacement(self.request(KEY)) for _ in range(3)]

        assert answers[1:] == answers[:1] * 2
        assert self.replacements_sent(KEY) == 1

    def test_two_keys_are_two_replacements(self) -> None:
        """Of an exchange and of a claim."""
        carrier = self.port()

        first, second = (carrier.ship_replacement(self.request(key)) for key in (KEY, OTHER_KEY))

        assert first != second
        assert [self.replacements_sent(key) for key in (KEY, OTHER_KEY)] == [1, 1]

    def test_another_request_under_the_same_key_is_not_sent(self) -> None:
        """It is refused, or answered as the first was."""
        carrier = keyed(self.port())
        first = carrier.ship_replacement(self.request(KEY))
        (item,) = self.request(KEY).new_items
        other = evolve(self.request(KEY), new_items=(evolve(item, quantity=1),))

        try:
            answer = carrier.ship_replacement(other)
        except Exception:
            answer = first
        assert answer == first
        assert self.replacements_sent(KEY) == 1

    def test_a_key_that_is_sent_twice_at_once_is_one_replacement(self) -> None:
        """One of the two may be asked to try again; then it gets the first answer."""
        carrier = keyed(self.port())
        request = self.request(KEY)

        answers = self.at_once([lambda: carrier.ship_replacement(request)] * 4)

        answer = carrier.ship_replacement(request)
        assert all(each == answer for each in answers if not isinstance(each, Exception))
        assert self.replacements_sent(KEY) == 1
