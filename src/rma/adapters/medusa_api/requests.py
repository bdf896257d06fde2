"""Turns requests of Medusa's clients into commands. It checks their shape; the library checks rules."""

import re
from collections.abc import Iterable
from typing import Final, NotRequired, TypedDict, cast

from attrs import frozen

from rma.adapters.medusa_api.json_schema import MalformedRequest, Problem, check, problems
from rma.adapters.medusa_api.keys import ADMIN, customer_scope, scoped_key
from rma.adapters.medusa_api.schemas import (
    CANCEL_RETURN,
    CREATE_RETURN,
    LARGEST_PAGE,
    LIST_RETURNS,
    RECEIVE_RETURN,
)
from rma.domain.messages.command_items import ReceivedItem, RequestedItem
from rma.domain.messages.commands import CancelReturn, ReceiveReturn, RequestReturn

#: Numbers of more digits are beyond every bound of a query.
_MOST_DIGITS: Final = 20
_NO_BODY: Final[dict[str, object]] = {}


class _RequestedItem(TypedDict):
    item_id: str
    quantity: int
    reason_id: NotRequired[str | None]
    note: NotRequired[str | None]


class _Option(TypedDict):
    option_id: str


class _CreateReturn(TypedDict):
    order_id: str
    items: list[_RequestedItem]
    return_shipping: NotRequired[_Option | None]


class _ReceivedItem(TypedDict):
    item_id: str
    quantity: int
    damaged_quantity: NotRequired[int | None]


class _ReceiveReturn(TypedDict):
    items: list[_ReceivedItem]
    refund: NotRequired[int | None]
    location_id: NotRequired[str | None]
    allow_mismatch: NotRequired[bool | None]
    more_expected: NotRequired[bool | None]


def request_return(
    body: object, *, idempotency_key: str | None = None, created_by: str | None = None
) -> RequestReturn:
    """
    Makes the command from a body of POST /store/returns.

    >>> from rma.adapters.medusa_api import request_return
    >>> command = request_return({"order_id": "order_1", "items": [{"item_id": "mug", "quantity": 1}]})
    >>> command.order_id, command.items[0].quantity
    ('order_1', 1)

    Args:
        body: parsed JSON; null is an optional field that is left out.
        idempotency_key: the value of that header, or a fresh key. The command's own has the scope of
            `created_by` before it: the same key of another customer, or of a clerk, is another key.
        created_by: the customer who sends the request, as the host's authentication names them, never as the
            request does. Customers for whom it is None share one scope.

    Raises:
        MalformedRequest: the body does not match its schema; it lists every problem.
    """
    check(body, CREATE_RETURN)
    document = cast("_CreateReturn", body)
    shipping = document.get("return_shipping")
    return RequestReturn(
        order_id=document["order_id"],
        items=[
            RequestedItem(
                item_id=item["item_id"],
                quantity=item["quantity"],
                reason_id=item.get("reason_id"),
                note=item.get("note"),
            )
            for item in document["items"]
        ],
        shipping_option_id=shipping["option_id"] if shipping else None,
        idempotency_key=scoped_key(customer_scope(created_by), idempotency_key),
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
    Makes the command from a body of POST /admin/returns/:id/receive.

    Args:
        return_id: from the path.
        body: parsed JSON; null is an optional field that is left out.
        allow_mismatch: the default for a body without this key; Medusa's own route accepts every mismatch.
        idempotency_key: the value of that header. The command's own has the scope of the admin routes before
            it, which all clerks share.
        created_by: who sends the request, in the host's words.

    Raises:
        MalformedRequest: the body does not match its schema; it lists every problem.
    """
    check(body, RECEIVE_RETURN)
    document = cast("_ReceiveReturn", body)
    more_expected = document.get("more_expected") or False
    accepts = document.get("allow_mismatch")
    return ReceiveReturn(
        return_id=return_id,
        items=[
            ReceivedItem(
                item_id=item["item_id"],
                quantity=item["quantity"],
                damaged_quantity=item.get("damaged_quantity") or 0,
            )
            for item in document["items"]
        ],
        refund_amount=document.get("refund"),
        location_id=document.get("location_id"),
        allow_mismatch=allow_mismatch and not more_expected if accepts is None else accepts,
        more_expected=more_expected,
        idempotency_key=scoped_key(ADMIN, idempotency_key),
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
    Makes the command from POST /admin/returns/:id/cancel, which has an empty object or no body.

    Its idempotency key is in the scope of the admin routes, as that of `receive_return`.

    Raises:
        MalformedRequest: the body contains anything.
    """
    check(body, CANCEL_RETURN)
    key = scoped_key(ADMIN, idempotency_key)
    return CancelReturn(return_id=return_id, idempotency_key=key, created_by=created_by)


@frozen
class Page:
    """The part of a list that is requested."""

    limit: int = 50
    offset: int = 0


def page(query: Iterable[tuple[str, str]]) -> Page:
    """
    Parses the query of GET /admin/returns: `limit` is clipped to 1 to 100, `offset` is 0 to 2**53 - 1.

    >>> from rma.adapters.medusa_api import page
    >>> page([("limit", "1000"), ("offset", "20")])
    Page(limit=100, offset=20)

    Args:
        query: names and values, as strings.

    Raises:
        MalformedRequest: a name is unknown or given twice, or a value is wrong; it lists every problem.
    """
    given: dict[str, object] = {}
    twice = []
    for name, value in query:
        if name in given:
            twice.append(Problem(f"?{name}", "given_twice", "is given twice"))
        given[name] = _integer(value) if re.fullmatch("-?[0-9]+", value) else value
    invalid = [
        Problem(f"?{problem.path.removeprefix('$').removeprefix('.')}", problem.code, problem.message)
        for problem in problems(given, LIST_RETURNS)
    ]
    if invalid or twice:
        raise MalformedRequest(invalid + twice)
    numbers = cast("dict[str, int]", given)
    if "limit" in numbers:
        numbers["limit"] = min(max(numbers["limit"], 1), LARGEST_PAGE)
    return Page(**numbers)


def _integer(numeral: str) -> int:
    """Parses a numeral of any length; one of very many digits is a number as far out of range."""
    digits = numeral.lstrip("-").lstrip("0") or "0"
    size = int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS
    return -size if numeral.startswith("-") else size
