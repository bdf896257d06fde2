"""ReceiveReturn and ReceiveUnannounced: what arrived, the status afterwards, and what is paid for it."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.checks import (
    check_flags,
    check_metadata,
    check_order,
    check_order_currency,
    check_strings,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import complete_linked
from rma.domain.decide.refunds.entitlement import (
    charges_now,
    check_agreed_refund,
    check_agreed_value,
    check_claimed,
    entitle,
    exceeds_claim,
    pays_now,
    report_blocked,
)
from rma.domain.decide.returns.draft import ReturnDraft, open_return
from rma.domain.decide.returns.limits import expected_units, limits_of, remainders_for, room_of, serials_here
from rma.domain.decide.returns.parcel import Parcel, Sorted, read_parcel, sort_parcel
from rma.domain.decide.returns.receipt_items import book_arrivals, hold_for_inspection, lost_room
from rma.domain.decide.returns.rule_checks import require_amounts_in, require_means
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, GoodsReceived, header_for
from rma.domain.messages.commands import ReceiveReturn, ReceiveUnannounced
from rma.domain.messages.effects import effect_key
from rma.domain.sale.order import Order
from rma.domain.state.deadlines import refund_due_by
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.return_item import ReturnItem, changes_between, once_judged
from rma.domain.state.returns import Receipt, Return


def receive_return(facts: Facts, ledger: ReturnLedger, command: ReceiveReturn) -> tuple[Event, ...]:
    """
    The goods booked and, unless they are a mismatch, paid for.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    found = ledger.find(command.return_id)
    target = found.by_itself() if found else None
    _check_state(wrong, command, order, ledger, target)
    parcel = read_parcel(wrong, command)
    if target and not wrong:
        _check_acceptance(wrong, command, parcel, target)
    refundable = ledger.refundable(order).amount if order else 0
    if command.refund_amount is not None and command.more_expected:
        wrong.add("refund_amount_with_more_expected")
    agreed = check_agreed_refund(wrong, command.refund_amount, order, target, refundable)
    check_strings(wrong, command, "refund_note")
    target = wrong.require(target, besides="refund_exceeds_refundable")
    order = wrong.require(order, besides="refund_exceeds_refundable")

    goods, items = _book(ledger, order, target, parcel)
    status = _status(target, items, command, parcel, goods)
    check_claimed(wrong, target, items, status)
    status = once_judged(status, items)
    check_agreed_value(wrong, agreed, command.refund_note, order, ledger, target, items, status)
    wrong.require(target)
    at, by = facts.at, command.created_by
    is_paid = pays_now(target, status) and target.status is not ReturnStatus.RECEIVED
    account, charges_back = target.entitlement, target.charges_back
    if is_paid or agreed is not None:
        charges_back = charges_now(order, ledger, target, items, status, agreed)
        account = entitle(
            order,
            ledger,
            target,
            items,
            status=status,
            agreed=agreed,
            refund_note=command.refund_note,
            refundable=refundable,
            at=at,
            charges_back=charges_back,
        )
    location_id = command.location_id if command.location_id is not None else target.location_id
    receipt = receipt_of(target, goods, at=at, by=by, location_id=location_id, status=status)
    if status is ReturnStatus.IN_INSPECTION and any(item.missing_quantity for item in items):
        receipt = evolve(receipt, closed_short=True)
    received = GoodsReceived(
        header=header_for(target, ledger, at, by=by, command=command, order=order),
        receipt=receipt,
        items=changes_between(target.items, items),
        entitlement=account.change_since(target.entitlement),
        charges_back=charges_back,
        refund_due_by=_due_by(target, goods, at),
    )
    blocked = report_blocked(account, target, ledger, refundable, at, by) if is_paid else ()
    return (received, *blocked, *complete_linked(ledger, target, items, status, at, by))


