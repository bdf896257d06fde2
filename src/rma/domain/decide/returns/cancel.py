"""CancelReturn: called off as long as no money was granted."""

from datetime import datetime

from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import complete_claim
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import Event, ReturnCanceled
from rma.domain.messages.commands import CancelReturn, Command
from rma.domain.messages.effects import CancelShipmentRequest, RestockRequest, StockLine, WithdrawRequest
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Return, ReturnStatus


def cancel_return(facts: Facts, ledger: ReturnLedger, command: CancelReturn) -> tuple[Event, ...]:
    """
    The return called off; nothing if it was before. A claim that waited for it waits no longer.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    if target is None:
        wrong.add("return_not_found", return_id=error_value(command.return_id))
    elif target.exchange_id is not None and target.status is not ReturnStatus.CANCELED:
        wrong.add("return_of_exchange", return_id=target.id, exchange_id=target.exchange_id)
    else:
        check_cancelable(wrong, target)
    wrong.check_texts(command)
    target = wrong.require(target)
    if target.status is ReturnStatus.CANCELED:
        return ()
    by = command.created_by
    return (cancel_event(target, facts.at, by, command), *complete_claim(ledger, target, facts.at, by))


def check_cancelable(wrong: Violations, target: Return) -> None:
    """Goods that are paid for, or might be, stay here."""
    if target.status is ReturnStatus.RECEIVED:
        wrong.add("return_already_received", return_id=target.id)
    elif target.was_partially_received or target.entitled_amount:
        wrong.add("return_not_cancelable", return_id=target.id)


def cancel_event(
    target: Return, at: datetime, by: str | None, command: Command | None = None
) -> ReturnCanceled:
    """The return called off, by itself or with what it belongs to."""
    return ReturnCanceled(
        order_id=target.order_id,
        return_id=target.id,
        exchange_id=target.exchange_id,
        claim_id=target.claim_id,
        at=at,
        by=by,
        no_notification=target.no_notification,
        command=command if command and command.idempotency_key else None,
        cancel_request=_cancel_shipment(target),
        withdraw_requests=_withdrawals(target),
    )


def _cancel_shipment(target: Return) -> CancelShipmentRequest | None:
    if target.shipping_method is None:
        return None
    return CancelShipmentRequest(
        key=f"{target.id}/cancel_shipment/1",
        order_id=target.order_id,
        return_id=target.id,
        shipment_key=f"{target.id}/shipment/1",
        shipment=target.shipment,
    )


def _withdrawals(target: Return) -> tuple[WithdrawRequest, ...]:
    restocks = [receipt.restock for receipt in target.receipts if receipt.restock]
    return tuple(
        [withdrawal(target, restock, restock.lines, number) for number, restock in enumerate(restocks, 1)]
    )


def withdrawal(
    target: Return, restock: RestockRequest, lines: tuple[StockLine, ...], number: int
) -> WithdrawRequest:
    """These units of what was put into stock, taken out again; `number` counts the return's withdrawals."""
    return WithdrawRequest(
        key=f"{target.id}/withdraw/{number}",
        order_id=target.order_id,
        return_id=target.id,
        location_id=restock.location_id,
        lines=lines,
        restock_key=restock.key,
    )
