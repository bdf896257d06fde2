"""
What the gateway reports: signed, late, twice and in any order.

Nothing is done about a body whose signature is not the gateway's, or is older than five minutes. The gateway
sends a notification again until it is answered with success.
"""

import hmac
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rma import NotFound, RecordRefundOutcome, Rejected
from shop.payments import as_notification
from shop.returns import get_service

#: How old a signature may be, in seconds.
_OLDEST = 300

_KEY = re.compile(r"[\w-]{1,60}", re.ASCII)
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


@csrf_exempt  # it is signed instead
@require_POST
def gateway(request: HttpRequest) -> HttpResponse:
    """Records what became of a refund."""
    body = request.body
    if not _is_signed(request.headers.get("Gateway-Signature", ""), body):
        return HttpResponse("signature", status=400, content_type="text/plain")
    try:
        event: Mapping[str, Any] = json.loads(body)
        refund = event["refund"]
        command = RecordRefundOutcome(
            key=refund["key"], outcome=as_notification(refund), notification_id=event["id"]
        )
        if not _KEY.fullmatch(refund["key"]):
            return HttpResponse("no such refund", status=404, content_type="text/plain")
    except (ValueError, KeyError, TypeError, RecursionError):
        return HttpResponse("body", status=400, content_type="text/plain")
    try:
        get_service().handle(command)
    except NotFound:
        return HttpResponse("no such refund", status=404, content_type="text/plain")
    except Rejected as error:
        return HttpResponse(error.code, status=error.http_status_hint, content_type="text/plain")
    return HttpResponse(status=204)


def _is_signed(header: str, body: bytes) -> bool:
    found = _SIGNATURE.fullmatch(header)
    if found is None:
        return False
    at, given = int(found[1]), found[2]
    signed = hmac.new(settings.GATEWAY_SECRET.encode(), b"%d." % at + body, "sha256").hexdigest()
    return hmac.compare_digest(signed, given) and abs(time.time() - at) <= _OLDEST
