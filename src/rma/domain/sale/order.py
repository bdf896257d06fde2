"""
The host's facts of a sale: what was ordered, paid and fulfilled. Read through ports, never written by us.

Amounts may be given as `Money`, or as whole minor units, which then are in the order's currency.
Every constructor raises `InvalidValue` for a value that cannot be.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar, cast

from attrs import Attribute, evolve, field, frozen
from attrs.validators import optional

from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.charges import Charge, as_charges, shipping_charge
from rma.domain.sale.tags import as_set, as_tags, tags
from rma.domain.values.errors import InvalidValue
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import NO_CURRENCY, Money, allocate, as_currency, as_money, currency_code
from rma.domain.values.tax import TaxLine, as_tax_lines, check_contained_taxes, not_negative
from rma.domain.values.validators import (
    as_map,
    as_member,
    as_tuple,
    as_utc,
    aware,
    flag,
    invalid,
    is_whole,
    mapping,
    member_of,
    string,
    text,
    tuple_of,
    whole,
)


class OrderStatus(StrEnum):
    """The status of the sale, in the host's words."""

    PENDING = "pending"
    COMPLETED = "completed"
    ARCHIVED = "archived"
    REQUIRES_ACTION = "requires_action"
    CANCELED = "canceled"


@frozen
class Adjustment:
    """A discount in money, of at least 0: on a line, or on the order and then allocated to its lines."""

    amount: Money = field(converter=as_money, validator=not_negative)
    code: str | None = field(default=None, validator=optional(string))


def _adjustments(values: Iterable[Adjustment]) -> tuple[Adjustment, ...]:
    return as_tuple(values)


def _serials(values: Iterable[str]) -> frozenset[str]:
    return as_set(values)


def _are_serials(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, frozenset) or not all(isinstance(each, str) and each for each in value):
        raise invalid(instance, attribute.name, value, "strings that are not empty")


@frozen
class LineItem:
    """
    A row of the order.

    Args:
        id: what requests and receipts call `item_id`.
        quantity: ordered units, those that were returned since included.
        unit_price: list price of a unit, with tax where `is_tax_inclusive`.
        fulfilled_quantity: units that left for the customer; only they can come back.
        returned_quantity: units that were returned without this library; their share is reserved.
        adjustments: discounts already allocated to this line, in the terms of its unit price: on a
            tax-inclusive line they come off the gross.
        tax_lines: each computed on the whole line after discounts, unless it has an amount.
        is_returnable: False for final sale.
        delivered_at: when it arrived, for return windows; aware.
        fulfilled_at: when it left for the customer, for return windows; aware.
        tags: what rules of return name.
        serials: numbers of the units that were sold, if they are known; units with others are foreign goods.
    """

    id: str = field(validator=text)
    quantity: int = field(validator=whole)
    unit_price: Money = field(converter=as_money, validator=not_negative)
    fulfilled_quantity: int = field(validator=whole)
    returned_quantity: int = field(default=0, validator=whole)
    variant_id: str | None = field(default=None, validator=optional(string))
    title: str = field(default="", validator=string)
    adjustments: tuple[Adjustment, ...] = field(
        default=(), converter=_adjustments, validator=tuple_of(Adjustment)
    )
    tax_lines: tuple[TaxLine, ...] = field(default=(), converter=as_tax_lines, validator=tuple_of(TaxLine))
    is_tax_inclusive: bool = field(default=False, validator=flag)
    is_returnable: bool = field(default=True, validator=flag)
    delivered_at: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    fulfilled_at: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, validator=mapping)
    tags: frozenset[str] = field(default=frozenset(), converter=as_tags, validator=tags)
    serials: frozenset[str] = field(default=frozenset(), converter=_serials, validator=_are_serials)

    def __attrs_post_init__(self) -> None:
        if self.fulfilled_quantity > self.quantity:
            raise invalid(self, "fulfilled_quantity", self.fulfilled_quantity, f"at most {self.quantity}")
        if self.returned_quantity > self.fulfilled_quantity:
            raise invalid(
                self, "returned_quantity", self.returned_quantity, f"at most {self.fulfilled_quantity}"
            )
        if _discounted(self) < 0:
            raise invalid(
                self, "adjustments", self.adjustments, f"at most the price of the line, {self.price.amount}"
            )

    @property
    def price(self) -> Money:
        """Unit price times ordered quantity, before discounts."""
        return Money(self.unit_price.amount * self.quantity, self.unit_price.currency)

    @property
    def discounted_price(self) -> Money:
        """The price less the line's own discounts, before those of the order."""
        return Money(_discounted(self), self.unit_price.currency)


