"""What is stored of an order otherwise than its history rebuilds it, and what a rebuild would forget."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

import attrs
from attrs import evolve, fields_dict, frozen

from rma.domain.redaction import is_personal
from rma.domain.state.claims import Claim
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.exchanges import Exchange
from rma.domain.state.grants import Grant
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger, SubjectKind
from rma.domain.state.returns import Return
from rma.domain.values.display import show
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.personal import hidden

AnySubject = TypeVar("AnySubject", Return, Exchange, Claim)


@frozen(kw_only=True)
class Difference:
    """
    One thing that is stored otherwise than history rebuilds it.

    Attributes:
        order_id: whose ledger it is in.
        where: `ledger`, `return ret_1` (or exchange, claim), `effect` and its key, `idempotency key` and the
            key.
        field: which field of it, or `column …` of its row; None if it is there once only.
        stored, rebuilt: both values; None for what is not there.
    """

    order_id: str
    where: str
    field: str | None
    stored: object = attrs.field(repr=hidden)
    rebuilt: object = attrs.field(repr=hidden)

    def __str__(self) -> str:
        if self.field is not None and is_personal(self.field):
            change = f"{self.field} is not what it should be"
        elif self.field is not None:
            change = f"{self.field} is {show(self.stored)} and should be {show(self.rebuilt)}"
        else:
            change = "is stored without history" if self.rebuilt is None else "is not stored"
        return f"order {self.order_id}, {self.where}: {change}"


def ledger_differences(stored: ReturnLedger, rebuilt: ReturnLedger) -> tuple[Difference, ...]:
    """Returns everything in which these ledgers of one order differ, field by field."""
    order_id = rebuilt.order_id
    found: list[Difference] = []
    for name in ("revision", "published", "order_version", "archived", "grants", "invoice_ids"):
        found += _fields(order_id, "ledger", {name: getattr(stored, name)}, {name: getattr(rebuilt, name)})
    for kind in SubjectKind:
        sides = [{each.id: each for each in side.subjects(kind)} for side in (stored, rebuilt)]
        found += _entries(order_id, kind.value, *sides)
        ids = [list(side) for side in sides]
        if ids[0] != ids[1] and set(ids[0]) == set(ids[1]):
            name = f"order of {kind.value}s"
            found += _fields(order_id, "ledger", {name: ids[0]}, {name: ids[1]})
    found += _entries(order_id, "effect", stored.open_effects, rebuilt.open_effects)
    found += _entries(order_id, "idempotency key", stored.answered, rebuilt.answered)
    return tuple(found)


def with_archived(rebuilt: ReturnLedger, stored: ReturnLedger, known: Collection[str]) -> ReturnLedger:
    """
    Returns the ledger that an archived history rebuilds, with what is stored of all that it cannot know.

    What was opened before the archive is as it is stored, and so are the order's version and the commands
    that were answered; what is not stored stays as it was rebuilt.

    Args:
        rebuilt: from a history that has `HistoryArchived`.
        stored: the same order's.
        known: the ids of what was opened after that, of which history knows everything.
    """

    def chosen(each: AnySubject) -> AnySubject:
        found = stored.find_subject(each.id)
        return found if each.id not in known and isinstance(found, type(each)) else each

    answered: dict[str, IdempotencyRecord] = {
        key: each for key, each in stored.answered.items() if each.subject_id not in known
    }
    return evolve(
        rebuilt,
        returns=tuple([chosen(each) for each in rebuilt.returns]),
        exchanges=tuple([chosen(each) for each in rebuilt.exchanges]),
        claims=tuple([chosen(each) for each in rebuilt.claims]),
        answered=FrozenMap({**rebuilt.answered, **answered}),
        order_version=max(rebuilt.order_version, stored.order_version),
        grants=_grants(rebuilt, stored, known),
        invoice_ids=rebuilt.invoice_ids or stored.invoice_ids,
    )


def _grants(rebuilt: ReturnLedger, stored: ReturnLedger, known: Collection[str]) -> tuple[Grant, ...]:
    """What was granted for what was opened before the archive, as it is stored, and for the others."""
    found = [each for each in stored.grants if each.subject_id not in known]
    found += [each for each in rebuilt.grants if each.subject_id in known]
    return tuple(sorted(found, key=lambda grant: grant.number))


def find_loss(differences: Iterable[Difference]) -> Difference | None:
    """
    Returns the first thing that is stored and that a rebuild would forget, as history does not know it.

    That is a later revision, a return, exchange or claim, or a refund: then a part of the history is lost,
    and what it said may have moved money. So it is where the history was archived and does not say so.
    """
    for each in differences:
        match each:
            case Difference(field="revision", stored=int(stored), rebuilt=int(rebuilt)) if stored > rebuilt:
                return each
            case Difference(field="archived", stored=int(stored)) if stored:
                return each
            case Difference(field=None, rebuilt=None, where=where) if where.startswith(tuple(SubjectKind)):
                return each
            case Difference(stored=Entitlement(refunds=before), rebuilt=Entitlement(refunds=after)):
                if {refund.key for refund in before} - {refund.key for refund in after}:
                    return each
            case _:
                pass
    return None


def _entries(
    order_id: str, kind: str, stored: Mapping[str, object], rebuilt: Mapping[str, object]
) -> Iterator[Difference]:
    """What differs in what both have by key, and what only one of them has."""
    for key in dict.fromkeys([*stored, *rebuilt]):
        where = f"{kind} {key}"
        before, after = stored.get(key), rebuilt.get(key)
        if before is None or after is None:
            yield Difference(order_id=order_id, where=where, field=None, stored=before, rebuilt=after)
        elif before != after:
            yield from _fields(order_id, where, _values(before), _values(after))


def _values(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in fields_dict(type(value))}  # type: ignore[arg-type] # attrs'


def _fields(
    order_id: str, where: str, stored: Mapping[str, object], rebuilt: Mapping[str, object]
) -> Iterator[Difference]:
    for name, before in stored.items():
        after = rebuilt.get(name)
        if before != after:
            yield Difference(order_id=order_id, where=where, field=name, stored=before, rebuilt=after)
