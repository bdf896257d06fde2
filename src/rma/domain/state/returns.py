"""A return: one authorisation to send items back (an RMA)."""

from datetime import datetime

from attrs import evolve, field, frozen

from rma.domain.messages.command_items import ForeignDecision, MissingItem, RejectedItem
from rma.domain.messages.effects import RestockRequest, ReturnShipment, SendBackRequest, StockLine
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.means import RefundTerms
from rma.domain.sale.paying import PayOn
from rma.domain.sale.policy import Terms
from rma.domain.sale.pricing import AmountPart
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.at_the_dock import (
    CorrectedUnits,
    Correction,
    ForeignGoods,
    StockWithdrawal,
    foreign_after,
    left_in_stock,
)
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.grading import as_if_whole
from rma.domain.state.inspection import Inspection
from rma.domain.state.lifecycle import Reservation, ReturnStatus, return_rules
from rma.domain.state.refunds import Refund
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.valuation import (
    NOTHING,
    Valuation,
    value_arrived,
    value_in_full_order,
    value_requested,
    with_entitled,
)
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden

#: A return of these goes no further without a person.
_FOR_A_PERSON = (ReturnStatus.PENDING_APPROVAL, ReturnStatus.REQUIRES_ACTION, ReturnStatus.IN_INSPECTION)


@frozen
class ReceiptItem:
    """
    What one parcel held of one line item: units that can be sold again, and units that cannot.

    Attributes:
        waiting_quantity: of those that can be sold again, how many wait for an inspection.
    """

    item_id: str
    quantity: int
    damaged_quantity: int = 0
    variant_id: str | None = None
    serials: tuple[str, ...] = ()
    note: str | None = field(default=None, repr=hidden)
    images: tuple[str, ...] = field(default=(), repr=hidden)
    waiting_quantity: int = 0

    @property
    def restocked_quantity(self) -> int:
        """Those that were put into stock because of the parcel."""
        return self.quantity - self.waiting_quantity


@frozen
class Receipt:
    """
    One arrival of goods, or the decision that no more is expected (then without items).

    Attributes:
        number: counts the return's receipts from 1.
        status: of the return afterwards.
        restock_key: under which what can be sold again was put into stock; None if nothing was.
        foreign: what it held besides.
        closed_short: units are missing, and no more is expected; what arrived waits for an inspection.
    """

    number: int
    at: datetime
    by: str | None = field(repr=hidden)
    items: tuple[ReceiptItem, ...]
    location_id: str | None
    status: ReturnStatus
    restock_key: str | None = None
    foreign: tuple[ForeignGoods, ...] = ()
    closed_short: bool = False

    @property
    def has_units(self) -> bool:
        """True if it held units of the order's lines."""
        return any(item.quantity or item.damaged_quantity for item in self.items)

    @property
    def restocked(self) -> tuple[StockLine, ...]:
        """What was put into stock because of it."""
        if self.restock_key is None:
            return ()
        return tuple(
            [
                StockLine(item.item_id, item.variant_id, item.restocked_quantity)
                for item in self.items
                if item.restocked_quantity
            ]
        )

    def restock(self, order_id: str, return_id: str) -> RestockRequest | None:
        """The request to put this into stock; `order_id` and `return_id` are those of its return."""
        if self.restock_key is None:
            return None
        return RestockRequest(
            key=self.restock_key,
            order_id=order_id,
            return_id=return_id,
            location_id=self.location_id,
            lines=self.restocked,
        )


@frozen
class Resolution:
    """
    How a clerk closed a return: when, who, and which received units were not paid for.

    Attributes:
        missing: units that did not arrive, as far as it was said what became of them.
        foreign: what was decided about foreign goods.
        send_back_request: what the carrier is asked to bring to the customer; None if nothing is.
        send_backs: how many such requests this and earlier resolutions made.
    """

    at: datetime
    by: str | None = field(repr=hidden)
    rejected: tuple[RejectedItem, ...] = ()
    missing: tuple[MissingItem, ...] = ()
    foreign: tuple[ForeignDecision, ...] = ()
    send_back_request: SendBackRequest | None = None
    send_backs: int = 0


