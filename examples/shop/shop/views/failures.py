"""Pages for what must not be."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 # Django passes it
    """Answers a form that did not come from a page of the shop."""
    return render(request, "shop/forged.html", status=403)
