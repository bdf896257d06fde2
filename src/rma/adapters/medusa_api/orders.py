"""
Orders of a Medusa v1 store, from the JSON of its admin API, as the library's values.

Medusa takes discounts off the net price, also where prices contain tax. Here a discount is in the terms of
its line's price, so on such a line the tax that was inside what was taken off is added.
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
    The order that this JSON object of Medusa v1 tells of.

    It must be told with `items`, their `adjustments` and `tax_lines`, and `payments`; other keys may stand
    there and are not read. Payments that were not captured count as nothing. Gift cards are no payments in
    Medusa: a host whose gateway can put money back on them adds payments of that kind.

    Raises:
        InvalidValue: something is missing or of another kind, or the library's values refuse it.
    """
    order = cast("OrderJson", _of_shape(document, ORDER))
    flat_rate = order.get("tax_rate")
    return Order(
        id=order["id"],
        currency=order["currency_code"],
        items=[_line(line, flat_rate) for line in order["items"]],
        payments=[_payment(payment) for payment in order["payments"]],
        status=OrderStatus.CANCELED if order.get("canceled_at") else order.get("status") or "pending",
        created_at=_moment(order.get("created_at")),
        customer_id=order.get("customer_id"),
        shipping_methods=[_method(method, flat_rate) for method in order.get("shipping_methods") or ()],
        no_notification=order.get("no_notification") or False,
        metadata=order.get("metadata") or {},
    )


def line_item_from_medusa(document: Mapping[str, object], *, tax_rate: float | None = None) -> LineItem:
    """
    The line item that this JSON object of Medusa v1 tells of.

    >>> line = {"id": "mug", "quantity": 10, "unit_price": 125, "includes_tax": True}
    >>> line |= {"tax_lines": [{"rate": 25}], "adjustments": [{"amount": 20}]}
    >>> line_item_from_medusa(line).adjustments[0].amount.amount  # 20 net and 5 of tax
    25

    Args:
        document: as in the order's `items`, with `adjustments` and `tax_lines`.
        tax_rate: the flat rate of an order from before Medusa had tax lines; it wins over them.

    Raises:
        InvalidValue: as `order_from_medusa`.
    """
    return _line(cast("LineJson", _of_shape(document, LINE)), tax_rate)


def gross_discounts(
    unit_price: int, quantity: int, net_discounts: Iterable[float], taxes: Iterable[TaxLine]
) -> tuple[int, ...]:
    """
    Discounts off the net price of a line, as what they take off its price with tax: minor units.

    Rounded as running sums, so that they add up. What takes all of the net takes all of the price, whether
    Medusa rounded the tax inside a unit or inside the line; what takes more is left for `LineItem` to refuse.
    """
    lines = tuple(taxes)
    price = unit_price * quantity
    nets = sorted([_net(unit_price, lines) * quantity, _net(price, lines)])
    whole = 100 + sum(Fraction(tax.rate) for tax in lines)

    def gross(taken: Fraction) -> int:
        if taken > nets[1]:
            return _half_up(taken * whole / 100)
        return price if taken and taken >= nets[0] else min(price, _half_up(taken * whole / 100))

    return _steps(gross(taken) for taken in _running(net_discounts))


def _line(line: LineJson, flat_rate: float | None) -> LineItem:
    taxes = _taxes(line["tax_lines"], flat_rate)
    is_tax_inclusive = line.get("includes_tax") or False
    net = [adjustment["amount"] for adjustment in line["adjustments"]]
    amounts = (
        gross_discounts(line["unit_price"], line["quantity"], net, taxes)
        if is_tax_inclusive
        else _steps(_half_up(taken) for taken in _running(net))
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
    digits = Decimal(repr(number))  # those that stood in the JSON
    if not digits.is_finite():
        raise InvalidValue("invalid_value", {"field": "number", "value": digits, "expected": "finite"})
    return digits


def _net(price: int, taxes: tuple[TaxLine, ...]) -> int:
    running_sums = tax_sums(price, taxes, is_tax_inclusive=True)
    return price - (running_sums[-1] if running_sums else 0)


def _half_up(number: Fraction) -> int:
    return floor(number + Fraction(1, 2))


def _running(amounts: Iterable[float]) -> Iterable[Fraction]:
    total = Fraction(0)
    for amount in amounts:
        total += Fraction(_decimal(amount))
        yield total


def _steps(running_sums: Iterable[int]) -> tuple[int, ...]:
    steps, before = [], 0
    for after in running_sums:
        steps.append(after - before)
        before = after
    return tuple(steps)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _refusal([Problem("$.created_at", "wrong_type", "must be a date with time and zone")]) from None


def _of_shape(document: Mapping[str, object], schema: Schema) -> Mapping[str, object]:
    if wrong := list(problems(document, schema)):
        raise _refusal(wrong)
    return document


def _refusal(wrong: list[Problem]) -> InvalidValue:
    return InvalidValue("invalid_order_document", {"problems": "; ".join(map(str, wrong))})
