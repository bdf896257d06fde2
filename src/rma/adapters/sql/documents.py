"""
What the documents of a row hold.

The prices of a line are in the document of the event that opened its return, exchange or claim, and nowhere
else. A row has what changed since: `document` what most events change, so that an outcome rewrites no line,
and `record` what arrived and which commands were answered. Both are null while nothing has changed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, assert_never

from attrs import evolve, fields, frozen

from rma.adapters.sql.encoded import encode_long_tuple
from rma.codec.conversion import decode, encode_without
from rma.domain.events import Event, Opening
from rma.domain.messages.advance import OutOfStock
from rma.domain.messages.command_items import ForeignDecision
from rma.domain.messages.commands import Command
from rma.domain.messages.effects import OpenEffect, ReplacementShipment, ReturnShipment
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.hold import Hold
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.pricing import AmountPart
from rma.domain.sale.rules import Outcome, RuleTerms
from rma.domain.state.at_the_dock import Correction, StockWithdrawal
from rma.domain.state.claims import Claim, ClaimedItem, ClaimType
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.exchanges import Exchange, ExchangePayment, HoldCharge, WriteOff
from rma.domain.state.grants import Grant
from rma.domain.state.inspection import Inspection
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, Subject
from rma.domain.state.lifecycle import ClaimStatus, ExchangeStatus, ReturnStatus
from rma.domain.state.return_item import (
    ItemChanges,
    ItemRevision,
    ItemUnits,
    ReturnItem,
    RevisedItem,
    items_after,
    revise_items,
)
from rma.domain.state.returns import Decision, Receipt, Resolution, Return, Sending
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import PersonalField


@frozen
class LedgerDocument:
    """`document` in the row of a ledger: what has no column there."""

    open_effects: tuple[OpenEffect, ...] = ()
    order_version: int = 1
    archived: int = 0
    invoice_ids: tuple[str, ...] = ()


@frozen
class ReturnChanges:
    """
    `document` in the row of a return: what most events change, as it is now.

    Attributes:
        quoted_refund: of a return of an exchange; of others it does not change, but where they are revised.
    """

    status: ReturnStatus
    entitlement: Entitlement
    updated_at: datetime
    shipment: ReturnShipment | None = None
    location_id: str | None = None
    received_at: datetime | None = None
    canceled_at: datetime | None = None
    charges: tuple[AmountPart, ...] = ()
    stuck_effects: tuple[str, ...] = ()
    charges_back: tuple[RefundedCharge, ...] = ()
    shipment_number: int = 1
    is_unbooked: bool = False
    needs_approval: bool = False
    decision: Decision | None = None
    sending: Sending | None = None
    return_by: datetime | None = None
    refund_due_by: datetime | None = None
    expired_at: datetime | None = None
    overdue_at: datetime | None = None
    paid_ahead: Money | None = None
    quoted_refund: Money | None = None
    awaits_new_goods: bool = False


@frozen
class Revision:
    """What a return was requested for, where that was revised; its named refund is in its entitlement."""

    items: tuple[ItemRevision, ...]
    quoted_refund: Money
    shipping_method: ShippingMethod | None = None
    provider_id: str | None = None
    quoted_charges: tuple[RefundedCharge, ...] = ()
    rules: tuple[RuleTerms, ...] = ()
    overrule: str | None = None
    other_rules: tuple[RuleTerms, ...] = ()
    outcome: Outcome = Outcome.REFUND
    payee: str | None = None


@frozen
class ExchangeChanges:
    """The same for an exchange."""

    status: ExchangeStatus
    difference_due: Money
    updated_at: datetime
    payments: tuple[ExchangePayment, ...] = ()
    shipment: ReplacementShipment | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    stuck_effects: tuple[str, ...] = ()
    hold_released_at: datetime | None = None
    hold_charges: tuple[HoldCharge, ...] = ()
    sent_first: bool = False
    out_of_stock: OutOfStock | None = None
    declined_replacements: int = 0
    reservation: str | None = None
    reservations: int = 0
    write_offs: tuple[WriteOff, ...] = ()


@frozen
class ExchangeRevision:
    """
    What an exchange sends, where that was replaced.

    Attributes:
        hold: what secures it, where another hold was replaced by it.
    """

    new_items: tuple[NewItem, ...]
    outbound_shipping: ShippingMethod | None = None
    hold: Hold | None = None
    replaced_holds: tuple[Hold, ...] = ()


@frozen
class ClaimChanges:
    """The same for a claim."""

    status: ClaimStatus
    entitlement: Entitlement
    updated_at: datetime
    shipment: ReplacementShipment | None = None
    canceled_at: datetime | None = None
    stuck_effects: tuple[str, ...] = ()
    out_of_stock: OutOfStock | None = None
    declined_replacements: int = 0


@frozen
class ClaimRevision:
    """
    How a claim compensates, where that is not as it was opened with.

    Attributes:
        reduced: what goodwill takes of the lines since it was given by other means than extra credit.
    """

    type: ClaimType
    new_items: tuple[NewItem, ...] = ()
    reduced: tuple[ClaimedItem, ...] = ()


@frozen
class Record:
    """
    `record` in the row of a return, exchange or claim.

    Attributes:
        revision: what it was requested for, where it is not what it was opened with.
        units: of the requested items of which any arrived.
        unrequested: all items that were not requested, whole.
        answered: the commands about it by idempotency key, but for the one that opened it.
        corrections, withdrawals, foreign_decisions: as the return has them.
        exchange: what an exchange sends, where it is not what it was opened with.
        claim: how a claim compensates, where that is not as it was opened with.
        grants: what it gave back, or sold. What the event granted that opened it may be there only.
        redacted: by idempotency key, groups of fields of which something was taken from the command.
    """

    units: tuple[ItemUnits, ...] = ()
    unrequested: tuple[ReturnItem, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    resolution: Resolution | None = None
    answered: FrozenMap[str, Command] = FrozenMap()
    revision: Revision | None = None
    inspections: tuple[Inspection, ...] = ()
    corrections: tuple[Correction, ...] = ()
    withdrawals: tuple[StockWithdrawal, ...] = ()
    foreign_decisions: tuple[ForeignDecision, ...] = ()
    exchange: ExchangeRevision | None = None
    grants: tuple[Grant, ...] = ()
    redacted: FrozenMap[str, tuple[PersonalField, ...]] = FrozenMap()
    claim: ClaimRevision | None = None


Changes = ReturnChanges | ExchangeChanges | ClaimChanges

#: By the `kind` of a row, the class of its `document`.
CHANGES: Mapping[str, type[Changes]] = {
    "return": ReturnChanges,
    "exchange": ExchangeChanges,
    "claim": ClaimChanges,
}

NOTHING_RECORDED = Record()

#: Fields of an event's header that are columns of its row.
_IN_COLUMNS = ("order_id", "revision", "number")


@frozen
class Restored:
    """
    A return, exchange or claim, all commands about it that were answered, by idempotency key, and its grants.

    Attributes:
        redacted: groups of fields of which something was taken from the command, where it was.
    """

    state: Subject
    answered: Mapping[str, Command]
    grants: tuple[Grant, ...] = ()
    redacted: Mapping[str, tuple[PersonalField, ...]] = FrozenMap()


def encode_event(event: Event) -> str:
    """
    Encodes an event, without what the columns of its row say.

    Raises:
        InvalidValue: a part of it cannot be represented in JSON.
    """
    return encode_without(event, Event, "header", _IN_COLUMNS, encode_long_tuple)


def decode_event(order_id: str, revision: int, number: int, document: str) -> Event:
    """
    Decodes an event from the columns of its row.

    Raises:
        Exception: of any class, if the document does not hold an event.
    """
    columns = {"order_id": order_id, "revision": revision, "number": number}
    event: Event = decode(document, Event, {"header": columns})
    return event


def document_of(ledger: ReturnLedger) -> LedgerDocument:
    """Returns the `document` of its row."""
    return LedgerDocument(
        tuple(ledger.open_effects.values()),
        ledger.order_version,
        ledger.archived,
        ledger.invoice_ids,
    )


def changes_of(subject: Subject) -> Changes:
    """Returns the `document` of its row."""
    match subject:
        case Return():
            kind: type[Changes] = ReturnChanges
        case Exchange():
            kind = ExchangeChanges
        case Claim():
            kind = ClaimChanges
        case _:
            assert_never(subject)
    changes = kind(*[getattr(subject, name) for name in _NAMES[kind]])
    if isinstance(changes, ReturnChanges) and isinstance(subject, Return) and subject.exchange_id is None:
        return evolve(changes, quoted_refund=None)
    return changes


def record_of(
    subject: Subject, records: Mapping[str, IdempotencyRecord], grants: tuple[Grant, ...] = ()
) -> Record:
    """Returns the `record` of its row; `records` are without the command that opened it."""
    answered = FrozenMap({key: each.command for key, each in records.items()})
    redacted = FrozenMap({key: each.redacted for key, each in records.items() if each.redacted})
    if isinstance(subject, Exchange) and subject.is_revised:
        hold = subject.hold if subject.replaced_holds else None
        revision = ExchangeRevision(
            subject.new_items, subject.outbound_shipping, hold, subject.replaced_holds
        )
        return Record(answered=answered, exchange=revision, grants=grants, redacted=redacted)
    if isinstance(subject, Claim) and subject.is_revised:
        reduced = subject.items if subject.is_extra_goodwill else ()
        otherwise = ClaimRevision(subject.type, subject.new_items, reduced)
        return Record(answered=answered, grants=grants, redacted=redacted, claim=otherwise)
    if not isinstance(subject, Return):
        return Record(answered=answered, grants=grants, redacted=redacted)
    return Record(
        units=_units(subject.items),
        unrequested=tuple([item for item in subject.items if not item.is_requested]),
        receipts=subject.receipts,
        resolution=subject.resolution,
        answered=answered,
        revision=_revision(subject) if subject.is_revised else None,
        inspections=subject.inspections,
        corrections=subject.corrections,
        withdrawals=subject.withdrawals,
        foreign_decisions=subject.foreign_decisions,
        grants=grants,
        redacted=redacted,
    )


def restore(opening: Opening, changes: Changes | None, record: Record | None) -> Restored:
    """Returns what began as this event says and was changed since as the other two say."""
    subject: Subject = opening.opened
    if changed := _changed(subject, changes, record):
        subject = evolve(subject, **changed)
    answered = dict(record.answered) if record else {}
    redacted = dict(record.redacted) if record else {}
    command = opening.command
    if command is not None and command.idempotency_key is not None:
        answered = {command.idempotency_key: command, **answered}
        if opening.header.redacted:
            redacted[command.idempotency_key] = opening.header.redacted
    grants = [each for each in opening.header.grants if each.subject_id == subject.id]
    if record is not None:
        grants += [each for each in record.grants if each not in grants]
    return Restored(subject, answered, tuple(grants), redacted)


def _revision(subject: Return) -> Revision:
    return Revision(
        tuple([_revised(item) for item in subject.items if item.is_requested]),
        subject.quoted_refund,
        subject.shipping_method,
        subject.provider_id,
        subject.quoted_charges,
        subject.terms.rules,
        subject.overrule,
        subject.terms.other_rules,
        subject.outcome,
        subject.payee,
    )


def _revised(item: ReturnItem) -> ItemRevision:
    """A requested item of a return that was revised; a price that is in its first event is not repeated."""
    if item.source is None:
        return item
    return RevisedItem(
        item.source,
        item.quantity,
        item.allocated,
        item.reason_id,
        item.note,
        item.metadata,
        item.ruling,
        item.images,
        item.tags,
        item.reduced_by,
        item.fault,
    )


def _units(items: Iterable[ReturnItem]) -> tuple[ItemUnits, ...]:
    units = [item.units(index) for index, item in enumerate(items) if item.is_requested]
    return tuple([each for each in units if each != ItemUnits(each.index)])


def _changed(opened: Subject, changes: Changes | None, record: Record | None) -> dict[str, Any]:
    """The fields that are not as they began."""
    found: dict[str, Any] = {}
    if changes is not None:
        found = {name: getattr(changes, name) for name in _NAMES[type(changes)]}
        if isinstance(changes, ReturnChanges) and changes.quoted_refund is None:
            del found["quoted_refund"]
    if record is not None and record.exchange is not None:
        found |= {
            "is_revised": True,
            "new_items": record.exchange.new_items,
            "outbound_shipping": record.exchange.outbound_shipping,
        }
        if record.exchange.hold is not None:
            found |= {"hold": record.exchange.hold, "replaced_holds": record.exchange.replaced_holds}
    if record is not None and record.claim is not None:
        found |= {"is_revised": True, "type": record.claim.type, "new_items": record.claim.new_items}
        if record.claim.reduced:
            found["items"] = record.claim.reduced
    if record is not None and isinstance(opened, Return):
        items = opened.items
        if (revision := record.revision) is not None:
            items = revise_items(items, revision.items, is_first=True)
            found |= {
                "is_revised": True,
                "quoted_refund": revision.quoted_refund,
                "shipping_method": revision.shipping_method,
                "provider_id": revision.provider_id,
                "quoted_charges": revision.quoted_charges,
                "terms": evolve(opened.terms, rules=revision.rules, other_rules=revision.other_rules),
                "overrule": revision.overrule,
                "outcome": revision.outcome,
                "payee": revision.payee,
            }
        found["items"] = items_after(items, ItemChanges(record.units, record.unrequested))
        found |= {
            "receipts": record.receipts,
            "resolution": record.resolution,
            "inspections": record.inspections,
            "corrections": record.corrections,
            "withdrawals": record.withdrawals,
            "foreign_decisions": record.foreign_decisions,
        }
    return found


def _names_of(kind: type[Any]) -> tuple[str, ...]:
    return tuple([each.name for each in fields(kind)])


_NAMES: Mapping[type[Changes], tuple[str, ...]] = {kind: _names_of(kind) for kind in CHANGES.values()}
