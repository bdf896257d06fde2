"""Builds the bodies of responses from a service: returns with their order, reasons and shipping option."""

from collections.abc import Callable, Iterable
from functools import cached_property
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
    return_with_lines,
)
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.state.returns import Return
from rma.domain.values.errors import NotFound, RmaError
from rma.domain.views.order_state import order_state
from rma.domain.views.query import ReturnQuery
from rma.service import ReturnService

T = TypeVar("T")


def return_response(
    service: ReturnService, ret: Return, expand: Expand = nothing, *, idempotency_key: str | None = None
) -> Json:
    """
    Returns the body of a response about one return.

    Its `idempotency_key` is the one that the client sent when the return was requested. One so long that only
    its SHA-256 is stored is null, unless it is given here, as in the response to that request.

    The return is rendered even if another port cannot be reached: what its catalogue would provide is left
    out, because the command that is being answered has succeeded.
    """
    siblings = _get_or(lambda: service.list(ret.order_id), None) or (ret,)
    rendered = _Rendering(service, expand, siblings).render(ret)
    if idempotency_key is not None:
        rendered["idempotency_key"] = idempotency_key
    return {"return": rendered}


def order_response(service: ReturnService, ret: Return, expand: Expand = nothing) -> Json:
    """
    Returns the body of the response to a cancellation: the order, or null if the host no longer has it.

    The order's returns are loaded once, however many there are.
    """
    ledger = _get_or(lambda: service.returns.load(ret.order_id), None)
    if ledger is None:
        return {"order": None}
    rendering = _Rendering(service, expand, ledger.returns)
    order = rendering.order(ret.order_id)
    if order is None:
        return {"order": None}
    rendered = [rendering.render(each) for each in ledger.returns]
    lines = rendering.lines(order.id).values()
    return {"order": order_json(order, order_state(order, ledger), rendered, lines, expand=expand)}


def returns_response(service: ReturnService, page: Page, expand: Expand = nothing) -> Json:
    """
    Returns the body of a response to a list, newest return first; `count` is the number of all returns.

    The store is asked three things: the number, the page, and the other returns of the orders on the page,
    for the `returned_quantity` of their lines. The host is asked once for each order on the page.
    """
    count = service.count()
    returns = service.list(newest_first=True, offset=page.offset, limit=page.limit)
    order_ids = tuple(dict.fromkeys([ret.order_id for ret in returns]))
    siblings: tuple[Return, ...] = ()
    if order_ids:  # what cannot be read is not counted
        found = service.returns.find(ReturnQuery(order_ids=order_ids))
        siblings = tuple([each for each in found if isinstance(each, Return)])
    rendering = _Rendering(service, expand, siblings)
    return {
        "returns": [rendering.render(ret) for ret in returns],
        "count": count,
        "offset": page.offset,
        "limit": page.limit,
    }


def reasons_response(service: ReturnService, expand: Expand = nothing) -> Json:
    """Returns the body of a response to a list of return reasons."""
    return {"return_reasons": reasons_json(service.return_reasons.list(), expand=expand)}


def reason_response(service: ReturnService, reason_id: str, expand: Expand = nothing) -> Json:
    """
    Returns the body of a response about one return reason.

    Raises:
        NotFound: no reason that can be chosen has this id.
    """
    found = reason_tree_json(service.return_reasons.list(), reason_id, expand=expand)
    if found is None:
        raise NotFound("return_reason_not_found", {"reason_id": reason_id})
    return {"return_reason": found}


class _Rendering:
    """Renders the returns of a response; asks for each order, each option and the reasons once."""

    def __init__(self, service: ReturnService, expand: Expand, siblings: Iterable[Return]) -> None:
        self._service = service
        self._expand = expand
        self._siblings: dict[str, list[Return]] = {}
        for each in siblings:
            self._siblings.setdefault(each.order_id, []).append(each)
        self._orders: dict[str, Order | None] = {}
        self._lines: dict[str, dict[str, Json]] = {}
        self._options: dict[str, ShippingOption | None] = {}

    def render(self, ret: Return) -> Json:
        method = ret.shipping_method
        option = self._option(method.option_id) if method and method.option_id is not None else None
        return return_with_lines(ret, self.lines(ret.order_id), self._reasons, option, expand=self._expand)

    def order(self, order_id: str) -> Order | None:
        return _once(self._orders, order_id, lambda: self._service.orders.get(order_id))

    def lines(self, order_id: str) -> dict[str, Json]:
        """The lines of the order, by id; none if the host does not have it."""
        if order_id not in self._lines:
            order = self.order(order_id)
            siblings = self._siblings.get(order_id, [])
            self._lines[order_id] = order_lines(order, siblings, self._expand) if order else {}
        return self._lines[order_id]

    def _option(self, option_id: str) -> ShippingOption | None:
        return _once(self._options, option_id, lambda: self._service.shipping_options.get(option_id))

    @cached_property
    def _reasons(self) -> dict[str, ReturnReason]:
        reasons = _get_or(self._service.return_reasons.list, None) or ()
        return {reason.id: reason for reason in reasons}


def _once(known: dict[str, T | None], wanted_id: str, get: Callable[[], T]) -> T | None:
    if wanted_id not in known:
        known[wanted_id] = _get_or(get, None)
    return known[wanted_id]


def _get_or(call: Callable[[], T], default: T | None) -> T | None:
    try:
        return call()
    except RmaError:  # deleted, or not available now
        return default
