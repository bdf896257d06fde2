"""RequestReturn: who may send what back, and what that will be worth."""

from attrs import evolve, frozen

from rma.domain.decide.facts import Facts
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import ReturnRequested
from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import Request, RequestClaim, RequestReturn
from rma.domain.messages.effects import ReturnShipmentRequest, StockLine
from rma.domain.sale.catalogue import ReturnReason, ShippingMethod, ShippingOption
from rma.domain.sale.eligibility import refusals
from rma.domain.sale.order import LineItem, Order, OrderStatus, in_currency
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.ledger import Remainder, ReturnLedger
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return, ReturnStatus
from rma.domain.state.valuation import NOTHING, value_requested
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money
from rma.domain.values.validators import is_whole


def request_return(facts: Facts, ledger: ReturnLedger, command: RequestReturn) -> tuple[ReturnRequested]:
    """
    A return opened: its units reserved, its worth quoted, its shipment asked for.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is allocated.
    """
    wrong = Violations()
    asked = validate_request(wrong, facts, ledger, command)
    order = wrong.require(asked.order)
    return (open_return(facts, ledger, command, order, asked),)


@frozen
class Asked:
    """
    What a request comes to, once nothing is wrong with it.

    Attributes:
        remainders: what remains of its lines; taking from them uses them up.
        quantities: what is asked for by line.
    """

    order: Order | None
    remainders: dict[str, Remainder]
    quantities: dict[str, int]
    shipping_price: int | None = None
    requested_refund: int | None = None


def validate_request(wrong: Violations, facts: Facts, ledger: ReturnLedger, command: RequestReturn) -> Asked:
    """What the request comes to; everything that is wrong with it is added."""
    order = check_order(wrong, command.order_id, facts.order, ledger)
    items = wrong.check_items(command.items, RequestedItem)
    lines = {line.id: line for line in order.items} if order else {}
    remainders = ledger.remainders(order, [asked.item_id for asked in items]) if order else {}
    quantities = _check_items(wrong, items, facts, order, lines, remainders)
    shipping_price = check_shipping(wrong, facts, command.shipping_option_id, command.shipping_price)
    requested_refund = check_custom_amount(wrong, command.refund_amount, order, ledger)
    _check_fees(wrong, facts)
    check_rest(wrong, command)
    return Asked(order, remainders, quantities, shipping_price, requested_refund)


def open_return(
    facts: Facts,
    ledger: ReturnLedger,
    command: RequestReturn,
    order: Order,
    asked: Asked,
    *,
    items: tuple[ReturnItem, ...] | None = None,
    exchange_id: str | None = None,
    charges: tuple[AmountPart, ...] = (),
    claim_id: str | None = None,
) -> ReturnRequested:
    """
    The return of a request with which nothing is wrong, by itself or of an exchange or claim.

    `items` are given for a claim, which has taken their share already.

    Raises:
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is allocated.
    """
    return_id = f"ret_{facts.fresh_id}"
    if ledger.find(return_id):
        raise InvalidValue("id_not_fresh", {"return_id": return_id})
    return_items = (
        allocate_items(command.items, asked.quantities, asked.remainders) if items is None else items
    )
    option = facts.shipping_option
    method = _method(option, asked.shipping_price, order.currency, facts.fresh_id) if option else None
    terms = facts.policy.terms
    quote = (
        NOTHING
        if claim_id
        else value_requested(
            return_items,
            shipping=method.total.amount if method else 0,
            terms=terms,
            requested_refund=asked.requested_refund,
            charges=charges,
        )
    )
    opened = Return(
        id=return_id,
        order_id=order.id,
        display_id=len(ledger.returns) + 1,
        order_version=order.version + ledger.changes + 1,
        status=ReturnStatus.REQUESTED,
        items=return_items,
        refund_amount=Money(quote.total, order.currency),
        terms=terms,
        requested_at=facts.at,
        updated_at=facts.at,
        shipping_method=method,
        location_id=_first(command.location_id, option.location_id if option else None),
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        idempotency_key=command.idempotency_key,
        requested_refund=asked.requested_refund,
        exchange_id=exchange_id,
        claim_id=claim_id,
        charges=charges,
        metadata=command.metadata,
    )
    return ReturnRequested(
        order_id=order.id,
        return_id=opened.id,
        exchange_id=exchange_id,
        claim_id=claim_id,
        at=facts.at,
        by=command.created_by,
        no_notification=opened.no_notification,
        command=command if command.idempotency_key else None,
        opened=opened,
        shipment_request=_booking(opened, option, method, asked.quantities) if option and method else None,
        revision=ledger.revision + 1,
        number=1,
    )


def no_notification(command: Request, order: Order) -> bool:
    """Whether the customer is not to be told: as the command says, else as the order does."""
    return order.no_notification if command.no_notification is None else command.no_notification


def check_order(wrong: Violations, order_id: str, order: Order | None, ledger: ReturnLedger) -> Order | None:
    """The order that was asked for: one that a repository finds under another id is another order."""
    if order is None or order.id != order_id:
        wrong.add("order_not_found", order_id=error_value(order_id))
        return None
    if order.status is OrderStatus.CANCELED:
        wrong.add("order_canceled", order_id=order.id)
    wrong.check_order_currency(order, ledger)
    return order


