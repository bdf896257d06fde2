"""
What the host offers for returns: ways of sending goods, and reasons to give.

Amounts may be given as `Money`, or as whole minor units, which then are in the order's currency.
"""

from enum import StrEnum

from attrs import field, frozen
from attrs.validators import optional

from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money, as_money
from rma.domain.values.personal import hidden
from rma.domain.values.tax import TaxLine, as_tax_lines, check_contained_taxes, not_negative, tax_sums
from rma.domain.values.validators import (
    as_map,
    as_member,
    flag,
    mapping,
    member_of,
    string,
    text,
    tuple_of,
)


@frozen
class ShippingMethod:
    """
    A way in which goods travel, chosen and priced.

    `price` is what the option asks; whether tax comes on top or is inside it, `is_tax_inclusive` says.
    """

    id: str = field(validator=text)
    option_id: str | None = field(validator=optional(string))
    name: str = field(validator=string)
    price: Money = field(converter=as_money, validator=not_negative)
    tax_lines: tuple[TaxLine, ...] = field(default=(), converter=as_tax_lines, validator=tuple_of(TaxLine))
    is_tax_inclusive: bool = field(default=False, validator=flag)
    data: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, validator=mapping, repr=hidden)

    def __attrs_post_init__(self) -> None:
        check_contained_taxes(self, self.price.amount)

    @property
    def subtotal(self) -> Money:
        """The price without tax."""
        return self.price - self.tax_total if self.is_tax_inclusive else self.price

    @property
    def tax_total(self) -> Money:
        """The taxes, each rounded half up; contained ones so that they never exceed the price."""
        running_sums = tax_sums(self.price.amount, self.tax_lines, is_tax_inclusive=self.is_tax_inclusive)
        return Money(running_sums[-1] if running_sums else 0, self.price.currency)

    @property
    def total(self) -> Money:
        """What is really paid for it, with tax."""
        return self.price if self.is_tax_inclusive else self.price + self.tax_total


@frozen
class ShippingOption:
    """A way to send goods that the host offers; for returns only where `is_return`."""

    id: str = field(validator=text)
    price: Money = field(converter=as_money, validator=not_negative)
    name: str = field(default="", validator=string)
    is_return: bool = field(default=True, validator=flag)
    tax_lines: tuple[TaxLine, ...] = field(default=(), converter=as_tax_lines, validator=tuple_of(TaxLine))
    is_tax_inclusive: bool = field(default=False, validator=flag)
    location_id: str | None = field(default=None, validator=optional(string))
    provider_id: str | None = field(default=None, validator=optional(string))

    def __attrs_post_init__(self) -> None:
        check_contained_taxes(self, self.price.amount)


class Fault(StrEnum):
    """Whose fault a reason says it is that something comes back."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    CARRIER = "carrier"


def _fault(value: Fault | str | None) -> Fault | None:
    return None if value is None else as_member(Fault, value)


@frozen
class ReturnReason:
    """
    A node of the tree of reasons; only leaves that are not retired can be given for a return.

    `fault` is whose it is; where it is None, it is that of the category.
    """

    id: str = field(validator=text)
    value: str = field(validator=string)
    label: str = field(validator=string)
    description: str | None = field(default=None, validator=optional(string))
    parent_id: str | None = field(default=None, validator=optional(string))
    retired: bool = field(default=False, validator=flag)
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, validator=mapping)
    fault: Fault | None = field(default=None, converter=_fault, validator=optional(member_of(Fault)))
