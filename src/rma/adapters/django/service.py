"""A service whose commands are part of the transactions of Django."""

from typing import Any, Self, Unpack, overload

from attrs import evolve, field, frozen
from django.db import transaction

from rma.adapters.django.conf import database_alias
from rma.adapters.django.connector import DjangoConnector
from rma.adapters.django.repository import DjangoReturns
from rma.adapters.sql.service import Ports
from rma.domain.messages.commands import (
    ClaimCommand,
    Command,
    ExchangeCommand,
    RefundCommand,
    ReturnCommand,
)
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject, subject_ids
from rma.domain.state.returns import Return
from rma.service import ReturnService


@frozen(kw_only=True)
class DjangoReturnService(ReturnService):
    """
    A `ReturnService` over `DjangoReturns`, which delivers after the commit of the host.

    Args:
        using: the alias of the database with the ledgers; that of `returns` unless given, or as
            `RMA["DATABASE"]` says if they have none.
    """

    using: str = field()
    _connector: DjangoConnector = field(init=False, eq=False, repr=False)

    @using.default
    def _using_of_ledgers(self) -> str:
        return self.returns.using if isinstance(self.returns, DjangoReturns) else database_alias()

    @_connector.default
    def _connector_of_this(self) -> DjangoConnector:
        return DjangoConnector(self.using)

    @overload
    def handle(self, command: ReturnCommand, *, deliver: bool = ...) -> Return: ...

    @overload
    def handle(self, command: ExchangeCommand, *, deliver: bool = ...) -> Exchange: ...

    @overload
    def handle(self, command: ClaimCommand, *, deliver: bool = ...) -> Claim: ...

    @overload
    def handle(self, command: RefundCommand, *, deliver: bool = ...) -> Return | Claim: ...

    @overload
    def handle(self, command: Command, *, deliver: bool = ...) -> Subject: ...

    def handle(self, command: Command, *, deliver: bool = True) -> Subject:
        """
        As `ReturnService.handle`; inside `transaction.atomic` the command is stored with what else is written
        there, or not at all, and its effects are delivered by `transaction.on_commit`.

        Nothing is delivered before the commit of the outermost block, and nothing for a block or savepoint
        that is rolled back. What is returned is then as before any delivery. If the process dies in between,
        the next `resume()` delivers. Several commands of a block about one return, exchange or claim are
        delivered together, once. Where autocommit is switched off by hand, only that does.

        Args:
            command: what is asked for.
            deliver: False leaves what the command asks for to the next `resume()`.

        Raises:
            As `ReturnService.handle`. After `Unavailable`, and on PostgreSQL after `id_not_fresh`, Django
            rolls the block back.
        """
        connector = self._connector
        is_inside = connector.is_in_host_transaction()
        if is_inside:
            connector.begin_writing()
        subject = super().handle(command, deliver=deliver)
        if deliver and is_inside and connector.connection.in_atomic_block:
            self._deliver_after_commit(subject)
        return subject

    def _deliver_after_commit(self, subject: Subject) -> None:
        delivery = _Delivery(self, subject)
        for _, callback, *_ in self._connector.connection.run_on_commit:
            if isinstance(callback, _Delivery) and callback.ids & delivery.ids:
                delivery.waiting = callback.waiting
                break
        delivery.waiting.add(delivery)
        transaction.on_commit(delivery, using=self.using, robust=True)

    def in_transaction(self, connection: Any) -> Self:
        """
        A service over another connection of Django to the same database, in an `atomic` block there.

        It delivers after the commit of that block. In a block of the database `using`, a service needs none.

        Raises:
            InvalidValue: it is not one of `django.db.connections`, or not in a transaction.
        """
        return evolve(super().in_transaction(connection), using=connection.alias)


class _Delivery:
    """
    What Django calls after the commit of a command.

    A block may have given several for one return, exchange or claim, or for those that belong together: the
    first one that is called delivers, and the others do nothing. Each command gives one all the same, since
    Django forgets those of a savepoint that is rolled back.
    """

    def __init__(self, service: DjangoReturnService, subject: Subject) -> None:
        self.ids = frozenset(subject_ids(subject)) - {None}
        self.waiting: set[_Delivery] = set()
        self._service, self._subject_id = service, subject.id
        self.__qualname__ = "deliver_now"  # Django logs what it raises, and asks for its name

    def __call__(self) -> None:
        if self in self.waiting:
            self.waiting.clear()
            self._service.resume(self._subject_id)


def django_service(using: str | None = None, **ports: Unpack[Ports]) -> DjangoReturnService:
    """
    A service whose ledgers are in a database of Django: see `DjangoReturnService`, and `ReturnService` for
    the ports.

    Args:
        using: the alias of the database, as `RMA["DATABASE"]` says unless given.
        ports: as `ReturnService` takes them.
    """
    alias = database_alias() if using is None else using
    return DjangoReturnService(returns=DjangoReturns(alias), using=alias, **ports)
