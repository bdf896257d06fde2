"""A payment gateway behind a real socket: it answers a key that it has seen as it did the first time."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.hosts.running import PATIENCE


class Gateway:
    """
    What the gateway was asked, and did.

    Attributes:
        url: where it is.
        refunds: the first request under each key.
        times: how often each key was asked for.
    """

    def __init__(self) -> None:
        self.url = ""
        self.refunds: dict[str, dict[str, Any]] = {}
        self.times: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._to_hold = 0
        self._is_held = threading.Event()
        self._may_answer = threading.Event()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Until the block ends, the next refund is made, and its answer held back."""
        self._to_hold, self._is_held, self._may_answer = 1, threading.Event(), threading.Event()
        try:
            yield
        finally:
            self._may_answer.set()

    def wait_until_one_is_held(self) -> None:
        """Waits until a refund was made whose answer is held back."""
        assert self._is_held.wait(PATIENCE)

    def wait_for_calls(self, number: int) -> None:
        """Waits until it was asked so often in all."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.times.total() >= number, PATIENCE)

    def answer(self, key: str, body: dict[str, Any]) -> dict[str, str]:
        """Makes the refund, once for its key."""
        with self._changed:
            self.refunds.setdefault(key, body)
            self.times[key] += 1
            is_held, self._to_hold = self._to_hold > 0, 0
            self._changed.notify_all()
        assert self.refunds[key] == body, "another request under the same key"
        if is_held:
            self._is_held.set()
            self._may_answer.wait(PATIENCE)
        return {"status": "succeeded", "id": f"re_{key}"}


@contextmanager
def running_gateway() -> Iterator[Gateway]:
    """Runs a gateway at a free port."""
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps(gateway.answer(self.headers["Idempotency-Key"], body)).encode()
            with suppress(ConnectionError):  # who asked was killed
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as the base class has it
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        gateway.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join(PATIENCE)
