"""The statements that make the tables, for an administrator who runs them."""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import Dialect, ExecutableDDLElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from rma.adapters.sql.schema import FORMAT, WRITABLE_SINCE, formats, metadata

#: By name, the databases that there are statements for.
DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "postgresql": postgresql.dialect,
    "sqlite": sqlite.dialect,
}


def statements_for(name: str) -> Iterator[str]:
    """Yields the statements for this database, without semicolons: tables, indexes, the row of the format."""
    dialect = DIALECTS[name]()
    for table in metadata.sorted_tables:
        yield _written(CreateTable(table), dialect)
        for index in sorted(table.indexes, key=lambda each: each.name or ""):
            yield _written(CreateIndex(index), dialect)
    yield f"INSERT INTO {formats.name} (format, writable_since) VALUES ({FORMAT}, {WRITABLE_SINCE})"


def _written(statement: ExecutableDDLElement, dialect: Dialect) -> str:
    lines = str(statement.compile(dialect=dialect)).strip().expandtabs(4).splitlines()
    return "\n".join([line.rstrip() for line in lines if line.strip()])
