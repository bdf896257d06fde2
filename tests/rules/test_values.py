"""The values that hosts build: what they refuse, and that they cannot be changed."""

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, cast

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from rma import (
    Adjustment,
    Fee,
    InvalidValue,
    LineItem,
    Money,
    Order,
    OrderStatus,
    Payment,
    RequestedItem,
    RequestReturn,
    ReturnPolicy,
    ReturnReason,
    ShippingMethod,
    ShippingOption,
    TaxLine,
)
from rma.domain.decide.facts import Facts
from rma.domain.values.money import NO_CURRENCY
from tests.rules.given import line, off, order_of, usd, vat

#: The first hour that a datetime can name, east of Greenwich: there is no such moment in UTC.
FIRST_HOUR = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 # the point


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: line(quantity=-1), "LineItem.quantity"),
        (lambda: line(quantity=True), "LineItem.quantity"),
        (lambda: line(quantity=cast("int", 1.5)), "LineItem.quantity"),
        (lambda: line(quantity=1, fulfilled_quantity=2), "LineItem.fulfilled_quantity"),
        (lambda: line(quantity=2, fulfilled_quantity=1, returned_quantity=2), "LineItem.returned_quantity"),
        (lambda: line(item_id=""), "LineItem.id"),
        (lambda: line(item_id=cast("str", 7)), "LineItem.id"),
        (lambda: line(price=-1), "LineItem.unit_price"),
        (lambda: line(adjustments=off(2001)), "LineItem.adjustments"),
        (lambda: line(adjustments=7), "LineItem.adjustments"),
        (lambda: line(tax_lines=[0.2]), "LineItem.tax_lines"),
        (lambda: line(delivered_at=NAIVE), "LineItem.delivered_at"),
        (lambda: line(delivered_at="yesterday"), "LineItem.delivered_at"),
        (lambda: line(metadata=["x"]), "LineItem.metadata"),
        (lambda: Adjustment(usd(-1)), "Adjustment.amount"),
        (lambda: Adjustment("1"), "Adjustment.amount"),  # type: ignore[arg-type] # the point
        (lambda: TaxLine(0.2), "TaxLine.rate"),  # type: ignore[arg-type] # the point
        (lambda: TaxLine(-1), "TaxLine.rate"),
        (lambda: TaxLine("x"), "TaxLine.rate"),
        (lambda: TaxLine("nan"), "TaxLine.rate"),
        (lambda: TaxLine(None), "TaxLine.rate"),
        (lambda: TaxLine(1, amount=usd(-1)), "TaxLine.amount"),
        (lambda: Payment(id="p", captured=usd(-1)), "Payment.captured"),
        (lambda: Payment(id="p", captured=usd(1), refunded=-1), "Payment.refunded"),
        (lambda: ShippingOption(id="", price=usd(1)), "ShippingOption.id"),
        (lambda: ShippingMethod(id="m", option_id=None, name="", price=usd(-1)), "ShippingMethod.price"),
        (lambda: ReturnReason(id="", value="v", label="l"), "ReturnReason.id"),
        (lambda: order_of(line("a"), line("a")), "Order.items"),
        (lambda: order_of(payments=[Payment(id="p", captured=usd(1))] * 2), "Order.payments"),
        (lambda: order_of(adjustments=off(2001)), "Order.adjustments"),
        (lambda: order_of(status="cancelled"), "Order.status"),
        (lambda: order_of(created_at=NAIVE), "Order.created_at"),
        (lambda: order_of(version=-1), "Order.version"),
        (lambda: Order(id="", currency="usd", items=()), "Order.id"),
        (lambda: Order(id="o", currency="dollars", items=()), "Order.currency"),
        (lambda: Order(id="o", currency="usd", items=[{"id": "a"}]), "Order.items"),  # type: ignore[list-item] # the point
        (lambda: ReturnPolicy(name=""), "ReturnPolicy.name"),
        (lambda: ReturnPolicy(window_days=-1), "ReturnPolicy.window_days"),
        (lambda: ReturnPolicy(window_days=1.5), "ReturnPolicy.window_days"),  # type: ignore[arg-type] # the point
        (lambda: ReturnPolicy(fees=[Fee("f", percent=1), Fee("f", percent=2)]), "ReturnPolicy.fees"),
        (lambda: ReturnPolicy(window_days=40_000), "ReturnPolicy.window_days"),
        (lambda: ReturnPolicy(refund_damaged=cast("bool", "no")), "ReturnPolicy.refund_damaged"),
        (lambda: line(is_tax_inclusive=cast("bool", 1)), "LineItem.is_tax_inclusive"),
        (lambda: line(is_returnable=cast("bool", None)), "LineItem.is_returnable"),
        (lambda: line(serials=["A", ""]), "LineItem.serials"),
        (lambda: line(serials=cast("list[str]", [5])), "LineItem.serials"),
        (lambda: order_of(no_notification=cast("bool", "")), "Order.no_notification"),
        (lambda: ReturnReason(id="r", value="v", label="l", retired=cast("bool", 0)), "ReturnReason.retired"),
        (lambda: ShippingOption(id="o", price=1, is_return=cast("bool", "yes")), "ShippingOption.is_return"),
        (lambda: ShippingOption(id="o", price=1, is_tax_inclusive=True, tax_lines=[TaxLine(1, amount=2)]),
         "ShippingOption.tax_lines"),
        (lambda: ShippingMethod(id="m", option_id=None, name="", price=1, is_tax_inclusive=True,
                                tax_lines=[TaxLine(1, amount=2)]), "ShippingMethod.tax_lines"),
        (lambda: TaxLine(True), "TaxLine.rate"),
        (lambda: Fee("f", amount=cast("int", 1.5)), "Fee.amount"),
        (lambda: Fee("f", amount=cast("int", "x")), "Fee.amount"),
        (lambda: Fee("f"), "Fee.amount"),
        (lambda: Fee("f", amount=1, percent=1), "Fee.amount"),
        (lambda: Fee("f", amount=-1), "Fee.amount"),
        (lambda: Fee("f", percent=101), "Fee.percent"),
        (lambda: Fee("f", percent=cast("int", 0.5)), "Fee.percent"),
        (lambda: line(price=cast("int", True)), "Money.amount"),
        (lambda: line(variant_id=7), "LineItem.variant_id"),
        (lambda: line(title=None), "LineItem.title"),
        (lambda: order_of(customer_id=7), "Order.customer_id"),
        (lambda: Order(id="o", currency="usd", items=cast("Any", "mug")), "Order.items"),
        (lambda: Payment(id="p", captured=1, provider_id=cast("str", 7)), "Payment.provider_id"),
        (lambda: ShippingOption(id="o", price=1, location_id=cast("str", 7)), "ShippingOption.location_id"),
        (lambda: ReturnReason(id="r", value="v", label=cast("str", None)), "ReturnReason.label"),
        (lambda: Facts(at=NAIVE), "Facts.at"),
    ],
)  # fmt: skip
def test_an_invalid_value_is_refused_when_it_is_built(build: Callable[[], object], field: str) -> None:
    """InvalidValue names the field, the value and what was expected."""
    with pytest.raises(InvalidValue) as error:
        build()

    assert error.value.code == "invalid_value"
    assert error.value.details["field"] == field
    assert set(error.value.details) - {"hint"} == {"field", "value", "expected"}
    assert str(error.value.details["expected"]) in str(error.value)
    assert isinstance(error.value, ValueError)


