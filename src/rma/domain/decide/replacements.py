"""New goods for an exchange or a claim: the checks on them, and the request that they are sent."""

from typing import cast

from rma.domain.decide.checks import check_currency, check_flags
from rma.domain.decide.violations import Violations, error_value
from rma.domain.messages.effects import ReplacementRequest
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import in_currency
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import subject_ids
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money
from rma.domain.values.tax import TaxLine
from rma.domain.values.validators import all_are, is_whole


def replacement_of(subject: Exchange | Claim) -> ReplacementRequest:
    """The request to send the new goods of an exchange or claim; there is one for each."""
    _, exchange_id, claim_id = subject_ids(subject)
    return ReplacementRequest(
        key=f"{subject.id}/replacement/1",
        order_id=subject.order_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        new_items=subject.new_items,
        shipping_method=subject.outbound_shipping if isinstance(subject, Exchange) else None,
    )


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
        wrong.add("invalid_new_item", field="variant_id", value=error_value(variant_id))
    if not is_whole(item.quantity, at_least=1):
        wrong.add("invalid_new_item", field="quantity", value=error_value(item.quantity))
    price: object = item.unit_price
    if not isinstance(price, Money) or price.amount < 0:
        wrong.add("invalid_new_item", field="unit_price", value=error_value(price))
    else:
        check_currency(wrong, price, currency)
    if not isinstance(title, str):
        wrong.add("invalid_new_item", field="title", value=error_value(title))
    if not all_are(item.tax_lines, TaxLine):
        wrong.add("invalid_new_item", field="tax_lines", value=error_value(item.tax_lines))
    elif currency:
        _check_taxes(wrong, item, currency)
    check_flags(wrong, is_tax_inclusive=item.is_tax_inclusive)
    return len(wrong) == before


def _check_taxes(wrong: Violations, item: NewItem, currency: str) -> None:
    for tax in item.tax_lines:
        try:
            in_currency(tax, currency)
        except InvalidValue:
            wrong.add("invalid_new_item", field="tax_lines", value=error_value(tax))
