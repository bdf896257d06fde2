"""What a timer does: deliver whatever is outstanding, of one return, exchange or claim, or of all orders."""

import logging

from attrs import frozen

from rma.async_ports import Host
from rma.domain.values.errors import InvalidValue, NotFound
from rma.shell.deliver import deliver
from rma.shell.driver import call
from rma.shell.facts import ledger_of, now
from rma.shell.host_transaction import is_in_host_transaction

#: How many orders are asked for at a time.
_BATCH = 100

_log = logging.getLogger("rma")


@frozen(kw_only=True)
class ResumeResult:
    """
    What `resume` found and left.

    Attributes:
        orders: ids of the orders that had something outstanding.
        still_open: those of them that have it still; the next `resume` tries again.
    """

    orders: tuple[str, ...]
    still_open: tuple[str, ...]


async def resume(host: Host, subject_id: str | None = None) -> ResumeResult:
    """
    Tries everything that is outstanding and due, of this return, exchange or claim, or of all orders.

    Raises:
        InvalidValue: `in_host_transaction`: the ledgers are written in a transaction of the host.
        NotFound: there is none of this id.
        Unavailable: the store cannot say what is outstanding.
    """
    if await is_in_host_transaction(host):
        raise InvalidValue("in_host_transaction")
    if subject_id is not None:
        return await _resume_one(host, subject_id)
    still_open: dict[str, bool] = {}
    while batch := await _outstanding(host, besides=still_open):
        for order_id in batch:
            try:
                ledger = await deliver(await call(host.returns.load(order_id)), host)
            except Exception:  # one ledger that cannot be read does not hold up the others
                _log.warning("order %s: not resumed, again later", order_id, exc_info=True)
                still_open[order_id] = True
            else:
                behind = host.events is not None and ledger.published < ledger.revision
                still_open[order_id] = bool(ledger.open_effects) or behind
    return ResumeResult(
        orders=tuple(still_open),
        still_open=tuple([order_id for order_id, is_open in still_open.items() if is_open]),
    )


async def _resume_one(host: Host, subject_id: str) -> ResumeResult:
    ledger = await ledger_of(subject_id, host)
    if ledger is None:
        raise NotFound("return_not_found", {"return_id": subject_id})
    orders = (ledger.subject(subject_id).order_id,)
    ledger = await deliver(ledger, host, subject_id)
    owners = ledger.related(subject_id)
    is_open = any(each.owner_id in owners for each in ledger.open_effects.values())
    return ResumeResult(orders=orders, still_open=orders if is_open else ())


async def _outstanding(host: Host, besides: dict[str, bool]) -> tuple[str, ...]:
    # Orders that are still open stay in front, so each batch reaches beyond those already tried.
    at, limit = now(host), sum(besides.values()) + _BATCH
    if host.events is None:
        found = await call(host.returns.outstanding(at, limit))
    else:
        found = await call(host.returns.outstanding(at, limit, unpublished=True))
    return tuple([order_id for order_id in found if order_id not in besides])
