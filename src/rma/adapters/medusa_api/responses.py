"""Builds the bodies of responses from a service: returns with their order, reasons and shipping option."""

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
    Returns the body of a response about one return.

    The return is rendered even if another port cannot be reached: what its catalogue would provide is left
    out, because the command that is being answered has succeeded.
    """
    return {"return": _rendered(service, ret, expand)}


def order_response(service: ReturnService, ret: Return, expand: Expand = nothing) -> Json:
    """Returns the body of the response to a cancellation: the order, or null if the host no longer has it."""
    order = _get_or(lambda: service.orders.get(ret.order_id), None)
    state = _get_or(lambda: service.order_state(ret.order_id), None)
    if order is None or state is None:
        return {"order": None}
    returns = service.list(ret.order_id)
    rendered = [_rendered(service, each, expand) for each in returns]
    return {"order": order_json(order, state, rendered, order_lines(order, returns, expand).values())}


def returns_response(service: ReturnService, page: Page, expand: Expand = nothing) -> Json:
    """
    Returns the body of a response to a list, newest return first.

    `count` is the number of all returns, so all of them are read, a batch at a time. If you have very many
    returns, count the rows of your own database instead.
    """
    count, wanted, last = 0, [], None
    while batch := service.list(after=last, limit=_BATCH, newest_first=True):
        for ret in batch:
            if page.offset <= count < page.offset + page.limit:
                wanted.append(ret)
            count += 1
        last = batch[-1].id
    return {
        "returns": [_rendered(service, ret, expand) for ret in wanted],
        "count": count,
        "offset": page.offset,
        "limit": page.limit,
    }


def reasons_response(service: ReturnService) -> Json:
    """Returns the body of a response to a list of return reasons."""
    return {"return_reasons": reasons_json(service.return_reasons.list())}


def reason_response(service: ReturnService, reason_id: str) -> Json:
    """
    Returns the body of a response about one return reason.

    Raises:
        NotFound: no reason that can be chosen has this id.
    """
    found = reason_tree_json(service.return_reasons.list(), reason_id)
    if found is None:
        raise NotFound("return_reason_not_found", {"reason_id": reason_id})
    return {"return_reason": found}


def _rendered(service: ReturnService, ret: Return, expand: Expand) -> Json:
    method = ret.shipping_method
    option_id = method.option_id if method else None
    return return_json(
        ret,
        order=_get_or(lambda: service.orders.get(ret.order_id), None),
        siblings=_get_or(lambda: service.list(ret.order_id), ()),
        reasons=_get_or(service.return_reasons.list, ()),
        shipping_option=(
            None if option_id is None else _get_or(lambda: service.shipping_options.get(option_id), None)
        ),
        expand=expand,
    )


def _get_or(call: Callable[[], T], default: T) -> T:
    try:
        return call()
    except RmaError:  # deleted, or not available now
        return default
