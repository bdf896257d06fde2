"""What SQLite is asked, while somebody watches; below SQLAlchemy, as far down as Python goes."""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from attrs import field, frozen
from sqlalchemy import Engine, event


def _nothing(verb: str) -> None:
    pass


def _is_scan(step: str) -> bool:
    return step.startswith("SCAN") and "rma_" in step and "INDEX" not in step


@frozen
class Asked:
    """
    What was asked, in order.

    Attributes:
        statements: each with its parameters.
        verbs: their first words, COMMIT included.
        first: called with each of these words before.
    """

    statements: list[tuple[str, object]] = field(factory=list)
    verbs: list[str] = field(factory=list)
    first: Callable[[str], object] = _nothing

    def forget(self) -> None:
        """From here on."""
        self.statements.clear()
        self.verbs.clear()

    def slow_steps(self, engine: Engine) -> list[str]:
        """Steps of SQLite's plans for the statements that read a whole table, or sort what they read."""
        with engine.connect() as connection:
            steps = [
                str(row[-1])
                for sql, parameters in self.statements.copy()
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)  # type: ignore[arg-type] # as it was asked
            ]
        assert any("INDEX" in step for step in steps), f"these are not plans of tables: {steps}"
        return [step for step in steps if _is_scan(step) or "TEMP B-TREE" in step]


def watch(engine: Engine, first: Callable[[str], object] = _nothing) -> Asked:
    """Everything that the engine's connections are asked from now on; `first` is called before."""
    asked = Asked(first=first)

    class Cursor(sqlite3.Cursor):
        """Tells."""

        def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
            """Tell, and execute."""
            tell(sql, parameters)
            return super().execute(sql, parameters)

        def executemany(self, sql: str, rows: Iterable[Any]) -> "Cursor":
            """Tell, and execute, unless there is nothing to execute it for."""
            many = list(rows)
            if many:
                tell(sql, many)
            return super().executemany(sql, many)

    class Connection(sqlite3.Connection):
        """Its cursors tell, and so does it when something is committed."""

        def cursor(self, factory: Any = Cursor) -> Any:
            """That tells."""
            return super().cursor(factory)

        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            """As it is opened: not told."""
            return sqlite3.Cursor(self).execute(sql, parameters)

        def commit(self) -> None:
            """Tell, and commit, if there is anything."""
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
