"""UpdateExchange: other new goods, since those before cannot be had or the customer chose others."""

from attrs import evolve

from rma.domain.decide.checks import check_order, check_strings, report_unknown
from rma.domain.decide.exchanges import charges_for, check_outbound
from rma.domain.decide.facts import Facts
from rma.domain.decide.holds import (
    check_hold_covers,
    check_in_time,
    check_other_hold,
    once_approved,
    request_release,
)
from rma.domain.decide.replacements import (
    check_new_items,
    release_reservation,
    replacement_of,
    reserve_new_goods,
)
from rma.domain.decide.returns.resolve import close_return
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, ExchangeUpdated, header_for
from rma.domain.messages.commands import UpdateExchange
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ExchangeStatus, ReturnStatus, exchange_refusal
from rma.domain.state.returns import Resolution, Return
from rma.domain.state.valuation import Valuation
from rma.domain.values.money import Money


def update_exchange(facts: Facts, ledger: ReturnLedger, command: UpdateExchange) -> tuple[Event, ...]:
    """
    The exchange with other new goods, sent now if nothing else is waited for, and what that changes in money.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    target = ledger.find(exchange.return_id) if exchange else None
    if exchange is None:
        report_unknown(wrong, "exchange_not_found", "exchange_id", command.exchange_id)
    elif refusal := exchange_refusal(exchange.status, command) or _sent(exchange):
        wrong.add(refusal, exchange_id=exchange.id)
    check_order(wrong, facts.order, ledger, target)
    currency = exchange.currency if exchange else None
    if not command.new_items:
        wrong.add("no_new_items")
    new_items = check_new_items(wrong, command.new_items, currency, books_shipments=facts.books_shipments)
    outbound = check_outbound(wrong, command.outbound_shipping, currency)
    hold = check_other_hold(wrong, command.hold, exchange, facts, ledger)
    check_strings(wrong, command)
    exchange, target = wrong.require(exchange), wrong.require(target)
    order = wrong.require(facts.order)

    outbound = outbound or exchange.outbound_shipping
    paid = tuple([part for part in target.charges if part.amount.amount > 0])
    charges: tuple[AmountPart, ...] = (*charges_for(new_items, outbound), *paid)
    is_here = target.status is ReturnStatus.RECEIVED
    repriced = evolve(target, charges=charges)
    if not is_here:
        quote = Money(repriced.valuation_if_as_requested.total, exchange.currency)
        repriced = evolve(repriced, quoted_refund=quote)
    value = _value(repriced, is_here=is_here)
    if value.total < target.refunded.amount:
        refunded = target.refunded.amount
        wrong.add("difference_already_refunded", refunded=refunded, difference=value.total)
    if exchange.is_advance and not is_here:
        check_in_time(wrong, target, facts.at)
    if hold is not None:
        check_hold_covers(wrong, hold, once_approved(facts, repriced))
    elif exchange.hold is not None and not exchange.is_hold_closed:
        check_hold_covers(
            wrong, exchange.hold, evolve(repriced, return_by=target.return_by or exchange.hold.until)
        )
    wrong.require(target)
    difference_due = Money(exchange.paid.amount - value.total + value.owed, exchange.currency)
    after = evolve(
        exchange,
        new_items=new_items,
        outbound_shipping=outbound,
        difference_due=difference_due,
        out_of_stock=None,
        reservation=None,
    )
    after = evolve(after, status=_status(after, target))
    is_sent_now = after.status is ExchangeStatus.COMPLETED or _goes_first(after, target)
    reserve = reserve_new_goods(after) if facts.reserves else None
    event = ExchangeUpdated(
        header=header_for(exchange, ledger, facts.at, by=command.created_by, command=command, order=order),
        status=after.status,
        new_items=new_items,
        outbound_shipping=outbound,
        difference_due=difference_due,
        charges=charges,
        quoted_refund=repriced.quoted_refund,
        reserve_request=reserve,
        release_reservation=release_reservation(exchange),
        replacement=replacement_of(evolve(after, reservation=reserve.key if reserve else None))
        if is_sent_now
        else None,
        hold=hold,
        release_request=request_release(exchange, exchange.hold) if hold and exchange.hold else None,
    )
    if not is_here:
        return (event,)
    # The goods are here: what the new goods leave of their value is due, more or less than before.
    resolution = Resolution(facts.at, command.created_by)
    return (event, *close_return(order, ledger, repriced, resolution, items=repriced.items))


def _sent(exchange: Exchange) -> str | None:
    return "new_goods_sent" if exchange.sent_first else None


def _value(repriced: Return, *, is_here: bool) -> Valuation:
    """What its goods come to with the new charges, as they arrived, or as they were requested."""
    if is_here:
        return repriced.value_arrived(repriced.items, repriced.entitlement.agreed_refund)
    return evolve(repriced, received_at=None).valuation


def _goes_first(after: Exchange, target: Return) -> bool:
    """True if its new goods are sent now, though the others are not here."""
    is_approved = target.is_open and target.status is not ReturnStatus.PENDING_APPROVAL
    return after.is_advance and is_approved and not after.owed.amount


def _status(after: Exchange, target: Return) -> ExchangeStatus:
    owed = after.owed.amount
    if target.status is ReturnStatus.RECEIVED:
        return ExchangeStatus.AWAITING_PAYMENT if owed else ExchangeStatus.COMPLETED
    return ExchangeStatus.AWAITING_PAYMENT if owed and after.is_advance else ExchangeStatus.REQUESTED
