"""
Django with settings of its own, and databases that tests make.

The settings are made here and not in a module, so that Django leaves the time zone of the process alone.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings

import django
from tests.databases import Databases

settings.configure(
    SECRET_KEY="of tests",
    INSTALLED_APPS=["rma.adapters.django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
    TIME_ZONE="UTC",
    LOGGING_CONFIG=None,
    RMA={"TIMER": 60},
)
django.setup()

from tests.django.aliases import Aliases  # noqa: E402 # models need the settings
from tests.quiet import quiet  # noqa: E402

__all__ = ["quiet"]


@pytest.fixture
def aliases(databases: Databases) -> Iterator[Aliases]:
    """Yields the maker of databases that Django knows; they are removed afterwards."""
    with ExitStack() as until_the_end:
        yield Aliases(databases, until_the_end)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Returns each kind of database."""
    kind: str = request.param
    return kind


@pytest.fixture
def alias(aliases: Aliases, kind: str) -> str:
    """Returns the alias of a database with tables, of each kind."""
    return aliases.with_tables(kind)