def _discounted(item: LineItem) -> int:
    discounts = sum([adjustment.amount.amount for adjustment in item.adjustments])
    return item.unit_price.amount * item.quantity - discounts


def _step(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if not is_whole(value, at_least=1):
        raise invalid(instance, attribute.name, value, "an integer of at least 1, in minor units")


@frozen
class Payment:
    """
    Money that the customer paid.

    Args:
        captured: what was really allocated, not what was authorised.
        refunded: what was given back of it WITHOUT this library.
        kind: `"card"`, `"store_credit"`, `"gift_card"`, … in the host's words.
        provider_id: who moves the money, for the payments port.
        refundable_until: the last moment at which it takes a refund, aware; None for always.
        refund_step: its gateway moves multiples of so many minor units. All its refunds together are a
            multiple; what is left over goes with the last.
    """

    id: str = field(validator=text)
    captured: Money = field(converter=as_money, validator=not_negative)
    refunded: Money = field(default=Money(0, NO_CURRENCY), converter=as_money, validator=not_negative)
    kind: str = field(default="card", validator=string)
    provider_id: str | None = field(default=None, validator=optional(string))
    refundable_until: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    refund_step: int = field(default=1, validator=_step)

    def __attrs_post_init__(self) -> None:
        refunded = _adopted(self.refunded, self.captured.currency, "Payment.refunded")
        object.__setattr__(self, "refunded", refunded)


def _status(value: OrderStatus | str) -> OrderStatus:
    return as_member(OrderStatus, value)


def _line_items(values: Iterable[LineItem]) -> tuple[LineItem, ...]:
    return as_tuple(values)


def _payments(values: Iterable[Payment]) -> tuple[Payment, ...]:
    return as_tuple(values)


def _shipping_methods(values: Iterable[ShippingMethod]) -> tuple[ShippingMethod, ...]:
    return as_tuple(values)


def _invoices(values: Iterable[str]) -> tuple[str, ...]:
    return cast("tuple[str, ...]", values) if isinstance(values, str) else as_tuple(values)


def _are_invoices(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    is_valid = isinstance(value, tuple) and all(isinstance(each, str) and each for each in value)
    if not is_valid or len(set(cast("tuple[str, ...]", value))) != len(cast("tuple[str, ...]", value)):
        raise invalid(instance, attribute.name, value, "strings that are not empty and do not repeat")


@frozen
class Order:
    """
    What was sold and paid, as the host knows it now; read afresh for each command.

    Args:
        currency: of every amount in the order; amounts given as bare numbers take it on.
        version: counts the changes the customer would notice, every edit; requests, receipts and
            cancellations of returns count on from here. Commands refuse an order older than one that was
            seen before (`StaleOrder`).
        adjustments: discounts on the whole order; each is allocated to the lines by their price less
            their own discounts.
        no_notification: True keeps the customer from being notified, unless a request says otherwise.
        charges: what was paid besides goods and shipping methods; `all_charges` has those, too.
        tags: what rules of return name.
        invoices: the numbers of its invoices, which credit notes name; they are those that the order has
            when something is granted.

    Raises:
        InvalidValue: ids that repeat, amounts in another currency, discounts above the price, contained
            taxes above what was paid, a datetime without time zone.
    """

    id: str = field(validator=text)
    currency: str = field(converter=as_currency, validator=currency_code)
    items: tuple[LineItem, ...] = field(converter=_line_items, validator=tuple_of(LineItem))
    payments: tuple[Payment, ...] = field(default=(), converter=_payments, validator=tuple_of(Payment))
    status: OrderStatus = field(
        default=OrderStatus.PENDING, converter=_status, validator=member_of(OrderStatus)
    )
    created_at: datetime | None = field(default=None, converter=as_utc, validator=optional(aware))
    customer_id: str | None = field(default=None, validator=optional(string))
    version: int = field(default=1, validator=whole)
    adjustments: tuple[Adjustment, ...] = field(
        default=(), converter=_adjustments, validator=tuple_of(Adjustment)
    )
    shipping_methods: tuple[ShippingMethod, ...] = field(
        default=(), converter=_shipping_methods, validator=tuple_of(ShippingMethod)
    )
    no_notification: bool = field(default=False, validator=flag)
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, validator=mapping)
    charges: tuple[Charge, ...] = field(default=(), converter=as_charges, validator=tuple_of(Charge))
    tags: frozenset[str] = field(default=frozenset(), converter=as_tags, validator=tags)
    invoices: tuple[str, ...] = field(default=(), converter=_invoices, validator=_are_invoices)

    def __attrs_post_init__(self) -> None:
        for name in ("items", "payments", "adjustments", "shipping_methods", "charges"):
            object.__setattr__(self, name, _all_in_currency(getattr(self, name), self.currency))
        for name in ("items", "payments", "all_charges"):
            ids = [value.id for value in getattr(self, name)]
            if len(set(ids)) != len(ids):
                field_name = "charges" if name == "all_charges" else name
                raise invalid(self, field_name, ids, "ids that do not repeat")
        value = sum(map(_discounted, self.items))
        discounts = sum(adjustment.amount.amount for adjustment in self.adjustments)
        if discounts > value:
            raise invalid(self, "adjustments", discounts, f"at most the value of the lines, {value}")
        for item, shares in zip(self.items, self.allocated_adjustments(), strict=True):
            check_contained_taxes(item, _discounted(item) - sum(shares))

    @property
    def all_charges(self) -> tuple[Charge, ...]:
        """What was paid besides the goods: shipping methods, then the other charges."""
        if not self.shipping_methods:
            return self.charges
        return (*map(shipping_charge, self.shipping_methods), *self.charges)

    def allocated_adjustments(self) -> tuple[tuple[int, ...], ...]:
        """For each line, in order: its share of each of the order's adjustments, minor units."""
        if not self.adjustments or not self.items:
            return ((),) * len(self.items)
        values = [_discounted(item) for item in self.items]
        given = [0] * len(values)
        columns: list[tuple[int, ...]] = []
        for adjustment in self.adjustments:
            columns.append(allocate(adjustment.amount.amount, values, given=given))
            given = [had + part for had, part in zip(given, columns[-1], strict=True)]
        return tuple(zip(*columns, strict=True))


Priced = LineItem | Payment | Adjustment | TaxLine | ShippingMethod | Charge
P = TypeVar("P", bound=Priced)

_AMOUNTS: dict[type, tuple[str, ...]] = {
    LineItem: ("unit_price",),
    Payment: ("captured", "refunded"),
    Adjustment: ("amount",),
    TaxLine: ("amount",),
    ShippingMethod: ("price",),
    Charge: ("price", "refundable"),
}
_PRICED_PARTS = ("adjustments", "tax_lines")


def in_currency(value: P, currency: str) -> P:
    """
    The value with its bare amounts in this currency.

    Raises:
        InvalidValue: `currency_mismatch`, one of its amounts is in another currency.
    """
    changed: dict[str, Any] = {}
    for name in _AMOUNTS[type(value)]:
        amount: Money | None = getattr(value, name)
        if amount is not None and amount.currency != currency:
            changed[name] = _adopted(amount, currency, f"{type(value).__name__}.{name}")
    for name in _PRICED_PARTS:
        parts: tuple[Priced, ...] = getattr(value, name, ())
        if (adopted := _all_in_currency(parts, currency)) is not parts:
            changed[name] = adopted
    return evolve(value, **changed) if changed else value


def _all_in_currency(values: tuple[P, ...], currency: str) -> tuple[P, ...]:
    adopted = tuple([in_currency(value, currency) for value in values])
    return adopted if any(map(_differ, adopted, values)) else values


def _differ(left: object, right: object) -> bool:
    return left is not right


def _adopted(amount: Money, currency: str, field: str) -> Money:
    if amount.currency not in (currency, NO_CURRENCY):
        details = {"field": field, "currency": amount.currency, "order_currency": currency}
        raise InvalidValue("currency_mismatch", details)
    return Money(amount.amount, currency)
