"""Empty schemas for each test, on the server that `tests.databases` finds or starts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.databases import Databases


@pytest.fixture
def new_url(databases: Databases) -> Iterator[Callable[[], str]]:
    """Yields a function that returns the URL of a new empty schema; all are removed afterwards."""
    with ExitStack() as until_the_end:
        yield lambda: until_the_end.enter_context(databases.new("postgresql"))


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """Returns the URL of an empty schema for this test."""
    return new_url()
