"""What the repositories promise that are only read: orders, shipping options, reasons."""

from abc import abstractmethod

import pytest

from rma.async_ports import (
    AsyncOrderRepository,
    AsyncReturnReasonRepository,
    AsyncShippingOptionRepository,
)
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.values.errors import NotFound
from rma.ports import OrderRepository, ReturnReasonRepository, ShippingOptionRepository
from rma.testing.contracts.port_contract import PortContract

#: Ids that no host has, and that get through to it all the same.
STRANGE_IDS = ("no-such-id", "", " ", "0", "' OR 1=1 --", "ñandú-🥜", "../..", "x" * 500)


class OrderRepositoryContract(PortContract):
    """Laws of an adapter for the host's orders."""

    @abstractmethod
    def make(self) -> OrderRepository | AsyncOrderRepository:
        """The adapter over a store that holds an order of `known_id`."""

    def port(self) -> OrderRepository:
        """The adapter as one that blocks."""
        port: OrderRepository = self.blocking(self.make())
        return port

    known_id: str = "order_1"

    def test_an_order_is_found_by_its_id(self) -> None:
        """Whole and with that id."""
        order = self.port().get(self.known_id)

        assert isinstance(order, Order)
        assert order.id == self.known_id

    def test_reading_an_order_twice_gives_the_same(self) -> None:
        """As long as it was not changed: reading changes nothing."""
        orders = self.port()

        assert orders.get(self.known_id) == orders.get(self.known_id)

    @pytest.mark.parametrize("strange_id", STRANGE_IDS)
    def test_an_unknown_order_is_not_found(self, strange_id: str) -> None:
        """With the code and the id that the library's own answers are made of."""
        with pytest.raises(NotFound) as error:
            self.port().get(strange_id)

        assert error.value.code == "order_not_found"
        assert error.value.details == {"order_id": strange_id}


class ShippingOptionRepositoryContract(PortContract):
    """Laws of an adapter for the host's shipping options."""

    @abstractmethod
    def make(self) -> ShippingOptionRepository | AsyncShippingOptionRepository:
        """The adapter over a store that holds an option of `known_id`."""

    def port(self) -> ShippingOptionRepository:
        """The adapter as one that blocks."""
        port: ShippingOptionRepository = self.blocking(self.make())
        return port

    known_id: str = "so_return"

    def test_an_option_is_found_by_its_id(self) -> None:
        """Whole and with that id, for returns or not."""
        option = self.port().get(self.known_id)

        assert isinstance(option, ShippingOption)
        assert option.id == self.known_id

    def test_reading_an_option_twice_gives_the_same(self) -> None:
        """As long as it was not changed: reading changes nothing."""
        options = self.port()

        assert options.get(self.known_id) == options.get(self.known_id)

    @pytest.mark.parametrize("strange_id", STRANGE_IDS)
    def test_an_unknown_option_is_not_found(self, strange_id: str) -> None:
        """With the code and the id that the library's own answers are made of."""
        with pytest.raises(NotFound) as error:
            self.port().get(strange_id)

        assert error.value.code == "shipping_option_not_found"
        assert error.value.details == {"shipping_option_id": strange_id}


class ReturnReasonRepositoryContract(PortContract):
    """Laws of an adapter for the host's catalogue of reasons."""

    @abstractmethod
    def make(self) -> ReturnReasonRepository | AsyncReturnReasonRepository:
        """The adapter over a store that holds reasons."""

    def port(self) -> ReturnReasonRepository:
        """The adapter as one that blocks."""
        port: ReturnReasonRepository = self.blocking(self.make())
        return port

    def test_the_catalogue_is_a_tuple_of_reasons(self) -> None:
        """Not a query that is read once, nor rows of the host."""
        reasons = self.port().list()

        assert isinstance(reasons, tuple)
        assert all(isinstance(reason, ReturnReason) for reason in reasons)

    def test_reading_the_catalogue_twice_gives_the_same(self) -> None:
        """As long as it was not changed: reading changes nothing."""
        reasons = self.port()

        assert reasons.list() == reasons.list()

    def test_every_reason_is_there_once(self) -> None:
        """An id stands for one reason."""
        ids = [reason.id for reason in self.port().list()]

        assert sorted(set(ids)) == sorted(ids)

    def test_the_catalogue_is_whole(self) -> None:
        """Categories and retired reasons too: every parent is there, and nothing is its own ancestor."""
        parents = {reason.id: reason.parent_id for reason in self.port().list()}

        for reason_id, parent_id in parents.items():
            ancestors: list[str] = []
            above = parent_id
            while above is not None:
                assert above in parents, f"{above} is a parent and not in the catalogue"
                assert above not in ancestors, f"{reason_id} hangs in a circle"
                ancestors.append(above)
                above = parents[above]
