"""
What of an order is data about persons, and the same order without it.

A field is one of a group (`PersonalField`) by its name, whatever class has it, or by class and name where the
name alone does not say. All other fields are numbers, dates, amounts, ids, keys, codes, or names of the
merchant's: they stay, since units, money and once-ness depend on them.
"""

from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar, cast

from attrs import evolve, fields, has

from rma.domain.events import Event, OrderRedacted
from rma.domain.messages.commands import Command
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.personal import REDACTED, PersonalField

T = TypeVar("T")

#: By the name of a field.
BY_NAME: Mapping[str, PersonalField] = MappingProxyType(
    {
        "note": PersonalField.NOTES,
        "refund_note": PersonalField.NOTES,
        "overrule": PersonalField.NOTES,
        "proof": PersonalField.NOTES,
        "description": PersonalField.NOTES,
        "message": PersonalField.NOTES,
        "failure": PersonalField.NOTES,
        "last_error": PersonalField.NOTES,
        "images": PersonalField.IMAGES,
        "metadata": PersonalField.METADATA,
        "by": PersonalField.ACTORS,
        "created_by": PersonalField.ACTORS,
        "tracking_number": PersonalField.SHIPMENTS,
        "label_url": PersonalField.SHIPMENTS,
    }
)

#: By the names of class and field. Other reasons are codes, on which rules and statistics depend.
BY_CLASS: Mapping[tuple[str, str], PersonalField] = MappingProxyType(
    {
        ("MissingItem", "reason"): PersonalField.NOTES,
        ("RejectedItem", "reason"): PersonalField.NOTES,
        ("CorrectReceipt", "reason"): PersonalField.NOTES,
        ("Correction", "reason"): PersonalField.NOTES,
        ("HostAnswer", "reason"): PersonalField.NOTES,
        ("ShippingMethod", "data"): PersonalField.SHIPMENTS,
        ("ReturnShipment", "data"): PersonalField.SHIPMENTS,
        ("ReplacementShipment", "data"): PersonalField.SHIPMENTS,
    }
)


#: Fields that only share a name with the others, by the names of class and field.
OTHERS: frozenset[tuple[str, str]] = frozenset({("Grant", "note")})  # the number of a credit note


def is_personal(name: str) -> bool:
    """True if a field of this name, or of this name and an index, is in a group in any class."""
    plain = name.partition("[")[0]
    return plain in BY_NAME or any(plain == each for _, each in BY_CLASS)


def group_of(kind: type[Any], name: str) -> PersonalField | None:
    """The group that a field of this class is one of; None if it holds no data about persons."""
    place = (kind.__name__, name)
    return BY_CLASS.get(place) or (None if place in OTHERS else BY_NAME.get(name))


def without(value: T, groups: Collection[PersonalField]) -> T:
    """
    The value without what fields of these groups hold, in all of its parts; itself if they hold nothing.

    Notes and actors that are there become `[redacted]`, so that it can still be seen that there were some;
    images and metadata become empty; of shipments nothing is left. It never raises, whatever a command holds.
    """
    return cast("T", _without(value, frozenset(groups)))


def redacted(event: Event, groups: Collection[PersonalField]) -> Event:
    """
    The event without what fields of these groups hold; its header says what that took from its command.

    Also for events that a host keeps elsewhere, as `ReturnService.archive` returned them.

    >>> from datetime import UTC, datetime
    >>> from rma import EventHeader, PersonalField, RefundBlocked, Money, redacted
    >>> header = EventHeader(order_id="order_1", at=datetime(2026, 1, 1, tzinfo=UTC), by="jane@shop.example")
    >>> event = RefundBlocked(header=header, amount=Money(5, "usd"), refundable=Money(3, "usd"))
    >>> redacted(event, [PersonalField.ACTORS]).by
    '[redacted]'
    """
    if isinstance(event, OrderRedacted):  # who asked for that stays
        return event
    header = event.header
    if header.command is not None:
        command, taken = redact_command(header.command, header.redacted, groups)
        if command is not header.command:
            event = evolve(event, header=evolve(header, command=command, redacted=taken))
    return without(event, groups)


def redacted_ledger(ledger: ReturnLedger, groups: Collection[PersonalField]) -> ReturnLedger:
    """The ledger without what fields of these groups hold; a repeated command is known as before."""
    answered = {}
    for key, record in ledger.answered.items():
        command, taken = redact_command(record.command, record.redacted, groups)
        answered[key] = evolve(record, command=command, redacted=taken)
    return without(evolve(ledger, answered=FrozenMap(answered)), groups)


def redact_command(
    command: Command, before: Collection[PersonalField], groups: Collection[PersonalField]
) -> tuple[Command, tuple[PersonalField, ...]]:
    """
    The command without what fields of these groups hold, and the groups of which anything was taken from it.

    Args:
        command: as it is remembered.
        before: of which anything was taken before.
        groups: what is to go now.
    """
    taken = [
        each
        for each in PersonalField
        if each in before or (each in groups and without(command, (each,)) is not command)
    ]
    return without(command, groups), tuple(taken)


def is_repeat(before: IdempotencyRecord, command: Command) -> bool:
    """
    True if this command is the one that is remembered.

    What was taken from that is not compared, since it is nowhere any more. A digest of it would be a way to
    find it again: notes are short, and can be guessed one after the other.
    """
    return before.command == (without(command, before.redacted) if before.redacted else command)


def _without(value: object, groups: frozenset[PersonalField]) -> object:
    if isinstance(value, tuple):
        parts = [_without(each, groups) for each in value]
        is_same = all(now is each for now, each in zip(parts, value, strict=True))
        return value if is_same else tuple(parts)
    if isinstance(value, FrozenMap):
        entries = {key: _without(each, groups) for key, each in value.items()}
        is_same = all(now is value[key] for key, now in entries.items())
        return value if is_same else FrozenMap(entries)
    kind: type[Any] = type(value)
    if not has(kind):
        return value
    changed = {}
    for name, group in _fields_of(kind):
        before = getattr(value, name)
        if group is None:
            now = _without(before, groups)
        else:
            now = _emptied(before, group) if group in groups else before
        if now is not before:
            changed[name] = now
    return evolve(cast("Any", value), **changed) if changed else value


@cache
def _fields_of(kind: type[Any]) -> tuple[tuple[str, PersonalField | None], ...]:
    return tuple([(each.name, group_of(kind, each.name)) for each in fields(kind)])


def _emptied(value: object, group: PersonalField) -> object:
    """What is left of such a field; of what it cannot hold, everything: `decide` refuses it."""
    if isinstance(value, str) and value not in ("", REDACTED):
        return None if group is PersonalField.SHIPMENTS else REDACTED
    if isinstance(value, tuple) and value:
        return ()
    if isinstance(value, FrozenMap) and value:
        return FrozenMap()
    return value