def receive_unannounced(facts: Facts, ledger: ReturnLedger, command: ReceiveUnannounced) -> tuple[Event, ...]:
    """
    A return opened for a parcel that was not expected, and the parcel booked; a person decides.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: as `request_return`.
    """
    wrong = Violations()
    order = facts.order if facts.order and facts.order.id == command.order_id else None
    if order is None:
        report_unknown(wrong, "order_not_found", "order_id", command.order_id)
    else:
        check_order_currency(wrong, order, ledger)
        require_amounts_in(order.currency, facts.policy)
        require_means(facts)
    parcel = read_parcel(wrong, command)
    if command.no_notification is not None:
        check_flags(wrong, no_notification=command.no_notification)
    check_metadata(wrong, command.metadata)
    check_strings(wrong, command)
    order = wrong.require(order)

    at, by, said = facts.at, command.created_by, command.no_notification
    draft = ReturnDraft(
        order=order,
        items=(),
        location_id=command.location_id,
        no_notification=order.no_notification if said is None else said,
        created_by=by,
        command=command,
        metadata=command.metadata,
    )
    request = open_return(facts, ledger, draft)
    target, status = request.opened, ReturnStatus.REQUIRES_ACTION
    goods, items = _book(ledger, order, target, parcel)
    received = GoodsReceived(
        header=header_for(target, ledger, at, by=by, order=order),
        receipt=receipt_of(target, goods, at=at, by=by, location_id=command.location_id, status=status),
        items=changes_between(target.items, items),
        entitlement=target.entitlement.change_since(target.entitlement),
        refund_due_by=_due_by(target, goods, at),
    )
    return (request, received)


def receipt_of(
    target: Return,
    goods: Sorted,
    *,
    at: datetime,
    by: str | None,
    location_id: str | None,
    status: ReturnStatus,
) -> Receipt:
    """The receipt of these goods; they have a restock of their own, if any of them can be sold again."""
    known = sum([len(each.foreign) for each in target.receipts])
    restocked = any(item.restocked_quantity for item in goods.items)
    return Receipt(
        number=len(target.receipts) + 1,
        at=at,
        by=by,
        items=goods.items,
        location_id=location_id,
        status=status,
        restock_key=effect_key(target.id, "restock", len(target.restocks) + 1) if restocked else None,
        foreign=tuple([evolve(each, number=known + each.number) for each in goods.foreign]),
    )


def _book(
    ledger: ReturnLedger, order: Order, target: Return, parcel: Parcel
) -> tuple[Sorted, tuple[ReturnItem, ...]]:
    """The parcel sorted, and the return's items with what of it is the order's; some may wait for a clerk."""
    lines = {line.id: line for line in order.items}
    room = room_of(ledger, target)
    expected = expected_units(target.items, room)
    limits = limits_of(ledger, lines, expected, parcel.counted)
    variants = {item.item_id: item.line.variant_id for item in target.items}
    given = [item_id for item_id, counted in parcel.counted.items() if counted.has_serials]
    goods = sort_parcel(parcel, lines, limits, variants, serials_here(ledger, given))
    goods = _with_hints(goods, ledger, target)
    remainders = remainders_for(ledger, order, goods.arrivals, expected)
    are_late = room is lost_room
    items = book_arrivals(target.items, goods.arrivals, remainders, room=room, are_late=are_late)
    items, waiting = hold_for_inspection(target.items, items, target.terms)
    return (goods.held(waiting) if waiting else goods), items


def _with_hints(goods: Sorted, ledger: ReturnLedger, target: Return) -> Sorted:
    """The parcel with the return that waits for what is foreign to this one."""
    if not goods.foreign:
        return goods
    waiting = {
        item.item_id: each.id
        for each in reversed(ledger.returns)
        for item in each.items
        if each.id != target.id and each.is_open and room_of(ledger, each)(item)
    }
    return evolve(
        goods,
        foreign=tuple([evolve(each, expected_by=waiting.get(each.item_id or "")) for each in goods.foreign]),
    )


