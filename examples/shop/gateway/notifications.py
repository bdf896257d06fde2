"""Reports what became of refunds later: signed, late and twice, as gateways do."""

import json
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from urllib.request import Request, urlopen

from gateway.movements import Movement
from gateway.signatures import sign

#: How long after the answer a refund ends, and how long a receiver that failed is left alone, in seconds.
LATER = 0.5
_AGAIN = (0.5, 1.0, 2.0, 5.0, 10.0)


class Notifications:
    """
    Sends notifications to one URL; without one, what is pending stays so.

    Each is sent twice, as no gateway promises to send it once.
    """

    def __init__(self, url: str | None, secret: str) -> None:
        self._url = url
        self._secret = secret

    def later(self, end: Callable[[], Movement]) -> None:
        """Calls this after a while, and reports the movement that it returns."""
        if self._url is None:
            return
        url = self._url

        def report() -> None:
            time.sleep(LATER)
            movement = end()
            self._send(url, movement)
            self._send(url, movement)

        threading.Thread(target=report, daemon=True).start()

    def _send(self, url: str, movement: Movement) -> None:
        event = {"id": f"evt_{movement.id}_{movement.status}", "refund": movement.as_json()}
        body = json.dumps(event).encode()
        for pause in (*_AGAIN, None):
            headers = {
                "Content-Type": "application/json",
                "Gateway-Signature": sign(self._secret, int(time.time()), body),
            }
            try:
                with urlopen(Request(url, body, headers), timeout=5):
                    return
            except (OSError, HTTPException):  # another time; a gateway gives up after days
                if pause is not None:
                    time.sleep(pause)
