"""Tests of orders of a Medusa store as the library's values."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rma import InvalidValue, Money, Order, OrderStatus, RequestedItem, RequestReturn, TaxLine
from rma.adapters.medusa_api import gross_discounts, line_item_from_medusa, loads, order_from_medusa
from rma.adapters.memory import in_memory_service


def a_line(
    quantity: int, unit_price: int, *, rates: tuple[float, ...] = (), off: tuple[float, ...] = (), **more: Any
) -> dict[str, Any]:
    """Returns a fulfilled line in Medusa's JSON."""
    return {
        "id": "a",
        "title": "Mug",
        "variant_id": "v_a",
        "quantity": quantity,
        "unit_price": unit_price,
        "fulfilled_quantity": quantity,
        "shipped_quantity": None,
        "returned_quantity": None,
        "includes_tax": False,
        "metadata": None,
        "tax_lines": [{"rate": rate, "code": None, "name": "default"} for rate in rates],
        "adjustments": [{"amount": amount, "discount_id": "disc_1"} for amount in off],
        **more,
    }


def an_order(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Returns a paid order in Medusa's JSON."""
    return {
        "id": "order_1",
        "currency_code": "usd",
        "status": "pending",
        "created_at": "2019-08-24T14:15:22.000Z",
        "customer_id": "cus_1",
        "tax_rate": None,
        "items": list(lines),
        "payments": [
            {
                "id": "pay_1",
                "amount": 10_000_000,
                "amount_refunded": 0,
                "captured_at": "2019-08-24T14:15:22Z",
                "canceled_at": None,
                "provider_id": "manual",
                "currency_code": "usd",
            }
        ],
        "region": {"name": "EU"},
        "no_notification": None,
        **more,
    }


def value(document: dict[str, Any], quantity: int) -> int:
    """Returns the refund of `quantity` units of the first line, in minor units."""
    order = order_from_medusa(document)
    request = RequestReturn(
        order_id=order.id, items=[RequestedItem(item_id=order.items[0].id, quantity=quantity)]
    )
    return in_memory_service([order]).quote(request).refund_amount.amount


@pytest.mark.parametrize(
    ("document", "quantity", "amount"),
    [
        pytest.param(an_order(a_line(10, 125, rates=(25,), off=(20,), includes_tax=True)), 10, 1225,
                     id="v1t-u-total-ff-fixed-incl"),
        pytest.param(an_order(a_line(10, 100, rates=(25,), off=(100,))), 10, 1125, id="v1t-u-total-ff-pct"),
        pytest.param(an_order(a_line(1, 1000, rates=(20,), includes_tax=True)), 1, 1000, id="v1t-u-nt-incl"),
        pytest.param(an_order(a_line(2, 1000, rates=(20,), off=(200,))), 1, 1080, id="v1t-discount"),
        pytest.param(an_order(a_line(2, 1200, rates=(20,), includes_tax=True)), 1, 1200,
                     id="v1x-calc-incl-20"),
        # The flat rate of old orders replaces tax lines, even if it is 0.
        pytest.param(an_order(a_line(2, 1000, rates=(20,)), tax_rate=0), 1, 1000,
                     id="v1x-calc-legacy-tax-zero"),
        pytest.param(an_order(a_line(2, 1125, rates=(20,), includes_tax=True), tax_rate=12.5), 1, 1125,
                     id="v1t-ff-old-incl"),
        # Theirs is 675: they round the discount of one unit. Ours: (999 - 100) + 12.5 % = 1011; two thirds.
        pytest.param(an_order(a_line(3, 333, off=(100,)), tax_rate=12.5), 2, 674,
                     id="v1x-calc-legacy-tax-round"),
        # They round each tax on the units returned: 999 + 75 + 25; ours is a third of 2997 + 225 + 75.
        pytest.param(an_order(a_line(3, 999, rates=(7.5, 2.5))), 1, 1099, id="v1x-calc-two-tax-lines"),
        # Theirs is 1934, a rounded unit twice; ours is two thirds of 2900.
        pytest.param(an_order(a_line(3, 1000, rates=(0,), off=(100,))), 2, 1933,
                     id="v1x-calc-adj100-q3-ret2"),
    ],
)  # fmt: skip
def test_units_of_an_order_are_worth_what_was_paid_for_them(
    document: dict[str, Any], quantity: int, amount: int
) -> None:
    """Net discounts of Medusa reduce the gross price of a tax-inclusive line."""
    assert value(document, quantity) == amount


def test_an_order_keeps_its_values() -> None:
    """Every value is converted; null becomes the default."""
    method = {"id": "sm_1", "price": 500, "shipping_option_id": "so_1", "includes_tax": None, "data": {}}
    document = an_order(
        a_line(2, 1000, rates=(7.5,), returned_quantity=1, metadata={"car": "white"}),
        shipping_methods=[method],
        metadata={"a": [1]},
        no_notification=True,
    )

    order = order_from_medusa(document)

    (line,) = order.items
    assert (line.id, line.title, line.variant_id) == ("a", "Mug", "v_a")
    assert (line.quantity, line.fulfilled_quantity, line.returned_quantity) == (2, 2, 1)
    assert line.unit_price == Money(1000, "usd")
    assert line.tax_lines == (TaxLine(Decimal("7.5"), name="default"),)
    assert line.metadata == {"car": "white"}
    assert (order.customer_id, order.currency, order.status) == ("cus_1", "usd", OrderStatus.PENDING)
    assert order.created_at is not None
    assert order.created_at.isoformat() == "2019-08-24T14:15:22+00:00"
    assert order.no_notification is True
    assert order.metadata == {"a": [1]}
    assert order.shipping_methods[0].price == Money(500, "usd")
    assert order.payments[0].captured == Money(10_000_000, "usd")
    assert order.payments[0].provider_id == "manual"


def test_only_captured_payments_count() -> None:
    """An authorised or canceled payment has a captured amount of 0."""
    captured = {"id": "p1", "amount": 500, "captured_at": "2019-08-24T14:15:22Z", "amount_refunded": 100}
    authorised = {"id": "p2", "amount": 500, "captured_at": None}
    voided = {**captured, "id": "p3", "canceled_at": "2019-08-25T14:15:22Z", "amount_refunded": 0}

    order = order_from_medusa(an_order(a_line(1, 500), payments=[captured, authorised, voided]))

    assert [(payment.captured.amount, payment.refunded.amount) for payment in order.payments] == [
        (500, 100), (0, 0), (0, 0),
    ]  # fmt: skip


def test_a_canceled_order_is_canceled() -> None:
    """An order is canceled by its status or its timestamp."""
    timestamp = order_from_medusa(an_order(a_line(1, 500), canceled_at="2019-08-24T14:15:22Z"))
    status = order_from_medusa(an_order(a_line(1, 500), status="canceled"))

    assert timestamp.status == status.status == OrderStatus.CANCELED


def test_a_discounts_code_names_its_adjustment() -> None:
    """An adjustment without a discount has no code."""
    adjustments = [{"amount": 30.5, "discount": {"code": "10DISC", "id": "disc_1"}}, {"amount": 30.5}]

    line = line_item_from_medusa(a_line(1, 500, adjustments=adjustments))

    assert [(each.amount.amount, each.code) for each in line.adjustments] == [(31, "10DISC"), (30, None)]


TAXES = st.lists(st.sampled_from(["0", "5", "7.5", "19", "25"]), max_size=2).map(
    lambda rates: [TaxLine(Decimal(rate)) for rate in rates]
)


@given(
    unit_price=st.integers(0, 10_000),
    quantity=st.integers(1, 7),
    taxes=TAXES,
    shares=st.lists(st.integers(0, 33), max_size=3),
)
def test_gross_discounts_add_up(
    unit_price: int, quantity: int, taxes: list[TaxLine], shares: list[int]
) -> None:
    """None is negative, together they are at most the price, and less than all differs by less than one."""
    price, whole = unit_price * quantity, 100 + sum([tax.percent for tax in taxes], Decimal(0))
    net = [int(price * 100 / whole) * share // 100 for share in shares]

    gross = gross_discounts(unit_price, quantity, net, taxes)

    assert all(each >= 0 for each in gross)
    assert len(gross) == len(net)
    assert sum(gross) <= price
    assert sum(gross) == price or abs(sum(gross) - sum(net) * whole / 100) < 1


@given(unit_price=st.integers(1, 10_000), quantity=st.integers(1, 50), taxes=TAXES)
def test_all_of_the_net_is_all_of_the_price(unit_price: int, quantity: int, taxes: list[TaxLine]) -> None:
    """The whole net price becomes the whole price, although Medusa rounds the tax of each unit."""
    rate = sum(tax.percent for tax in taxes)
    tax_inside = int(Decimal(unit_price * rate / (100 + rate)).to_integral_value("ROUND_HALF_UP"))
    net = (unit_price - tax_inside) * quantity

    assert not net or gross_discounts(unit_price, quantity, [net], taxes) == (unit_price * quantity,)


def test_a_discount_above_the_price_is_refused() -> None:
    """It is not reduced to the price, because it is a mistake of the host."""
    with pytest.raises(InvalidValue):
        line_item_from_medusa(a_line(1, 120, rates=(20,), off=(101,), includes_tax=True))


@given(unit_price=st.integers(0, 10_000), amounts=st.lists(st.integers(0, 100), max_size=3))
def test_without_tax_net_is_gross(unit_price: int, amounts: list[int]) -> None:
    """Discounts stay the same without tax."""
    assert gross_discounts(unit_price, 1, amounts, ()) == tuple(amounts)


def test_an_order_of_another_shape_is_refused() -> None:
    """The error is the host's, and lists every problem."""
    document = an_order(a_line(1, 500) | {"quantity": "1"}, {"id": "b", "quantity": 1, "unit_price": 5})

    with pytest.raises(InvalidValue) as refused:
        order_from_medusa(document)

    assert refused.value.details["problems"] == (
        "$.items[0].quantity: must be an integer, not a string; "
        "$.items[1].adjustments: is required; $.items[1].tax_lines: is required"
    )


@pytest.mark.parametrize(
    "document",
    [
        an_order(a_line(1, 500, off=(501,))),
        an_order(a_line(1, 500, rates=(-1,))),
        an_order(a_line(1, 500, returned_quantity=2)),
        an_order(a_line(1, 500, adjustments=[{"amount": float("inf")}])),
        an_order(a_line(1, 500), created_at="yesterday"),
        an_order(a_line(1, 500), created_at="2019-08-24T14:15:22"),
        an_order(a_line(1, 500), status="lost"),
        an_order(a_line(1, 500), a_line(1, 500)),
    ],
)
def test_an_invalid_order_is_refused(document: dict[str, Any]) -> None:
    """The library's values refuse it."""
    with pytest.raises(InvalidValue):
        order_from_medusa(document)


def test_an_order_is_read_from_json() -> None:
    """Rates keep the digits of the JSON."""
    line = b'{"id": "a", "quantity": 1, "unit_price": 5, "adjustments": [], "tax_lines": [{"rate": 8.1}]}'
    body = b'{"id": "o", "currency_code": "eur", "payments": [], "items": [' + line + b"]}"
    document = loads(body)

    assert isinstance(document, dict)
    order = order_from_medusa(document)
    assert isinstance(order, Order)
    assert order.items[0].tax_lines[0].rate == Decimal("8.1")
