"""Once: the same request under the same idempotency key is answered, not done again."""

from rma.domain.messages.commands import Command
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import IdempotencyKeyReused


def answer(ledger: ReturnLedger, command: Command) -> str | None:
    """
    The id of the return, exchange or claim that answered this command before; None if it is new.

    Raises:
        IdempotencyKeyReused: the key stands for another request on this order.
    """
    key = command.idempotency_key
    if not isinstance(key, str) or (before := ledger.answered.get(key)) is None:
        return None
    if before.command != command:
        raise IdempotencyKeyReused("idempotency_key_reused", {"idempotency_key": key})
    return before.subject_id
