"""ApproveReturn and DeclineReturn: what a person decides before anything is sent."""

from attrs import evolve

from rma.domain.decide.cancel_exchange import report_exchange_canceled
from rma.domain.decide.checks import check_order, check_strings, report_unknown, valid_items
from rma.domain.decide.facts import Facts
from rma.domain.decide.holds import check_hold_covers
from rma.domain.decide.refunds.ahead import pay_ahead
from rma.domain.decide.refunds.charges import charges_requested
from rma.domain.decide.returns.draft import quote_return
from rma.domain.decide.returns.kept import pay_for_kept
from rma.domain.decide.returns.shipments import any_travels, book_shipment
from rma.domain.decide.shipping_first import ship_first
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import Event, ReturnApproved, ReturnDeclined, header_for
from rma.domain.messages.command_items import ApprovedItem
from rma.domain.messages.commands import ApproveReturn, DeclineReturn
from rma.domain.sale.charges import up_to
from rma.domain.sale.order import Order, OrderStatus
from rma.domain.sale.paying import PayOn
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.deadlines import return_by
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.return_item import ReturnItem, revision_between
from rma.domain.state.returns import Decision, Return
from rma.domain.state.valuation import charges_named
from rma.domain.values.money import Money, round_half_up
from rma.domain.values.validators import is_whole

#: The longest note for a customer.
LONGEST_NOTE = 500


def approve_return(facts: Facts, ledger: ReturnLedger, command: ApproveReturn) -> tuple[Event, ...]:
    """
    The return requested, its way back booked; what was not approved is free, and the quote is made again.

    Where a rule leaves goods with the customer, they are paid for at once. An exchange is approved whole.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order, by = facts.order, command.created_by
    target = _check_pending(wrong, ledger, command)
    check_order(wrong, order, ledger, target)
    if order and order.status is OrderStatus.CANCELED:
        wrong.add("order_canceled", order_id=order.id)
    quantities = _check_items(wrong, command, target)
    if target and target.exchange_id is not None and quantities is not None:
        wrong.add("return_of_exchange", return_id=target.id, exchange_id=target.exchange_id)
    check_note(wrong, command.note)
    check_strings(wrong, command, "note")
    target, order = wrong.require(target), wrong.require(order)
    items = target.items if quantities is None else _approved(target, quantities)
    refund = _requested_refund(order, ledger, target, items)
    travels = any_travels(items, target.terms)
    approved = evolve(
        target,
        status=ReturnStatus.REQUESTED,
        items=items,
        entitlement=evolve(target.entitlement, requested_refund=refund),
        shipping_method=target.shipping_method if travels else None,
        is_unbooked=False,
    )
    shipping = approved.shipping_total.amount
    quote = quote_return(
        order,
        ledger,
        items,
        target.terms,
        shipping=shipping,
        requested_refund=refund,
        charges=target.charges,
    )
    exchange = ledger.find_exchange(target.exchange_id)
    exchange = exchange if exchange and exchange.is_open else None
    until = return_by(target.terms, facts.at)
    if exchange and exchange.hold:
        check_hold_covers(wrong, exchange.hold, evolve(approved, return_by=until))
        wrong.require(target)
    is_same = items is target.items and quote.charges_back == target.quoted_charges
    event = ReturnApproved(
        header=header_for(target, ledger, facts.at, by=by, command=command, order=order),
        decision=Decision(is_approved=True, at=facts.at, by=by, note=command.note),
        quoted_refund=quote.refund,
        items=() if is_same else revision_between(target.items, items),
        requested_refund=refund,
        quoted_charges=quote.charges_back,
        return_by=until,
        is_kept=not travels,
        shipment_request=book_shipment(approved),
    )
    approved = evolve(approved, quoted_refund=quote.refund, quoted_charges=quote.charges_back)
    ahead = pay_ahead(order, ledger, approved, PayOn.REQUEST, at=facts.at, by=by)
    first = ship_first(exchange, approved, ledger, facts.at, by) if exchange else ()
    return (event, *ahead.events, *first, *pay_for_kept(facts, ledger, order, ahead.target, exchange, by=by))


def decline_return(facts: Facts, ledger: ReturnLedger, command: DeclineReturn) -> tuple[Event, ...]:
    """
    The return declined: no money and no stock moves, and its units are free again. Its exchange is canceled.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = _check_pending(wrong, ledger, command)
    if target and target.basis is ReturnBasis.WITHDRAWAL:
        wrong.add("withdrawal_not_declinable", return_id=target.id)
    exchange = ledger.find_exchange(target.exchange_id) if target else None
    if exchange and exchange.is_open and exchange.payments:
        wrong.add("exchange_paid", exchange_id=exchange.id, paid=exchange.paid.amount)
    reason: object = command.reason
    if not reason or (isinstance(reason, str) and not reason.strip()):
        wrong.add("decline_reason_missing")
    check_note(wrong, command.note)
    check_strings(wrong, command, "reason", "note")
    target = wrong.require(target)
    at, by = facts.at, command.created_by
    decision = Decision(is_approved=False, at=at, by=by, reason=command.reason, note=command.note)
    declined = ReturnDeclined(
        header=header_for(target, ledger, at, by=by, command=command), decision=decision
    )
    if exchange is None or not exchange.is_open:
        return (declined,)
    return (declined, *report_exchange_canceled(exchange, ledger, at, by))


