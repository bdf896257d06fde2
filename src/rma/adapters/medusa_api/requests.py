"""What Medusa's clients send, as commands: shape is judged here, and only shape; rules are the library's."""

import re
from collections.abc import Iterable
from typing import Final, NotRequired, TypedDict, cast

from attrs import frozen

from rma.adapters.medusa_api.json_schema import MalformedRequest, Problem, check, problems
from rma.adapters.medusa_api.schemas import CANCEL_RETURN, CREATE_RETURN, LIST_RETURNS, RECEIVE_RETURN
from rma.domain.messages.command_items import ReceivedItem, RequestedItem
from rma.domain.messages.commands import CancelReturn, ReceiveReturn, RequestReturn

_NO_BODY: Final[dict[str, object]] = {}


class _AskedItem(TypedDict):
    item_id: str
    quantity: int
    reason_id: NotRequired[str]
    note: NotRequired[str]


class _Option(TypedDict):
    option_id: str


class _CreateReturn(TypedDict):
    order_id: str
    items: list[_AskedItem]
    return_shipping: NotRequired[_Option]


class _CameItem(TypedDict):
    item_id: str
    quantity: int
    damaged_quantity: NotRequired[int]


class _ReceiveReturn(TypedDict):
    items: list[_CameItem]
    refund: NotRequired[int]
    location_id: NotRequired[str]
    allow_mismatch: NotRequired[bool]
    more_expected: NotRequired[bool]


def request_return(
    body: object, *, idempotency_key: str | None = None, created_by: str | None = None
) -> RequestReturn:
    """
    The command that a body of POST /store/returns asks for.

    >>> from rma.adapters.medusa_api import request_return
    >>> asked = request_return({"order_id": "order_1", "items": [{"item_id": "mug", "quantity": 1}]})
    >>> asked.order_id, asked.items[0].quantity
    ('order_1', 1)

    Args:
        body: parsed JSON.
        idempotency_key: what the header of that name says, or a fresh one.
        created_by: who asks, in the host's words.

    Raises:
        MalformedRequest: with every place where the body has another shape.
    """
    check(body, CREATE_RETURN)
    asked = cast("_CreateReturn", body)
    shipping = asked.get("return_shipping")
    return RequestReturn(
        order_id=asked["order_id"],
        items=[
            RequestedItem(
                item_id=item["item_id"],
                quantity=item["quantity"],
                reason_id=item.get("reason_id"),
                note=item.get("note"),
            )
            for item in asked["items"]
        ],
        shipping_option_id=shipping["option_id"] if shipping else None,
        idempotency_key=idempotency_key,
        created_by=created_by,
    )


def receive_return(
    return_id: str,
    body: object,
    *,
    allow_mismatch: bool = False,
    idempotency_key: str | None = None,
    created_by: str | None = None,
) -> ReceiveReturn:
    """
    The command that a body of POST /admin/returns/:id/receive asks for.

    Args:
        return_id: from the path.
        body: parsed JSON.
        allow_mismatch: what a body means that does not say; Medusa's own route accepts whatever came.
        idempotency_key: what the header of that name says.
        created_by: who asks, in the host's words.

    Raises:
        MalformedRequest: with every place where the body has another shape.
    """
    check(body, RECEIVE_RETURN)
    arrivals = cast("_ReceiveReturn", body)
    more_expected = arrivals.get("more_expected", False)
    return ReceiveReturn(
        return_id=return_id,
        items=[
            ReceivedItem(
                item_id=item["item_id"],
                quantity=item["quantity"],
                damaged_quantity=item.get("damaged_quantity", 0),
            )
            for item in arrivals["items"]
        ],
        refund_amount=arrivals.get("refund"),
        location_id=arrivals.get("location_id"),
        allow_mismatch=arrivals.get("allow_mismatch", allow_mismatch and not more_expected),
        more_expected=more_expected,
        idempotency_key=idempotency_key,
        created_by=created_by,
    )


def cancel_return(
    return_id: str,
    body: object = _NO_BODY,
    *,
    idempotency_key: str | None = None,
    created_by: str | None = None,
) -> CancelReturn:
    """
    The command that POST /admin/returns/:id/cancel asks for, with an empty object or without a body.

    Raises:
        MalformedRequest: something else was sent.
    """
    check(body, CANCEL_RETURN)
    return CancelReturn(return_id=return_id, idempotency_key=idempotency_key, created_by=created_by)


@frozen
class Page:
    """Which part of a list is asked for."""

    limit: int = 50
    offset: int = 0


def page(query: Iterable[tuple[str, str]]) -> Page:
    """
    The page that a query of GET /admin/returns asks for: `limit` of 1 to 100, `offset` of at least 0.

    Args:
        query: names and values, as they stand there.

    Raises:
        MalformedRequest: with everything else that stands there.
    """
    given: dict[str, object] = {}
    twice = []
    for name, value in query:
        if name in given:
            twice.append(Problem(f"?{name}", "given_twice", "is given twice"))
        given[name] = int(value) if re.fullmatch("-?[0-9]{1,15}", value) else value
    wrong = [
        Problem(f"?{problem.path.removeprefix('$').removeprefix('.')}", problem.code, problem.message)
        for problem in problems(given, LIST_RETURNS)
    ]
    if wrong or twice:
        raise MalformedRequest(wrong + twice)
    return Page(**cast("dict[str, int]", given))
