"""Answers gathered from a service: the return with its order, its reasons and its shipping option."""

from collections.abc import Callable
from typing import TypeVar

from rma.adapters.medusa_api.requests import Page
from rma.adapters.medusa_api.serializers import (
    Expand,
    Json,
    nothing,
    order_json,
    order_lines,
    reason_tree_json,
    reasons_json,
    return_json,
)
from rma.domain.state.returns import Return
from rma.domain.values.errors import NotFound, RmaError
from rma.service import ReturnService

T = TypeVar("T")

#: How many returns are read at a time while a list is counted.
_BATCH = 100


def return_response(service: ReturnService, ret: Return, expand: Expand = nothing) -> Json:
    """
    The body of an answer about one return.

    The return is told whatever becomes of the other ports: what a catalogue can not tell now is left out,
    since the command that the answer is about was done.
    """
    return {"return": _told(service, ret, expand)}


def order_response(service: ReturnService, ret: Return, expand: Expand = nothing) -> Json:
    """The body of the answer to a cancellation: the order, or null where the host knows it no more."""
    order = _unless_away(lambda: service.orders.get(ret.order_id), None)
    state = _unless_away(lambda: service.order_state(ret.order_id), None)
    if order is None or state is None:
        return {"order": None}
    returns = service.list(ret.order_id)
    render = [_told(service, each, expand) for each in returns]
    return {"order": order_json(order, state, render, order_lines(order, returns, expand).values())}


def returns_response(service: ReturnService, page: Page, expand: Expand = nothing) -> Json:
    """
    The body of an answer to a list, newest return first.

    `count` is of all returns, so all are read, a batch at a time: a host with very many counts its own rows.
    """
    count, wanted, last = 0, [], None
    while batch := service.list(after=last, limit=_BATCH, newest_first=True):
        for ret in batch:
            if page.offset <= count < page.offset + page.limit:
                wanted.append(ret)
            count += 1
        last = batch[-1].id
    return {
        "returns": [_told(service, ret, expand) for ret in wanted],
        "count": count,
        "offset": page.offset,
        "limit": page.limit,
    }


def reasons_response(service: ReturnService) -> Json:
    """The body of an answer to a list of return reasons."""
    return {"return_reasons": reasons_json(service.return_reasons.list())}


def reason_response(service: ReturnService, reason_id: str) -> Json:
    """
    The body of an answer about one return reason.

    Raises:
        NotFound: there is none that can be chosen.
    """
    found = reason_tree_json(service.return_reasons.list(), reason_id)
    if found is None:
        raise NotFound("return_reason_not_found", {"reason_id": reason_id})
    return {"return_reason": found}


def _told(service: ReturnService, ret: Return, expand: Expand) -> Json:
    method = ret.shipping_method
    option_id = method.option_id if method else None
    return return_json(
        ret,
        order=_unless_away(lambda: service.orders.get(ret.order_id), None),
        siblings=_unless_away(lambda: service.list(ret.order_id), ()),
        reasons=_unless_away(service.return_reasons.list, ()),
        shipping_option=(
            None if option_id is None else _unless_away(lambda: service.shipping_options.get(option_id), None)
        ),
        expand=expand,
    )


def _unless_away(ask: Callable[[], T], otherwise: T) -> T:
    try:
        return ask()
    except RmaError:  # not there any more, or not to be told now
        return otherwise
