"""
Lends connections of an engine's pool, past SQLAlchemy, to what executes statements.

Nothing is lent for longer than one read or one commit: no thread has a connection while ports are called, or
while it waits for its next command, so that threads may outnumber connections. To take one from the pool and
to give it back takes as long as to ask SQLite. A few therefore stay taken between two uses, where otherwise
they would be open in the pool; any thread may be the next.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from attrs import frozen
from sqlalchemy import Engine, Pool, PoolProxiedConnection

from rma.adapters.sql.executor import Executor, PostgresExecutor
from rma.adapters.sql.failures import ConnectionLost, reported
from rma.adapters.sql.pooling import look_for_pooler
from rma.domain.values.errors import RmaError

T = TypeVar("T")


@frozen
class Taken:
    """
    A connection that is not in the pool.

    Attributes:
        pool: where it is from; an engine that is disposed has another one.
        was_autocommit: how it was, if it is set to autocommit while it is taken.
    """

    pool: Pool
    pooled: PoolProxiedConnection
    driver: Any
    executor: Executor
    was_autocommit: bool = True


class Connections:
    """
    The connections of an engine, which several threads use.

    Args:
        engine: it may be disposed at any time.
        most_kept: how many stay taken at most while nothing is executed on them.
    """

    def __init__(self, engine: Engine, most_kept: int) -> None:
        self._engine = engine
        self._most_kept = most_kept
        self._kept: list[Taken] = []
        self._process = os.getpid()
        self._is_postgresql = engine.dialect.name == "postgresql"
        self._take_new = self._taken_postgres if self._is_postgresql else self._taken_sqlite

    def use(self, do: Callable[[Executor], T]) -> T:
        """
        Returns what `do` returns.

        Raises:
            Unavailable: the database failed; `ConnectionLost`, `ConstraintFailed`.
        """
        taken = self._take()
        try:
            found = do(taken.executor)
        except BaseException as error:
            self._end(taken, error)
            raise
        self._keep(taken)
        return found

    def close(self) -> None:
        """Gives back those that are kept; the pool is left to the engine."""
        while self._kept:
            with suppress(IndexError):  # another thread was faster
                _give_back(self._kept.pop())

    def _keep(self, taken: Taken) -> None:
        """Keeps a connection for the next use, or gives it back if there are enough."""
        if self._most_kept and taken.pool is self._engine.pool:
            self._kept.append(taken)
            if len(self._kept) <= self._most_kept:
                return
            try:
                taken = self._kept.pop()
            except IndexError:  # other threads took all
                return
        _give_back(taken)

    def _forget_those_of_the_parent(self) -> None:
        """Leaves to a process that was forked what it has: to close its connection would end it there."""
        self._process = os.getpid()
        while self._kept:
            self._kept.pop().pooled.detach()

    def _take(self) -> Taken:
        if self._process != os.getpid():
            self._forget_those_of_the_parent()
        while self._kept:
            try:
                taken = self._kept.pop()
            except IndexError:  # another thread was faster
                break
            if taken.pool is self._engine.pool:
                return taken
            taken.pooled.invalidate()
        try:
            return self._take_new()
        except Exception as error:
            if (found := reported(error, self._engine)) is None:
                raise
            raise found from error

    def _taken_sqlite(self) -> Taken:
        pool, pooled = self._engine.pool, self._engine.raw_connection()
        driver = pooled.driver_connection
        return Taken(pool, pooled, driver, Executor(driver))

    def _taken_postgres(self) -> Taken:
        pool, pooled = self._engine.pool, self._engine.raw_connection()
        driver: Any = pooled.driver_connection
        executor = PostgresExecutor(driver)
        taken = Taken(pool, pooled, driver, executor, driver.autocommit)
        try:
            if not taken.was_autocommit:
                driver.autocommit = True
            look_for_pooler(pooled, executor)
        except BaseException as error:
            self._end(taken, error)
            raise
        return taken

    def _end(self, taken: Taken, error: BaseException) -> None:
        """Gives a connection back on which this was raised; raises what is reported instead, if anything."""
        found = reported(error, self._engine, taken.driver) if isinstance(error, Exception) else None
        if isinstance(found, ConnectionLost):
            taken.pooled.invalidate(error)
            if self._engine.pool is taken.pool:  # and no other thread has noticed
                self._engine.dispose()  # what is as old as this one is as broken
        elif found is None and self._is_postgresql and not isinstance(error, RmaError):
            taken.pooled.invalidate(error)  # interrupted: an answer may be on its way
        else:
            _give_back(taken)
        if found is not None:
            raise found from error


def _give_back(taken: Taken) -> None:
    if not taken.was_autocommit:
        taken.driver.autocommit = False
    taken.pooled.close()  # which rolls back
