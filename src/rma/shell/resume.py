"""What a timer does: deliver whatever is outstanding, of one return or of all."""

import logging
from collections.abc import Iterable

from attrs import frozen

from rma.async_ports import Host
from rma.domain.state.ledger import ReturnLedger
from rma.shell.deliver import delivered
from rma.shell.driver import Steps
from rma.shell.handle import ledger_of

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


def resumed(host: Host, subject_id: str | None = None) -> Steps[ResumeResult]:
    """
    Everything outstanding and due was tried, of this return, exchange or claim, or of all.

    Raises:
        NotFound: there is none of this id.
        Unavailable: the store can not say what is outstanding.
    """
    if subject_id is not None:
        return (yield from _one_resumed(host, subject_id))
    still_open: dict[str, bool] = {}
    while batch := (yield from _outstanding(host, besides=still_open)):
        for order_id in batch:
            try:
                loaded: ReturnLedger = yield host.returns.load(order_id)
                ledger = yield from delivered(loaded, host)
            except Exception:  # one ledger that can not be read does not hold up the others
                _log.warning("order %s: not resumed, again later", order_id, exc_info=True)
                still_open[order_id] = True
            else:
                behind = host.events is not None and ledger.published < ledger.revision
                still_open[order_id] = bool(ledger.open_effects) or behind
    return ResumeResult(
        orders=tuple(still_open),
        still_open=tuple([order_id for order_id, is_open in still_open.items() if is_open]),
    )


def _one_resumed(host: Host, subject_id: str) -> Steps[ResumeResult]:
    ledger = yield from ledger_of(subject_id, host)
    orders = (ledger.subject(subject_id).order_id,)
    ledger = yield from delivered(ledger, host, subject_id)
    owners = ledger.related(subject_id)
    is_open = any(each.owner_id in owners for each in ledger.open_effects.values())
    return ResumeResult(orders=orders, still_open=orders if is_open else ())


def _outstanding(host: Host, besides: dict[str, bool]) -> Steps[tuple[str, ...]]:
    # Orders that are still open stay in front, so each batch reaches beyond those already tried.
    now, limit = host.clock(), sum(besides.values()) + _BATCH
    found: Iterable[str]
    if host.events is None:
        found = yield host.returns.outstanding(now, limit)
    else:
        found = yield host.returns.outstanding(now, limit, unpublished=True)
    return tuple([order_id for order_id in found if order_id not in besides])
