"""Databases of Django that are known only for a test."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any, TypeVar

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from sqlalchemy import make_url

from rma.adapters.django.operations import MakeTables
from tests.databases import Databases

T = TypeVar("T")

_numbers = count(1)


def database(url: str, **options: Any) -> dict[str, Any]:
    """Returns what DATABASES says about the database of this URL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parsed.database, "OPTIONS": options}
    query = {name: value for name, value in parsed.query.items() if isinstance(value, str)}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parsed.database,
        "USER": parsed.username or "",
        "PASSWORD": parsed.password or "",
        "HOST": query.get("host", parsed.host or ""),
        "PORT": str(parsed.port or ""),
        "OPTIONS": {"options": query["options"], **options},
    }


class Aliases:
    """Makes empty databases, and gives each an alias, or several: each has a connection of its own."""

    def __init__(self, databases: Databases, until_the_end: ExitStack) -> None:
        self._databases = databases
        self._until_the_end = until_the_end
        self._known: dict[str, str] = {}

    def new(self, kind: str, **options: Any) -> str:
        """Returns the alias of a new, empty database of this kind."""
        return self.of(self._until_the_end.enter_context(self._databases.new(kind)), **options)

    def with_tables(self, kind: str, **options: Any) -> str:
        """Returns the same, after the operation of the first migration."""
        alias = self.new(kind, **options)
        make_tables(alias)
        return alias

    def of(self, url: str, **options: Any) -> str:
        """Returns a new alias of the database of this URL."""
        alias = f"rma_{next(_numbers)}"
        self._known[alias] = url
        known: dict[str, Any] = connections.settings
        known[alias] = database(url, **options)
        connections.configure_settings(known)
        self._until_the_end.callback(_forget, alias)
        return alias

    def again(self, alias: str) -> str:
        """Returns another alias of the same database."""
        return self.of(self._known[alias])

    def url(self, alias: str) -> str:
        """Returns the URL of its database."""
        return self._known[alias]


def _forget(alias: str) -> None:
    connection = connections[alias]
    connection.in_atomic_block = False  # a test may have left a block open
    connection.close()
    del connections[alias]
    del connections.settings[alias]


def make_tables(alias: str) -> None:
    """Makes the tables as the first migration does."""
    with connections[alias].schema_editor() as editor:
        MakeTables().database_forwards("rma", editor, None, None)


def closing_connections(act: Callable[[], T]) -> Callable[[], T]:
    """Returns the same for a thread, whose connections are closed when it is done."""

    def acting() -> T:
        try:
            return act()
        finally:
            connections.close_all()

    return acting


def in_threads(acts: Sequence[Callable[[], T]]) -> list[Callable[[], T]]:
    """Returns these for threads, each of which closes its connections."""
    return [closing_connections(act) for act in acts]


@contextmanager
def rma_setting(**given: object) -> Iterator[None]:
    """Has this setting `RMA` for a while."""
    before = settings.RMA
    settings.RMA = given
    try:
        yield
    finally:
        settings.RMA = before


def connection_of(alias: str) -> BaseDatabaseWrapper:
    """Returns the connection of this thread."""
    return connections[alias]
