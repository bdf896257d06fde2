"""The shipped world around one order, with the adapters of our tests."""

from datetime import timedelta

from attrs import evolve

from rma import (
    Gateway,
    Idempotent,
    IdFactory,
    Money,
    Order,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnReason,
    ReturnService,
    ShippingOption,
)
from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryHolds,
    InMemoryInventory,
    InMemoryReturns,
)
from rma.domain.state.refunds import in_force
from rma.testing import world
from rma.testing.gateways import simulated_payments

RETURN_OPTION = ShippingOption(id="so_return", price=Money(200, "usd"), name="Parcel", location_id="loc_1")
OUTBOUND_OPTION = ShippingOption(id="so_out", price=Money(500, "usd"), is_return=False)
REASONS = (
    ReturnReason(id="rr_size", value="size", label="Wrong size"),
    ReturnReason(id="rr_big", value="too_big", label="Too big", parent_id="rr_size"),
    ReturnReason(id="rr_damaged", value="damaged", label="Damaged goods"),
    ReturnReason(id="rr_old", value="old", label="Not asked any more", retired=True),
)


class World(world.World):
    """A world with our reasons and options, everything in memory."""

    def __init__(
        self,
        order: Order,
        policy: ReturnPolicy | None = None,
        gateway: Gateway | None = None,
        ids: IdFactory | None = None,
        inventory: InMemoryInventory | None = None,
    ) -> None:
        self.order_id = order.id
        self.returns = InMemoryReturns()
        self.payments = simulated_payments(gateway or Idempotent(), lambda: self.now)
        self.inventory = inventory or InMemoryInventory()
        self.holds = InMemoryHolds()
        self.fulfillment = InMemoryFulfillment()
        self.events = InMemoryEvents()
        super().__init__(
            [order],
            returns=self.returns,
            payments=self.payments,
            inventory=self.inventory,
            fulfillment=self.fulfillment,
            events=self.events,
            holds=self.holds,
            shipping_options=[RETURN_OPTION, OUTBOUND_OPTION],
            reasons=REASONS,
            policy=policy or ReturnPolicy(),
            gateway=gateway,
            ids=ids,
        )

    @property
    def asked(self) -> object:
        """Every request that ports got, to the last field, in order."""
        return (
            list(self.payments.refunds.values()),
            list(self.inventory.restocks.values()),
            list(self.inventory.withdrawals.values()),
            list(self.fulfillment.shipments.values()),
            list(self.fulfillment.cancellations.values()),
            list(self.fulfillment.replacements.values()),
            list(self.holds.charges.values()),
            list(self.holds.releases.values()),
            list(self.events.published.values()),
        )

    @property
    def order(self) -> Order:
        """The order as it is now."""
        return self.orders.get(self.order_id)

    @property
    def ledger(self) -> ReturnLedger:
        """The committed ledger."""
        return self.returns.load(self.order_id)

    @property
    def all_returns(self) -> tuple[Return, ...]:
        """All returns of the order."""
        return self.ledger.returns

    def refunded(self) -> int:
        """Returns what was refunded, or may have been, by whatever means, in minor units."""
        from_payments = sum(
            self.gateway_model.given_back(self.order_id, payment.id) for payment in self.order.payments
        )
        recorded = self.snapshot(self.order_id).recorded_payouts
        by_persons = in_force([each for each in self.ledger.refunds if each.key in recorded])
        return from_payments + self.gateway_model.given_otherwise(self.order_id) + by_persons


def later(service: ReturnService, by: timedelta = timedelta(hours=1)) -> ReturnService:
    """The same service later: what timers leave alone after a command or a failure is due."""
    return evolve(service, clock=lambda: service.clock() + by)
