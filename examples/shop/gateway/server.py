"""
The API of the gateway.

    POST /refunds         {"payment", "amount", "currency"}   under an Idempotency-Key
    POST /charges         {"amount", "currency"}              under an Idempotency-Key
    GET  /refunds/<key>   the refund of this key

What it does about a refund depends on the name of the payment, so that each kind of answer can be tried: one
that ends with `_later` is pending first, with `_closed` fails for good, with `_lost` is made, but its first
answer comes too late. All others succeed at once.
"""

import json
import time
from hashlib import sha256
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from gateway.movements import KeyReused, Movement, Movements
from gateway.notifications import Notifications

#: How long the gateway takes for an answer that is lost, in seconds: longer than its clients wait.
TOO_LONG = 4.0

_LONGEST_BODY = 10_000


class GatewayServer(ThreadingHTTPServer):
    """Serves the API; each request in a thread."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], secret: str, movements: Movements, notifications: Notifications
    ) -> None:
        super().__init__(address, _Handler)
        self.secret = secret
        self.movements = movements
        self.notifications = notifications

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: GatewayServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._is_allowed():
            return
        prefix = "/refunds/"
        found = None
        if self.path.startswith(prefix):
            found = self.server.movements.find("refund", unquote(self.path.removeprefix(prefix)))
        if found is None:
            self._answer(404, {"error": "not_found"})
        else:
            self._answer(200, found.as_json())

    def do_POST(self) -> None:
        if not self._is_allowed():
            return
        kinds = {"/refunds": "refund", "/charges": "charge"}
        kind, key, body = kinds.get(self.path), self.headers.get("Idempotency-Key", ""), self._body()
        match body:
            case {"amount": int(amount), "currency": str(currency)} if kind and key and amount > 0:
                self._move(kind, key, str(body.get("payment", "")), amount, currency)
            case _:
                self._answer(400, {"error": "invalid_request"})

    def _move(self, kind: str, key: str, payment: str, amount: int, currency: str) -> None:
        movements = self.server.movements
        status, code = _outcome(payment)
        number = sha256(f"{kind} {key}".encode()).hexdigest()[:12]
        name = f"{'re' if kind == 'refund' else 'ch'}_{number}"
        asked = Movement(name, key, kind, payment, amount, currency, status, code)
        try:
            movement, is_new = movements.record(asked)
        except KeyReused:
            self._answer(409, {"error": "key_reused"})
            return
        if is_new and movement.status == "pending":
            self.server.notifications.later(lambda: movements.end(movement, "succeeded"))
        if is_new and payment.endswith("_lost"):
            time.sleep(TOO_LONG)
        self._answer(200, movement.as_json())

    def _is_allowed(self) -> bool:
        given = self.headers.get("Authorization", "")
        if compare_digest(given.encode(), f"Bearer {self.server.secret}".encode()):
            return True
        self.close_connection = True
        self._answer(401, {"error": "unauthorized"})
        return False

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            return None
        try:
            return json.loads(self.rfile.read(int(length)))
        except ValueError:
            return None

    def _answer(self, status: int, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:  # the client waits no longer
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is that of the base
        """Says nothing."""


def _outcome(payment: str) -> tuple[str, str]:
    if payment.endswith("_later"):
        return "pending", ""
    if payment.endswith("_closed"):
        return "failed", "card_closed"
    return "succeeded", ""