def check_note(wrong: Violations, note: object) -> None:
    """A note for a customer is not too long."""
    if isinstance(note, str) and len(note) > LONGEST_NOTE:
        wrong.add("note_too_long", length=len(note), maximum=LONGEST_NOTE)


def _check_pending(
    wrong: Violations, ledger: ReturnLedger, command: ApproveReturn | DeclineReturn
) -> Return | None:
    target = ledger.find(command.return_id)
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif refusal := return_refusal(target.status, command):
        wrong.add(refusal, return_id=target.id, status=target.status.value)
    return target


def _check_items(wrong: Violations, command: ApproveReturn, target: Return | None) -> dict[str, int] | None:
    """By item id, how many units are approved; None for all of them."""
    if command.items is None:
        return None
    asked: object = command.items
    items = valid_items(wrong, asked, ApprovedItem, "items")
    is_valid = items is asked
    approved: dict[str, int] = {}
    for each in items:
        if is_whole(each.quantity, at_least=0):
            approved[each.item_id] = approved.get(each.item_id, 0) + each.quantity
        else:
            is_valid = False
            wrong.add("invalid_quantity", each.item_id, quantity=error_value(each.quantity), minimum=0)
    requested: dict[str, int] = {}
    for item in target.items if target else ():
        requested[item.item_id] = requested.get(item.item_id, 0) + item.quantity
    for item_id, quantity in approved.items() if target else ():
        if item_id not in requested:
            wrong.add("item_not_in_return", item_id, return_id=command.return_id)
        elif quantity > requested[item_id]:
            most = requested[item_id]
            wrong.add("approved_exceeds_requested", item_id, quantity=quantity, requested=most)
    if is_valid and not any(approved.values()):
        wrong.add("nothing_approved", return_id=command.return_id)
    return None if approved == requested else approved


def _approved(target: Return, quantities: dict[str, int]) -> tuple[ReturnItem, ...]:
    """The items with the units that are approved, in request order; those without any are left out."""
    left, items = dict(quantities), []
    for item in target.items:
        quantity = min(item.quantity, left.get(item.item_id, 0))
        if quantity:
            left[item.item_id] -= quantity
            items.append(evolve(item, quantity=quantity, allocated=item.value(quantity)))
    return tuple(items)


def _requested_refund(
    order: Order, ledger: ReturnLedger, target: Return, items: tuple[ReturnItem, ...]
) -> Money | None:
    """
    The refund that the request named, less what it was for units that are not approved, and for charges that
    do not come back with the others.
    """
    named = target.entitlement.requested_refund
    if named is None or items is target.items:
        return named
    part, whole = _value(items), _value(target.items)
    if not whole:  # without value, yet the merchant pays for it: by units then
        part, whole = sum([item.quantity for item in items]), sum([item.quantity for item in target.items])
    of_charges = charges_named(target.items, named, target.quoted_charges)
    back = up_to(charges_requested(order, ledger, items, target.terms, target), of_charges)
    amount = round_half_up((named.amount - of_charges) * part, whole)
    return Money(amount + sum([each.amount for each in back]), named.currency)


def _value(items: tuple[ReturnItem, ...]) -> int:
    return sum([item.line.paid(item.allocated) for item in items])
