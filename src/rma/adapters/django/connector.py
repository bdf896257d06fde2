"""Runs statements on the connection that Django has for this thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rma.adapters.django.executor import begin_writing, executor_on
from rma.adapters.django.support import driver_of
from rma.adapters.django.tables import require_tables
from rma.adapters.sql.executor import Executor
from rma.adapters.sql.failures import ConnectionLost, NotSerializable, not_storable, report
from rma.adapters.sql.repetition import Repetition
from rma.adapters.sql.statement import Statement

T = TypeVar("T")


class DjangoConnector:
    """
    A `Connector` over a database of Django.

    What it writes is committed at once, or with the transaction of the host if there is one.

    Args:
        alias: of the database in DATABASES.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._is_ready = False

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """The connection of this thread."""
        return connections[self.alias]

    def found(self, statement: Statement, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Returns the rows; repeats the statement as `Repetition` says, unless it is in a transaction."""
        repetition = Repetition()
        while True:
            try:
                with self._executor() as executor:
                    return executor.found(statement, parameters)
            except (ConnectionLost, NotSerializable) as error:
                if _is_in_transaction(self.connection):
                    raise
                repetition.allow(error)

    def write(self, do: Callable[[Executor], T]) -> T:
        """Returns what `do` returns; on SQLite in a transaction, or in a savepoint of the host's."""
        with self._executor() as executor:
            return executor.atomically(do)

    @contextmanager
    def changing(self) -> Iterator[Executor]:
        """Yields a transaction, or a savepoint of the host's."""
        with self._executor() as _, transaction.atomic(using=self.alias):
            begin_writing(self.connection)
            yield executor_on(self.connection)

    def begin_writing(self) -> None:
        """
        Waits on SQLite for the lock of those who write: what a command reads is then still so when it writes.

        Raises:
            Unavailable: the database failed; `store_locked`: the transaction has read what another has
                changed, and has to be repeated.
        """
        with self._executor():
            begin_writing(self.connection)

    def is_in_host_transaction(self) -> bool:
        """
        Returns True if the host has yet to commit what is written now.

        The transaction that a `TestCase` of Django keeps open around each test does not count: code under
        test runs there as it does without.

        Raises:
            Unavailable: the database does not answer.
        """
        connection = self.connection
        if connection.in_atomic_block:
            return not all(getattr(each, "_from_testcase", False) for each in connection.atomic_blocks)
        with failures(connection):
            return not connection.get_autocommit()

    @contextmanager
    def _executor(self) -> Iterator[Executor]:
        connection = self.connection
        with failures(connection):
            executor = executor_on(connection)
            if not self._is_ready:
                require_tables(executor, connection.vendor, self.alias)
                self._is_ready = True
            yield executor


def _is_in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """True if something may have been written before that a new connection would not have."""
    return connection.in_atomic_block or not connection.autocommit


@contextmanager
def failures(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """
    Reports every error of the database as Unavailable, as `rma.adapters.sql.failures` does.

    A connection that broke outside of a transaction is closed: Django opens another one for the next use.

    Raises:
        InvalidValue: a string cannot be stored in the database.
    """
    driver = driver_of(connection)
    try:
        yield
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise not_storable(error.object) from error
    except (Error, driver.Error) as error:
        cause: BaseException | None = error.__cause__ if isinstance(error, Error) else error
        if cause is None:  # Django's own
            raise
        is_lost = bool(getattr(connection.connection, "closed", False))
        if is_lost and not _is_in_transaction(connection):
            connection.close()
        raise report(cause, driver, is_lost=is_lost) from cause
