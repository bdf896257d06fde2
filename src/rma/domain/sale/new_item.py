"""New goods that go to the customer: what an exchange or a claim sends, and what that costs."""

from itertools import pairwise

from attrs import evolve, field, frozen

from rma.domain.sale.pricing import AmountPart
from rma.domain.values.money import Money, as_money
from rma.domain.values.tax import TaxLine, as_tax_lines, tax_sums


@frozen(kw_only=True)
class NewItem:
    """
    Units of something that is sent to the customer, and what the host asks for it.

    Args:
        quantity: whole units, at least 1.
        unit_price: of at least 0, with tax where `is_tax_inclusive`.
        tax_lines: each computed on all units together, unless it has an amount.
    """

    variant_id: str
    quantity: int
    unit_price: Money = field(converter=as_money)
    title: str = ""
    tax_lines: tuple[TaxLine, ...] = field(default=(), converter=as_tax_lines)
    is_tax_inclusive: bool = False

    @property
    def total(self) -> Money:
        """What it costs, with tax."""
        price = self.unit_price.amount * self.quantity
        total = price if self.is_tax_inclusive else price + self._taxes(price)[-1]
        return Money(total, self.unit_price.currency)

    def part(self) -> AmountPart:
        """Its total as a part of a breakdown: negative, since it is set against the returned goods."""
        price = self.unit_price.amount * self.quantity
        running_sums = self._taxes(price)
        net = price - running_sums[-1] if self.is_tax_inclusive else price
        taxes = [after - before for before, after in pairwise(running_sums)]
        parts = [("price", net), *[(f"tax:{t.label}", n) for t, n in zip(self.tax_lines, taxes, strict=True)]]
        currency = self.unit_price.currency
        return AmountPart(
            f"new_item:{self.variant_id}",
            -self.total,
            tuple([AmountPart(name, Money(-amount, currency)) for name, amount in parts]),
        )

    def in_currency(self, currency: str) -> "NewItem":
        """The same in the order's currency, where its price was a bare number."""
        return evolve(self, unit_price=Money(self.unit_price.amount, currency))

    def _taxes(self, price: int) -> tuple[int, ...]:
        return (0, *tax_sums(price, self.tax_lines, is_tax_inclusive=self.is_tax_inclusive))
