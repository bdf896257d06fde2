"""An exchange: a return whose value pays for new goods. Medusa v1 calls it a swap."""

from datetime import datetime
from typing import assert_never

from attrs import evolve, field, frozen

from rma.domain.messages.advance import (
    ChargeDeclined,
    ChargeOutcome,
    ChargePending,
    ChargeSucceeded,
    OutOfStock,
)
from rma.domain.messages.effects import GivenUp, Overdue, ReplacementShipment
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.hold import Hold, Ship
from rma.domain.sale.new_item import NewItem
from rma.domain.state.lifecycle import (
    ChargeStatus,
    ExchangeStatus,
    charge_rules,
    charge_status_after,
    exchange_rules,
)
from rma.domain.state.refunds import failure_of, overdue_since
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden


@frozen
class ExchangePayment:
    """
    Money that the customer paid for an exchange; `reference` is what the host calls it.

    Attributes:
        charge_key: of the charge to the hold that it is; None if the customer paid it.
        kind, provider_id: as the command, or the hold, had them.
    """

    reference: str
    amount: Money
    at: datetime
    by: str | None = field(default=None, repr=hidden)
    charge_key: str | None = None
    kind: str | None = None
    provider_id: str | None = None


@frozen
class HoldCharge:
    """
    One amount taken of the hold of an exchange, asked of the port of holds under one key.

    Attributes:
        key: `{exchange_id}-charge-{n}`; repeated with every attempt, never used for another charge.
        reference: what the gateway calls it.
        failure: why it failed or needs attention, in the gateway's words.
        is_contradicted: the gateway said that it was taken, and that it was not; the later one counts.
    """

    key: str
    amount: Money
    status: ChargeStatus
    requested_at: datetime
    reference: str | None = None
    settled_at: datetime | None = None
    failure: str | None = field(default=None, repr=hidden)
    is_contradicted: bool = False

    @property
    def is_in_force(self) -> bool:
        """True while the money was taken or may be."""
        return charge_rules(self.status).is_in_force

    @property
    def is_pending(self) -> bool:
        """True while whether it was taken is not known."""
        return self.is_in_force and self.status is not ChargeStatus.SUCCEEDED

    def after(
        self, outcome: ChargeOutcome | GivenUp | Overdue, at: datetime, *, by: str | None = None
    ) -> "HoldCharge":
        """
        The charge once this outcome is known: the same one if it says nothing new.

        Where the gateway contradicted itself, only a person who gives a name (`by`) says what is true: an
        earlier notice may be delivered again.
        """
        status = charge_status_after(self.status, outcome)
        if status is None or (self.is_contradicted and by is None):
            return self
        was_final = self.status in (ChargeStatus.SUCCEEDED, ChargeStatus.FAILED)
        is_contradicted = self.is_contradicted or was_final
        match outcome:
            case ChargeSucceeded(reference=reference):
                return evolve(
                    self,
                    status=status,
                    reference=reference or self.reference,
                    settled_at=at,
                    failure=None,
                    is_contradicted=is_contradicted,
                )
            case ChargePending(reference=reference):
                return evolve(self, status=status, reference=reference or self.reference)
            case ChargeDeclined(code=code, message=message):
                failure = failure_of(code, message)
                return evolve(
                    self, status=status, failure=failure, settled_at=at, is_contradicted=is_contradicted
                )
            case Overdue(since=since):
                return evolve(self, status=status, failure=overdue_since(since))
            case GivenUp(error=error):
                # A gateway that answered with a reference took the request: it will report the outcome.
                return self if self.reference else evolve(self, status=status, failure=error)
            case _:
                assert_never(outcome)


@frozen
class WriteOff:
    """
    What a clerk does not wait for any longer, of what the customer owes.

    Attributes:
        owed: before it.
        amount: at most that.
    """

    owed: Money
    amount: Money
    at: datetime
    note: str = field(repr=hidden)
    by: str | None = field(default=None, repr=hidden)


