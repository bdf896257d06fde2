"""A shop whose first page fails."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shop import urls


def fail(request: HttpRequest) -> HttpResponse:
    """Fails."""
    raise RuntimeError(request.path)


urlpatterns = [path("", fail, name="orders"), *urls.urlpatterns[1:]]
