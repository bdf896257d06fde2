"""The DDL of tables whose rows PostgreSQL spreads over partitions, by a hash of the order's id."""

from sqlalchemy import Index, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from rma.adapters.sql.schema import FORMAT, WRITABLE_SINCE, formats, metadata
from rma.domain.values.errors import InvalidValue

#: The column that every primary key leads with, except that of the table of the format.
_ORDER_ID = "order_id"


def partitioned_ddl(count: int) -> tuple[str, ...]:
    """
    Returns the statements that make all tables in an empty schema, with `count` partitions each.

    A unique index of a partitioned table must have the order's id in it, so the id of a return is unique
    within its order only: ids of your own (`ReturnService.ids`) must not repeat between orders.

    >>> from rma.adapters.sql.partitions import partitioned_ddl
    >>> "CREATE TABLE rma_events_7 PARTITION OF rma_events FOR VALUES WITH (MODULUS 8, REMAINDER 7)" in (
    ...     partitioned_ddl(8)
    ... )
    True

    Raises:
        InvalidValue: `count` is not an integer of at least 1.
    """
    number: object = count
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        details = {"field": "partitions", "value": str(number), "expected": "an integer of at least 1"}
        raise InvalidValue("invalid_value", details)
    tables = partitioned_metadata()
    spread = [each for each in tables.sorted_tables if each.name != formats.name]
    made: list[CreateTable | CreateIndex] = [CreateTable(each) for each in tables.sorted_tables]
    for each in spread:
        made += [CreateIndex(index) for index in sorted(each.indexes, key=_name)]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's
    return (
        *[str(each.compile(dialect=dialect)).strip() for each in made],
        *[
            f"CREATE TABLE {each.name}_{remainder} PARTITION OF {each.name}"
            f" FOR VALUES WITH (MODULUS {count}, REMAINDER {remainder})"
            for each in spread
            for remainder in range(count)
        ],
        f"INSERT INTO {formats.name} (format, writable_since) VALUES ({FORMAT}, {WRITABLE_SINCE})",
    )


def partitioned_metadata() -> MetaData:
    """Returns the tables as `partitioned_ddl` makes them, without their partitions."""
    copies = MetaData()
    for table in metadata.sorted_tables:
        copy = table.to_metadata(copies)
        if _ORDER_ID in table.c:
            copy.dialect_options["postgresql"]["partition_by"] = f"HASH ({_ORDER_ID})"
            _have_order_in_unique_indexes(copy)
    return copies


def _have_order_in_unique_indexes(table: Table) -> None:
    for index in [each for each in table.indexes if each.unique and _ORDER_ID not in each.columns]:
        table.indexes.remove(index)
        Index(index.name, *index.columns, table.c[_ORDER_ID], unique=True)


def _name(index: Index) -> str:
    return str(index.name)
