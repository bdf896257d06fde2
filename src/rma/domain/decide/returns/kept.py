"""Goods that a rule leaves with the customer: paid for as soon as the return is requested, or approved."""

from collections.abc import Collection
from datetime import datetime

from attrs import evolve

from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import complete_exchange
from rma.domain.decide.refunds.entitlement import charges_now, entitle, pays_now, report_blocked
from rma.domain.decide.returns.resolve import close_return
from rma.domain.decide.returns.shipments import cancel_shipment
from rma.domain.events import Event, GoodsReceived, header_for
from rma.domain.messages.commands import Command
from rma.domain.sale.order import Order
from rma.domain.state.deadlines import refund_due_by
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.return_item import changes_between
from rma.domain.state.returns import Receipt, Resolution, Return


def pay_for_kept(
    facts: Facts,
    ledger: ReturnLedger,
    order: Order,
    opened: Return,
    exchange: Exchange | None = None,
    *,
    by: str | None,
) -> tuple[Event, ...]:
    """
    What follows at once from a return whose goods the customer keeps, all of them or some; else nothing.

    `opened` is the return as it is then. It is received without a parcel; or more is expected, where other
    goods come back.
    """
    if not opened.terms.keeps_goods or not any(opened.terms.is_kept(item.rule) for item in opened.items):
        return ()
    items = tuple(
        [
            evolve(item, kept_quantity=item.quantity) if opened.terms.is_kept(item.rule) else item
            for item in opened.items
        ]
    )
    is_all = not any(item.missing_quantity for item in items)
    status = ReturnStatus.RECEIVED if is_all else ReturnStatus.PARTIALLY_RECEIVED
    at = facts.at
    refundable = ledger.refundable(order).amount
    charges_back = charges_now(order, ledger, opened, items, status, None)
    account = entitle(
        order,
        ledger,
        opened,
        items,
        status=status,
        agreed=None,
        refund_note=None,
        refundable=refundable,
        at=at,
        charges_back=charges_back,
    )
    received = GoodsReceived(
        header=header_for(opened, ledger, at, by=by, order=order),
        receipt=Receipt(number=1, at=at, by=by, items=(), location_id=opened.location_id, status=status),
        items=changes_between(opened.items, items),
        entitlement=account.change_since(opened.entitlement),
        charges_back=charges_back,
        refund_due_by=refund_due_by(opened, sending=opened.sending, received_at=at),
    )
    blocked = report_blocked(account, opened, ledger, refundable, at, by) if pays_now(opened, status) else ()
    if exchange is None or not is_all:
        return (received, *blocked)
    return (received, *blocked, *complete_exchange(exchange, ledger, opened, items, at, by))


def close_with_kept(
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    at: datetime,
    by: str | None,
    command: Command | None = None,
    first: Collection[str] = (),
) -> tuple[Event, ...]:
    """
    The events that nothing more is expected of a return of which the customer keeps some, paid for.

    Its label is canceled, and no new goods are set against those that are kept. Payments whose ids are
    `first` give before others.
    """
    return close_return(
        order,
        ledger,
        target.without_exchange(),
        Resolution(at, by),
        items=target.items,
        command=command,
        cancel_request=cancel_shipment(target, ledger),
        first=first,
    )
