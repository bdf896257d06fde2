"""Records the statements that SQLite executes, below SQLAlchemy, in the classes of `sqlite3`."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from attrs import field, frozen
from sqlalchemy import Engine, event


def _nothing(verb: str) -> None:
    pass


def is_slow(step: str) -> bool:
    """Returns True for a step that reads a whole table or sorts what is read."""
    is_scan = step.startswith("SCAN") and "rma_" in step and "INDEX" not in step
    return is_scan or "TEMP B-TREE" in step


@frozen
class Asked:
    """
    The statements that were executed, in order.

    Attributes:
        statements: each with its parameters.
        verbs: their first words, COMMIT included.
        first: called with each of these words, before it is executed.
    """

    statements: list[tuple[str, object]] = field(factory=list)
    verbs: list[str] = field(factory=list)
    first: Callable[[str], object] = _nothing

    def forget(self) -> None:
        """Removes what was recorded so far."""
        self.statements.clear()
        self.verbs.clear()

    def plan(self, engine: Engine) -> list[str]:
        """Returns the steps of SQLite's plans for what was executed."""
        with engine.connect() as connection:
            return [
                str(row[-1])
                for sql, parameters in self.statements.copy()
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)  # type: ignore[arg-type] # as it was asked
            ]

    def slow_steps(self, engine: Engine) -> list[str]:
        """Returns the steps of SQLite's plans that read a whole table or sort what they read."""
        steps = self.plan(engine)
        assert any("INDEX" in step for step in steps), f"these are not plans of tables: {steps}"
        return list(filter(is_slow, steps))


def watch(engine: Engine, first: Callable[[str], object] = _nothing) -> Asked:
    """
    Records everything that connections of the engine execute from now on, and calls `first` before each.
    """
    asked = Asked(first=first)

    class Cursor(sqlite3.Cursor):
        """Records what it executes."""

        def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
            """Records the statement, then executes it."""
            tell(sql, parameters)
            return super().execute(sql, parameters)

        def executemany(self, sql: str, rows: Iterable[Any]) -> "Cursor":
            """Records the statement with its rows, then executes it, unless there are none."""
            many = list(rows)
            if many:
                tell(sql, many)
            return super().executemany(sql, many)

    class Connection(sqlite3.Connection):
        """Has cursors that record, and records commits."""

        def cursor(self, factory: Any = Cursor) -> Any:
            """Returns a cursor that records."""
            return super().cursor(factory)

        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            """Executes a setting of a new connection without recording it."""
            return sqlite3.Cursor(self).execute(sql, parameters)

        def commit(self) -> None:
            """Records the commit, then commits, unless no transaction has begun."""
            if self.in_transaction:
                asked.first("COMMIT")
                asked.verbs.append("COMMIT")
            super().commit()

    def tell(sql: str, parameters: object) -> None:
        verb = sql.split(maxsplit=1)[0]
        asked.first(verb)
        asked.statements.append((sql, parameters))
        asked.verbs.append(verb)

    @event.listens_for(engine, "do_connect")
    def connect(*arguments: Any) -> None:
        arguments[-1]["factory"] = Connection

    engine.dispose()
    return asked
