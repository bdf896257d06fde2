"""The contracts of what is only read catch repositories that are wrong."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import cast

import pytest
from attrs import evolve

from rma import (
    LineItem,
    Money,
    NotFound,
    Order,
    OrderRepository,
    ReturnReason,
    ReturnReasonRepository,
    ShippingOption,
    ShippingOptionRepository,
)
from rma.testing.contracts import (
    OrderRepositoryContract,
    ReturnReasonRepositoryContract,
    ShippingOptionRepositoryContract,
)
from tests.testing.breaking import breaks, laws_of

MUG = LineItem(id="mug", quantity=1, fulfilled_quantity=1, unit_price=8000)
ORDER = Order(id="order_1", currency="usd", items=[MUG])
OPTION = ShippingOption(id="so_return", price=Money(200, "usd"))
REASONS = (
    ReturnReason(id="size", value="size", label="Wrong size"),
    ReturnReason(id="big", value="big", label="Too big", parent_id="size"),
)


class WrongOrders:
    """Orders that would be right but for one thing."""

    def get(self, order_id: str) -> Order:
        """The only one."""
        if order_id != ORDER.id:
            raise NotFound("order_not_found", {"order_id": order_id})
        return ORDER


class GivesRows(WrongOrders):
    """The host's own row, not an `Order`."""

    def get(self, order_id: str) -> Order:
        """A dict."""
        return cast("Order", {"id": super().get(order_id).id})


class CountsReads(WrongOrders):
    """Reading makes a new version."""

    def __init__(self) -> None:
        self._versions = count(1)

    def get(self, order_id: str) -> Order:
        """Each time."""
        return evolve(super().get(order_id), version=next(self._versions))


class InventsOrders(WrongOrders):
    """An unknown order is an empty one."""

    def get(self, order_id: str) -> Order:
        """Never refuses."""
        return evolve(ORDER, id=order_id or "x")


class RaisesLookupErrors(WrongOrders):
    """In the host's own words."""

    def get(self, order_id: str) -> Order:
        """A LookupError."""
        try:
            return super().get(order_id)
        except NotFound:
            raise LookupError(order_id) from None


class NamesTheWrongThing(WrongOrders):
    """The code of something else."""

    def get(self, order_id: str) -> Order:
        """That of returns."""
        try:
            return super().get(order_id)
        except NotFound:
            raise NotFound("return_not_found", {"return_id": order_id}) from None


def held_orders(adapter: Callable[[], OrderRepository]) -> type[OrderRepositoryContract]:
    """The contract, with this adapter held against it."""

    class Held(OrderRepositoryContract):
        def make(self) -> OrderRepository:
            return adapter()

    return Held


ORDERS = [
    (GivesRows, "an_order_is_found_by_its_id"),
    (CountsReads, "reading_an_order_twice_gives_the_same"),
    (InventsOrders, "an_unknown_order_is_not_found"),
    (RaisesLookupErrors, "an_unknown_order_is_not_found"),
    (NamesTheWrongThing, "an_unknown_order_is_not_found"),
]


@pytest.mark.parametrize(("wrong", "law"), ORDERS)
def test_wrong_orders_break_the_law_that_is_about_them(wrong: type[WrongOrders], law: str) -> None:
    """And those without their fault keep it."""
    assert breaks(held_orders(wrong), law)
    assert not breaks(held_orders(WrongOrders), law)


class WrongOptions:
    """Options that would be right but for one thing."""

    def get(self, option_id: str) -> ShippingOption:
        """The only one."""
        if option_id != OPTION.id:
            raise NotFound("shipping_option_not_found", {"shipping_option_id": option_id})
        return OPTION


class GivesAnyOption(WrongOptions):
    """Whatever it was asked for."""

    def get(self, option_id: str) -> ShippingOption:
        """Under an id of its own."""
        return evolve(OPTION, id="so_default")


class AsksForPrices(WrongOptions):
    """The price is another one each time."""

    def __init__(self) -> None:
        self._prices = count(200)

    def get(self, option_id: str) -> ShippingOption:
        """Each time."""
        return evolve(super().get(option_id), price=Money(next(self._prices), "usd"))


