"""What every answer of the shop has, and what becomes of failures that are no one's fault."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from rma import Conflict, Unavailable

_Answer = Callable[[HttpRequest], HttpResponseBase]

#: Scripts, styles and pictures come from files of the shop only: markup that got into a page could run none.
_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

#: The admin has styles in its pages.
_POLICY_OF_ADMIN = f"{_POLICY}; style-src 'self' 'unsafe-inline'"


def content_security_policy(answer: _Answer) -> _Answer:
    """Says what a page may load."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = answer(request)
        is_admin = request.path.startswith(reverse("admin:index"))
        response.headers.setdefault("Content-Security-Policy", _POLICY_OF_ADMIN if is_admin else _POLICY)
        return response

    return middleware


class failures:  # noqa: N801 # is named in the settings like a function
    """Answers with a page where the database or another customer's command was in the way."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answers."""
        return self._answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Returns a page for `Unavailable` and `Conflict`: in both cases one may try again."""
        if isinstance(error, Unavailable | Conflict):
            response = render(request, "shop/try_again.html", status=error.http_status_hint)
            response.headers["Retry-After"] = "5"
            return response
        return None
