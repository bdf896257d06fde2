"""ExpireReturn: goods that never arrived."""

from rma.domain.decide.advance import check_ended, end_advance
from rma.domain.decide.cancel_exchange import report_exchange_canceled
from rma.domain.decide.checks import check_order, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.kept import close_with_kept
from rma.domain.decide.returns.shipments import cancel_shipment
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, ReturnExpired, header_for
from rma.domain.messages.commands import ExpireReturn
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.returns import Return


def expire_return(facts: Facts, ledger: ReturnLedger, command: ExpireReturn) -> tuple[Event, ...]:
    """
    The return expired, its label canceled and its units free again; nothing if it was before.

    Where new goods were sent first for it, they are charged to the hold of its exchange.

    Where the customer keeps some of the goods, the return is received with these, and ends. An exchange that
    was to be paid with the goods is canceled.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    exchange = ledger.find_exchange(target.exchange_id) if target else None
    keeps_some = target is not None and target.status is ReturnStatus.PARTIALLY_RECEIVED
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif refusal := return_refusal(target.status, command):
        wrong.add(refusal, return_id=target.id)
    elif keeps_some and not target.waits_for_first_parcel:
        wrong.add("return_already_received", return_id=target.id)
    elif target.status is not ReturnStatus.EXPIRED:
        _check_expired(wrong, facts, target)
        if exchange and exchange.is_open and exchange.payments and not exchange.sent_first:
            wrong.add("exchange_paid", exchange_id=exchange.id, paid=exchange.paid.amount)
    if keeps_some:
        check_order(wrong, facts.order, ledger, target)
    check_strings(wrong, command)
    target = wrong.require(target)
    if target.status is ReturnStatus.EXPIRED or target.return_by is None:
        return ()
    at, by = facts.at, command.created_by
    is_open = exchange is not None and exchange.is_open
    if exchange and is_open and exchange.sent_first:
        ended, closed = end_advance(facts, ledger, exchange, target, by=by, command=command)
        return (*ended, *closed)
    header = header_for(target, ledger, at, by=by, command=command)
    canceled = report_exchange_canceled(exchange, ledger, at, by) if exchange and is_open else ()
    if keeps_some:
        order = wrong.require(facts.order)
        return (*close_with_kept(order, ledger, target, at, by, command), *canceled)
    expired = ReturnExpired(
        header=header, return_by=target.return_by, cancel_request=cancel_shipment(target, ledger)
    )
    return (expired, *canceled)


def _check_expired(wrong: Violations, facts: Facts, target: Return) -> None:
    if target.sending is not None:
        wrong.add("return_already_sent", return_id=target.id)
    check_ended(wrong, facts, target)
