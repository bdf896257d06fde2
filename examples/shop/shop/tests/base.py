"""What the tests share: a sample shop, customers that are logged in, and a gateway that is served."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client, TestCase, override_settings
from django.urls import reverse
from django.utils.translation import override
from gateway.movements import Movement, Movements
from gateway.notifications import Notifications
from gateway.server import GatewayServer

from rma import Return
from shop.returns import get_service
from shop.sample import make_sample

#: A form of order 1001 that can be sent: one white mug, which the customer does not want any more.
A_MUG = {
    "line1-quantity": "1",
    "line1-reason": "mind",
    "outcome": "refund",
    "way": "label",
    "key": "0" * 32,
    "action": "request",
}


@contextmanager
def served_gateway(folder: Path) -> Iterator[GatewayServer]:
    """Yields a gateway that is served in a thread, and reports nothing by itself."""
    secret = settings.GATEWAY_SECRET
    with (
        GatewayServer(
            ("127.0.0.1", 0), secret, Movements(folder / "gateway.sqlite3"), Notifications(None, secret)
        ) as server,
        _in_a_thread(server),
    ):
        yield server


@contextmanager
def answering_gateway(body: bytes, forward_to: str | None, paths: str = "/") -> Iterator[str]:
    """
    Yields the URL of a gateway that answers with this body where the path begins with `paths`.

    Another gateway, if there is one, does what is asked for, and answers elsewhere.
    """

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked, answer = self.rfile.read(int(self.headers["Content-Length"])), body
            if forward_to is not None:
                with urlopen(Request(forward_to + self.path, asked, dict(self.headers))) as real:
                    answer = real.read()
            if self.path.startswith(paths):
                answer = body
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is that of the base
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server, _in_a_thread(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _in_a_thread(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@override_settings(
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
)
class ShopTest(TestCase):
    """A test over the sample shop; what it writes is rolled back."""

    gateway: GatewayServer

    @classmethod
    def setUpTestData(cls) -> None:
        """Makes the sample."""
        make_sample()

    def setUp(self) -> None:
        """Serves a gateway in which nothing has happened, and logs customers and a clerk in."""
        self.enterContext(override("en"))
        folder = Path(self.enterContext(TemporaryDirectory()))
        self.gateway = self.enterContext(served_gateway(folder))
        self.enterContext(override_settings(GATEWAY_URL=self.gateway.url))
        self.ada, self.ben, self.cleo = (self.browser(name) for name in ("ada", "ben", "cleo"))

    def browser(self, name: str, **more: Any) -> Client:
        """Returns a browser in which this person is logged in."""
        client = Client(**more)
        client.force_login(User.objects.get(username=name))
        return client

    def post(self, client: Client, path: str, data: dict[str, str], **more: Any) -> Any:
        """Posts a form; what is delivered after the commit is delivered then."""
        with self.captureOnCommitCallbacks(execute=True):
            return client.post(path, data, **more)

    def returned(self, changes: dict[str, str] | None = None, number: str = "1001") -> Return:
        """Returns a return that ada asked for by the form."""
        answer = self.post(self.ada, f"/orders/{number}/return/", {**A_MUG, **(changes or {})})
        assert answer.status_code == 302, answer.content.decode()
        return get_service().get(answer["Location"].split("/")[2])

    def done(self, found: Return, action: str, data: dict[str, str] | None = None) -> Return:
        """Returns a return after the clerk did something about it in the back office."""
        path = back_office(found, action)
        page = self.cleo.get(path)
        assert page.status_code == 200, page.content.decode()
        form = {name: str(value) for name, value in filled(page).items()} | (data or {})
        answer = self.post(self.cleo, path, form)
        assert answer.status_code == 302, answer.content.decode()
        return get_service().get(found.id)

    def refunds(self) -> list[Movement]:
        """Returns what the gateway was asked for."""
        return self.gateway.movements.all()


def back_office(found: Return, action: str) -> str:
    """Returns where the back office asks about an action."""
    return reverse("admin:rma_storedreturn_do", args=[quote(found.id), action])


def filled(page: Any) -> dict[str, object]:
    """Returns what the form of a page has in it already."""
    form = page.context["form"]
    values = {field.html_name: field.value() for field in form}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def words(answer: Any) -> str:
    """Returns what is read on a page, without its markup, scripts and forms' values."""
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(text.split())
