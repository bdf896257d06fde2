"""
Everything known about the returns of ONE order: the boundary inside which it must all be consistent.

The ledger stores returns, exchanges and claims, what is outstanding and which commands were answered.
Quantities, refundable amounts and order statuses are derived here, in one place, and nowhere stored.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import assert_never

from attrs import evolve, frozen

from rma.domain.messages.commands import Command
from rma.domain.messages.effects import OpenEffect, RefundRequest
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.grants import Grant
from rma.domain.state.lots import ReducedBy, Reduction, Reserved
from rma.domain.state.plan import Source
from rma.domain.state.refunds import Refund, left_of_payments
from rma.domain.state.remainder import Remainder, remainders_of
from rma.domain.state.returns import Return
from rma.domain.values.errors import NotFound
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import PersonalField


@frozen
class IdempotencyRecord:
    """
    A command that was done under an idempotency key, and the return, exchange or claim it was about.

    Attributes:
        redacted: groups of fields of which something was taken from the command; a repeat is known by what is
            left.
    """

    command: Command
    subject_id: str
    redacted: tuple[PersonalField, ...] = ()


#: What effects belong to.
Subject = Return | Exchange | Claim


class SubjectKind(StrEnum):
    """The kinds of subjects of an order."""

    RETURN = "return"
    EXCHANGE = "exchange"
    CLAIM = "claim"


def kind_of(subject: Subject) -> SubjectKind:
    """Which kind the subject is."""
    match subject:
        case Return():
            return SubjectKind.RETURN
        case Exchange():
            return SubjectKind.EXCHANGE
        case Claim():
            return SubjectKind.CLAIM
        case _:
            assert_never(subject)


def subject_ids(subject: Subject) -> tuple[str | None, str | None, str | None]:
    """The ids of return, exchange and claim that an event about this carries."""
    match subject:
        case Return():
            return subject.id, subject.exchange_id, subject.claim_id
        case Exchange():
            return subject.return_id, subject.id, None
        case Claim():
            return subject.return_id, None, subject.id
        case _:
            assert_never(subject)


@frozen
class ReturnLedger:
    """
    The returns, exchanges and claims of one order.

    Attributes:
        revision: counts commits; 0 for an order without any. The compare-and-set number.
        returns: oldest first.
        open_effects: by key, in order of creation: what ports have not answered yet.
        answered: by idempotency key.
        published: the revision up to which events reached their publisher.
        exchanges, claims: oldest first.
        order_version: the latest version of the host's order that was seen; 1 if the host does not count.
        archived: the revision of the commit that archived the history before it; 0 if all of it is there.
        grants: what returns and claims gave back, and what exchanges sold, oldest first.
        invoice_ids: of the host's order, as it was seen last.
    """

    order_id: str
    revision: int = 0
    returns: tuple[Return, ...] = ()
    open_effects: FrozenMap[str, OpenEffect] = FrozenMap()
    answered: FrozenMap[str, IdempotencyRecord] = FrozenMap()
    published: int = 0
    exchanges: tuple[Exchange, ...] = ()
    claims: tuple[Claim, ...] = ()
    order_version: int = 1
    archived: int = 0
    grants: tuple[Grant, ...] = ()
    invoice_ids: tuple[str, ...] = ()

    @property
    def due_at(self) -> datetime | None:
        """
        When a timer may try the first of its open effects; None if there is none to try.

        One that waits for another is tried right after that one has its outcome.
        """
        due = [
            effect.delivery.due_at or effect.opened_at
            for effect in self.open_effects.values()
            if not effect.delivery.is_stopped and self.waits_for(effect) is None
        ]
        return min(due) if due else None

    def find(self, return_id: str | None) -> Return | None:
        """The return of this id, if it is here."""
        for each in self.returns:
            if each.id == return_id:
                return each
        return None

    def get(self, return_id: str | None) -> Return:
        """
        The return of this id.

        Raises:
            NotFound: `return_not_found`.
        """
        found = self.find(return_id)
        if found is None:
            raise NotFound("return_not_found", {"return_id": return_id})
        return found

    def find_exchange(self, exchange_id: str | None) -> Exchange | None:
        """The exchange of this id, if it is here."""
        return next((each for each in self.exchanges if each.id == exchange_id), None)

    def find_claim(self, claim_id: str | None) -> Claim | None:
        """The claim of this id, if it is here."""
        return next((each for each in self.claims if each.id == claim_id), None)

    def find_subject(self, subject_id: str | None) -> Subject | None:
        """The return, exchange or claim of this id, if it is here."""
        return self.find(subject_id) or self.find_exchange(subject_id) or self.find_claim(subject_id)

    def subject(self, subject_id: str | None) -> Subject:
        """
        The return, exchange or claim of this id.

        Raises:
            NotFound: `return_not_found`.
        """
        return self.find_subject(subject_id) or self.get(subject_id)

    def related(self, subject_id: str) -> frozenset[str]:
        """The ids of a return, exchange or claim and of what it belongs to, or what belongs to it."""
        subject = self.find_subject(subject_id)
        others: tuple[str | None, ...] = ()
        if isinstance(subject, Return):
            others = (subject.exchange_id, subject.claim_id)
        elif subject:
            others = (subject.return_id,)
        return frozenset([subject_id, *[each for each in others if each is not None]])

    def subjects(self, kind: SubjectKind) -> tuple[Subject, ...]:
        """The returns, exchanges or claims, oldest first."""
        match kind:
            case SubjectKind.RETURN:
                return self.returns
            case SubjectKind.EXCHANGE:
                return self.exchanges
            case SubjectKind.CLAIM:
                return self.claims
            case _:
                assert_never(kind)

    @property
    def refunds(self) -> Iterator[Refund]:
        """Every refund of every return and claim."""
        for each in self.returns:
            yield from each.refunds
        for claim in self.claims:
            yield from claim.refunds

    def is_extra(self, key: str) -> bool:
        """True if the refund of this key is store credit that counts against no payment."""
        return any(refund.is_extra for refund in self.refunds if refund.key == key)

    @property
    def changes(self) -> int:
        """How many requests, receipts and cancellations there were: by so much the order's version grew."""
        return sum([1 + len(each.receipts) + (each.canceled_at is not None) for each in self.returns])

    def changes_until(self, at: datetime) -> int:
        """How many of these changes there were by then."""
        timestamps = [each.requested_at for each in self.returns]
        timestamps += [receipt.at for each in self.returns for receipt in each.receipts]
        timestamps += [each.canceled_at for each in self.returns if each.canceled_at]
        return sum([timestamp <= at for timestamp in timestamps])

    def remainders(self, order: Order, item_ids: Iterable[str]) -> dict[str, Remainder]:
        """What remains of these lines, by item id; ids neither on the order nor in a return are left out."""
        return remainders_of(order, item_ids, self.reserved(), self.reductions())

    def reserved(self) -> dict[str, list[Reserved]]:
        """Units that returns and claims reserve, with their shares, by item id."""
        found: dict[str, list[Reserved]] = {}
        for each in self.returns:
            for item, (item_id, quantity) in zip(each.items, each.reserved_quantities(), strict=True):
                if quantity:
                    units = Reserved(item.line, quantity, item.value(quantity), item.reduced_by)
                    found.setdefault(item_id, []).append(units)
        for claim in self.claims:
            for claimed in claim.compensated:
                units = Reserved(
                    claimed.line,
                    claimed.quantity,
                    claimed.allocated,
                    claimed.reduced_by,
                    is_sent=claimed.is_sent,
                )
                found.setdefault(claimed.item_id, []).append(units)
        return found

    def reductions(self) -> dict[str, list[Reduction]]:
        """Units whose price claims reduced, by item id, oldest first."""
        found: dict[str, list[Reduction]] = {}
        for claim in self.claims:
            for index, reduced in claim.reductions:
                reduction = Reduction(
                    ReducedBy(claim.id, index),
                    reduced.line,
                    reduced.quantity,
                    reduced.allocated,
                    reduced.left,
                    reduced.reduced_by,
                )
                found.setdefault(reduced.item_id, []).append(reduction)
        return found

    def unsent_quantities(self) -> dict[str, int]:
        """Units that were never sent and that claims paid back or replaced, by item id."""
        unsent: dict[str, int] = {}
        for claim in self.claims:
            for claimed in claim.compensated:
                if not claimed.is_sent:
                    unsent[claimed.item_id] = unsent.get(claimed.item_id, 0) + claimed.quantity
        return unsent

    def reserved_quantities(self) -> dict[str, int]:
        """Units that were sent and that returns and claims reserve, by item id."""
        reserved: dict[str, int] = {}
        of_returns = [each.reserved_quantities() for each in self.returns]
        of_claims = [each.reserved_quantities() for each in self.claims]
        for item_id, quantity in chain.from_iterable(of_returns + of_claims):
            reserved[item_id] = reserved.get(item_id, 0) + quantity
        return reserved

    def arrived_quantities(self) -> dict[str, int]:
        """Units of returns that arrived and are here, by item id."""
        arrived: dict[str, int] = {}
        for each in self.returns:
            for item in each.items:
                arrived[item.item_id] = arrived.get(item.item_id, 0) + item.arrived_quantity
        return arrived

    def left_of_payments(self, order: Order) -> dict[str, int]:
        """
        What each payment can still give back, minor units: the order's in their order, then what customers
        paid for exchanges, by its reference, unless the host counts it among the order's.
        """
        return left_of_payments(self._captured(order), self.refunds)

    def _captured(self, order: Order) -> dict[str, int]:
        captured = {
            payment.id: payment.captured.amount - payment.refunded.amount for payment in order.payments
        }
        for exchange in self.exchanges:
            for paid in exchange.payments:
                captured.setdefault(paid.reference, paid.amount.amount)
        return captured

    def left_of_payment(self, order: Order, payment_id: str | None, *, besides: str) -> int:
        """
        What this payment can give back for the refund of this key, minor units, all others counted.

        0 for a payment that is not there any more. What all payments together can, without a payment.
        """
        others = [each for each in self.refunds if each.key != besides]
        left = left_of_payments(self._captured(order), others)
        return sum(left.values()) if payment_id is None else left.get(payment_id, 0)

    def sources(self, order: Order) -> tuple[Source, ...]:
        """What each payment can still give back, as `left_of_payments`, with what its order says of it."""
        payments = {payment.id: payment for payment in order.payments}
        of_exchanges = {paid.reference: paid for each in self.exchanges for paid in each.payments}
        given: dict[str | None, int] = {}
        for refund in self.refunds:
            given[refund.payment_id] = given.get(refund.payment_id, 0) + refund.amount_in_force
        found = []
        for payment_id, left in self.left_of_payments(order).items():
            source = Source(payment_id, left, given.get(payment_id, 0))
            if payment := payments.get(payment_id):
                source = Source(
                    payment_id,
                    left,
                    given.get(payment_id, 0),
                    kind=payment.kind or None,
                    provider_id=payment.provider_id,
                    refundable_until=payment.refundable_until,
                    step=payment.refund_step,
                    most=payment.captured.amount - payment.refunded.amount,
                    open_key=self._open_refund_of(payment_id) if payment.refund_step > 1 else None,
                )
            else:
                paid = of_exchanges[payment_id]
                source = evolve(source, kind=paid.kind, provider_id=paid.provider_id)
            found.append(source)
        return tuple(found)

    def _open_refund_of(self, payment_id: str) -> str | None:
        """The key of its latest refund that is open."""
        requests = [each.request for each in self.open_effects.values()]
        of_payment = [
            each.key for each in requests if isinstance(each, RefundRequest) and each.payment_id == payment_id
        ]
        return of_payment[-1] if of_payment else None

    def waits_for(self, effect: OpenEffect) -> str | None:
        """
        The key that must have an outcome before this open effect may be sent; None once it may.

        A refund may follow another as soon as the gateway took that one.
        """
        first = self.open_effects.get(effect.waits_for or "")
        if first is None:
            return None
        is_taken = first.delivery.pending_since is not None
        return None if is_taken and isinstance(effect.request, RefundRequest) else first.request.key

    @property
    def carried(self) -> int:
        """What the steps of gateways left to the next refund, minor units: see `Entitlement.carried`."""
        of_returns = sum([each.entitlement.carried for each in self.returns])
        return of_returns + sum([each.entitlement.carried for each in self.claims])

    def refundable(self, order: Order) -> Money:
        """Captured, less what was refunded and what is on its way; extra store credit is neither."""
        return Money(sum(self.left_of_payments(order).values()), order.currency)
