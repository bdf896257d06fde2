"""Once: the same request under the same idempotency key is answered, not done again."""

from attrs import fields

from rma.domain.messages.commands import Command
from rma.domain.redaction import is_repeat, without
from rma.domain.state.ledger import IdempotencyRecord, ReturnLedger
from rma.domain.values.errors import IdempotencyKeyReused


def answer(ledger: ReturnLedger, command: Command) -> str | None:
    """
    The id of the return, exchange or claim that answered this command before; None if it is new.

    Raises:
        IdempotencyKeyReused: the key belongs to another request on this order; `fields` says in what it
            differs, and is `command` alone where it is another command.
    """
    key = command.idempotency_key
    if not isinstance(key, str) or (before := ledger.answered.get(key)) is None:
        return None
    if not is_repeat(before, command):
        details = {"idempotency_key": key, "fields": _differences(before, command)}
        raise IdempotencyKeyReused("idempotency_key_reused", details)
    return before.subject_id


def _differences(record: IdempotencyRecord, command: Command) -> tuple[str, ...]:
    """The names of the fields in which the remembered command and this one differ."""
    before = record.command
    if type(before) is not type(command):
        return ("command",)
    command = without(command, record.redacted)
    names = [field.name for field in fields(type(command))]
    return tuple([name for name in names if getattr(before, name) != getattr(command, name)])
