"""Empty schemas for each test, on the server that `tests.databases` finds or starts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.databases import Databases


@pytest.fixture
def new_url(databases: Databases) -> Iterator[Callable[[], str]]:
    """Where an empty schema is, another each time; all of them are gone afterwards."""
    with ExitStack() as until_the_end:
        yield lambda: until_the_end.enter_context(databases.new("postgresql"))


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """Where an empty schema is, for this test."""
    return new_url()
