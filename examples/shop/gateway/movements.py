"""What the gateway was asked for under which key, and how that ended."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from attrs import frozen


class KeyReused(Exception):
    """The key belongs to another request."""


@frozen
class Movement:
    """
    Money that was given back or taken, or was not.

    Attributes:
        status: `succeeded`, `pending`, `failed` or `reversed`.
        code: why it failed, or was returned.
    """

    id: str
    key: str
    kind: str
    payment: str
    amount: int
    currency: str
    status: str
    code: str

    def as_json(self) -> dict[str, object]:
        """Returns it as the API answers it."""
        return {name: getattr(self, name) for name in _SHOWN}


_SHOWN = ("id", "key", "payment", "amount", "currency", "status", "code")
_COLUMNS = "id, key, kind, payment, amount, currency, status, code"


class Movements:
    """Movements in a file, one for each key; threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._lock, closing(self._open()) as database, database:
            database.execute(f"CREATE TABLE IF NOT EXISTS movements ({_COLUMNS}, PRIMARY KEY (kind, key))")

    def record(self, movement: Movement) -> tuple[Movement, bool]:
        """
        Writes the movement, or finds the one of its key; returns it, and whether it is new.

        Raises:
            KeyReused: the key belongs to another request.
        """
        with self._lock, closing(self._open()) as database, database:
            row = [getattr(movement, name) for name in _COLUMNS.split(", ")]
            marks = ", ".join("?" * len(row))
            written = database.execute(f"INSERT OR IGNORE INTO movements VALUES ({marks})", row).rowcount
            found = self._found(database, movement.kind, movement.key)
        assert found is not None, "it was written, or was there"
        if (found.payment, found.amount, found.currency) != (
            movement.payment,
            movement.amount,
            movement.currency,
        ):
            raise KeyReused(movement.key)
        return found, bool(written)

    def find(self, kind: str, key: str) -> Movement | None:
        """Returns the movement of this key."""
        with self._lock, closing(self._open()) as database:
            return self._found(database, kind, key)

    def end(self, movement: Movement, status: str, code: str = "") -> Movement:
        """Writes how it ended, and returns it."""
        with self._lock, closing(self._open()) as database, database:
            database.execute(
                "UPDATE movements SET status = ?, code = ? WHERE kind = ? AND key = ?",
                (status, code, movement.kind, movement.key),
            )
            found = self._found(database, movement.kind, movement.key)
        assert found is not None, "it is in the movements"
        return found

    def all(self) -> list[Movement]:
        """Returns all movements, as they were written."""
        with self._lock, closing(self._open()) as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM movements ORDER BY rowid").fetchall()
        return [Movement(*row) for row in rows]

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=20)

    @staticmethod
    def _found(database: sqlite3.Connection, kind: str, key: str) -> Movement | None:
        row = database.execute(
            f"SELECT {_COLUMNS} FROM movements WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return None if row is None else Movement(*row)
