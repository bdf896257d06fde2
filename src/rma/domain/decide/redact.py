"""Redacting an order: what is still needed to do something is not taken away."""

from collections.abc import Iterable
from datetime import datetime

from rma.domain.decide.checks import check_text
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, EventHeader, OrderRedacted
from rma.domain.redaction import redacted, redacted_ledger, without
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.values.display import show
from rma.domain.values.errors import InvalidValue, rejection
from rma.domain.values.personal import PersonalField


def redact_order(
    ledger: ReturnLedger,
    history: Iterable[Event],
    groups: Iterable[PersonalField | str],
    at: datetime,
    *,
    by: str | None = None,
) -> tuple[OrderRedacted, ...]:
    """
    The event that the order is redacted; nothing if these fields hold nothing.

    Args:
        ledger: the order's.
        history: all that is stored of it, as of this ledger or later.
        groups: at least one; the spelling will do.
        at: aware.
        by: who asked for it, in the host's words.

    Raises:
        Rejected: `effect_open`: a request that no port has answered holds such data, and is sent as it was
            made. `not_over`: a return, exchange or claim is open whose carrier may need them.
        InvalidValue: there is no such group, or none was given.
    """
    found = _groups(groups)
    wrong = Violations()
    check_text(wrong, "created_by", by)
    for key, effect in ledger.open_effects.items():
        if without(effect.request, found) is not effect.request:
            wrong.add("effect_open", key=key, attempts=effect.delivery.attempts)
    if PersonalField.SHIPMENTS in found:
        subjects: tuple[Subject, ...] = (*ledger.returns, *ledger.exchanges, *ledger.claims)
        for each in subjects:
            if each.is_open and without(each, (PersonalField.SHIPMENTS,)) is not each:
                wrong.add("not_over", subject_id=each.id, status=each.status.value)
    if wrong:
        raise rejection(wrong)
    is_clean = redacted_ledger(ledger, found) == ledger
    if is_clean and all(redacted(each, found) is each for each in history):
        return ()
    header = EventHeader(order_id=ledger.order_id, at=at, by=by, revision=ledger.revision + 1, number=1)
    return (OrderRedacted(header=header, fields=found),)


def _groups(groups: Iterable[PersonalField | str]) -> tuple[PersonalField, ...]:
    """Each once, in the order of their class."""
    expected = f"at least one of {', '.join(PersonalField)}"
    try:
        given = {PersonalField(each) for each in groups}
    except (TypeError, ValueError):
        given = set()
    if not given:
        details = {"field": "redact.fields", "value": show(groups), "expected": expected}
        raise InvalidValue("invalid_value", details)
    return tuple([each for each in PersonalField if each in given])
