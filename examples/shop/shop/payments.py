"""
The payment gateway, over HTTP.

It knows its keys for a day, and can be asked for a refund by its key. What it does not answer in time stays
open, and is sent again under its key.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from django.conf import settings

from rma import (
    Idempotent,
    Money,
    RefundAnswer,
    RefundDeclined,
    RefundNotSent,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
)

#: How long the gateway knows a key.
KEY_LIFETIME = timedelta(hours=24)

#: The most that is read of an answer, in bytes.
_LONGEST = 64 * 1024


class PaymentDeclined(Exception):
    """The gateway took no money, for good."""


class OutcomeUnknown(Exception):
    """Money moved, or did not: ask again under the same key."""


class GatewayPayments:
    """Refunds through the gateway; a `rma.Payments` with `rma.RefundLookup`."""

    gateway = Idempotent(key_lifetime=KEY_LIFETIME)

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Asks for the refund under its key; raises where the outcome is unknown."""
        body = {
            "payment": request.payment_id,
            "amount": request.amount.amount,
            "currency": request.amount.currency,
        }
        try:
            answer = _ask("/refunds", request.key, body)
        except URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                return RefundNotSent("the gateway refused the connection")
            raise
        return as_outcome(answer)

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Returns the outcome of the refund of this key, or None if the gateway never made it."""
        try:
            return as_outcome(_ask(f"/refunds/{quote(request.key, safe='')}"))
        except HTTPError as error:
            with error:
                if error.code == 404:
                    return None
                raise


def charge(key: str, amount: Money) -> str:
    """
    Takes this amount from the customer's card, once for the key, and returns what the gateway calls it.

    Raises:
        PaymentDeclined: no money was taken.
        OutcomeUnknown: there was no answer, or none that says how it ended.
    """
    with _unclear_as_unknown():
        answer = _ask("/charges", key, {"amount": amount.amount, "currency": amount.currency})
    match answer:
        case {"status": "succeeded", "id": str(reference)} if reference:
            return reference
        case {"status": "failed"}:
            raise PaymentDeclined(str(answer.get("code", "")))
        case _:
            raise OutcomeUnknown(f"the gateway says something unknown: {str(answer)[:200]}")


def give_back(request: RefundRequest) -> RefundAnswer:
    """
    Gives back what `charge` took, once for the key; the payment is what the gateway calls the charge.

    Raises:
        OutcomeUnknown: as `charge`.
    """
    with _unclear_as_unknown():
        return GatewayPayments().refund(request)


@contextmanager
def _unclear_as_unknown() -> Iterator[None]:
    """Whatever a gateway can do instead of an answer becomes one error."""
    try:
        yield
    except HTTPError as error:
        error.close()
        raise OutcomeUnknown(str(error)) from error
    except (OSError, HTTPException, ValueError, RecursionError) as error:  # the last two are not JSON
        raise OutcomeUnknown(str(error)) from error


def as_outcome(refund: Mapping[str, Any]) -> RefundOutcome:
    """
    Returns what the gateway says about a refund, in an answer or in a notification.

    Raises:
        ValueError: it says something that is not known.
    """
    match refund:
        case {"status": "succeeded", "id": str(reference)}:
            return RefundSucceeded(reference)
        case {"status": "pending", "id": str(reference)}:
            return RefundPending(reference)
        case {"status": "failed", "code": str(code)}:
            return RefundDeclined(code)
        case _:
            raise ValueError(f"the gateway says something unknown: {str(refund)[:200]}")


def as_notification(refund: Mapping[str, Any]) -> RefundOutcome | RefundReversed:
    """
    Returns what a notification says about a refund: as `as_outcome`, or that it was reversed.

    Raises:
        ValueError: it says something that is not known.
    """
    match refund:
        case {"status": "reversed", "code": str(code)}:
            return RefundReversed(code)
        case _:
            return as_outcome(refund)


def _ask(path: str, key: str | None = None, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {settings.GATEWAY_SECRET}"}
    if key is not None:
        headers |= {"Idempotency-Key": key, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = Request(settings.GATEWAY_URL + path, data, headers)
    response: HTTPResponse
    with urlopen(request, timeout=settings.GATEWAY_TIMEOUT) as response:
        answer: object = json.loads(response.read(_LONGEST))
    if not isinstance(answer, dict):
        raise HTTPException("the gateway did not answer with an object")
    return answer
