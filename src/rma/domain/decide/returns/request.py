"""RequestReturn: who may send what back, and its value."""

from datetime import datetime

from attrs import frozen

from rma.domain.decide.checks import (
    check_amount,
    check_currency,
    check_flags,
    check_items,
    check_metadata,
    check_order_currency,
    check_refund,
    check_refund_value,
    check_strings,
    check_text,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.basis import check_basis
from rma.domain.decide.returns.draft import ReturnDraft, allocate, open_return
from rma.domain.decide.returns.review import needs_review
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import ReturnRequested
from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import Request, RequestExchange, RequestReturn
from rma.domain.sale.catalogue import ReturnReason
from rma.domain.sale.eligibility import refusals
from rma.domain.sale.order import LineItem, Order, OrderStatus
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import NO_CURRENCY, Money
from rma.domain.values.validators import is_whole


def request_return(facts: Facts, ledger: ReturnLedger, command: RequestReturn) -> tuple[ReturnRequested]:
    """
    A return opened: its units reserved, its value quoted, its shipment requested.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is taken; `currency_mismatch`, a fee
            of the policy is not in the order's currency.
    """
    return (open_return(facts, ledger, draft_request(Violations(), facts, ledger, command)),)


def draft_request(
    wrong: Violations, facts: Facts, ledger: ReturnLedger, command: RequestReturn
) -> ReturnDraft:
    """
    The return that a request asks for; `wrong` is what is wrong already.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `currency_mismatch`, as `request_return`.
    """
    basis, declared_at = check_basis(wrong, facts, command)
    valid = validate_request(wrong, facts, ledger, command, declared_at)
    refund = check_requested_refund(wrong, command.refund_amount, valid.order, ledger)
    check_request_options(wrong, command)
    check_strings(wrong, command, "location_id", "refund_note")
    order = wrong.require(valid.order)
    items = allocate_items(command.items, valid.remainders)
    check_refund_value(
        wrong, refund, command.refund_note, sum([item.line.paid(item.allocated) for item in items])
    )
    wrong.require(order)
    return ReturnDraft(
        order=order,
        items=items,
        shipping_price=valid.shipping_price,
        requested_refund=refund,
        refund_note=command.refund_note if refund else None,
        location_id=command.location_id,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        command=command,
        basis=basis,
        declared_at=declared_at,
        is_pending=needs_review(facts, basis),
        metadata=command.metadata,
    )


@frozen
class ValidRequest:
    """
    What the checks of a request found, of use once nothing is wrong.

    Attributes:
        remainders: what remains of its lines.
        shipping_price: if the request named one.
    """

    order: Order | None
    remainders: dict[str, Remainder]
    shipping_price: Money | None


def validate_request(
    wrong: Violations,
    facts: Facts,
    ledger: ReturnLedger,
    command: RequestReturn | RequestExchange,
    declared_at: datetime | None = None,
) -> ValidRequest:
    """
    Checks the goods that a request sends back, and their way; appends everything that is wrong.

    `declared_at` is when a withdrawal was declared; None for what the policy allows.
    """
    order = check_order_of(wrong, command.order_id, facts.order, ledger)
    if order:
        _require_fees_in(order.currency, facts.policy)
    items = check_items(wrong, command.items, RequestedItem)
    lines = {line.id: line for line in order.items} if order else {}
    remainders = ledger.remainders(order, [asked.item_id for asked in items]) if order else {}
    _check_requested(wrong, items, facts, order, lines, remainders, declared_at)
    shipping_price = check_shipping(wrong, facts, command.shipping_option_id, command.shipping_price)
    return ValidRequest(order, remainders, shipping_price)


def allocate_items(
    items: tuple[RequestedItem, ...], remainders: dict[str, Remainder]
) -> tuple[ReturnItem, ...]:
    """The items with the value that their units take from their lines, in request order."""
    taken = allocate([(asked.item_id, asked.quantity) for asked in items], remainders)
    return tuple(
        [
            ReturnItem(
                item_id=asked.item_id,
                quantity=asked.quantity,
                line=remainder.line,
                allocated=share,
                reason_id=asked.reason_id,
                note=asked.note,
                metadata=asked.metadata,
            )
            for asked, (remainder, share) in zip(items, taken, strict=True)
        ]
    )


def no_notification(command: Request, order: Order) -> bool:
    """Whether the customer is not to be notified: as the command says, else as the order does."""
    return order.no_notification if command.no_notification is None else command.no_notification


def check_order_of(
    wrong: Violations, order_id: str, order: Order | None, ledger: ReturnLedger
) -> Order | None:
    """The order that was asked for: one that a repository finds under another id is another order."""
    if order is None or order.id != order_id:
        report_unknown(wrong, "order_not_found", "order_id", order_id)
        return None
    if order.status is OrderStatus.CANCELED:
        wrong.add("order_canceled", order_id=order.id)
    check_order_currency(wrong, order, ledger)
    return order


def _check_requested(
    wrong: Violations,
    items: tuple[RequestedItem, ...],
    facts: Facts,
    order: Order | None,
    lines: dict[str, LineItem],
    remainders: dict[str, Remainder],
    declared_at: datetime | None,
) -> None:
    """Each item by itself, and the limits for the sum of a line's quantities."""
    totals: dict[str, int] = {}
    all_whole = True
    for asked in items:
        if is_whole(asked.quantity, at_least=1):
            totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity
        else:
            all_whole = False
    reasons = {reason.id: reason for reason in facts.reasons}
    categories = {reason.parent_id for reason in facts.reasons}
    seen: set[str] = set()
    for asked in items:
        item_id = asked.item_id
        if order and item_id not in seen:
            seen.add(item_id)
            quantity = totals.get(item_id, 0)
            _check_line(wrong, item_id, quantity, facts, order, lines, remainders, declared_at)
        if not (all_whole or is_whole(asked.quantity, at_least=1)):
            wrong.add("invalid_quantity", item_id, quantity=error_value(asked.quantity), minimum=1)
        if asked.reason_id is not None:
            _check_reason(wrong, item_id, asked.reason_id, reasons, categories)
        if asked.note is not None:
            check_text(wrong, "note", asked.note, item_id)
        check_metadata(wrong, asked.metadata, item_id)


def _check_line(
    wrong: Violations,
    item_id: str,
    quantity: int,
    facts: Facts,
    order: Order,
    lines: dict[str, LineItem],
    remainders: dict[str, Remainder],
    declared_at: datetime | None,
) -> None:
    line = lines.get(item_id)
    if line is None:
        wrong.add("item_not_found", item_id, order_id=order.id)
        return
    if declared_at is None:
        wrong.extend(refusals(order, line, facts.policy, facts.at))
    elif facts.policy.withdrawal is not None:
        wrong.extend(facts.policy.withdrawal.refusals(order, line, declared_at))
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
        report_unknown(wrong, "return_reason_not_found", "reason_id", reason_id, item_id)
    elif reason.id in categories:
        wrong.add("return_reason_is_category", item_id, reason_id=reason.id)
    elif reason.retired:
        wrong.add("return_reason_retired", item_id, reason_id=reason.id)


def check_shipping(
    wrong: Violations, facts: Facts, option_id: str | None, price: Money | int | None
) -> Money | None:
    """The price that was named for the shipping, if one was and it can be."""
    currency = facts.order.currency if facts.order else None
    option = facts.shipping_option
    if option_id is not None:
        if not facts.books_shipments:
            wrong.add("no_fulfillment")
        elif option is None:
            report_unknown(wrong, "shipping_option_not_found", "shipping_option_id", option_id)
        elif not option.is_return:
            wrong.add("not_a_return_option", shipping_option_id=option.id)
        if option:
            check_currency(wrong, option.price, currency, f"price of shipping option {option.id}")
    if price is None:
        return None
    if option_id is None:
        wrong.add("shipping_price_without_option")
    return check_amount(wrong, price, currency, "invalid_shipping_price", field="shipping_price")


def _require_fees_in(currency: str, policy: ReturnPolicy) -> None:
    # The merchant wrote the policy: a fee in another currency is not the customer's mistake.
    for fee in policy.fees:
        if fee.amount and fee.amount.currency not in (currency, NO_CURRENCY):
            details = {
                "field": f"fee {fee.name} of policy {policy.name}",
                "currency": fee.amount.currency,
                "order_currency": currency,
            }
            raise InvalidValue("currency_mismatch", details)


def check_requested_refund(
    wrong: Violations, named: Money | int | None, order: Order | None, ledger: ReturnLedger
) -> Money | None:
    """The refund that a request names, if it names one and it is valid."""
    most = ledger.refundable(order).amount if order and named is not None else None
    return check_refund(wrong, named, order, most)


def check_request_options(wrong: Violations, command: Request) -> None:
    """What a request says besides its goods and its money."""
    if command.no_notification is not None:
        check_flags(wrong, no_notification=command.no_notification)
    check_metadata(wrong, command.metadata)
