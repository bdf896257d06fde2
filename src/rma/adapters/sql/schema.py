"""
The tables, the same in every database.

`rma_ledgers` has a row for each order, `rma_returns` one for each return, exchange and claim, `rma_events`
one for each event.
What they hold is in their `document`; the columns beside it are what rows are found, ordered and compared
by. Primary keys lead with the order, no key is drawn from a sequence, no row refers to another order.
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
    and_,
    func,
    inspect,
    literal_column,
    select,
    true,
)
from sqlalchemy import Text as AnyText

from rma.domain.values.errors import Unavailable

#: Of tables and documents. Whoever changes what is stored counts it up, and reads what was stored before.
FORMAT = 1

#: Held on PostgreSQL by whoever makes the tables: "rma" and a number, as advisory locks are numbers.
_PREPARING = 0x726D_6100

#: Compared and sorted by code points everywhere: PostgreSQL would otherwise go by its locale.
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")

metadata = MetaData()

#: `format` of everything else here, in the only row.
formats = Table("rma_format", metadata, Column("format", Integer, primary_key=True, autoincrement=False))

#: `waiting_since`: since when its oldest open effect is open. `due_at`: before which none is due; null for
#: at once. `unpublished_since`: since when it has events that no publisher took. All three in UTC as ISO
#: 8601 with microseconds, which sorts as time does in every database; so are `leased_until` and
#: `requested_at` below. `leased_by`: the worker that took it to deliver it, until then.
ledgers = Table(
    "rma_ledgers",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("published", Integer, nullable=False),
    Column("waiting_since", Text),
    Column("due_at", Text),
    Column("unpublished_since", Text),
    Column("leased_until", Text),
    Column("leased_by", Text),
    Column("document", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: `kind`: return, exchange or claim. `position`: its place among the order's of that kind, from 0.
#: `return_id`: the id of it. `status`, `needs_attention`, `requested_at`: as in the document.
returns = Table(
    "rma_returns",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("return_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("needs_attention", Boolean, nullable=False),
    Column("requested_at", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("rma_returns_by_id", "return_id", unique=True),
)

#: Pages show returns only; written out, so that SQLite sees that their indexes will do.
is_return = returns.c.kind == literal_column("'return'")
_place = (returns.c.requested_at, returns.c.order_id, returns.c.position)
Index("rma_returns_by_age", *_place, sqlite_where=is_return, postgresql_where=is_return)
Index("rma_returns_by_status", returns.c.status, *_place, sqlite_where=is_return, postgresql_where=is_return)

#: `revision`, `number`: the commit it belongs to, and its place there.
events = Table(
    "rma_events",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

_wants_somebody = and_(is_return, returns.c.needs_attention == true())
Index(
    "rma_returns_needing_attention",
    *_place,
    sqlite_where=_wants_somebody,
    postgresql_where=_wants_somebody,
)
_waits = ledgers.c.waiting_since.is_not(None)
Index(
    "rma_ledgers_waiting",
    ledgers.c.waiting_since,
    ledgers.c.order_id,
    ledgers.c.due_at,
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


def is_prepared(connection: Connection) -> bool:
    """
    True if the tables are there.

    Raises:
        Unavailable: `newer_format`: they were made by a later version of this library.
    """
    return inspect(connection).has_table(formats.name) and _format(connection) is not None


def prepare(connection: Connection) -> None:
    """
    Make the tables in the transaction that this connection is in, unless somebody else was faster.

    Raises:
        Unavailable: `newer_format`: whoever was faster is a later version of this library.
    """
    if connection.dialect.name == "postgresql":  # which would let two of us make the same table, and fail
        connection.execute(select(func.pg_advisory_xact_lock(_PREPARING)))
    metadata.create_all(connection)
    if _format(connection) is None:
        connection.execute(formats.insert(), {"format": FORMAT})


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """
    What is written meanwhile is committed, or undone if anything is raised.

    SQLite is told at once that it will be written, and lets it wait for its turn.
    """
    driver = connection.connection
    try:
        if connection.dialect.name == "sqlite":
            with closing(driver.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE")
        yield
        connection.commit()  # what SQLAlchemy knows of
        driver.commit()
    except BaseException:
        if not connection.invalidated:
            connection.connection.rollback()  # SQLAlchemy does not, if it was interrupted while committing
        raise


def is_autocommit(connection: Connection) -> bool:
    """True if each statement on this connection is committed by itself."""
    return getattr(connection.connection.driver_connection, "autocommit", False) is True


def _format(connection: Connection) -> int | None:
    found = connection.scalar(select(formats.c.format))
    if found is not None and found > FORMAT:
        raise Unavailable("newer_format", {"found": found, "known": FORMAT})
    return found
