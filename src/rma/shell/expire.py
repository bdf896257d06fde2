"""Ending returns for which nothing was sent or received in time, as a part of every pass of `resume`."""

from datetime import datetime, timedelta

from attrs import evolve

from rma.async_ports import Host
from rma.domain.change import apply_overdue
from rma.domain.messages.commands import ExpireReturn
from rma.domain.state.ledger import SubjectKind
from rma.domain.values.errors import Rejected
from rma.domain.views.query import ReturnQuery, UnreadableSubject
from rma.observing import StoringFailed
from rma.shell.commit import commit_change
from rma.shell.driver import call
from rma.shell.facts import now
from rma.shell.handle import handle_command
from rma.shell.observe import tell, tell_attention

#: How many returns are asked for at a time.
_BATCH = 100


def expiry_key(return_id: str) -> str:
    """The idempotency key under which a return expires by itself."""
    return f"{return_id}-expire"


async def expire_returns(
    host: Host, started_at: datetime, time_limit: timedelta | None
) -> tuple[tuple[str, ...], bool]:
    """
    Ends every return whose date is past; returns their ids, and whether these are all.

    What that asks of ports is due at once. After the time limit, counted from `started_at`, no further one is
    ended. One that cannot be ended, as its ledger cannot be read or stored, does not hold up the others. Of
    one that is not to end by itself, it is recorded that its goods are overdue.

    Raises:
        Unavailable: the store cannot say which they are.
    """
    query = ReturnQuery(kinds=(SubjectKind.RETURN,), return_before=started_at, limit=_BATCH)
    expired: list[str] = []
    while found := await call(host.returns.find(query)):
        for each in found:
            if time_limit is not None and now(host) - started_at >= time_limit:
                return tuple(expired), False
            if isinstance(each, UnreadableSubject):
                continue  # the observer gets it where lists are read
            try:
                if await _expire(each.id, host):
                    expired.append(each.id)
                else:
                    await _record_overdue(each.order_id, each.id, host)
            except Exception as error:
                tell(host, StoringFailed(order_id=each.order_id, error=error))
        query = evolve(query, after=found[-1].id)
    return tuple(expired), True


async def _expire(return_id: str, host: Host) -> bool:
    """Ends the return; False if it is refused: its goods were sent, or arrived, or its exchange was paid."""
    command = ExpireReturn(return_id=return_id, idempotency_key=expiry_key(return_id))
    try:
        await handle_command(command, host, deliver_now=False)
    except Rejected:
        return False
    return True


async def _record_overdue(order_id: str, return_id: str, host: Host) -> None:
    """Records that its goods are late, if a person is to decide about them."""
    change = await commit_change(order_id, host, lambda ledger: apply_overdue(ledger, return_id, now(host)))
    tell_attention(host, change)