@frozen
class Exchange:
    """
    New goods for returned goods.

    Attributes:
        return_id: the return that brings the goods; what is refunded of the difference is its refund.
        difference_due: new goods and their shipping, less the value of the return. Above 0 the customer
            owes it, below 0 the shop. The quote until the return is received.
        payments: what the customer paid of it, charges to the hold among it.
        shipment: what the carrier answered when the new goods were sent.
        display_id: counts the order's exchanges from 1.
        stuck_effects: keys of what waits for its port for too long, or is not tried again.
        ship: when the new goods are sent.
        hold: what secures the returned goods, where the new ones are sent first.
        replaced_holds: those whose place it took, oldest first; each was released.
        hold_released_at: when the hold was given back, or was asked to be.
        hold_charges: to the hold, oldest first, those that failed included.
        sent_first: the new goods were ordered to be sent before the others were here.
        out_of_stock: what a port answered that cannot send or reserve the new goods.
        declined_replacements: how often sending was asked for in vain.
        reservation: under which key the new goods are reserved, or are asked to be; None if they are not.
        reservations: how often that was asked for.
        is_revised: its new goods are not those that it was opened with.
        write_offs: oldest first. What of them is needed by now, `written_off` says.
    """

    id: str
    order_id: str
    display_id: int
    status: ExchangeStatus
    return_id: str
    new_items: tuple[NewItem, ...]
    difference_due: Money
    requested_at: datetime
    updated_at: datetime
    outbound_shipping: ShippingMethod | None = None
    payments: tuple[ExchangePayment, ...] = ()
    shipment: ReplacementShipment | None = None
    no_notification: bool = False
    created_by: str | None = field(default=None, repr=hidden)
    idempotency_key: str | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    metadata: FrozenMap[str, object] = field(default=FrozenMap(), repr=hidden)
    stuck_effects: tuple[str, ...] = ()
    ship: Ship = Ship.LAST
    hold: Hold | None = None
    hold_released_at: datetime | None = None
    hold_charges: tuple[HoldCharge, ...] = ()
    sent_first: bool = False
    out_of_stock: OutOfStock | None = None
    declined_replacements: int = 0
    reservation: str | None = None
    reservations: int = 0
    is_revised: bool = False
    replaced_holds: tuple[Hold, ...] = ()
    write_offs: tuple[WriteOff, ...] = ()

    @property
    def currency(self) -> str:
        """Of every amount in this exchange."""
        return self.difference_due.currency

    @property
    def is_open(self) -> bool:
        """True while goods or a payment are expected."""
        return exchange_rules(self.status).is_open

    @property
    def is_advance(self) -> bool:
        """True if the new goods are sent before the others are here."""
        return self.ship is Ship.FIRST

    def find_charge(self, key: str) -> HoldCharge | None:
        """The charge of this key, if it is here."""
        return next((each for each in self.hold_charges if each.key == key), None)

    @property
    def is_sent(self) -> bool:
        """True once the new goods were ordered to be sent."""
        return self.sent_first or self.status is ExchangeStatus.COMPLETED

    @property
    def hold_references(self) -> tuple[str, ...]:
        """What the host calls its holds, those that were replaced among them."""
        holds = (*self.replaced_holds, *([self.hold] if self.hold else []))
        return tuple([hold.reference for hold in holds])

    @property
    def is_hold_closed(self) -> bool:
        """True once the hold was released, or charged: a charge that was declined did nothing."""
        return self.hold_released_at is not None or any(charge.is_in_force for charge in self.hold_charges)

    @property
    def needs_attention(self) -> bool:
        """
        True while it goes no further without a person.

        Its goods are here and the customer owes for it, or owes again since a receipt was corrected; its new
        goods cannot be had, or not be sent first any more, or wait for their port for too long; or the
        outcome of a charge cannot be known.
        """
        if self.stuck_effects or any(
            each.status is ChargeStatus.NEEDS_ATTENTION for each in self.hold_charges
        ):
            return True
        if self.status is ExchangeStatus.COMPLETED:
            return self.owed.amount > 0
        return self.status in (ExchangeStatus.AWAITING_PAYMENT, ExchangeStatus.REQUIRES_ACTION)

    @property
    def paid(self) -> Money:
        """What the customer paid for it."""
        return Money(sum([payment.amount.amount for payment in self.payments]), self.currency)

    @property
    def written_off(self) -> Money:
        """
        What the customer did not pay and is not asked for.

        Less than was written off if goods arrived late, or it was paid after all.
        """
        unpaid = max(0, self.difference_due.amount - self.paid.amount)
        return Money(min(unpaid, sum([each.amount.amount for each in self.write_offs])), self.currency)

    @property
    def owed(self) -> Money:
        """
        What the customer has yet to pay, besides charges on their way and what is written off; nothing once
        it is canceled.
        """
        pending = sum([charge.amount.amount for charge in self.hold_charges if charge.is_pending])
        left = self.difference_due.amount - self.paid.amount - pending - self.written_off.amount
        return Money(0 if self.status is ExchangeStatus.CANCELED else max(0, left), self.currency)
