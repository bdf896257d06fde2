"""Columns of PostgreSQL that keep a document whole, and the one that does not."""

import json

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import DataError

from rma import RequestReturn, codec
from tests.databases import Databases

COMMAND = RequestReturn(order_id="order_1", items=[], created_by="\0", metadata={"weight": 1e16})


def stored(databases: Databases, column: str) -> str:
    """The document as a column of this type gives it back, as a string."""
    with databases.new("postgresql") as url:
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE outbox (document {column})"))
            insert = text(f"INSERT INTO outbox VALUES (CAST(:document AS {column}))")
            connection.execute(insert, {"document": codec.encode(COMMAND)})
            return str(connection.execute(text("SELECT CAST(document AS text) FROM outbox")).scalar_one())


@pytest.mark.parametrize("column", ["text", "json"])
def test_every_document_is_kept_whole(databases: Databases, column: str) -> None:
    """Also one with a zero byte and a large float."""
    assert json.loads(stored(databases, column)) == codec.to_plain(COMMAND)
    assert codec.decode(stored(databases, column)) == COMMAND


def test_jsonb_refuses_a_zero_byte(databases: Databases) -> None:
    """The page says so."""
    with pytest.raises(DataError, match="u0000"):
        stored(databases, "jsonb")
