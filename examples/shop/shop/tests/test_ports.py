"""The shop's ports keep the contracts of the library, which host them in the database of the tests."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, TypeVar

from attrs import evolve
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import Sum
from django.test import TransactionTestCase, override_settings
from gateway.server import GatewayServer

from rma import CreditRequest, RefundRequest
from rma.testing.contracts import (
    CreditsContract,
    DisposalContract,
    FulfillmentContract,
    InventoryContract,
    OrderRepositoryContract,
    PaymentsContract,
    RefundLookupContract,
    ReplacementsContract,
    SendingBackContract,
)
from rma.testing.contracts.port_contract import PortContract
from shop.carrier import ShopCarrier
from shop.credit import ShopCredits, balance
from shop.models import Parcel, StockMovement, StoreCredit
from shop.orders import ShopOrders
from shop.payments import GatewayPayments
from shop.sample import make_sample
from shop.stock import ShopStock
from shop.tests.base import served_gateway

T = TypeVar("T")


class InThreads(PortContract):
    """Each thread has a connection, which it closes."""

    def at_once(self, acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """As the contract does it."""

        def closed(act: Callable[[], T]) -> T:
            with closing(connections["default"]):
                return act()

        return super().at_once([lambda act=act: closed(act) for act in acts])  # type: ignore[misc] # mypy infers no lambda with a default


class StockLaws(InThreads, InventoryContract):
    """What is put into stock, and taken out of it."""

    def make(self) -> ShopStock:
        """Returns an empty stock."""
        StockMovement.objects.all().delete()
        return ShopStock()

    def on_hand(self, item_id: str) -> int:
        """Returns how many there are."""
        return moved_to("stock", item_id)


class DisposalLaws(InThreads, DisposalContract):
    """What goes elsewhere."""

    def make(self) -> ShopStock:
        """Returns a stock that disposed of nothing yet."""
        StockMovement.objects.all().delete()
        return ShopStock()

    def disposed(self, item_id: str, disposition: str) -> int:
        """Returns how many there are."""
        return moved_to(disposition, item_id)


def moved_to(place: str, item_id: str) -> int:
    """Returns how many units of this item are at this place."""
    movements = StockMovement.objects.filter(place=place, item_id=item_id)
    return movements.aggregate(sum=Sum("quantity"))["sum"] or 0


class Carrying(InThreads):
    """Over a carrier that has nothing yet."""

    def make(self) -> ShopCarrier:
        """Returns it."""
        Parcel.objects.all().delete()
        return ShopCarrier()

    def bookings_made(self, key: str) -> int:
        """Returns how many parcels there are."""
        return Parcel.objects.filter(key=key).count()

    replacements_sent = parcels = bookings_made

    def is_canceled(self, key: str) -> bool:
        """Returns whether it is."""
        return Parcel.objects.filter(key=key, is_canceled=True).exists()


class LabelLaws(Carrying, FulfillmentContract):
    """Labels."""


class ReplacementLaws(Carrying, ReplacementsContract):
    """New goods."""


class SendBackLaws(Carrying, SendingBackContract):
    """Goods that go back."""


class CreditLaws(InThreads, CreditsContract):
    """Store credit."""

    def make(self) -> ShopCredits:
        """Returns balances of 0."""
        StoreCredit.objects.all().delete()
        return ShopCredits()

    def balance(self, customer_id: str) -> int:
        """Returns the credit of this customer."""
        return balance(int(customer_id)).amount

    def refunds_made(self, key: str) -> int:
        """Returns how often credit was given."""
        return StoreCredit.objects.filter(key=key).count()

    def request(self, key: str) -> CreditRequest:
        """Returns a request for ada."""
        return evolve(super().request(key), customer_id=str(User.objects.get(username="ada").pk))

    def declined_request(self, key: str) -> CreditRequest:
        """Returns one for no one."""
        return evolve(self.request(key), customer_id=None)


class GatewayLaws(InThreads):
    """Over the gateway, by HTTP."""

    _opened: ExitStack | None = None
    _gateway: GatewayServer

    def make(self) -> GatewayPayments:
        """Returns the port of a gateway that refunded nothing yet."""
        self._opened = ExitStack()
        folder = self._opened.enter_context(TemporaryDirectory())
        self._gateway = self._opened.enter_context(served_gateway(Path(folder)))
        self._opened.enter_context(override_settings(GATEWAY_URL=self._gateway.url))
        return GatewayPayments()

    def refunds_made(self, key: str) -> int:
        """Returns how often money moved."""
        return sum(each.key == key and each.status != "failed" for each in self._gateway.movements.all())

    def close(self) -> None:
        """Ends the gateway."""
        if self._opened is not None:
            self._opened.close()


class PaymentsLaws(GatewayLaws, PaymentsContract):
    """Refunds."""

    def declined_request(self, key: str) -> RefundRequest:
        """Returns one to a card that is closed."""
        return evolve(self.request(key), payment_id="card_closed")


class LookupLaws(GatewayLaws, RefundLookupContract):
    """Refunds that are looked up."""


class OrdersLaws(InThreads, OrderRepositoryContract):
    """Orders."""

    known_id = "1001"

    def make(self) -> ShopOrders:
        """Returns the orders of the sample."""
        return ShopOrders()


class PortsTest(TransactionTestCase):
    """Every law, in transactions that are committed."""

    CONTRACTS: ClassVar[list[type[PortContract]]] = [
        StockLaws,
        DisposalLaws,
        LabelLaws,
        ReplacementLaws,
        SendBackLaws,
        CreditLaws,
        PaymentsLaws,
        LookupLaws,
        OrdersLaws,
    ]

    def test_every_law_is_kept(self) -> None:
        """None is skipped."""
        make_sample()
        for contract in self.CONTRACTS:
            for name, arguments in laws_of(contract):
                with self.subTest(contract=contract.__name__, law=name, arguments=arguments):
                    kept = contract()
                    try:
                        getattr(kept, name)(*arguments)
                    finally:
                        kept.finish()


def laws_of(contract: type[PortContract]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yields the names of a contract's laws, with what pytest would give them."""
    for name in dir(contract):
        if name.startswith("test_"):
            (mark,) = getattr(getattr(contract, name), "pytestmark", None) or (None,)
            for value in mark.args[1] if mark else [None]:
                yield name, (value,) if mark else ()
