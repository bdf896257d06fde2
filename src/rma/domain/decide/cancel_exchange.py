"""CancelExchange: nothing new is sent, and what the customer paid for it is given back."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.checks import check_flags, check_order, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.holds import release_hold
from rma.domain.decide.refunds.entitlement import pay_what_is_due, report_blocked
from rma.domain.decide.replacements import release_reservation
from rma.domain.decide.returns.cancel import check_cancelable, report_canceled
from rma.domain.decide.returns.kept import close_with_kept
from rma.domain.decide.returns.resolve import close_return
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, ExchangeCanceled, ExchangePaymentRefunded, header_for
from rma.domain.messages.commands import CancelExchange, Command
from rma.domain.sale.order import Order
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ExchangeStatus, ReturnStatus, exchange_refusal
from rma.domain.state.returns import Resolution, Return


def cancel_exchange(facts: Facts, ledger: ReturnLedger, command: CancelExchange) -> tuple[Event, ...]:
    """
    The exchange canceled with its return, or, once its goods are here or kept, with their refund; nothing if
    it was canceled before.

    What the customer paid for it is given back, and its hold is released.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    target = ledger.find(exchange.return_id) if exchange else None
    is_over = exchange is not None and exchange.status is ExchangeStatus.CANCELED
    is_here = not is_over and target is not None and target.status is ReturnStatus.RECEIVED
    keeps_some = (
        not is_over
        and target is not None
        and target.status is ReturnStatus.PARTIALLY_RECEIVED
        and target.waits_for_first_parcel
    )
    check_flags(wrong, keep_return=command.keep_return)
    keeps_return = command.keep_return is True and target is not None and target.is_open
    if exchange is None:
        report_unknown(wrong, "exchange_not_found", "exchange_id", command.exchange_id)
    elif refusal := exchange_refusal(exchange.status, command) or _sent(exchange):
        wrong.add(refusal, exchange_id=exchange.id)
    is_paid = not is_over and exchange is not None and bool(exchange.payments)
    if is_here or keeps_some or is_paid:
        check_order(wrong, facts.order, ledger, target)
    if target and not (is_over or is_here or keeps_some or keeps_return):
        check_cancelable(wrong, target)
    check_strings(wrong, command)
    exchange, target = wrong.require(exchange), wrong.require(target)
    if is_over:
        return ()
    at, by = facts.at, command.created_by
    canceled = report_exchange_canceled(exchange, ledger, at, by, command=command, keeps_return=keeps_return)
    first = _references(exchange)
    if is_here:
        # What the customer paid for the exchange is given back with the goods' value.
        alone = target.without_exchange()
        order = wrong.require(facts.order)
        resolution = Resolution(at, by)
        closed = close_return(order, ledger, alone, resolution, items=alone.items, first=first)
        return (*canceled, *closed)
    if keeps_some and not keeps_return:
        order = wrong.require(facts.order)
        return (*canceled, *close_with_kept(order, ledger, target, at, by, first=first))
    back = _give_back(wrong.require(facts.order), ledger, exchange, target, at, by) if is_paid else ()
    if keeps_return:
        return (*canceled, *back)
    return (report_canceled(target, ledger, at, by), *canceled, *back)


def report_exchange_canceled(
    exchange: Exchange,
    ledger: ReturnLedger,
    at: datetime,
    by: str | None,
    *,
    command: Command | None = None,
    keeps_return: bool = False,
) -> tuple[Event, ...]:
    """The events that the exchange is canceled, its reservation ends, and its hold is released."""
    canceled = ExchangeCanceled(
        header=header_for(exchange, ledger, at, by=by, command=command),
        keeps_return=keeps_return,
        release_reservation=release_reservation(exchange),
    )
    after = evolve(exchange, status=ExchangeStatus.CANCELED)
    return (canceled, *release_hold(after, ledger, at, by))


def _sent(exchange: Exchange) -> str | None:
    return "new_goods_sent" if exchange.sent_first else None


def _references(exchange: Exchange) -> frozenset[str]:
    """Of what the customer paid for the exchange: these payments give back before others."""
    return frozenset([payment.reference for payment in exchange.payments])


def _give_back(
    order: Order,
    ledger: ReturnLedger,
    exchange: Exchange,
    target: Return,
    at: datetime,
    by: str | None,
) -> tuple[Event, ...]:
    """The events that what the customer paid for the exchange is given back, from those payments first."""
    refundable = ledger.refundable(order).amount
    before = target.entitlement
    account = pay_what_is_due(
        order,
        ledger,
        target,
        before.entitled.amount + exchange.paid.amount,
        agreed=before.agreed_refund,
        refund_note=before.refund_note,
        refundable=refundable,
        at=at,
        first=_references(exchange),
    )
    event = ExchangePaymentRefunded(
        header=header_for(target, ledger, at, by=by, order=order),
        entitlement=account.change_since(before),
    )
    return (event, *report_blocked(account, target, ledger, refundable, at, by))
