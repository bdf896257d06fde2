"""
The tables, the same in every database.

`rma_ledgers` has a row for each order, `rma_returns` one for each return, exchange and claim, `rma_events`
one for each event.
The content of a row is its `document`; the other columns are those by which rows are found, ordered and
compared. Primary keys begin with the order, no key is drawn from a sequence, and no row refers to another
order.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
)
from sqlalchemy import Text as AnyText

from rma.adapters.sql.timestamps import Timestamp
from rma.domain.values.errors import Unavailable

#: The format of tables and documents. A release that changes it increases this number, and has an upgrade
#: from the format before: `rma.adapters.sql.upgrades`.
FORMAT = 2

#: The oldest format whose releases may write these tables.
WRITABLE_SINCE = 2

#: A string that is compared and sorted by code points; PostgreSQL would otherwise use its locale.
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")

metadata = MetaData()

#: The format of all other tables, and the oldest one whose releases may write them, in a single row.
formats = Table(
    "rma_format",
    metadata,
    Column("format", Integer, primary_key=True, autoincrement=False),
    Column("writable_since", Integer, nullable=False),
)

#: `waiting_since`: when its oldest open effect was opened. `due_at`: when its first effect is due; null if
#: none is, ever. `unpublished_since`: when its first unpublished event was recorded. `leased_by`: the worker
#: that leased it, until `leased_until`.
ledgers = Table(
    "rma_ledgers",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("published", Integer, nullable=False),
    Column("waiting_since", Timestamp),
    Column("due_at", Timestamp),
    Column("unpublished_since", Timestamp),
    Column("leased_until", Timestamp),
    Column("leased_by", Text),
    Column("document", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Tables of long documents have rowids: without, SQLite keeps the first thousand bytes of a row by its key,
# and the others on pages of their own: the file would be twice as large, and commits slower.

#: `kind`: return, exchange or claim. `position`: its index among those of its kind in the order, from 0.
#: `return_id`: its id. `status`, `needs_attention`, `requested_at`: as they are now. `opened_revision`,
#: `opened_number`: where the event is that opened it. `document`, `record`: what changed since, see
#: `rma.adapters.sql.documents`. `return_by`: after this moment it expires, as long as nothing was sent or
#: received. `due_by`: until when it is to be paid, as long as it is not.
returns = Table(
    "rma_returns",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("return_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("needs_attention", Boolean, nullable=False),
    Column("requested_at", Timestamp, nullable=False),
    Column("document", Text),
    Column("opened_revision", Integer, nullable=False),
    Column("opened_number", Integer, nullable=False),
    Column("record", Text),
    Column("return_by", Timestamp),
    Column("due_by", Timestamp),
    Index("rma_returns_by_id", "return_id", unique=True),
)

#: The columns by which pages are ordered: see `rma.domain.views.query`.
sort_key = (returns.c.requested_at, returns.c.order_id, returns.c.position, returns.c.kind)
#: The one index by which pages and counts of all orders are read, a range for each kind, status and need of
#: attention (`rma.adapters.sql.listing`): a commit writes this instead of an index for each filter. A process
#: finds only statuses that it knows, so that a new one needs a new format.
Index(
    "rma_returns_listed",
    returns.c.kind,
    returns.c.status,
    returns.c.needs_attention,
    *sort_key[:3],
)

_can_expire = returns.c.return_by.is_not(None)
Index("rma_returns_expiring", returns.c.return_by, sqlite_where=_can_expire, postgresql_where=_can_expire)
_is_payable = returns.c.due_by.is_not(None)
Index("rma_returns_payable", returns.c.due_by, sqlite_where=_is_payable, postgresql_where=_is_payable)

#: `revision`, `number`: its commit, and its number in it.
events = Table(
    "rma_events",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

_waits = ledgers.c.waiting_since.is_not(None)
Index(
    "rma_ledgers_due",
    ledgers.c.due_at,
    ledgers.c.order_id,
    sqlite_where=_waits,
    postgresql_where=_waits,
)
_is_behind = ledgers.c.unpublished_since.is_not(None)
Index(
    "rma_ledgers_unpublished",
    ledgers.c.unpublished_since,
    ledgers.c.order_id,
    sqlite_where=_is_behind,
    postgresql_where=_is_behind,
)


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """
    Commits what is written in the block, or undoes it if the block raises.

    On SQLite the transaction takes the write lock when it begins, and waits for it until the timeout.
    """
    driver = connection.connection
    try:
        if connection.dialect.name == "sqlite":
            with closing(driver.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE")
        yield
        connection.commit()  # SQLAlchemy's own transaction
        driver.commit()
    except BaseException:
        if not connection.invalidated:
            connection.connection.rollback()  # SQLAlchemy does not, if it was interrupted while committing
        raise


def is_autocommit(connection: Connection) -> bool:
    """Returns True if each statement on this connection is committed by itself."""
    return getattr(connection.connection.driver_connection, "autocommit", False) is True


def require_known(writable_since: int | None) -> None:
    """
    Checks that this release may write tables that can be written since this format; None if there are none.

    Raises:
        Unavailable: `newer_format`.
    """
    if writable_since is not None and writable_since > FORMAT:
        raise Unavailable("newer_format", {"found": writable_since, "known": FORMAT})
