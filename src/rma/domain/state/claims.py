"""A claim: goods that never arrived, or arrived wrong or broken, and how they are compensated."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from rma.domain.messages.advance import OutOfStock
from rma.domain.messages.effects import ReplacementShipment
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.means import DEFAULT_REFUND_TERMS, RefundTerms
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.pricing import AmountPart, PricedLine
from rma.domain.sale.rules import Outcome
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.explained import NamedAmount, charge_back, explain
from rma.domain.state.lifecycle import ClaimStatus, claim_rules
from rma.domain.state.lots import ReducedBy
from rma.domain.state.refunds import Refund
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden


class ClaimType(StrEnum):
    """
    How the customer is compensated.

    `refund`, `replace`: units by their money or by new goods; for good. `reduce`: by a part of the price of
    units, which stay returnable at what is left of it. `goodwill`: by an amount without units, which reduces
    what all units are worth, unless it is given as store credit.
    """

    REFUND = "refund"
    REPLACE = "replace"
    REDUCE = "reduce"
    GOODWILL = "goodwill"


def is_extra_credit(kind: ClaimType, outcome: Outcome | None) -> bool:
    """True for goodwill as store credit: it counts against no payment, and leaves all units as they are."""
    return kind is ClaimType.GOODWILL and outcome is Outcome.STORE_CREDIT


class ClaimReason(StrEnum):
    """What went wrong. Units that were `not_sent` are none of those that the customer has."""

    MISSING_ITEM = "missing_item"
    WRONG_ITEM = "wrong_item"
    PRODUCTION_FAILURE = "production_failure"
    OTHER = "other"
    NOT_SENT = "not_sent"


@frozen
class ClaimedItem:
    """
    Units of a line that are compensated.

    Attributes:
        line: the order's line as it was priced when a return or claim first touched it.
        allocated: the share of the line's pool that these units took, as running sums in minor units; of a
            price reduction, what it takes of them.
        left: of a price reduction, what it leaves of these units; empty for others.
        reduced_by: the last price reduction of these units before this claim; None for units without any.
    """

    item_id: str
    quantity: int
    reason: ClaimReason
    line: PricedLine = field(repr=False)
    allocated: tuple[int, ...] = field(repr=False)
    note: str | None = field(default=None, repr=hidden)
    images: tuple[str, ...] = field(default=(), repr=hidden)
    left: tuple[int, ...] = field(default=(), repr=False)
    reduced_by: ReducedBy | None = None

    @property
    def is_reduced(self) -> bool:
        """True if the units stay with the customer, at a lower price."""
        return bool(self.left)

    @property
    def is_sent(self) -> bool:
        """False for units that were never sent."""
        return self.reason is not ClaimReason.NOT_SENT


@frozen
class Claim:
    """
    Units that the merchant compensates, by a refund or by new goods, at most once.

    Attributes:
        return_id: the return that brings the goods back, if they are returned; it moves no money.
        type: how the customer is compensated; `refund` once money is given instead of new goods.
        entitlement: what the customer is entitled to in money, and what was paid; 0 where new goods are sent.
        shipment: what the carrier answered when the new goods were sent.
        display_id: counts the order's claims from 1.
        stuck_effects: keys of what waits for its port for too long, or is not tried again.
        refund_terms: how its refunds are taken from the payments of the order, by the policy at the request.
        customer_id: who bought, as the order said then.
        charges_back: what it gives back of the order's charges, besides the units.
        outcome: how its money is given: `refund`, or `store_credit`.
        payee: who is to have store credit, if it is not the customer.
        out_of_stock: what the carrier answered that cannot send the new goods.
        declined_replacements: how often sending was asked for in vain.
        is_revised: it gives other new goods than it was opened with, or money instead; or reduces the lines
            since a person gave goodwill by other means than extra credit.
    """

    id: str
    order_id: str
    display_id: int
    type: ClaimType
    status: ClaimStatus
    items: tuple[ClaimedItem, ...]
    entitlement: Entitlement
    requested_at: datetime
    updated_at: datetime
    new_items: tuple[NewItem, ...] = ()
    return_id: str | None = None
    shipment: ReplacementShipment | None = None
    no_notification: bool = False
    created_by: str | None = field(default=None, repr=hidden)
    idempotency_key: str | None = None
    canceled_at: datetime | None = None
    metadata: FrozenMap[str, object] = field(default=FrozenMap(), repr=hidden)
    stuck_effects: tuple[str, ...] = ()
    refund_terms: RefundTerms = DEFAULT_REFUND_TERMS
    customer_id: str | None = None
    charges_back: tuple[RefundedCharge, ...] = ()
    outcome: Outcome = Outcome.REFUND
    payee: str | None = None
    out_of_stock: OutOfStock | None = None
    declined_replacements: int = 0
    is_revised: bool = False

    @property
    def currency(self) -> str:
        """Of every amount in this claim."""
        return self.entitlement.entitled.currency

    @property
    def refund_amount(self) -> Money:
        """What the customer is entitled to in money; 0 where new goods are sent."""
        return self.entitlement.entitled

    @property
    def value(self) -> int:
        """The value of its units, minor units."""
        return sum([item.line.paid(item.allocated) for item in self.items])

    @property
    def refunds(self) -> tuple[Refund, ...]:
        """Oldest first, those that failed included."""
        return self.entitlement.refunds

    @property
    def refunded(self) -> Money:
        """The sum of its refunds in force: paid, or on their way."""
        return self.entitlement.paid

    @property
    def amount_due(self) -> Money:
        """What the customer is entitled to and was not paid."""
        return self.entitlement.due

    @property
    def is_open(self) -> bool:
        """True while goods are expected, or it is not compensated: see `ClaimStatus`."""
        return claim_rules(self.status).is_open

    @property
    def lacks_new_goods(self) -> bool:
        """True while its new goods cannot be had, and nothing is given instead: none were sent."""
        is_replacement = self.type is ClaimType.REPLACE and claim_rules(self.status).reserves
        return is_replacement and self.out_of_stock is not None

    @property
    def needs_attention(self) -> bool:
        """True while it goes no further without a person: see `Return.needs_attention`."""
        return self.lacks_new_goods or bool(self.stuck_effects) or self.entitlement.needs_attention

    @property
    def breakdown(self) -> tuple[AmountPart, ...]:
        """The named parts of `refund_amount`, which add up to it exactly; none for new goods alone."""
        if self.type is ClaimType.REPLACE and not self.refund_amount.amount:
            return ()
        goods = tuple([(item.line, item.allocated) for item in self.credited_items])
        back = [charge_back(each) for each in self.charges_back]
        difference = self.difference
        if difference.amount or (self.is_named and goods and not self.is_reduction):
            back.append(difference)
        return explain(goods, back, self.currency)

    @property
    def credited_items(self) -> tuple[ClaimedItem, ...]:
        """The items whose units money is given for; none of new goods alone, or with charges only."""
        if self.type is ClaimType.REPLACE and self.refund_amount.amount <= self.of_charges:
            return ()
        return self.items

    @property
    def difference(self) -> NamedAmount:
        """What is given more than units and charges are worth; below 0 what is given less."""
        value = sum([item.line.paid(item.allocated) for item in self.credited_items])
        rest = self.refund_amount.amount - value - self.of_charges
        return NamedAmount("custom_amount" if self.is_named else "rounding", rest, of=None)

    @property
    def of_charges(self) -> int:
        """What it gives back of the order's charges, minor units."""
        return sum([each.amount for each in self.charges_back])

    @property
    def is_named(self) -> bool:
        """True if its amount was named, by who requested or resolved it."""
        return (self.entitlement.requested_refund or self.entitlement.agreed_refund) is not None

    @property
    def is_reduction(self) -> bool:
        """True if its units stay with the customer: it reduces what they are worth."""
        return self.type in (ClaimType.REDUCE, ClaimType.GOODWILL)

    @property
    def gives_extra(self) -> bool:
        """
        True if it gives store credit that counts against no payment: goodwill.

        Not any more once a person gave it by other means: it reduced what the units are worth.
        """
        return self.is_extra_goodwill and not self.items

    @property
    def is_extra_goodwill(self) -> bool:
        """True for goodwill that was asked for as store credit, which counts against no payment."""
        return is_extra_credit(self.type, self.outcome)

    @property
    def not_reduced(self) -> int:
        """
        What of such goodwill is due or was given as money, and took nothing of the lines: minor units.

        Extra credit in force is without it; what was given by other means, or will be, is not.
        """
        if not self.is_extra_goodwill:
            return 0
        extra = sum([refund.amount_in_force for refund in self.refunds if refund.is_extra])
        return max(0, self.refund_amount.amount - extra - self.value)

    @property
    def compensated(self) -> tuple[ClaimedItem, ...]:
        """The items whose units are compensated for good; none once canceled, none of a price reduction."""
        if not claim_rules(self.status).reserves:
            return ()
        return tuple([item for item in self.items if not item.is_reduced])

    @property
    def reductions(self) -> tuple[tuple[int, ClaimedItem], ...]:
        """The items whose price it reduced, each with its index from 0; none once canceled."""
        if not claim_rules(self.status).reserves:
            return ()
        return tuple([(index, item) for index, item in enumerate(self.items) if item.is_reduced])

    def reserved_quantities(self) -> list[tuple[str, int]]:
        """
        By item: its line, and the units of the line that it reserves of those that were sent.

        None once canceled, and none of a price reduction.
        """
        reserves = claim_rules(self.status).reserves
        return [
            (item.item_id, item.quantity if reserves and item.is_sent and not item.is_reduced else 0)
            for item in self.items
        ]