class ForgetsWhichId(WrongOptions):
    """Without the id, the answer does not say what is wrong."""

    def get(self, option_id: str) -> ShippingOption:
        """No details."""
        if option_id != OPTION.id:
            raise NotFound("shipping_option_not_found")
        return OPTION


def held_options(adapter: Callable[[], ShippingOptionRepository]) -> type[ShippingOptionRepositoryContract]:
    """The contract, with this adapter held against it."""

    class Held(ShippingOptionRepositoryContract):
        def make(self) -> ShippingOptionRepository:
            return adapter()

    return Held


OPTIONS = [
    (GivesAnyOption, "an_option_is_found_by_its_id"),
    (AsksForPrices, "reading_an_option_twice_gives_the_same"),
    (GivesAnyOption, "an_unknown_option_is_not_found"),
    (ForgetsWhichId, "an_unknown_option_is_not_found"),
]


@pytest.mark.parametrize(("wrong", "law"), OPTIONS)
def test_wrong_options_break_the_law_that_is_about_them(wrong: type[WrongOptions], law: str) -> None:
    """And those without their fault keep it."""
    assert breaks(held_options(wrong), law)
    assert not breaks(held_options(WrongOptions), law)


class WrongReasons:
    """Reasons that would be right but for one thing."""

    def list(self) -> tuple[ReturnReason, ...]:
        """All of them."""
        return REASONS


class GivesAQuery(WrongReasons):
    """Rows are read lazily, once."""

    def list(self) -> tuple[ReturnReason, ...]:
        """An iterator."""
        return cast("tuple[ReturnReason, ...]", iter(REASONS))


class CountsLooks(WrongReasons):
    """A reason appears with each look."""

    def __init__(self) -> None:
        self._looks = count()

    def list(self) -> tuple[ReturnReason, ...]:
        """One more."""
        return (*REASONS, ReturnReason(id=f"r{next(self._looks)}", value="r", label="r"))


class JoinsTranslations(WrongReasons):
    """A row a language."""

    def list(self) -> tuple[ReturnReason, ...]:
        """Each twice."""
        return (*REASONS, *REASONS)


class GivesLeavesOnly(WrongReasons):
    """What can be chosen, without what it hangs under."""

    def list(self) -> tuple[ReturnReason, ...]:
        """No categories."""
        return REASONS[1:]


class HangsInACircle(WrongReasons):
    """A tree without a root."""

    def list(self) -> tuple[ReturnReason, ...]:
        """Each under the other."""
        return (evolve(REASONS[0], parent_id="big"), REASONS[1])


def held_reasons(adapter: Callable[[], ReturnReasonRepository]) -> type[ReturnReasonRepositoryContract]:
    """The contract, with this adapter held against it."""

    class Held(ReturnReasonRepositoryContract):
        def make(self) -> ReturnReasonRepository:
            return adapter()

    return Held


CATALOGUES = [
    (GivesAQuery, "the_catalogue_is_a_tuple_of_reasons"),
    (CountsLooks, "reading_the_catalogue_twice_gives_the_same"),
    (JoinsTranslations, "every_reason_is_there_once"),
    (GivesLeavesOnly, "the_catalogue_is_whole"),
    (HangsInACircle, "the_catalogue_is_whole"),
]


@pytest.mark.parametrize(("wrong", "law"), CATALOGUES)
def test_wrong_reasons_break_the_law_that_is_about_them(wrong: type[WrongReasons], law: str) -> None:
    """And those without their fault keep it."""
    assert breaks(held_reasons(wrong), law)
    assert not breaks(held_reasons(WrongReasons), law)


@pytest.mark.parametrize(
    ("contract", "caught"),
    [
        (OrderRepositoryContract, ORDERS),
        (ShippingOptionRepositoryContract, OPTIONS),
        (ReturnReasonRepositoryContract, CATALOGUES),
    ],
)
def test_every_law_of_what_is_read_catches_something(
    contract: type, caught: Sequence[tuple[Callable[[], object], str]]
) -> None:
    """None of them holds for whatever is given to it."""
    assert {law for _, law in caught} == laws_of(contract)
