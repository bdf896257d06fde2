"""
Format 2: timestamps of PostgreSQL have its own type, and a line's prices are written once.

- `rma_format.writable_since` is new, so that later upgrades that break nothing let older releases go on.
- Events say what they changed, not the whole state again; what the columns of their row say, they leave out.
- A row of `rma_returns` says which event opened it, and has what changed since in `document` and `record`.
- One index, `rma_returns_listed`, takes the place of five.
- `return_by` and `due_by` of `rma_returns` are new, each with an index: until when goods are to be sent, and
  until when they are to be paid.
- On PostgreSQL `waiting_since`, `due_at`, `unpublished_since`, `leased_until` and `requested_at` are
  `timestamptz`; before, they were strings.

Releases of format 1 write no more.
"""

from typing import Any

from sqlalchemy import Connection

from rma.adapters.sql.upgrades.format_2_events import convert_events
from rma.adapters.sql.upgrades.tables import is_postgresql, make_again
from rma.adapters.sql.upgrades.upgrade import Conversion, Upgrade

#: The columns that hold timestamps.
_TIMESTAMPS = {
    "rma_ledgers": ("waiting_since", "due_at", "unpublished_since", "leased_until"),
    "rma_returns": ("requested_at",),
}

#: Matches what format 1 wrote. Anything else is written again from the history, or belongs to an order that
#: is left.
_WRITTEN = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T[0-9:.]{15}[+]00:00$"


#: The indexes by which lists were read.
_LISTS = ("by_age", "by_status", "other_kinds", "needing_attention", "needing_attention_by_status")

_INDEXES = (
    """CREATE INDEX rma_returns_listed
    ON rma_returns (kind, status, needs_attention, requested_at, order_id, position)""",
    "CREATE INDEX rma_returns_expiring ON rma_returns (return_by) WHERE return_by IS NOT NULL",
    "CREATE INDEX rma_returns_payable ON rma_returns (due_by) WHERE due_by IS NOT NULL",
)

_RETURNS_ON_SQLITE = """
    order_id TEXT NOT NULL, kind TEXT NOT NULL, position INTEGER NOT NULL, return_id TEXT NOT NULL,
    status TEXT NOT NULL, needs_attention BOOLEAN NOT NULL, requested_at TEXT NOT NULL, document TEXT,
    opened_revision INTEGER NOT NULL, opened_number INTEGER NOT NULL, record TEXT,
    return_by TEXT, due_by TEXT,
    PRIMARY KEY (order_id, kind, position)
"""


def _change_tables(connection: Connection) -> None:
    if is_postgresql(connection):
        _change_postgresql(connection)
    else:
        _change_sqlite(connection)


def _change_postgresql(connection: Connection) -> None:
    run = connection.exec_driver_sql
    run("ALTER TABLE rma_format ADD COLUMN writable_since integer NOT NULL DEFAULT 2")
    run("ALTER TABLE rma_format ALTER COLUMN writable_since DROP DEFAULT")
    for each in _LISTS:
        run(f"DROP INDEX rma_returns_{each}")
    for table, columns in _TIMESTAMPS.items():
        changes = [
            f"ALTER COLUMN {name} TYPE timestamptz USING CASE WHEN {name} ~ '{_WRITTEN}'"
            f" THEN {name}::timestamptz {'' if name != 'requested_at' else 'ELSE to_timestamp(0)'} END"
            for name in columns
        ]
        run(f"ALTER TABLE {table} {', '.join(changes)}")
    run("ALTER TABLE rma_returns ALTER COLUMN document DROP NOT NULL")
    for name in ("opened_revision", "opened_number"):  # which the conversion writes
        run(f"ALTER TABLE rma_returns ADD COLUMN {name} integer NOT NULL DEFAULT 0")
        run(f"ALTER TABLE rma_returns ALTER COLUMN {name} DROP DEFAULT")
    run('ALTER TABLE rma_returns ADD COLUMN record text COLLATE "C"')
    for name in ("return_by", "due_by"):
        run(f"ALTER TABLE rma_returns ADD COLUMN {name} timestamptz")
    for each in _INDEXES:
        run(each)


def _change_sqlite(connection: Connection) -> None:
    make_again(
        connection,
        "rma_format",
        "format INTEGER NOT NULL, writable_since INTEGER NOT NULL, PRIMARY KEY (format)",
        writable_since="2",
    )
    make_again(
        connection,
        "rma_returns",
        _RETURNS_ON_SQLITE,
        opened_revision="0",
        opened_number="0",
        record="NULL",
        return_by="NULL",
        due_by="NULL",
    )
    connection.exec_driver_sql("CREATE UNIQUE INDEX rma_returns_by_id ON rma_returns (return_id)")
    for each in _INDEXES:
        connection.exec_driver_sql(each)


def refund_keys(document: dict[str, Any]) -> set[str]:
    """Returns the keys of the refunds in the document of a return, exchange or claim of format 1."""
    refunds = document["state"].get("entitlement", {}).get("refunds", ())
    return {each["key"] for each in refunds}


UPGRADE = Upgrade(
    format=2,
    is_breaking=True,
    change_tables=_change_tables,
    conversion=Conversion(convert_events, refund_keys),
)
