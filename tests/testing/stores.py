"""Where a run keeps its ledgers: what outlives the processes of the run, and is opened by each of them."""

from collections.abc import Callable
from typing import Any, Protocol, Self

from sqlalchemy import Engine, event

from rma import ReturnRepository
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.schema import formats, metadata
from rma.testing.faults import Faults
from tests.testing.drivers import let_between


class Store(Protocol):
    """A place for ledgers."""

    @property
    def returns(self) -> ReturnRepository:
        """The ledgers, as seen from outside every process."""

    def process(self, faults: Faults) -> ReturnRepository:
        """The ledgers, opened by a process that dies inside of its store too, when the plan says so."""


class Memory:
    """A dictionary: there is nothing inside of a call at which a process could die."""

    def __init__(self) -> None:
        self.returns: ReturnRepository = InMemoryReturns()

    def process(self, faults: Faults) -> ReturnRepository:
        """The same for all."""
        return self.returns


class Database:
    """
    Tables in which every statement and every commit is a call that can fail.

    Processes share an engine, so that statements are compiled once: what one that dies has begun is not
    undone by its end, but has to be by the store. `returns` has a connection of its own, and sees what is
    committed.

    Args:
        url: of a SQLite file, or of PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        self.returns = SqlReturns(url)
        self._inside = SqlReturns(url)
        self._faults = Faults()
        for each in (self.returns, self._inside):
            skip_the_disk(each.engine)
        let_between(self._inside.engine, self.asked)

    def process(self, faults: Faults) -> ReturnRepository:
        """One more process, which looks for the tables first."""
        self._faults = faults
        return SqlReturns(self._inside.engine)

    def asked(self, statement: str, ask: Callable[[], Any]) -> Any:
        """A process asks a statement, or for a commit."""
        verb, *words = statement.split()
        table = next((word for word in words if word.startswith("rma_")), "")
        failed = self._inside.engine.dialect.loaded_dbapi.OperationalError
        return self._faults.call(f"sql.{verb}", table, ask, away=failed, lost=failed)

    def emptied(self) -> Self:
        """The tables without rows, as they are when a shop opens."""
        self.returns.load("")
        with self.returns.engine.begin() as connection:
            for table in metadata.sorted_tables:
                if table is not formats:
                    connection.execute(table.delete())
        return self

    def close(self) -> None:
        """Every connection."""
        self.returns.close()
        self._inside.close()


def skip_the_disk(engine: Engine) -> None:
    """Connections to a SQLite file do not wait for the disk: a process that dies is not a power failure."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _skip_the_disk)


def _skip_the_disk(connection: object, _: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")  # type: ignore[attr-defined] # sqlite3's
