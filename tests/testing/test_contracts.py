"""The adapters in memory keep every contract, and are examples of how a host holds its own to them."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from rma import (
    CreditRequest,
    LineItem,
    Money,
    Order,
    PayoutRequest,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReturnReason,
    ShippingOption,
)
from rma.adapters.memory import (
    InMemoryCredits,
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryPayouts,
    InMemoryReturnReasons,
    InMemoryReturns,
    InMemoryShippingOptions,
)
from rma.domain.messages.effects import MoneyRequest
from rma.domain.messages.gateways import Searchable
from rma.testing.contracts import (
    CreditLookupContract,
    CreditsContract,
    EventPublisherContract,
    FulfillmentContract,
    InventoryContract,
    OrderRepositoryContract,
    PaymentsContract,
    PayoutLookupContract,
    PayoutsContract,
    RefundLookupContract,
    ReturnReasonRepositoryContract,
    ReturnRepositoryContract,
    ShippingOptionRepositoryContract,
)
from rma.testing.core_harness import START
from rma.testing.gateways import (
    SearchableSimulatedCredits,
    SearchableSimulatedPayouts,
    simulated_credits,
    simulated_payouts,
)


class CountingGateway:
    """A gateway that counts what it really does; it closed the card that is asked for 6.66."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    def answer(self, request: MoneyRequest) -> RefundOutcome:
        """Yes, unless the card is closed."""
        if request.amount.amount == 666:
            return RefundDeclined("card_closed")
        self.made[request.key] += 1
        return RefundSucceeded(f"re_{request.key}_{self.made[request.key]}")


class TestInMemoryReturns(ReturnRepositoryContract):
    def make(self) -> InMemoryReturns:
        """A new one."""
        return InMemoryReturns()


class TestInMemoryPayments(PaymentsContract):
    def make(self) -> InMemoryPayments:
        """Over a gateway that counts."""
        self.gateway = CountingGateway()
        return InMemoryPayments(self.gateway.answer)

    def refunds_made(self, key: str) -> int:
        """As the gateway counted."""
        return self.gateway.made[key]

    def declined_request(self, key: str) -> RefundRequest:
        """Of the closed card."""
        return RefundRequest(key, "order_1", "ret_contract", "pay_1", Money(666, "usd"))


class SearchableGateway:
    """An adapter whose gateway knows no keys, but finds refunds by them."""

    gateway = Searchable(search_delay=timedelta(minutes=1))

    def __init__(self) -> None:
        self.made: list[str] = []

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """A refund each time."""
        self.made.append(request.key)
        return RefundSucceeded(f"re_{self.made.index(request.key)}")

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """The first of this key."""
        return RefundSucceeded(f"re_{self.made.index(request.key)}") if request.key in self.made else None


class TestInMemoryCredits(CreditsContract):
    def make(self) -> InMemoryCredits:
        """Over a gateway that counts."""
        self.gateway = CountingGateway()
        self.credits = InMemoryCredits(self.gateway.answer)
        return self.credits

    def refunds_made(self, key: str) -> int:
        """As the gateway counted."""
        return self.gateway.made[key]

    def balance(self, customer_id: str) -> int:
        """As it has it."""
        return self.credits.balances[customer_id]

    def declined_request(self, key: str) -> CreditRequest:
        """Of an account that is locked."""
        return CreditRequest(key, "order_1", "ret_contract", "cus_1", None, Money(666, "usd"))


class TestInMemoryPayouts(PayoutsContract):
    def make(self) -> InMemoryPayouts:
        """Over a bank that counts."""
        self.gateway = CountingGateway()
        return InMemoryPayouts(self.gateway.answer)

    def refunds_made(self, key: str) -> int:
        """As the bank counted."""
        return self.gateway.made[key]

    def declined_request(self, key: str) -> PayoutRequest:
        """To an account that there is not."""
        return PayoutRequest(key, "order_1", "ret_contract", Money(666, "usd"))


class TestSearchableCredits(CreditLookupContract):
    def make(self) -> SearchableSimulatedCredits:
        """As a world has it."""
        made = simulated_credits(Searchable(), lambda: START)
        assert isinstance(made, SearchableSimulatedCredits)
        self.inside = made.gateway_inside
        return made

    def refunds_made(self, key: str) -> int:
        """As it counted."""
        return self.inside.refunds_made(key)


class TestSearchablePayouts(PayoutLookupContract):
    def make(self) -> SearchableSimulatedPayouts:
        """As a world has it."""
        made = simulated_payouts(Searchable(), lambda: START)
        assert isinstance(made, SearchableSimulatedPayouts)
        self.inside = made.gateway_inside
        return made

    def refunds_made(self, key: str) -> int:
        """As it counted."""
        return self.inside.refunds_made(key)


class TestSearchableGateway(RefundLookupContract):
    def make(self) -> SearchableGateway:
        """A new one."""
        self.gateway = SearchableGateway()
        return self.gateway

    def refunds_made(self, key: str) -> int:
        """As often as it was asked."""
        return self.gateway.made.count(key)


class TestInMemoryInventory(InventoryContract):
    def make(self) -> InMemoryInventory:
        """A new one, empty."""
        self.inventory = InMemoryInventory()
        return self.inventory

    def on_hand(self, item_id: str) -> int:
        """As it counts itself."""
        return self.inventory.on_hand[self.location_id, item_id]


class TestInMemoryFulfillment(FulfillmentContract):
    def make(self) -> InMemoryFulfillment:
        """A new one."""
        self.carrier = InMemoryFulfillment()
        return self.carrier

    def bookings_made(self, key: str) -> int:
        """It keeps one request for a key."""
        return int(key in self.carrier.shipments)

    def is_canceled(self, key: str) -> bool:
        """If any cancellation names it."""
        return any(request.shipment_key == key for request in self.carrier.cancellations.values())


class TestInMemoryOrders(OrderRepositoryContract):
    def make(self) -> InMemoryOrders:
        """With one order."""
        mug = LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=8000)
        return InMemoryOrders([Order(id=self.known_id, currency="usd", items=[mug])])


class TestInMemoryShippingOptions(ShippingOptionRepositoryContract):
    def make(self) -> InMemoryShippingOptions:
        """With one option."""
        return InMemoryShippingOptions([ShippingOption(id=self.known_id, price=Money(200, "usd"))])


class TestInMemoryReturnReasons(ReturnReasonRepositoryContract):
    def make(self) -> InMemoryReturnReasons:
        """With a category, a leaf and a retired one."""
        return InMemoryReturnReasons(
            [
                ReturnReason(id="rr_size", value="size", label="Wrong size"),
                ReturnReason(id="rr_big", value="too_big", label="Too big", parent_id="rr_size"),
                ReturnReason(id="rr_old", value="old", label="Not asked any more", retired=True),
            ]
        )


class TestInMemoryEvents(EventPublisherContract):
    def make(self) -> InMemoryEvents:
        """A new one."""
        self.events = InMemoryEvents()
        return self.events

    def handed_on(self) -> Sequence[str]:
        """In the order of their coming."""
        return tuple(self.events.published)