def test_contained_taxes_above_what_was_paid_are_refused() -> None:
    """
    Contained taxes above the discounted price of a line are refused, also if a discount on the order causes
    it.
    """
    taxed = line(quantity=1, price=100, is_tax_inclusive=True, tax_lines=vat("20", amount=usd(60)))

    order_of(taxed, adjustments=off(40))
    with pytest.raises(InvalidValue) as error:
        order_of(taxed, adjustments=off(41))

    assert error.value.details["field"] == "LineItem.tax_lines"


@pytest.mark.parametrize(
    "build",
    [
        lambda: order_of(line(price=0), adjustments=[Adjustment(Money(0, "eur"))]),
        lambda: order_of(evolve(line(), unit_price=Money(1, "eur"))),
        lambda: order_of(line(adjustments=[Adjustment(Money(1, "eur"))])),
        lambda: order_of(line(tax_lines=vat("20", amount=Money(1, "eur")))),
        lambda: order_of(payments=[Payment(id="p", captured=Money(1, "eur"))]),
        lambda: Payment(id="p", captured=Money(1, "eur"), refunded=Money(1, "usd")),
    ],
)
def test_an_order_has_one_currency(build: Callable[[], object]) -> None:
    """An order with an amount in another currency is refused with `currency_mismatch`."""
    with pytest.raises(InvalidValue) as error:
        build()

    assert error.value.code == "currency_mismatch"
    assert "eur" in str(error.value)


