"""Databases as earlier releases made them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text

from rma.adapters.sql import SqlReturns

GOLDEN = Path(__file__).parent / "golden"
FILE_1 = GOLDEN / "format-1.sqlite"
TABLES_1 = GOLDEN / "format-1.postgresql.sql"

#: What the tables of every format are called.
TABLES = ("rma_format", "rma_ledgers", "rma_returns", "rma_events")

#: The drivers of engines of a host, by the database.
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}

#: By table, rows by column.
StoredRows = dict[str, list[dict[str, object]]]


def stored_in_format_1() -> StoredRows:
    """Returns the rows of the kept file, documents as the strings that were stored."""
    with closing(sqlite3.connect(f"file:{FILE_1}?mode=ro&immutable=1", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return {
            table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
            for table in ("rma_ledgers", "rma_returns", "rma_events")
        }


def order_ids() -> list[str]:
    """Returns the ids of the orders of which the kept file has anything."""
    return sorted([str(row["order_id"]) for row in stored_in_format_1()["rma_ledgers"]])


def make_format_1(url: str, rows: StoredRows | None = None) -> None:
    """Makes the tables of format 1 in an empty database, with these rows, or those of the kept file."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        statements = TABLES_1.read_text("utf-8").split(";\n")
    else:
        with closing(sqlite3.connect(f"file:{FILE_1}?mode=ro&immutable=1", uri=True)) as database:
            made = database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        statements = [*[each for (each,) in made], "INSERT INTO rma_format VALUES (1)"]
    engine = create_engine(parsed, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            if statement.strip():
                connection.exec_driver_sql(statement)
    insert(engine, stored_in_format_1() if rows is None else rows)


def insert(engine: Engine, rows: StoredRows) -> None:
    """Inserts these rows as they are."""
    with engine.begin() as connection:
        for table, of_table in rows.items():
            for row in of_table:
                values = {
                    name: bool(value) if name == "needs_attention" else value for name, value in row.items()
                }
                slots = ", ".join(f":{name}" for name in values)
                connection.execute(
                    text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({slots})"), values
                )


def contents(url: str) -> dict[str, object]:
    """Returns all rows by table, and what the database says about tables and indexes."""
    with closing(SqlReturns(url)) as store, store.engine.connect() as connection:
        rows = {
            table: sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}")))) for table in TABLES
        }
        return {**rows, "structure": _structure(connection)}


def _structure(connection: Connection) -> object:
    if connection.dialect.name == "sqlite":
        made = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"))
        return ["".join(each.replace('"', "").split()) for each in made]
    return connection.execute(
        text(
            """
            SELECT c.relname, a.attname, format_type(atttypid, atttypmod), attnotnull, collname,
                   pg_get_expr(d.adbin, d.adrelid),
                   replace(pg_get_indexdef(c.oid), current_schema() || '.', '')
            FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
            LEFT JOIN pg_collation ON pg_collation.oid = attcollation
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = attnum
            WHERE relnamespace = current_schema()::regnamespace ORDER BY 1, attnum
            """
        )
    ).all()


def do(url: str, statement: str) -> None:
    """Does something to the rows behind the library's back."""
    with closing(SqlReturns(url)) as store, store.engine.begin() as connection:
        connection.exec_driver_sql(statement.replace("%", "%%") if "postgresql" in url else statement)
