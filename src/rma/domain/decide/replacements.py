"""New goods for an exchange or a claim: the checks on them, and the request that they are sent."""

from rma.domain.decide.checks import check_currency, check_flags, check_string, hint_for, valid_members
from rma.domain.decide.violations import Violations, error_value
from rma.domain.messages.advance import ReleaseReservationRequest, ReserveRequest, VariantLine
from rma.domain.messages.effects import ReplacementRequest, effect_key
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
    """The request to send the new goods of an exchange or claim; another one only where they were refused."""
    _, exchange_id, claim_id = subject_ids(subject)
    return ReplacementRequest(
        key=effect_key(subject.id, "replacement", subject.declined_replacements + 1),
        order_id=subject.order_id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        new_items=subject.new_items,
        shipping_method=subject.outbound_shipping if isinstance(subject, Exchange) else None,
        reservation_key=subject.reservation if isinstance(subject, Exchange) else None,
    )


def reserve_new_goods(exchange: Exchange) -> ReserveRequest:
    """The request to keep the new goods of an exchange until they are sent."""
    return ReserveRequest(
        key=effect_key(exchange.id, "reserve", exchange.reservations + 1),
        order_id=exchange.order_id,
        exchange_id=exchange.id,
        lines=_lines_of(exchange.new_items),
    )


def release_reservation(exchange: Exchange) -> ReleaseReservationRequest | None:
    """The request that the new goods of an exchange are not kept any more; None if they are not."""
    if exchange.reservation is None:
        return None
    return ReleaseReservationRequest(
        key=effect_key(exchange.id, "unreserve", exchange.reservations),
        order_id=exchange.order_id,
        exchange_id=exchange.id,
        reserve_key=exchange.reservation,
        lines=_lines_of(exchange.new_items),
    )


def _lines_of(items: tuple[NewItem, ...]) -> tuple[VariantLine, ...]:
    units: dict[str, int] = {}
    for item in items:
        units[item.variant_id] = units.get(item.variant_id, 0) + item.quantity
    return tuple([VariantLine(variant_id, quantity) for variant_id, quantity in units.items()])


def check_new_items(
    wrong: Violations, items: object, currency: str | None, *, books_shipments: bool
) -> tuple[NewItem, ...]:
    """The new items in the order's currency, as far as nothing is wrong with them."""
    members = valid_members(wrong, items, NewItem, "new_items")
    if members and not books_shipments:
        wrong.add("no_fulfillment")
    good = [each for each in members if _is_good(wrong, each, currency)]
    return tuple([each.in_currency(currency) for each in good]) if currency else ()


def _is_good(wrong: Violations, item: NewItem, currency: str | None) -> bool:
    before = len(wrong)
    variant_id: object = item.variant_id
    price: object = item.unit_price
    title: object = item.title
    if not isinstance(variant_id, str) or not variant_id:
        _refuse(wrong, "variant_id", "a string that is not empty", variant_id)
    else:
        check_string(wrong, "variant_id", variant_id)
    if not is_whole(item.quantity, at_least=1):
        _refuse(wrong, "quantity", "an integer of at least 1", item.quantity)
    if not isinstance(price, Money) or price.amount < 0:
        _refuse(wrong, "unit_price", "money of at least 0", price, **hint_for(price, currency))
    else:
        check_currency(wrong, price, currency, "unit_price")
    if not isinstance(title, str):
        _refuse(wrong, "title", "a string", title)
    else:
        check_string(wrong, "title", title)
    if not all_are(item.tax_lines, TaxLine):
        _refuse(wrong, "tax_lines", "a list of TaxLine", item.tax_lines)
    elif currency:
        _check_taxes(wrong, item, currency)
    check_flags(wrong, is_tax_inclusive=item.is_tax_inclusive)
    return len(wrong) == before


def _refuse(wrong: Violations, field: str, expected: str, value: object, **hint: str) -> None:
    wrong.add("invalid_new_item", field=field, expected=expected, value=error_value(value), **hint)


def _check_taxes(wrong: Violations, item: NewItem, currency: str) -> None:
    for tax in item.tax_lines:
        try:
            in_currency(tax, currency)
        except InvalidValue:
            _refuse(wrong, "tax_lines", f"taxes in {currency}", tax)
