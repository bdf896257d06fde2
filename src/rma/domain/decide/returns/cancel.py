"""CancelReturn: possible as long as the customer is entitled to nothing, or only was promised it."""

from collections.abc import Mapping
from datetime import datetime

from rma.domain.decide.checks import check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import complete_claim
from rma.domain.decide.returns.shipments import cancel_shipment
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, ReturnCanceled, header_for
from rma.domain.messages.commands import CancelReturn, Command
from rma.domain.messages.effects import RestockRequest, StockLine, WithdrawRequest, effect_key
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ExchangeStatus, ReturnStatus, return_refusal
from rma.domain.state.returns import Return


def cancel_return(facts: Facts, ledger: ReturnLedger, command: CancelReturn) -> tuple[Event, ...]:
    """
    The return canceled; nothing if it was before. A claim that waited for it waits no longer.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif _is_of_exchange(target, ledger) and target.status is not ReturnStatus.CANCELED:
        wrong.add("return_of_exchange", return_id=target.id, exchange_id=target.exchange_id)
    else:
        check_cancelable(wrong, target)
    check_strings(wrong, command)
    target = wrong.require(target)
    if target.status is ReturnStatus.CANCELED:
        return ()
    by = command.created_by
    return (
        report_canceled(target, ledger, facts.at, by, command),
        *complete_claim(ledger, target, facts.at, by),
    )


def _is_of_exchange(target: Return, ledger: ReturnLedger) -> bool:
    """True if an exchange still waits for it, or was completed with it."""
    exchange = ledger.find_exchange(target.exchange_id)
    return exchange is not None and exchange.status is not ExchangeStatus.CANCELED


def check_cancelable(wrong: Violations, target: Return) -> None:
    """Its status allows it, nothing was graded, and no parcel was refunded: its goods stay."""
    refusal = return_refusal(target.status, CancelReturn(return_id=target.id))
    # What was given back of an exchange that was canceled is not for its goods.
    paid = sum([part.amount.amount for part in target.charges if part.amount.amount > 0])
    is_entitled = target.entitlement.entitled.amount > paid and not target.is_only_promised
    is_entitled = is_entitled or target.was_partially_received
    if refusal is None and (is_entitled or target.is_inspected):
        refusal = "return_not_cancelable"
    was_over = target.received_at is not None or target.canceled_at is not None
    if refusal is None and was_over and target.status is not ReturnStatus.CANCELED:
        refusal = "return_not_cancelable"
    if refusal is not None:
        wrong.add(refusal, return_id=target.id)


def report_canceled(
    target: Return, ledger: ReturnLedger, at: datetime, by: str | None, command: Command | None = None
) -> ReturnCanceled:
    """The event that the return was canceled, by itself or with the exchange or claim that it belongs to."""
    return ReturnCanceled(
        header=header_for(target, ledger, at, by=by, command=command),
        cancel_request=cancel_shipment(target, ledger),
        withdraw_requests=_withdraw_all(target),
    )


def _withdraw_all(target: Return) -> tuple[WithdrawRequest, ...]:
    restocks = enumerate(target.in_stock)
    return tuple([_withdraw(target, restock, restock.lines, index) for index, restock in restocks])


def withdraw_units(target: Return, units: Mapping[str, int]) -> tuple[WithdrawRequest, ...]:
    """
    The requests to take so many units of each line out of the stock that took them, the latest's first.

    What an inspection put into stock is the inspection's, and stays.
    """
    left = dict(units)
    withdrawals: list[WithdrawRequest] = []
    inspected = {restock.key for inspection in target.inspections for restock in inspection.restocks}
    for restock in reversed([each for each in target.in_stock if each.key not in inspected]):
        lines = []
        for line in restock.lines:
            count = min(line.quantity, left.get(line.item_id, 0))
            if count:
                lines.append(StockLine(line.item_id, line.variant_id, count))
                left[line.item_id] -= count
        if lines:
            withdrawals.append(_withdraw(target, restock, tuple(lines), len(withdrawals)))
    return tuple(withdrawals)


def _withdraw(
    target: Return, restock: RestockRequest, lines: tuple[StockLine, ...], index: int
) -> WithdrawRequest:
    """The request to take these restocked units out again; `index` is its place among those of this event."""
    return WithdrawRequest(
        key=effect_key(target.id, "withdraw", len(target.withdrawals) + index + 1),
        order_id=target.order_id,
        return_id=target.id,
        location_id=restock.location_id,
        lines=lines,
        restock_key=restock.key,
    )