def _check_items(
    wrong: Violations,
    items: tuple[RequestedItem, ...],
    facts: Facts,
    order: Order | None,
    lines: dict[str, LineItem],
    remainders: dict[str, Remainder],
) -> dict[str, int]:
    """The quantities asked for by line; the limits hold for these sums."""
    totals: dict[str, int] = {}
    all_whole = True
    for asked in items:
        if is_whole(asked.quantity, at_least=1):
            totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity
        else:
            all_whole = False
    reasons = {reason.id: reason for reason in facts.reasons}
    categories = {reason.parent_id for reason in facts.reasons}
    validate_request: set[str] = set()
    for asked in items:
        item_id = asked.item_id
        if order and item_id not in validate_request:
            validate_request.add(item_id)
            _check_line(wrong, item_id, totals.get(item_id, 0), facts, order, lines, remainders)
        if not (all_whole or is_whole(asked.quantity, at_least=1)):
            wrong.add("invalid_quantity", item_id, quantity=error_value(asked.quantity), minimum=1)
        if asked.reason_id is not None:
            _check_reason(wrong, item_id, asked.reason_id, reasons, categories)
        if asked.note is not None:
            wrong.check_text("note", asked.note, item_id)
        wrong.check_metadata(asked.metadata, item_id)
    return totals


def _check_line(
    wrong: Violations,
    item_id: str,
    quantity: int,
    facts: Facts,
    order: Order,
    lines: dict[str, LineItem],
    remainders: dict[str, Remainder],
) -> None:
    line = lines.get(item_id)
    if line is None:
        wrong.add("item_not_found", item_id, order_id=order.id)
        return
    wrong.extend(refusals(order, line, facts.policy, facts.at))
    returnable = remainders[item_id].returnable(line)
    if quantity > returnable:
        wrong.add("quantity_exceeds_returnable", item_id, quantity=quantity, returnable=returnable)


def _check_reason(
    wrong: Violations,
    item_id: str,
    reason_id: object,
    reasons: dict[str, ReturnReason],
    categories: set[str | None],
) -> None:
    reason = reasons.get(reason_id) if isinstance(reason_id, str) else None
    if reason is None:
        wrong.add("return_reason_not_found", item_id, reason_id=error_value(reason_id))
    elif reason.id in categories:
        wrong.add("return_reason_is_category", item_id, reason_id=reason.id)
    elif reason.retired:
        wrong.add("return_reason_retired", item_id, reason_id=reason.id)


def check_shipping(
    wrong: Violations, facts: Facts, option_id: str | None, price: Money | int | None
) -> int | None:
    """The price that was named for the shipping, if one was and it can be."""
    currency = facts.order.currency if facts.order else None
    option = facts.shipping_option
    if option_id is not None:
        if not facts.books_shipments:
            wrong.add("no_fulfillment")
        elif option is None:
            wrong.add("shipping_option_not_found", shipping_option_id=error_value(option_id))
        elif not option.is_return:
            wrong.add("not_a_return_option", shipping_option_id=option.id)
        if option:
            wrong.check_currency(option.price, currency)
    if price is None:
        return None
    if option_id is None:
        wrong.add("shipping_price_without_option")
    return wrong.check_amount(price, currency, "invalid_shipping_price")


def _check_fees(wrong: Violations, facts: Facts) -> None:
    for fee in facts.policy.fees:
        if fee.amount:
            wrong.check_currency(fee.amount, facts.order.currency if facts.order else None)


def check_custom_amount(
    wrong: Violations, named: Money | int | None, order: Order | None, ledger: ReturnLedger
) -> int | None:
    """The refund that a request names, if it names one and it can be."""
    most = ledger.refundable(order) if order and named is not None else None
    return wrong.check_refund(named, order, most)


def check_rest(wrong: Violations, command: RequestReturn | RequestClaim) -> None:
    """What a request says besides its goods and its money."""
    if command.no_notification is not None:
        wrong.check_flags(no_notification=command.no_notification)
    wrong.check_metadata(command.metadata)
    wrong.check_texts(command, "location_id")


def allocate_items(
    items: tuple[RequestedItem, ...], quantities: dict[str, int], remainders: dict[str, Remainder]
) -> tuple[ReturnItem, ...]:
    """The items with what their units take from their lines, in request order."""
    found = []
    for asked in items:
        remainder = remainders[asked.item_id]
        share = remainder.share(asked.quantity)
        if asked.quantity != quantities[asked.item_id]:  # the line comes again
            remainders[asked.item_id] = remainder.less(asked.quantity, share)
        found.append(
            ReturnItem(
                item_id=asked.item_id,
                quantity=asked.quantity,
                line=remainder.line,
                allocated=share,
                reason_id=asked.reason_id,
                note=asked.note,
                metadata=asked.metadata,
            )
        )
    return tuple(found)


def _method(option: ShippingOption, price: int | None, currency: str, fresh_id: str) -> ShippingMethod:
    taxes = option.tax_lines
    if price is not None:  # a tax amount of the option's price says nothing about another price
        taxes = tuple([evolve(tax, amount=None) for tax in taxes])
    method = ShippingMethod(
        id=f"sm_{fresh_id}",
        option_id=option.id,
        name=option.name,
        price=option.price.amount if price is None else price,
        tax_lines=taxes,
        is_tax_inclusive=option.is_tax_inclusive,
    )
    return in_currency(method, currency)


def _booking(
    opened: Return, option: ShippingOption, method: ShippingMethod, quantities: dict[str, int]
) -> ReturnShipmentRequest:
    variants = {item.item_id: item.line.variant_id for item in opened.items}
    return ReturnShipmentRequest(
        key=f"{opened.id}/shipment/1",
        order_id=opened.order_id,
        return_id=opened.id,
        shipping_method=method,
        provider_id=option.provider_id,
        location_id=opened.location_id,
        lines=tuple([StockLine(item_id, variants[item_id], count) for item_id, count in quantities.items()]),
    )


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value is not None), None)
