"""The ledgers on Django's connection fulfill the shipped contracts, on both databases."""

import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

import pytest
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from rma import ReturnRepository
from rma.adapters.django import DjangoReturns
from rma.testing.contracts import HostTransactionContract, ReturnRepositoryContract
from tests.databases import LONG
from tests.django.aliases import Aliases, in_threads

T = TypeVar("T")


class DjangoReturnsLaws(ReturnRepositoryContract):
    """An empty database for each law, and another connection for each other process."""

    examples = 30 if LONG else 10
    aliases: Aliases
    again: dict[str, str]
    one_at_a_time: threading.Lock

    @pytest.fixture(autouse=True)
    def _aliases(self, aliases: Aliases, _finished: None) -> None:
        self.aliases, self.again, self.one_at_a_time = aliases, {}, threading.Lock()

    @abstractmethod
    def new(self) -> str:
        """Returns the alias of a new database."""

    def make(self) -> ReturnRepository:
        """Returns the ledgers in a new database."""
        return DjangoReturns(self.new())

    def reopen(self, returns: ReturnRepository) -> ReturnRepository:
        """Returns the same ledgers over a connection of its own."""
        assert isinstance(returns, DjangoReturns)
        with self.one_at_a_time:  # the threads of a test open it at once, and Django's settings have no lock
            if returns.using not in self.again:
                self.again[returns.using] = self.aliases.again(returns.using)
        return DjangoReturns(self.again[returns.using])

    def damage(self, returns: DjangoReturns, return_id: str) -> None:
        """Breaks the document off."""
        with connections[returns.using].cursor() as cursor:
            cursor.execute("UPDATE rma_returns SET document = '{' WHERE return_id = %s", [return_id])

    def at_once(self, acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Each thread has a connection, which it closes."""
        return super().at_once(in_threads(acts))

    def cancel(self, act: Callable[[], object], turns: int) -> None:
        """Commits, and not in the event loop, where Django refuses to block."""
        act()


class TestSqlite(DjangoReturnsLaws):
    """Files as Django opens them."""

    def new(self) -> str:
        """Returns the alias of a new file."""
        return self.aliases.with_tables("sqlite")


class TestPostgres(DjangoReturnsLaws):
    """As Django connects: parameters are part of the statements, and nothing is prepared."""

    def new(self) -> str:
        """Returns the alias of a new schema."""
        return self.aliases.with_tables("postgresql")


class HostTransactions(HostTransactionContract):
    """`atomic` blocks on another connection to the same database."""

    kind: str
    aliases: Aliases
    blocks: dict[str, ExitStack]

    @pytest.fixture(autouse=True)
    def _aliases(self, aliases: Aliases, _finished: None) -> Iterator[None]:
        self.aliases, self.blocks = aliases, {}
        yield
        for each in self.blocks.values():
            each.close()

    def make(self) -> DjangoReturns:
        """Returns the ledgers in a new database."""
        self.using = self.aliases.with_tables(self.kind)
        return DjangoReturns(self.using)

    def begin(self) -> BaseDatabaseWrapper:
        """Returns another connection, in an `atomic` block."""
        alias = self.aliases.again(self.using)
        self.blocks[alias] = ExitStack()
        self.blocks[alias].enter_context(transaction.atomic(using=alias))
        return connections[alias]

    def commit(self, connection: Any) -> None:
        """Leaves the block."""
        self.blocks.pop(connection.alias).close()

    def rollback(self, connection: Any) -> None:
        """Leaves the block as an exception does."""
        transaction.set_rollback(True, using=connection.alias)
        self.blocks.pop(connection.alias).close()


class TestHostTransactionsOnSqlite(HostTransactions):
    """Files."""

    kind = "sqlite"


class TestHostTransactionsOnPostgres(HostTransactions):
    """Schemas."""

    kind = "postgresql"
