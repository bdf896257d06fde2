"""
Format 2: timestamps of PostgreSQL have its own type, and a line's prices are written once.

- `rma_format.writable_since` is new, so that later upgrades that break nothing let older releases go on.
- On PostgreSQL `waiting_since`, `due_at`, `unpublished_since`, `leased_until` and `requested_at` are
  `timestamptz`; before, they were strings.

Releases of format 1 write no more.
"""

from typing import Any

from sqlalchemy import Connection

from rma.adapters.sql.upgrades.tables import is_postgresql, make_again
from rma.adapters.sql.upgrades.upgrade import Conversion, Documents, Upgrade

#: The columns that hold timestamps.
_TIMESTAMPS = {
    "rma_ledgers": ("waiting_since", "due_at", "unpublished_since", "leased_until"),
    "rma_returns": ("requested_at",),
}

#: Matches what format 1 wrote. Anything else is written again from the history, or belongs to an order that
#: is left.
_WRITTEN = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T[0-9:.]{15}[+]00:00$"


def _change_tables(connection: Connection) -> None:
    if is_postgresql(connection):
        _change_postgresql(connection)
    else:
        _change_sqlite(connection)


def _change_postgresql(connection: Connection) -> None:
    run = connection.exec_driver_sql
    run("ALTER TABLE rma_format ADD COLUMN writable_since integer NOT NULL DEFAULT 2")
    run("ALTER TABLE rma_format ALTER COLUMN writable_since DROP DEFAULT")
    for table, columns in _TIMESTAMPS.items():
        changes = [
            f"ALTER COLUMN {name} TYPE timestamptz USING CASE WHEN {name} ~ '{_WRITTEN}'"
            f" THEN {name}::timestamptz {'' if name != 'requested_at' else 'ELSE to_timestamp(0)'} END"
            for name in columns
        ]
        run(f"ALTER TABLE {table} {', '.join(changes)}")


def _change_sqlite(connection: Connection) -> None:
    make_again(
        connection,
        "rma_format",
        "format INTEGER NOT NULL, writable_since INTEGER NOT NULL, PRIMARY KEY (format)",
        writable_since="2",
    )


def convert(documents: Documents) -> Documents:
    """Returns the documents of an order's events, the oldest first, as format 2 has them."""
    return documents


def refund_keys(document: dict[str, Any]) -> set[str]:
    """Returns the keys of the refunds in the document of a return, exchange or claim of format 1."""
    refunds = document["state"].get("entitlement", {}).get("refunds", ())
    return {each["key"] for each in refunds}


UPGRADE = Upgrade(
    format=2, is_breaking=True, change_tables=_change_tables, conversion=Conversion(convert, refund_keys)
)