@frozen
class Decision:
    """
    Whether a person approved a return that waited for it.

    Attributes:
        reason: why not, in a code of the merchant's.
        note: for the customer.
    """

    is_approved: bool
    at: datetime
    by: str | None = field(repr=hidden)
    reason: str | None = None
    note: str | None = field(default=None, repr=hidden)


@frozen
class Sending:
    """That the customer sent the goods; `proof` is what shows it, in the host's words."""

    at: datetime
    tracking_number: str | None = field(default=None, repr=hidden)
    proof: str | None = field(default=None, repr=hidden)


@frozen
class Return:
    """
    One authorisation to send items back.

    Attributes:
        quoted_refund: what the request was quoted: the refund if exactly the requested units arrive.
        entitlement: what the customer is entitled to, from what was received so far, and what was paid.
        exchange_id: the exchange that its goods pay for. What remains of their value, less `charges`, is
            refunded once it is received; what is missing, the customer owes.
        charges: what the exchange sets against its goods, negative, and what the customer paid, positive.
        claim_id: the claim whose goods it brings back. It moves no money.
        terms: what the policy said about money, damage and dates when the return was requested.
        display_id: counts the order's returns from 1.
        order_version: the order's version that the request made.
        received_at: when it first became received; a parcel of several or a mismatch does not set it.
        shipment: what the carrier answered; `shipping_data` is its data.
        provider_id: of the way back, as its shipping option had it.
        shipment_number: counts bookings of the way back from 1: the latest one's number, or the next one's
            while nothing is booked.
        is_unbooked: nothing is booked for `shipping_method`: the return waits for approval, or expired.
        is_revised: its items are not, or not all, those that it was opened with.
        basis: by which right it comes back.
        declared_at: when the customer declared the withdrawal; None for other returns.
        return_by: after this moment it expires, if nothing was sent or received; None for never.
        refund_due_by: until when it is to be paid; None while no such date is known.
        needs_approval: it waits for a person's approval, even if its goods arrived meanwhile.
        decision: whether it was approved, if it waited for that and a person decided.
        sending: that the customer sent the goods, if it was recorded.
        resolution: how a clerk closed it, if one did.
        inspections: what was said about what arrived, oldest first.
        stuck_effects: keys of what waits for its port for too long, or is not tried again.
        quoted_charges: what the quote gives back of the order's charges.
        charges_back: what was given back of them so far, with the goods.
        overrule: why a person took lines that no rule takes.
        corrections: of its receipts, oldest first.
        withdrawals: what was taken out of stock again, oldest first.
        foreign_decisions: what became of its foreign goods, by their number.
        outcome: what the customer chose: money, or store credit.
        payee: who is to have the store credit, if it is not the customer.
        customer_id: who bought, as the order said when it was requested.
        is_advance: it belongs to an exchange whose new goods are sent before its own are here.
        awaits_new_goods: these new goods were not sent yet.
        overdue_at: when it was recorded that its last day is over, though it does not expire, as its
            exchange was paid or its new goods were sent.
        paid_ahead: what the customer was entitled to before any goods arrived; None if it is paid for its
            goods.
    """

    id: str
    order_id: str
    display_id: int
    order_version: int
    status: ReturnStatus
    items: tuple[ReturnItem, ...]
    quoted_refund: Money
    entitlement: Entitlement
    terms: Terms
    requested_at: datetime
    updated_at: datetime
    shipping_method: ShippingMethod | None = None
    shipment: ReturnShipment | None = None
    location_id: str | None = None
    no_notification: bool = False
    created_by: str | None = field(default=None, repr=hidden)
    idempotency_key: str | None = None
    receipts: tuple[Receipt, ...] = ()
    resolution: Resolution | None = None
    received_at: datetime | None = None
    canceled_at: datetime | None = None
    exchange_id: str | None = None
    claim_id: str | None = None
    charges: tuple[AmountPart, ...] = ()
    metadata: FrozenMap[str, object] = field(default=FrozenMap(), repr=hidden)
    stuck_effects: tuple[str, ...] = ()
    quoted_charges: tuple[RefundedCharge, ...] = ()
    charges_back: tuple[RefundedCharge, ...] = ()
    overrule: str | None = field(default=None, repr=hidden)
    provider_id: str | None = None
    shipment_number: int = 1
    is_unbooked: bool = False
    is_revised: bool = False
    basis: ReturnBasis = ReturnBasis.POLICY
    declared_at: datetime | None = None
    return_by: datetime | None = None
    refund_due_by: datetime | None = None
    needs_approval: bool = False
    decision: Decision | None = None
    sending: Sending | None = None
    expired_at: datetime | None = None
    corrections: tuple[Correction, ...] = ()
    withdrawals: tuple[StockWithdrawal, ...] = ()
    foreign_decisions: tuple[ForeignDecision, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    outcome: Outcome = Outcome.REFUND
    payee: str | None = None
    customer_id: str | None = None
    paid_ahead: Money | None = None
    is_advance: bool = False
    awaits_new_goods: bool = False
    overdue_at: datetime | None = None

    @property
    def is_paid_ahead(self) -> bool:
        """True if it was paid before it was known what its goods are worth: less may turn out to be due."""
        if self.paid_ahead is not None:
            return True
        return self.terms.pay_on is PayOn.RECEIPT and any(item.is_inspected for item in self.items)

    @property
    def is_promised(self) -> bool:
        """True while what was promised before any goods arrived is due, whatever arrived since."""
        return self.paid_ahead is not None and self.is_open and self.received_at is None

    @property
    def is_only_promised(self) -> bool:
        """True if it was to be paid before its goods arrive, and it is known that no money moved for it."""
        return self.is_promised and not any(refund.is_in_force for refund in self.refunds)

    @property
    def lacks_goods_paid_for(self) -> bool:
        """True if it is over, was paid before its goods arrived, and some of them never did: overpaid."""
        is_over = self.paid_ahead is not None and not self.is_open
        is_lacking = is_over and any(item.missing_quantity for item in self.items)
        return is_lacking and self.entitlement.overpaid.amount > 0

    @property
    def is_loss_undecided(self) -> bool:
        """True if no person said anything of goods that were paid for and never arrived."""
        resolution = self.resolution
        is_said = self.entitlement.agreed_refund is not None or bool(resolution and resolution.missing)
        is_seen = self.sending is not None or any(receipt.items for receipt in self.receipts)
        return self.lacks_goods_paid_for and not is_said and not is_seen

    @property
    def paid_items(self) -> tuple[ReturnItem, ...]:
        """Its items, those that are paid for before they are inspected as if they did not wait for it."""
        return self.as_paid_for(self.items, self.status)

    def as_paid_for(self, items: tuple[ReturnItem, ...], status: ReturnStatus) -> tuple[ReturnItem, ...]:
        """These items once the return has this status, as they count for what is paid then."""
        if status is ReturnStatus.RECEIVED or self.terms.pay_on is not PayOn.RECEIPT:
            return items
        return tuple([evolve(item, waiting_quantity=0) if item.waiting_quantity else item for item in items])

    @property
    def label_number(self) -> int | None:
        """The number of the booking that the goods can travel with; None if there is none."""
        return self.shipment_number if self.shipping_method and not self.is_unbooked else None

    @property
    def was_closed(self) -> bool:
        """True once it was closed, though what arrived may wait for an inspection: no more was expected."""
        was_closed = self.received_at is not None or self.resolution is not None
        return was_closed or any(receipt.closed_short for receipt in self.receipts)

    @property
    def is_released(self) -> bool:
        """
        True once units that did not arrive were free again, whatever came later.

        It was declined, canceled or closed, or it expired.
        """
        return (
            self.was_closed
            or self.canceled_at is not None
            or self.expired_at is not None
            or (self.decision is not None and not self.decision.is_approved)
        )

    @property
    def waits_for_first_parcel(self) -> bool:
        """True while goods are to come back, and no parcel did; goods that the customer keeps may be paid."""
        if self.status is ReturnStatus.PARTIALLY_RECEIVED:
            return not any(receipt.items for receipt in self.receipts)
        return self.status is ReturnStatus.REQUESTED

    @property
    def expires_at(self) -> datetime | None:
        """
        `return_by`, as long as it can expire then: nothing was sent, received or paid for its exchange.

        What was paid for new goods that were sent first does not make it wait.
        """
        is_waiting = self.waits_for_first_parcel and self.sending is None
        is_sent_first = self.is_advance and not self.awaits_new_goods
        return self.return_by if is_waiting and (is_sent_first or not self._is_paid_for) else None

    @property
    def last_day(self) -> datetime | None:
        """
        `return_by`, as long as something happens then: it expires, or a person is to decide about it.

        That is so where goods of an exchange are still to come, for which new goods were sent first or the
        customer paid. Once it is overdue, a person knows.
        """
        if self.is_overdue:
            return None
        return self.return_by if self._keeps_exchange_waiting else self.expires_at

    @property
    def is_overdue(self) -> bool:
        """True while goods of an exchange are still to come, though their last day was over before."""
        return self.overdue_at is not None and self._keeps_exchange_waiting

    @property
    def _keeps_exchange_waiting(self) -> bool:
        is_at_stake = self.is_exchanged and (self.is_advance or self._is_paid_for)
        return is_at_stake and self.status in (ReturnStatus.REQUESTED, ReturnStatus.PARTIALLY_RECEIVED)

    @property
    def _is_paid_for(self) -> bool:
        """True if the customer paid something for its exchange."""
        return self.is_exchanged and any(part.amount.amount > 0 for part in self.charges)

    @property
    def payable_by(self) -> datetime | None:
        """
        `refund_due_by`, as long as some of it is not paid, nor on its way.

        What is owed for goods that did not arrive, or were not graded yet, is what the request was quoted.
        While all of its goods are with the customer, as after an empty parcel, nothing is owed but what the
        customer is entitled to all the same.
        """
        owed = self.entitlement.due.amount
        is_policy = self.basis is ReturnBasis.POLICY
        is_paid_by_parcel = is_policy and self.status is ReturnStatus.PARTIALLY_RECEIVED
        # It expired, though it was sent in time, as is known by now.
        is_sent = self.status is ReturnStatus.EXPIRED and self.sending is not None
        is_quoted = (return_rules(self.status).is_open and not is_paid_by_parcel) or is_sent
        if is_quoted and self._is_on_its_way_back:
            owed = max(owed, self.refund_amount.amount - self.entitlement.covered)
        return self.refund_due_by if owed else None

    @property
    def _is_on_its_way_back(self) -> bool:
        """True if some of its goods are not with the customer, as far as is known."""
        is_sent = self.sending is not None and self.sending.proof is not None
        return is_sent or any(item.gone_quantity for item in self.items)

    @property
    def restocks(self) -> tuple[RestockRequest, ...]:
        """What was put into stock for it: by receipts, by their corrections, by inspections; oldest first."""
        found = [each.restock(self.order_id, self.id) for each in self.receipts]
        found += [each.restock(self.order_id, self.id) for each in self.corrections]
        inspected = [restock for inspection in self.inspections for restock in inspection.restocks]
        return (*[restock for restock in found if restock], *inspected)

    @property
    def send_backs(self) -> int:
        """How often its carrier was asked to bring goods to the customer."""
        requests = [each for inspection in self.inspections for each in inspection.requests]
        by_resolutions = self.resolution.send_backs if self.resolution else 0
        return by_resolutions + sum([isinstance(each, SendBackRequest) for each in requests])

    @property
    def awaits_inspection(self) -> bool:
        """True if some of what arrived is yet to be graded."""
        return any(item.waiting_quantity for item in self.items)

    @property
    def is_inspected(self) -> bool:
        """True if some of what arrived was graded."""
        return any(item.graded for item in self.items)

    @property
    def in_stock(self) -> tuple[RestockRequest, ...]:
        """What was put into stock for it and was not taken out again."""
        by_inspections = [
            StockWithdrawal(each.restock_key, each.lines)
            for inspection in self.inspections
            for each in inspection.withdrawals
        ]
        return left_in_stock(self.restocks, [*self.withdrawals, *by_inspections])

    @property
    def foreign(self) -> tuple[ForeignGoods, ...]:
        """
        Goods that arrived for it and are none of the order's, in the order of their numbers.

        There are as many as its receipts say, as they were corrected.
        """
        goods = tuple([each for receipt in self.receipts for each in receipt.foreign])
        for correction in self.corrections:
            if correction.foreign:
                goods = foreign_after(goods, correction.foreign)
        return goods

    @property
    def undecided_foreign(self) -> tuple[ForeignGoods, ...]:
        """Those for which no one said yet whether they are kept."""
        decided = {each.number for each in self.foreign_decisions}
        return tuple([each for each in self.foreign if each.number not in decided])

    def booked_quantities(self) -> dict[str, tuple[int, int]]:
        """By line, the sellable and damaged units that its receipts say, as they were corrected."""
        booked: dict[str, tuple[int, int]] = {}
        said: list[ReceiptItem | CorrectedUnits] = [
            item for receipt in self.receipts for item in receipt.items
        ]
        said += [units for correction in self.corrections for units in correction.items]
        for each in said:
            good, bad = booked.get(each.item_id, (0, 0))
            booked[each.item_id] = (good + each.quantity, bad + each.damaged_quantity)
        return booked

    def by_itself(self) -> "Return":
        """The return; if it was canceled, without what its exchange set against its goods."""
        return self if self.canceled_at is None else self.without_exchange()

    def without_promise(self) -> "Return":
        """The return as if it had not been promised to be paid before its goods arrive."""
        if self.paid_ahead is None:
            return self
        account = self.entitlement.reduced_to(Money(0, self.currency))
        return evolve(self, entitlement=account, charges_back=(), paid_ahead=None)

    def without_exchange(self) -> "Return":
        """The return by itself: nothing new is set against its goods; what the customer paid remains."""
        return evolve(self, charges=tuple([part for part in self.charges if part.amount.amount > 0]))

    @property
    def is_open(self) -> bool:
        """True while goods may still arrive, or are yet to be graded: its units are reserved."""
        return return_rules(self.status).is_open

    @property
    def currency(self) -> str:
        """Of every amount in this return."""
        return self.quoted_refund.currency

    @property
    def refund_amount(self) -> Money:
        """
        The quote, or the amount named instead, until the return is received; then what is entitled.

        In between, if less or more than was requested is inspected: what that is worth whole.
        """
        if self.received_at is not None:
            return self.entitlement.entitled
        if self._is_closed_otherwise:
            return Money(self._value_inspected.total, self.currency)
        named = self.named_refund
        return self.quoted_refund if named is None else named

    @property
    def refund_terms(self) -> RefundTerms:
        """How its refunds are taken from the payments of the order."""
        return self.terms.refund_terms

    @property
    def named_refund(self) -> Money | None:
        """The amount that was named instead of the computed one, the latest; None if none was."""
        agreed = self.entitlement.agreed_refund
        return self.entitlement.requested_refund if agreed is None else agreed

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
    def shipping_data(self) -> FrozenMap[str, object] | None:
        """What the carrier answered; None until a booking was answered."""
        return self.shipment.data if self.shipment else None

    @property
    def shipping_total(self) -> Money:
        """What the way back costs the customer, with tax."""
        return self.shipping_method.total if self.shipping_method else Money(0, self.currency)

    @property
    def needs_attention(self) -> bool:
        """
        True while it goes no further without a person.

        It waits for approval, what arrived is not what was requested or is yet to be graded, an amount is due
        that could not be paid, the outcome of a refund cannot be known, an effect waits for its port for too
        long, too much was paid as a correction showed, or since goods went back to the customer, it was paid
        and its goods never arrived, the customer has yet to pay for an exchange whose goods are here, or
        goods of an exchange that was paid or sent first are overdue.
        """
        return (
            self.status in _FOR_A_PERSON
            or self.is_overdue
            or bool(self.stuck_effects)
            or self.entitlement.needs_attention
            or (self.entitlement.overpaid.amount > 0 and self._is_paid_for_other_units)
            or self.is_loss_undecided
            or (
                bool(self.charges)
                and (not self.corrections or self.corrections[-1].is_payment_awaited)
                and self.status is ReturnStatus.RECEIVED
                and self.valuation.owed > 0
            )
        )

    @property
    def _is_paid_for_other_units(self) -> bool:
        """True if what was paid may be for units that were never here, or that the customer has again."""
        return bool(self.corrections) or any(item.returned_to_customer_quantity for item in self.items)

    @property
    def was_partially_received(self) -> bool:
        """True if a parcel was ever booked, and refunded, as one of several."""
        return any(receipt.status is ReturnStatus.PARTIALLY_RECEIVED for receipt in self.receipts)

    @property
    def valuation(self) -> Valuation:
        """Why `refund_amount` is what it is."""
        if self.claim_id is not None:
            return NOTHING
        if self.received_at is None and self._is_closed_otherwise:
            return self._value_inspected
        if self.received_at is None:
            return with_entitled(self.valuation_if_as_requested, self.refund_amount.amount)
        named = self.named_for(self.items, self.charges_back)
        arrived = self.value_arrived(self.items, named, self.charges_back)
        is_undecided = self.status is ReturnStatus.REQUIRES_ACTION
        return with_entitled(arrived, self.entitlement.entitled.amount, is_undecided=is_undecided)

    @property
    def valuation_if_as_requested(self) -> Valuation:
        """Why its quote is what it is: as if exactly the requested units arrived."""
        return value_requested(
            self.items,
            shipping=self.shipping_total.amount,
            terms=self.terms,
            requested_refund=self.named_refund,
            charges=self.charges,
            charges_back=self.quoted_charges,
        )

    @property
    def _is_closed_otherwise(self) -> bool:
        """True if it waits for its inspection with other units than were requested."""
        is_other = any(each.missing_quantity or not each.is_requested for each in self.items)
        return self.status is ReturnStatus.IN_INSPECTION and is_other

    @property
    def _value_inspected(self) -> Valuation:
        """What is inspected, as if all of it were worth its whole value; charges come back with the money."""
        items = tuple([as_if_whole(each) for each in self.items])
        named = self.named_for(self.items, self.charges_back)
        return self.value_arrived(items, named, self.charges_back)

    def value_arrived(
        self,
        items: tuple[ReturnItem, ...],
        agreed_refund: Money | None,
        charges_back: tuple[RefundedCharge, ...] = (),
    ) -> Valuation:
        """The value of these items by this return's terms, once they have arrived as they say."""
        if self.claim_id is not None:
            return NOTHING
        return value_arrived(
            items,
            # Without a label of ours, the customer paid for the way.
            shipping=0 if self.is_unbooked else self.shipping_total.amount,
            terms=self.terms,
            requested_refund=self.entitlement.requested_refund,
            agreed_refund=agreed_refund,
            charges=self.charges,
            charges_back=charges_back,
            quoted_charges=self.quoted_charges,
        )

    def named_for(
        self, items: tuple[ReturnItem, ...], charges_back: tuple[RefundedCharge, ...]
    ) -> Money | None:
        """
        The amount that was named for the whole return, as it holds for these items, and these charges.

        It is at most their value, unless it has a note: a receipt may be corrected, and charges may be given
        back otherwise.
        """
        named = self.entitlement.agreed_refund
        if named is None or self.entitlement.refund_note:
            return named
        most = value_in_full_order(items, self.terms) + max(0, sum([each.amount for each in charges_back]))
        return Money(min(named.amount, most), named.currency)

    @property
    def is_exchanged(self) -> bool:
        """True if new goods are set against its own."""
        return any(part.name.startswith("new_item:") for part in self.charges)

    @property
    def breakdown(self) -> tuple[AmountPart, ...]:
        """The named parts of `refund_amount`; they add up to it exactly."""
        return self.valuation.breakdown(self.currency, self.shipping_method)

    def reserved_quantities(self) -> list[tuple[str, int]]:
        """
        By item: its line, and the units of the line that it reserves.

        Open returns reserve what was requested and what arrived besides; a received one what arrived or was
        lost and paid for, and so does any one whose units were free before a parcel arrived; a canceled one
        nothing. What a claim's return was requested for, the claim reserves.
        """
        reserves = return_rules(self.status).reserves
        if self.is_released and reserves is Reservation.REQUESTED:
            reserves = Reservation.ARRIVED
        if reserves is Reservation.NOTHING:
            return [(item.item_id, 0) for item in self.items]
        if self.claim_id is not None:
            return [(item.item_id, 0 if item.is_requested else item.arrived_quantity) for item in self.items]
        if reserves is Reservation.ARRIVED:
            return [(item.item_id, item.gone_quantity) for item in self.items]
        return [(item.item_id, item.allocated_quantity) for item in self.items]
