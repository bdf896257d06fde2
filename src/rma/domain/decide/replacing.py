"""What new goods must be, whoever sends them."""

from typing import cast

from rma.domain.checks import all_are, is_whole
from rma.domain.decide.judging import Violations, plain
from rma.domain.errors import InvalidValue
from rma.domain.money import Money
from rma.domain.order import in_currency
from rma.domain.replacements import NewItem
from rma.domain.tax import TaxLine


def check_new_items(
    wrong: Violations, items: object, currency: str | None, *, books_shipments: bool
) -> tuple[NewItem, ...]:
    """The new items in the order's currency, as far as nothing is wrong with them."""
    if not all_are(items, NewItem):
        wrong.add("invalid_items", expected="NewItem")
        return ()
    if items and not books_shipments:
        wrong.add("no_fulfillment")
    good = [each for each in items if _is_good(wrong, each, currency)]
    return tuple([each.in_currency(currency) for each in good]) if currency else ()


def _is_good(wrong: Violations, item: NewItem, currency: str | None) -> bool:
    before = len(wrong)
    variant_id, title = cast("tuple[object, object]", (item.variant_id, item.title))
    if not isinstance(variant_id, str) or not variant_id:
        wrong.add("invalid_new_item", field="variant_id", value=plain(variant_id))
    if not is_whole(item.quantity, at_least=1):
        wrong.add("invalid_new_item", field="quantity", value=plain(item.quantity))
    price: object = item.unit_price
    if not isinstance(price, Money) or price.amount < 0:
        wrong.add("invalid_new_item", field="unit_price", value=plain(price))
    else:
        wrong.check_currency(price, currency)
    if not isinstance(title, str):
        wrong.add("invalid_new_item", field="title", value=plain(title))
    if not all_are(item.tax_lines, TaxLine):
        wrong.add("invalid_new_item", field="tax_lines", value=plain(item.tax_lines))
    elif currency:
        _check_taxes(wrong, item, currency)
    wrong.check_flags(is_tax_inclusive=item.is_tax_inclusive)
    return len(wrong) == before


def _check_taxes(wrong: Violations, item: NewItem, currency: str) -> None:
    for tax in item.tax_lines:
        try:
            in_currency(tax, currency)
        except InvalidValue:
            wrong.add("invalid_new_item", field="tax_lines", value=plain(tax))
