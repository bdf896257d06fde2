"""Statements, compiled once for each database."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from attrs import frozen
from sqlalchemy import ClauseElement, Dialect, SelectBase, UpdateBase
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

#: By name of the dialect, with the parameters that its driver takes by name.
_DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": PGDialect_psycopg(),  # type: ignore[no-untyped-call] # untyped in SQLAlchemy
}


@frozen
class Sql:
    """
    A statement in the words of one database.

    Attributes:
        text: with named parameters, as the driver takes it.
        constants: the parameters whose values are part of the statement.
        columns: the names of the columns that it answers with; none if it writes.
    """

    text: str
    constants: Mapping[str, object]
    columns: tuple[str, ...]


class Statement:
    """
    A statement that reads; its rows are tuples of the driver's values.

    SQLAlchemy takes several times as long for a statement as SQLite itself, and three times as long as
    PostgreSQL on the same machine: it builds statements here, and executes none.

    Args:
        selected: what it selects; it may lock or lease rows as well.
        on_sqlite: the same for SQLite, where it differs.
    """

    def __init__(self, selected: SelectBase, on_sqlite: SelectBase | None = None) -> None:
        self._selected = selected
        self._on_sqlite = selected if on_sqlite is None else on_sqlite

    @cached_property
    def sqlite(self) -> Sql:
        """The statement for SQLite."""
        return _read(self._on_sqlite, "sqlite")

    @cached_property
    def postgresql(self) -> Sql:
        """The statement for PostgreSQL."""
        return _read(self._selected, "postgresql")


class WritingStatement:
    """A statement that writes, and returns no rows."""

    def __init__(self, written: UpdateBase) -> None:
        self._written = written

    @cached_property
    def sqlite(self) -> Sql:
        """The statement for SQLite."""
        return _compiled(self._written, "sqlite")

    @cached_property
    def postgresql(self) -> Sql:
        """The statement for PostgreSQL."""
        return _compiled(self._written, "postgresql")


def _read(selected: SelectBase, dialect: str) -> Sql:
    return _compiled(selected, dialect, tuple([each.name for each in selected.selected_columns]))


def _compiled(statement: SelectBase | UpdateBase, dialect: str, columns: tuple[str, ...] = ()) -> Sql:
    compiled = statement.compile(dialect=_DIALECTS[dialect])
    binds: Mapping[str, object] = {
        name: bind.value for name, bind in compiled.binds.items() if not bind.required
    }
    return Sql(str(compiled), binds, columns)


def sqlite_text(statement: ClauseElement, columns: Iterable[str] | None = None) -> str:
    """
    Returns a statement that writes in SQLite's dialect, with named parameters.

    Args:
        statement: what it writes.
        columns: the columns that are written, if not all.
    """
    column_keys = None if columns is None else list(columns)
    return str(statement.compile(dialect=_DIALECTS["sqlite"], column_keys=column_keys))
