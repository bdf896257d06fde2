"""Tables of error codes, policy rules and the database, for the reference pages."""

import logging
from typing import get_args

from attrs import fields
from sqlalchemy import Column, Index, Table
from sqlalchemy.dialects import sqlite

from rma import (
    Calendar,
    Charge,
    Conflict,
    Fee,
    Grade,
    IdempotencyKeyReused,
    Invalid,
    InvalidValue,
    NotAllowed,
    NotFound,
    ReturnPolicy,
    ReturnRule,
    RmaError,
    Signal,
    Timing,
    Window,
    Withdrawal,
)
from rma.adapters.sql.definition import DIALECTS
from rma.adapters.sql.schema import metadata
from rma.codec.docstrings import paragraph
from rma.domain.values.errors import StaleLedger, StaleOrder, codes
from rma.observing import _LEVELS
from tests.docs.cures import CURES
from tests.docs.described import cell, code, section, table, table_of

#: The classes that have codes, in the order of their gravity, and whose move is next.
CLASSES: dict[type[RmaError], str] = {
    NotFound: "the caller asks for something that exists",
    NotAllowed: "the caller asks for something that the state permits",
    Invalid: "the caller corrects the request",
    IdempotencyKeyReused: "the caller takes a new key",
    StaleOrder: "the host reads the order where it is current, and sends the command again",
    StaleLedger: "the caller sends the command again; `handle` has tried already",
    InvalidValue: "the programmer of the host corrects the code",
}


def codes_by_class() -> str:
    """A table for each class of errors."""
    parts = []
    for kind, next_move in CLASSES.items():
        bases = f", a `{Conflict.__name__}`" if issubclass(kind, Conflict) else ""
        rows = [
            (
                code(row.code),
                cell(row.message),
                ", ".join(map(code, row.numbers)) or "none",
                cell(CURES[row.code]),
            )
            for row in codes()
            if row.kind is kind
        ]
        parts += [
            f"### {kind.__name__}",
            f"HTTP status hint {kind.http_status_hint}{bases}: {next_move}.",
            table(("code", "message", "numbers", "what to do"), rows),
        ]
    return "\n\n".join(parts)


def policy() -> str:
    """The fields of a policy, of its rules, and of what they name."""
    kinds = (ReturnPolicy, ReturnRule, Window, Calendar, Withdrawal, Fee, Grade, Charge)
    return "\n\n".join([section(each) for each in kinds])


def timing() -> str:
    """The durations of a service."""
    return table_of(Timing)


def signals() -> str:
    """Each signal of an observer, how it is logged, and what it says."""
    rows = []
    for kind in get_args(Signal):
        said = [each.name for each in fields(kind)]
        level = logging.getLevelName(_LEVELS.get(kind, logging.DEBUG)).lower()
        rows.append((code(kind.__name__), level, cell(paragraph(kind.__doc__)), ", ".join(map(code, said))))
    return table(("signal", "logged as", "means", "fields"), rows)


def schema() -> str:
    """A table for each table of the database."""
    return "\n\n".join([_columns(each) for each in metadata.tables.values()])


def _columns(each: Table) -> str:
    rows = [(code(column.name), _type(column), _key(column)) for column in each.columns]
    key = ", ".join([column.name for column in each.primary_key.columns])
    return f"### {each.name}\n\nPrimary key: {code(key)}.\n\n{table(('column', 'type', 'null'), rows)}"


def _type(column: "Column[object]") -> str:
    """The type on SQLite, and on PostgreSQL if that is another."""
    found = [column.type.compile(dialect=each()) for each in DIALECTS.values()]
    on_postgresql, on_sqlite = [each.partition(" COLLATE")[0] for each in found]
    return on_sqlite if on_sqlite == on_postgresql else f"{on_sqlite}; on PostgreSQL {on_postgresql}"


def _key(column: "Column[object]") -> str:
    if column.primary_key:
        return "no, a key"
    return "yes" if column.nullable else "no"


def indexes() -> str:
    """The indexes besides the primary keys."""
    rows = [
        (
            code(each.name or ""),
            code(owner.name),
            code(", ".join([column.name for column in each.columns])),
            _rows(each),
        )
        for owner in metadata.tables.values()
        for each in sorted(owner.indexes, key=lambda index: index.name or "")
    ]
    return table(("index", "table", "columns", "rows"), rows)


def _rows(index: Index) -> str:
    if index.unique:
        return "all, unique"
    where = index.dialect_options["sqlite"]["where"]
    if where is None:
        return "all"
    compiled = where.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    condition = " ".join(str(compiled).split())
    for owner in metadata.tables:
        condition = condition.replace(f"{owner}.", "")
    return f"where {code(condition)}"