def test_integers_are_minor_units_of_the_currency_of_the_order() -> None:
    """Integer amounts have no currency until an order adopts them into its own."""
    item = LineItem(
        id="a",
        quantity=1,
        unit_price=1000,
        fulfilled_quantity=1,
        adjustments=[Adjustment(100)],
        tax_lines=[TaxLine(20, amount=180)],
    )
    method = ShippingMethod(id="m", option_id=None, name="post", price=5)

    order = Order(
        id="o",
        currency="EUR",
        items=[item],
        payments=[Payment(id="p", captured=1080, refunded=80)],
        adjustments=[Adjustment(0)],
        shipping_methods=[method],
    )

    eur = [Money(amount, "eur") for amount in (1000, 100, 180, 1080, 80, 0, 5)]
    (adopted,) = order.items
    assert item.unit_price == Money(1000, NO_CURRENCY)
    assert [
        adopted.unit_price,
        adopted.adjustments[0].amount,
        adopted.tax_lines[0].amount,
        order.payments[0].captured,
        order.payments[0].refunded,
        order.adjustments[0].amount,
        order.shipping_methods[0].price,
    ] == eur


def test_a_payment_may_be_refunded_above_what_was_captured() -> None:
    """A payment of the host may have a refunded amount above the captured one."""
    order = order_of(payments=[Payment(id="p", captured=usd(5), refunded=usd(9))])

    assert order.payments[0].refunded == usd(9)


def test_a_status_may_be_given_as_its_string() -> None:
    """The string `canceled` is accepted for OrderStatus.CANCELED."""
    assert order_of(status="canceled").status is OrderStatus.CANCELED


def test_values_do_not_change() -> None:
    """A value changes neither by assignment nor through the containers that it was built from or returns."""
    notes = {"tags": ["a"]}
    order = order_of(line(metadata={**notes, "sizes": {"eu": 42}}))
    notes["tags"].append("b")
    stored: Any = order.items[0].metadata

    assert stored == {"tags": ["a"], "sizes": {"eu": 42}}
    with pytest.raises(FrozenInstanceError):
        order.version = 2  # type: ignore[misc] # the point
    changes: list[Callable[[], object]] = [
        lambda: order.items[0].metadata.update(x=1),
        lambda: order.items[0].metadata.pop("tags"),
        lambda: order.items[0].metadata.__setitem__("x", 1),
        lambda: stored["sizes"].update(us=9),
        lambda: stored["tags"].append("b"),
    ]
    for change in changes:
        with pytest.raises(TypeError, match="cannot be changed"):
            change()


def test_values_can_be_pickled_copied_and_hashed() -> None:
    """
    A command is equal after pickling and copying, can be a key, and its metadata can be written as JSON.
    """
    command = RequestReturn(
        order_id="o", items=[RequestedItem(item_id="a", quantity=1, metadata={"x": [1]})], metadata={"y": 1}
    )

    assert pickle.loads(pickle.dumps(command)) == command
    assert copy.deepcopy(command) == command
    assert copy.copy(command.metadata) is command.metadata
    assert copy.copy(command.items[0].metadata["x"]) is command.items[0].metadata["x"]
    assert len({command.items[0].metadata["x"]}) == 1
    assert json.loads(json.dumps(command.metadata)) == {"y": 1}
    assert {command: 1}[command] == 1


def test_taxes_of_a_method_are_exact() -> None:
    """
    Subtotal and tax of a shipping method add up to its total, with contained taxes, taxes on top and
    without.
    """
    taxes = [TaxLine(Decimal(10)), TaxLine(Decimal(5))]
    inside = ShippingMethod(
        id="m", option_id=None, name="", price=usd(1000), tax_lines=taxes, is_tax_inclusive=True
    )
    on_top = evolve(inside, is_tax_inclusive=False)
    untaxed = evolve(inside, tax_lines=())

    assert (inside.subtotal, inside.tax_total, inside.total) == (usd(870), usd(130), usd(1000))
    assert (on_top.subtotal, on_top.tax_total, on_top.total) == (usd(1000), usd(150), usd(1150))
    assert (untaxed.subtotal, untaxed.tax_total, untaxed.total) == (usd(1000), usd(0), usd(1000))


def test_moments_become_utc_unless_there_is_no_such_moment() -> None:
    """The same moment, whatever its time zone; the first hour that can be named stays as it is."""
    local = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    found = order_of(created_at=local).created_at

    assert found is not None
    assert (found, found.tzinfo) == (local, UTC)
    assert order_of(created_at=FIRST_HOUR).created_at == FIRST_HOUR
