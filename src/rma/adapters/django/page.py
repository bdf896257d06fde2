"""What the page of a return, an exchange or a claim says in the admin."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from rma.domain.messages.advance import OutOfStock
from rma.domain.messages.effects import ReplacementShipment, ReturnShipment
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.claims import Claim, ClaimedItem
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject
from rma.domain.state.lifecycle import ChargeStatus, RefundStatus, ReturnStatus
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.money import Money
from rma.service import ReturnService

_WEB_LINK = URLValidator(schemes=["http", "https"])


@frozen
class Fact:
    """
    A line at the top of the page.

    Attributes:
        link: the id of the return, exchange or claim that it leads to.
    """

    name: str
    value: object
    link: str | None = None


@frozen
class Line:
    """A line of a breakdown: how deep it is in the tree, and what it says."""

    depth: int
    amount: str
    name: str

    @property
    def indent(self) -> str:
        """Returns an em space for each level; a style would need a content security policy that allows it."""
        return "\u2003" * self.depth


@frozen
class Photo:
    """Where a picture is; it is a link only on the web, so that a page runs nothing that a customer wrote."""

    reference: str

    @property
    def is_link(self) -> bool:
        """Returns True for an address of http or https."""
        try:
            _WEB_LINK(self.reference)
        except ValidationError:
            return False
        return True


@frozen
class Goods:
    """Units of a line of the order: `counts` by the words above their column."""

    line: str
    counts: Mapping[str, int]
    reason: str
    note: str
    photos: tuple[Photo, ...]


def words(status: str) -> str:
    """Returns a status, kind or outcome as words."""
    return status.replace("_", " ")


def find_titles(service: ReturnService, order_id: str) -> Mapping[str, str]:
    """Returns what the order calls its lines, by id; none if it cannot be read now: pages do without."""
    try:
        order: Any = service.orders.get(order_id)
    except Exception:  # a port of the host may raise anything
        return {}
    return {each.id: each.title for each in order.items if each.title}


def line_name(item_id: str, titles: Mapping[str, str]) -> str:
    """Returns what a clerk knows a line by."""
    return f"{titles[item_id]} ({item_id})" if item_id in titles else item_id


def context_of(subject: Subject, service: ReturnService, titles: Mapping[str, str]) -> dict[str, Any]:
    """
    Returns what is said of it, on its page and above forms.

    Raises:
        RmaError: the return of an exchange cannot be read.
    """
    valued = service.get(subject.return_id) if isinstance(subject, Exchange) else subject
    breakdown = list(lines_of(valued.breakdown, titles))
    if breakdown:
        breakdown.append(Line(0, str(valued.refund_amount), "in all, to be refunded"))
    return {
        "facts": list(facts_of(subject)),
        "goods": list(_goods_of(subject, titles)),
        "new_items": _new_items_of(subject),
        "breakdown": breakdown,
    }


def facts_of(subject: Subject) -> Iterator[Fact]:
    """Yields what is said at the top."""
    yield Fact("order", subject.order_id)
    yield Fact("status", words(subject.status.value))
    yield Fact("needs attention", "; ".join(attention_of(subject)) or "no")
    yield Fact("requested", subject.requested_at)
    yield Fact("by", subject.created_by or "unknown")
    for name in ("return_id", "exchange_id", "claim_id"):
        if (other := getattr(subject, name, None)) is not None:
            yield Fact(name.removesuffix("_id"), other, link=other)
    match subject:
        case Exchange():
            yield Fact("difference due", subject.difference_due)
            yield Fact("paid by the customer", subject.paid)
            yield from _tracked("new goods", subject.shipment)
        case Claim():
            yield Fact("outcome", words(subject.type.value))
            yield from _entitled(subject.entitlement)
            yield from _tracked("new goods", subject.shipment)
        case Return():
            yield Fact("outcome", "exchange" if subject.is_exchanged else words(subject.outcome.value))
            yield from _entitled(subject.entitlement)
            yield from _way_back(subject)


def attention_of(subject: Subject) -> Iterator[str]:
    """Yields why it needs the attention of a person; nothing if it needs none."""
    if not subject.needs_attention:
        return
    for key in subject.stuck_effects:
        yield f"{key} waits for too long, or is not tried again"
    match subject:
        case Exchange():
            yield from _attention_of_exchange(subject)
        case Claim(entitlement=entitlement):
            if subject.lacks_new_goods:
                yield from _lack_of_new_goods(subject.out_of_stock)
            yield from _attention_of_entitlement(entitlement)
        case Return(entitlement=entitlement):
            yield from _attention_of_return(subject)
            yield from _attention_of_entitlement(entitlement)


def pending_of(subject: Subject) -> Iterator[str]:
    """Yields the refunds whose outcome is not known yet."""
    if not isinstance(subject, Exchange):
        for each in subject.refunds:
            if each.status is RefundStatus.PENDING:
                yield f"the refund of {each.amount}"


def lines_of(parts: Iterable[AmountPart], titles: Mapping[str, str], depth: int = 0) -> Iterator[Line]:
    """Yields the lines of a breakdown, each above its parts."""
    for part in parts:
        kind, _, item_id = part.name.partition(":")
        yield Line(depth, str(part.amount), line_name(item_id, titles) if kind == "item" else part.name)
        if len(part.parts) > 1:
            yield from lines_of(part.parts, titles, depth + 1)


def _entitled(entitlement: Entitlement) -> Iterator[Fact]:
    yield Fact("entitled to", entitlement.entitled)
    yield Fact("paid or on its way", entitlement.paid)
    yield Fact("due", entitlement.due)


def _way_back(subject: Return) -> Iterator[Fact]:
    if subject.return_by is not None:
        yield Fact("to be sent until", subject.return_by)
    if subject.sending is not None:
        yield Fact("sent by the customer", subject.sending.at)
        if subject.sending.tracking_number:
            yield Fact("tracking number of the customer", subject.sending.tracking_number)
    yield from _tracked("label", subject.shipment)


def _tracked(what: str, shipment: ReturnShipment | ReplacementShipment | None) -> Iterator[Fact]:
    if shipment is not None and shipment.tracking_number:
        yield Fact(f"tracking number of the {what}", shipment.tracking_number)


def _attention_of_return(subject: Return) -> Iterator[str]:
    if subject.status is ReturnStatus.PENDING_APPROVAL:
        yield "it waits for approval"
    if subject.status is ReturnStatus.REQUIRES_ACTION:
        yield "what arrived is not what was requested, or was not expected"
    if subject.status is ReturnStatus.IN_INSPECTION:
        yield "what arrived waits for an inspection"
    if subject.is_overdue:
        yield "goods of its exchange are overdue"
    if subject.is_loss_undecided:
        yield "it was paid, and its goods never arrived"
    if subject.entitlement.overpaid.amount:
        yield f"{subject.entitlement.overpaid} too much was paid"
    if subject.status is ReturnStatus.RECEIVED and subject.valuation.owed > 0:
        owed = Money(subject.valuation.owed, subject.currency)
        yield f"the customer has yet to pay {owed} for its exchange"


def _attention_of_exchange(subject: Exchange) -> Iterator[str]:
    for each in subject.hold_charges:
        why = f": {each.failure}" if each.failure else ""
        if each.is_pending:
            yield f"whether {each.amount} was charged is not known{why}"
        elif each.status is ChargeStatus.FAILED and subject.owed.amount:
            yield f"the charge of {each.amount} failed{why}"
    yield from _lack_of_new_goods(subject.out_of_stock)
    if subject.owed.amount:
        yield f"the customer has yet to pay {subject.owed}"


def _lack_of_new_goods(answer: OutOfStock | None) -> Iterator[str]:
    if answer is not None:
        yield f"its new goods cannot be had{f': {answer.message}' if answer.message else ''}"


def _attention_of_entitlement(entitlement: Entitlement) -> Iterator[str]:
    replaced = {each.retry_of for each in entitlement.refunds}
    for each in entitlement.refunds:
        is_owed = bool(entitlement.due.amount) and each.key not in replaced and not each.is_in_force
        if is_owed or each.status is RefundStatus.NEEDS_ATTENTION:
            why = f": {each.failure}" if each.failure else ""
            yield f"the refund of {each.amount} {_SAID[each.status]}{why}"
    if entitlement.due.amount:
        why = ", which is more than the payments have left" if entitlement.is_refund_blocked else ""
        yield f"{entitlement.due} is due and not paid{why}"


#: What became of a refund that a person has to look at.
_SAID = {
    RefundStatus.FAILED: "failed",
    RefundStatus.REVERSED: "was reversed",
    RefundStatus.NEEDS_ATTENTION: "needs attention",
}


def _goods_of(subject: Subject, titles: Mapping[str, str]) -> Iterator[Goods]:
    match subject:
        case Return(items=items):
            for item in items:
                counts = {
                    "requested": item.quantity,
                    "received": item.received_quantity,
                    "damaged": item.damaged_quantity,
                    "to inspect": item.waiting_quantity,
                    "to customer": item.returned_to_customer_quantity,
                }
                yield _goods(item, counts, item.reason_id or "", titles)
        case Claim(items=claimed):
            for each in claimed:
                yield _goods(each, {"claimed": each.quantity}, words(each.reason.value), titles)


def _goods(
    item: ReturnItem | ClaimedItem, counts: Mapping[str, int], reason: str, titles: Mapping[str, str]
) -> Goods:
    photos = tuple([Photo(each) for each in item.images])
    return Goods(line_name(item.item_id, titles), counts, reason, item.note or "", photos)


def _new_items_of(subject: Subject) -> tuple[NewItem, ...]:
    return () if isinstance(subject, Return) else subject.new_items
