"""
Turns orders of a Medusa v1 store, in the JSON of its admin API, into the library's values.

Medusa takes discounts off the net price, even where prices contain tax. This library takes a discount off
the price as it is on the line, so the discount on a tax-inclusive line is increased by its tax.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import cast

from rma.adapters.medusa_api.json_schema import Problem, Schema, problems
from rma.adapters.medusa_api.order_schema import (
    LINE,
    ORDER,
    LineJson,
    MethodJson,
    OrderJson,
    PaymentJson,
    TaxJson,
)
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.order import Adjustment, LineItem, Order, OrderStatus, Payment
from rma.domain.values.errors import InvalidValue
from rma.domain.values.tax import TaxLine, tax_sums


def order_from_medusa(document: Mapping[str, object]) -> Order:
    """
    Converts a JSON object of a Medusa v1 order.

    Load the order with `items`, their `adjustments` and `tax_lines`, and `payments`; other keys are ignored.
    A payment that was not captured has a captured amount of 0. Medusa does not list gift cards among the
    payments: add a payment of kind `gift_card` if your gateway can refund to them.

    Raises:
        InvalidValue: a key is missing or has the wrong type, or the library's values refuse it.
    """
    order = cast("OrderJson", _checked(document, ORDER))
    flat_rate = order.get("tax_rate")
    return Order(
        id=order["id"],
        currency=order["currency_code"],
        items=[_line(line, flat_rate) for line in order["items"]],
        payments=[_payment(payment) for payment in order["payments"]],
        status=OrderStatus.CANCELED if order.get("canceled_at") else order.get("status") or "pending",
        created_at=_timestamp(order.get("created_at")),
        customer_id=order.get("customer_id"),
        shipping_methods=[_method(method, flat_rate) for method in order.get("shipping_methods") or ()],
        no_notification=order.get("no_notification") or False,
        metadata=order.get("metadata") or {},
    )


def line_item_from_medusa(document: Mapping[str, object], *, tax_rate: float | None = None) -> LineItem:
    """
    Converts a JSON object of a Medusa v1 line item.

    >>> line = {"id": "mug", "quantity": 10, "unit_price": 125, "includes_tax": True}
    >>> line |= {"tax_lines": [{"rate": 25}], "adjustments": [{"amount": 20}]}
    >>> line_item_from_medusa(line).adjustments[0].amount.amount  # 20 net and 5 of tax
    25

    Args:
        document: a member of the order's `items`, with `adjustments` and `tax_lines`.
        tax_rate: the flat rate, in percent, of an order from before Medusa had tax lines; it replaces them.

    Raises:
        InvalidValue: as `order_from_medusa`.
    """
    return _line(cast("LineJson", _checked(document, LINE)), tax_rate)


def gross_discounts(
    unit_price: int, quantity: int, net_discounts: Iterable[float], taxes: Iterable[TaxLine]
) -> tuple[int, ...]:
    """
    Converts discounts off the net price of a line to discounts off its price with tax, in minor units.

    They are rounded as running sums, so that they add up. Discounts of the whole net price become the whole
    price, whether Medusa rounded the tax of a unit or of the line. Larger ones are kept: `LineItem` refuses
    them.
    """
    lines = tuple(taxes)
    price = unit_price * quantity
    nets = sorted([_net(unit_price, lines) * quantity, _net(price, lines)])
    whole = 100 + sum(Fraction(tax.percent) for tax in lines)

    def gross(discount: Fraction) -> int:
        amount = _half_up(discount * whole / 100)
        if discount > nets[1]:
            return amount
        return price if discount and discount >= nets[0] else min(price, amount)

    return _differences(gross(discount) for discount in _running_sums(net_discounts))


def _line(line: LineJson, flat_rate: float | None) -> LineItem:
    taxes = _taxes(line["tax_lines"], flat_rate)
    is_tax_inclusive = line.get("includes_tax") or False
    net = [adjustment["amount"] for adjustment in line["adjustments"]]
    amounts = (
        gross_discounts(line["unit_price"], line["quantity"], net, taxes)
        if is_tax_inclusive
        else _differences(_half_up(discount) for discount in _running_sums(net))
    )
    return LineItem(
        id=line["id"],
        quantity=line["quantity"],
        unit_price=line["unit_price"],
        fulfilled_quantity=line.get("fulfilled_quantity") or 0,
        returned_quantity=line.get("returned_quantity") or 0,
        variant_id=line.get("variant_id"),
        title=line.get("title") or "",
        adjustments=[
            Adjustment(amount, code=(adjustment.get("discount") or {}).get("code"))
            for amount, adjustment in zip(amounts, line["adjustments"], strict=True)
        ],
        tax_lines=taxes,
        is_tax_inclusive=is_tax_inclusive,
        metadata=line.get("metadata") or {},
    )


def _payment(payment: PaymentJson) -> Payment:
    is_captured = payment.get("captured_at") is not None and payment.get("canceled_at") is None
    return Payment(
        id=payment["id"],
        captured=payment["amount"] if is_captured else 0,
        refunded=payment.get("amount_refunded") or 0,
        provider_id=payment.get("provider_id"),
    )


def _method(method: MethodJson, flat_rate: float | None) -> ShippingMethod:
    return ShippingMethod(
        id=method["id"],
        option_id=method.get("shipping_option_id"),
        name="",
        price=method["price"],
        tax_lines=_taxes(method.get("tax_lines") or [], flat_rate),
        is_tax_inclusive=method.get("includes_tax") or False,
        data=method.get("data") or {},
    )


def _taxes(lines: list[TaxJson], flat_rate: float | None) -> tuple[TaxLine, ...]:
    if flat_rate is not None:
        return (TaxLine(_decimal(flat_rate)),)
    return tuple(
        [TaxLine(_decimal(line["rate"]), code=line.get("code"), name=line.get("name")) for line in lines]
    )


def _decimal(number: float) -> Decimal:
    digits = Decimal(repr(number))  # the digits of the JSON
    if not digits.is_finite():
        raise InvalidValue("invalid_value", {"field": "number", "value": digits, "expected": "finite"})
    return digits


def _net(price: int, taxes: tuple[TaxLine, ...]) -> int:
    running_sums = tax_sums(price, taxes, is_tax_inclusive=True)
    return price - (running_sums[-1] if running_sums else 0)


def _half_up(number: Fraction) -> int:
    return floor(number + Fraction(1, 2))


def _running_sums(amounts: Iterable[float]) -> Iterable[Fraction]:
    total = Fraction(0)
    for amount in amounts:
        total += Fraction(_decimal(amount))
        yield total


def _differences(running_sums: Iterable[int]) -> tuple[int, ...]:
    differences, before = [], 0
    for after in running_sums:
        differences.append(after - before)
        before = after
    return tuple(differences)


def _timestamp(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise _refusal([Problem("$.created_at", "wrong_type", "must be a timestamp with a zone")]) from None


def _checked(document: Mapping[str, object], schema: Schema) -> Mapping[str, object]:
    if found := list(problems(document, schema)):
        raise _refusal(found)
    return document


def _refusal(found: list[Problem]) -> InvalidValue:
    return InvalidValue("invalid_order_document", {"problems": "; ".join(map(str, found))})
