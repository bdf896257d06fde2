"""Clients of the shop over HTTP, which ask again until they are answered."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from attrs import field, frozen

#: How often a request is sent at the most.
_MOST = 100

#: Answers after which a client asks again: another command was in the way, or the database.
_AGAIN = {409, 503}


@frozen
class Answer:
    """What was answered."""

    status: int
    location: str
    page: str


@frozen
class Client:
    """
    Someone who is logged in.

    Attributes:
        answered: is called after each answer, and after each request that had none.
    """

    url: str
    answered: Callable[[], None]
    cookies: dict[str, str] = field(factory=dict)

    @classmethod
    def of(cls, url: str, name: str, answered: Callable[[], None]) -> "Client":
        """Returns this person, once they have logged in."""
        client = cls(url, answered)
        client.send("GET", "/login/")
        answer = client.post("/login/", {"username": name, "password": name})
        assert answer.status == 302, answer.page
        return client

    def get(self, path: str) -> str:
        """Returns a page."""
        answer = self.send("GET", path)
        assert answer.status == 200, answer
        return answer.page

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Posts a form."""
        return self.send("POST", path, {**form, "csrfmiddlewaretoken": self.cookies["csrftoken"]})

    def post_twice(self, path: str, form: Mapping[str, str]) -> tuple[Answer, Answer]:
        """Posts a form twice at the same time."""
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _time: self.post(path, form), range(2))
        return first, second

    def send(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Answer:
        """Sends a request until it is answered."""
        for _attempt in range(_MOST):
            try:
                answer = self._send(method, path, form)
            except (OSError, HTTPException):  # a worker was killed
                self.answered()
                continue
            self.answered()
            if answer.status not in _AGAIN:
                return answer
        raise AssertionError(f"{path} is not answered")

    def _send(self, method: str, path: str, form: Mapping[str, str] | None) -> Answer:
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            if form is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, urlencode(form) if form is not None else None, headers)
            response = connection.getresponse()
            page = response.read().decode()
            for each in response.headers.get_all("Set-Cookie", []):
                self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(each).items()})
            return Answer(response.status, response.headers.get("Location", ""), page)
        finally:
            connection.close()


def hidden(page: str, name: str) -> str:
    """Returns the value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([\w-]+)"', page)
    assert found, page
    return found[1]