def _check_state(
    wrong: Violations,
    command: ReceiveReturn,
    order: Order | None,
    ledger: ReturnLedger,
    target: Return | None,
) -> None:
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    check_order(wrong, order, ledger, target)
    check_flags(wrong, allow_mismatch=command.allow_mismatch, more_expected=command.more_expected)
    if command.allow_mismatch and command.more_expected:
        wrong.add("mismatch_and_more_expected")


def _check_acceptance(wrong: Violations, command: ReceiveReturn, parcel: Parcel, target: Return) -> None:
    """A parcel is booked, whatever is in it. That it is accepted, or what it is worth, is a decision."""
    is_closed = target.status is ReturnStatus.RECEIVED
    if is_closed and command.refund_amount is not None:
        wrong.add("return_already_received", return_id=target.id)
    if not (command.allow_mismatch and parcel.is_empty):
        return
    if is_closed or target.status is ReturnStatus.CANCELED:
        code = "return_already_received" if is_closed else "return_canceled"
        wrong.add(code, return_id=target.id)
    elif not any(item.gone_quantity for item in target.items):
        wrong.add("no_items")
    elif target.undecided_foreign:
        numbers = [each.number for each in target.undecided_foreign]
        wrong.add("foreign_undecided", return_id=target.id, numbers=tuple(numbers))


def _status(
    target: Return, items: tuple[ReturnItem, ...], command: ReceiveReturn, parcel: Parcel, goods: Sorted
) -> ReturnStatus:
    unrequested = any(item.arrived_quantity and not item.is_requested for item in items)
    is_over = target.status is ReturnStatus.IN_INSPECTION and target.was_closed
    if is_over or target.status is ReturnStatus.RECEIVED:
        is_found = _are_found(target, items, parcel, goods)
        return ReturnStatus.RECEIVED if is_found else ReturnStatus.REQUIRES_ACTION
    if _needs_decision(target, items, command, parcel, goods):
        return ReturnStatus.REQUIRES_ACTION
    missing = any(item.missing_quantity for item in items)
    if command.allow_mismatch or not (missing or unrequested):
        return ReturnStatus.RECEIVED
    if command.more_expected and not unrequested:
        return ReturnStatus.PARTIALLY_RECEIVED
    return ReturnStatus.REQUIRES_ACTION


def _are_found(target: Return, items: tuple[ReturnItem, ...], parcel: Parcel, goods: Sorted) -> bool:
    """True if all goods are units that were lost and paid for: nothing is left to decide."""
    if parcel.is_empty or goods.foreign or target.undecided_foreign:
        return False
    return sum([item.gone_quantity for item in items]) == sum([item.gone_quantity for item in target.items])


def _needs_decision(
    target: Return, items: tuple[ReturnItem, ...], command: ReceiveReturn, parcel: Parcel, goods: Sorted
) -> bool:
    """True if a person must decide about the parcel, whatever the command says about it."""
    is_accepted = command.allow_mismatch and target.status is ReturnStatus.REQUIRES_ACTION
    is_agreed = not (target.needs_approval or target.is_released) and goods.is_covered
    nothing_is_here = parcel.is_empty and not any(item.gone_quantity for item in items)
    is_beyond_claim = exceeds_claim(target, items) and not parcel.is_empty
    has_foreign = bool(goods.foreign or target.undecided_foreign)
    return has_foreign or nothing_is_here or is_beyond_claim or not (is_agreed or is_accepted)


def _due_by(target: Return, goods: Sorted, at: datetime) -> datetime | None:
    """It counts from the first parcel with units of the order, of those since it was canceled if it was."""
    since = target.canceled_at
    held = [each.at for each in target.receipts if each.has_units and (since is None or each.at > since)]
    if any(good or bad for good, bad in goods.arrivals.values()):
        held.append(at)
    return refund_due_by(target, sending=target.sending, received_at=held[0] if held else None)
