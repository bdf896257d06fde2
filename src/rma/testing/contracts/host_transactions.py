"""What `BoundReturns` promises."""

from abc import abstractmethod
from typing import Any

import pytest
from attrs import evolve, field, frozen

from rma.adapters.memory import (
    InMemoryEvents,
    InMemoryFulfillment,
    InMemoryInventory,
    InMemoryPayments,
    in_memory_service,
)
from rma.async_ports import AsyncBoundReturns, AsyncReturnRepository
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue
from rma.ports import BoundReturns, ReturnRepository
from rma.service import ReturnService
from rma.testing.contracts.port_contract import PortContract
from rma.testing.contracts.storing import LATER, harness, receive, request
from rma.testing.core_harness import START, counting

#: What is asked of the ports for the return that the laws request and receive: each once.
_PAID = ["ret_1-shipment-1", "ret_1-restock-1", "ret_1-refund-1"]


class HostTransactionContract(PortContract):
    """
    Laws of a repository that can write in a transaction of the host.

    Services are built over it with ports in memory; none of these is called before the host commits.
    """

    @abstractmethod
    def make(self) -> ReturnRepository | AsyncReturnRepository:
        """A repository over a new, empty store, outside of a transaction, each time."""

    @abstractmethod
    def begin(self) -> Any:
        """Begins a transaction of the host in the store made last; returns what `bind` takes."""

    @abstractmethod
    def commit(self, connection: Any) -> None:
        """Commits it, as the host does."""

    @abstractmethod
    def rollback(self, connection: Any) -> None:
        """Rolls it back, as the host does."""

    def bind(self, returns: Any, connection: Any) -> BoundReturns | AsyncBoundReturns:
        """What `make` returned, in this transaction: as its `in_transaction` answers, unless you say how."""
        bound: BoundReturns | AsyncBoundReturns = returns.in_transaction(connection)
        return bound

    def test_in_a_transaction_of_the_host_no_port_is_called(self) -> None:
        """Not for a request, its repeat, or a receipt that pays; and `resume` refuses."""
        shop, connection, bound = self._shop_in_transaction()

        for command in (request(label=True, key="k"), request(label=True, key="k"), receive("ret_1")):
            bound.handle(command)
            assert shop.asked() == []
        for subject in (None, "ret_1", "ret_9"):
            with pytest.raises(InvalidValue) as error:
                bound.resume(subject)
            assert error.value.code == "in_host_transaction"

        assert shop.asked() == []
        self.commit(connection)
        assert shop.asked() == []
        assert list(shop.events.published) == []

    def test_after_the_commit_of_the_host_everything_is_delivered_once(self) -> None:
        """By `resume` outside of the transaction, in which no one else saw what was outstanding."""
        shop, connection, bound = self._shop_in_transaction()
        bound.handle(request(label=True))
        received = bound.handle(receive("ret_1"))
        assert shop.service.resume().orders == ()
        assert shop.service.history("order_1") == ()

        self.commit(connection)

        assert shop.service.get("ret_1") == received
        assert shop.service.resume("ret_1").still_open == ()
        assert shop.service.resume().still_open == ()
        assert shop.asked() == _PAID
        assert list(shop.events.published)

    def test_what_the_host_rolls_back_reaches_no_port(self) -> None:
        """The ledger does not have it, and the commands that are sent again are paid once."""
        shop, connection, bound = self._shop_in_transaction()
        bound.handle(request(label=True, key="k"))
        bound.handle(receive("ret_1"))

        self.rollback(connection)

        assert shop.service.returns.load("order_1") == ReturnLedger("order_1")
        assert shop.service.history("order_1") == ()
        assert tuple(shop.service.returns.outstanding(LATER, 10, unpublished=True)) == ()
        assert shop.service.resume().orders == ()
        assert shop.asked() == []
        connection = self.begin()
        bound = self._bound(shop, connection, ids=counting())
        bound.handle(request(label=True, key="k"))
        bound.handle(receive("ret_1"))
        self.commit(connection)
        shop.service.resume("ret_1")
        assert shop.asked() == _PAID

    def test_outside_of_the_transaction_commands_are_delivered_at_once(self) -> None:
        """Before, and after one was committed: the repository itself commits what it stores."""
        shop, connection, bound = self._shop_in_transaction()
        bound.handle(request(label=True))
        self.commit(connection)

        shop.service.handle(receive("ret_1"))

        assert "ret_1-refund-1" in shop.asked()
        shop.service.handle(request(label=True))
        assert "ret_2-shipment-1" in shop.asked()

    def _shop_in_transaction(self) -> "tuple[_Shop, Any, ReturnService]":
        """A shop, a transaction of the host, and a service in it."""
        shop = _Shop(self.make(), self)
        shop.service.resume()  # makes what the store needs, outside of the transaction
        connection = self.begin()
        return shop, connection, self._bound(shop, connection)

    def _bound(self, shop: "_Shop", connection: Any, **changed: Any) -> ReturnService:
        return evolve(shop.service, returns=self.blocking(self.bind(shop.made, connection)), **changed)


@frozen
class _Shop:
    made: ReturnRepository | AsyncReturnRepository
    contract: PortContract
    payments: InMemoryPayments = field(factory=InMemoryPayments)
    inventory: InMemoryInventory = field(factory=InMemoryInventory)
    fulfillment: InMemoryFulfillment = field(factory=InMemoryFulfillment)
    events: InMemoryEvents = field(factory=InMemoryEvents)
    service: ReturnService = field(init=False)

    def __attrs_post_init__(self) -> None:
        life = harness()
        service = in_memory_service(
            [life.order],
            shipping_options=life.options.values(),
            returns=self.contract.blocking(self.made),
            payments=self.payments,
            inventory=self.inventory,
            fulfillment=self.fulfillment,
            events=self.events,
            clock=lambda: START,
            ids=counting(),
        )
        object.__setattr__(self, "service", service)

    def asked(self) -> list[str]:
        """The keys of what ports were asked for, port by port."""
        return [
            *self.fulfillment.shipments,
            *self.inventory.restocks,
            *self.payments.refunds,
            *self.fulfillment.cancellations,
            *self.inventory.withdrawals,
        ]
