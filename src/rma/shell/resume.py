"""What a timer does: deliver whatever is outstanding, of one return, exchange or claim, or of all orders."""

from datetime import timedelta

from attrs import frozen

from rma.async_ports import Host
from rma.domain.change import allow_again
from rma.domain.values.display import show
from rma.domain.values.errors import InvalidValue, NotFound
from rma.observing import StoringFailed
from rma.shell.asking import FailingPorts
from rma.shell.commit import commit_change
from rma.shell.deliver import deliver
from rma.shell.driver import call
from rma.shell.expire import expire_returns
from rma.shell.facts import ledger_of, now
from rma.shell.host_transaction import is_in_host_transaction
from rma.shell.observe import tell

#: How many orders are asked for at a time.
_BATCH = 100
#: After so many orders in a row of which nothing could be published, the publisher counts as away.
_MOST_UNPUBLISHED = 1000


@frozen(kw_only=True)
class ResumeResult:
    """
    What `resume` found and left.

    Attributes:
        orders: ids of the orders that had something outstanding.
        still_open: those of them that have it still; a later `resume` tries again.
        expired: ids of the returns that expired now, because nothing was sent or received in time.
        is_complete: False if the time limit ended the pass; the next one goes on.
    """

    orders: tuple[str, ...]
    still_open: tuple[str, ...]
    is_complete: bool = True
    expired: tuple[str, ...] = ()


async def resume(
    host: Host,
    subject_id: str | None = None,
    *,
    stopped: bool = False,
    time_limit: timedelta | None = None,
) -> ResumeResult:
    """
    Tries everything that is outstanding and due, of all orders, or of this return, exchange or claim.

    Before that, returns expire whose date is past, of all orders.

    Named by its id, it is tried now, whenever it is due; with `stopped`, so is what was stopped for a person.
    After the time limit, no further order is begun.

    Raises:
        InvalidValue: the ledgers are written in a transaction of the host (`in_host_transaction`); or
            `stopped` without an id: a person decides about each; or a time limit that is not above 0.
        NotFound: there is none of this id.
        Unavailable: the store cannot say what is outstanding.
    """
    if await is_in_host_transaction(host):
        raise InvalidValue("in_host_transaction")
    if subject_id is not None:
        return await _resume_one(host, subject_id, stopped=stopped)
    if stopped:
        details = {"field": "resume.stopped", "value": "True", "expected": "the id of one subject with it"}
        raise InvalidValue("invalid_value", details)
    limit: object = time_limit
    if limit is not None and (not isinstance(limit, timedelta) or limit <= timedelta(0)):
        details = {"field": "resume.time_limit", "value": show(limit), "expected": "a timedelta above 0"}
        raise InvalidValue("invalid_value", details)
    started_at, failing = now(host), FailingPorts(host.timing.failing_time)
    expired, is_complete = await expire_returns(host, started_at, time_limit)
    batches = _Batches(host)
    still_open: dict[str, bool] = {}
    while batch := await batches.next():
        for order_id in batch:
            if time_limit is not None and now(host) - started_at >= time_limit:
                return _result(still_open, expired, is_complete=False)
            try:
                ledger = await deliver(await call(host.returns.load(order_id)), host, failing=failing)
            except Exception as error:  # one ledger that cannot be read does not hold up the others
                tell(host, StoringFailed(order_id=order_id, error=error))
                still_open[order_id] = True
                batches.stays_in_front()
                continue
            is_behind = host.events is not None and ledger.published < ledger.revision
            still_open[order_id] = bool(ledger.open_effects) or is_behind
            batches.was_published(not is_behind)
            if is_behind or (ledger.due_at is not None and ledger.due_at <= now(host)):
                batches.stays_in_front()
    return _result(still_open, expired, is_complete=is_complete)


def _result(still_open: dict[str, bool], expired: tuple[str, ...], *, is_complete: bool) -> ResumeResult:
    return ResumeResult(
        orders=tuple(still_open),
        still_open=tuple([order_id for order_id, is_open in still_open.items() if is_open]),
        is_complete=is_complete,
        expired=expired,
    )


async def _resume_one(host: Host, subject_id: str, *, stopped: bool) -> ResumeResult:
    ledger = await ledger_of(subject_id, host)
    if ledger is None:
        raise NotFound("return_not_found", {"return_id": subject_id})
    orders, owners = (ledger.order_id,), ledger.related(subject_id)
    if stopped:
        again = await commit_change(orders[0], host, lambda known: allow_again(known, owners, now(host)))
        ledger = again.ledger
    ledger = await deliver(ledger, host, subject_id)
    is_open = any(each.owner_id in owners for each in ledger.open_effects.values())
    return ResumeResult(orders=orders, still_open=orders if is_open else ())


class _Batches:
    """
    Asks for what is outstanding, a batch at a time, each order once.

    An order that was tried is due later, or not at all, and does not come again. One that cannot be read or
    stored, or whose events no publisher takes, stays in front: each batch reaches beyond those. A publisher
    that takes nothing, of many orders in a row, is left alone until the next `resume`.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._seen: set[str] = set()
        self._in_front = 0
        self._in_a_row = 0

    async def next(self) -> tuple[str, ...]:
        """The next orders; none once all were tried."""
        returns, at, limit = self._host.returns, now(self._host), self._in_front + _BATCH
        if self._host.events is None or self._in_a_row >= _MOST_UNPUBLISHED:
            found = await call(returns.outstanding(at, limit))
        else:
            found = await call(returns.outstanding(at, limit, unpublished=True))
        batch = tuple([order_id for order_id in found if order_id not in self._seen])
        self._seen.update(batch)
        return batch

    def stays_in_front(self) -> None:
        """One of the orders would be found again."""
        self._in_front += 1

    def was_published(self, is_published: bool) -> None:  # noqa: FBT001 # private
        """Notes whether an order's events reached the publisher."""
        self._in_a_row = 0 if is_published else self._in_a_row + 1
