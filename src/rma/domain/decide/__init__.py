"""
What may happen: yes is a tuple of events, no is a raised `Rejected` that says everything that is wrong.

One module for each family of commands; `record_outcomes` for what ports answer; `answer` for repeats.
"""

from rma.domain.decide.advance import close_advance, record_charge_outcome
from rma.domain.decide.archive import archive_history
from rma.domain.decide.cancel_exchange import cancel_exchange
from rma.domain.decide.claims import cancel_claim, request_claim
from rma.domain.decide.exchanges import record_exchange_payment, request_exchange
from rma.domain.decide.facts import Facts
from rma.domain.decide.idempotency import answer
from rma.domain.decide.outcomes import lease_effect, record_outcomes, record_publication, start_again
from rma.domain.decide.redact import redact_order
from rma.domain.decide.refunds.outcome import record_refund_outcome
from rma.domain.decide.refunds.payout import record_payout
from rma.domain.decide.refunds.resolve_claim import resolve_claim
from rma.domain.decide.refunds.retry import retry_refund
from rma.domain.decide.returns.approve import approve_return, decline_return
from rma.domain.decide.returns.cancel import cancel_return
from rma.domain.decide.returns.correct import correct_receipt
from rma.domain.decide.returns.expire import expire_return
from rma.domain.decide.returns.inspect import inspect_return
from rma.domain.decide.returns.overdue import record_overdue
from rma.domain.decide.returns.receive import receive_return, receive_unannounced
from rma.domain.decide.returns.renew import renew_shipment
from rma.domain.decide.returns.request import request_return
from rma.domain.decide.returns.resolve import resolve_return
from rma.domain.decide.returns.sending import record_sending
from rma.domain.decide.returns.update import update_return
from rma.domain.decide.update_exchange import update_exchange
from rma.domain.events import Event
from rma.domain.messages.commands import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RenewShipment,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
    not_a_command,
)
from rma.domain.state.ledger import ReturnLedger

__all__ = [
    "answer",
    "archive_history",
    "decide",
    "lease_effect",
    "record_outcomes",
    "record_overdue",
    "record_publication",
    "redact_order",
    "start_again",
]


def decide(  # noqa: C901, PLR0911, PLR0912 # a row for each command
    facts: Facts, ledger: ReturnLedger, command: Command
) -> tuple[Event, ...]:
    """
    The events that the command causes; none if it is done already.

    Raises:
        Rejected: it is refused.
        InvalidValue: it is not a command.
        StaleOrder: the order is older than one that the ledger saw.
    """
    facts.require_current(ledger)
    match command:
        case RequestReturn():
            return request_return(facts, ledger, command)
        case ApproveReturn():
            return approve_return(facts, ledger, command)
        case DeclineReturn():
            return decline_return(facts, ledger, command)
        case UpdateReturn():
            return update_return(facts, ledger, command)
        case RecordSending():
            return record_sending(facts, ledger, command)
        case ExpireReturn():
            return expire_return(facts, ledger, command)
        case RenewShipment():
            return renew_shipment(facts, ledger, command)
        case ReceiveReturn():
            return receive_return(facts, ledger, command)
        case InspectReturn():
            return inspect_return(facts, ledger, command)
        case ReceiveUnannounced():
            return receive_unannounced(facts, ledger, command)
        case CorrectReceipt():
            return correct_receipt(facts, ledger, command)
        case ResolveReturn():
            return resolve_return(facts, ledger, command)
        case CancelReturn():
            return cancel_return(facts, ledger, command)
        case RetryRefund():
            return retry_refund(facts, ledger, command)
        case RecordPayout():
            return record_payout(facts, ledger, command)
        case RecordRefundOutcome():
            return record_refund_outcome(facts, ledger, command)
        case RequestExchange():
            return request_exchange(facts, ledger, command)
        case RecordExchangePayment():
            return record_exchange_payment(facts, ledger, command)
        case UpdateExchange():
            return update_exchange(facts, ledger, command)
        case SettleAdvance():
            return close_advance(facts, ledger, command)
        case RecordChargeOutcome():
            return record_charge_outcome(facts, ledger, command)
        case CancelExchange():
            return cancel_exchange(facts, ledger, command)
        case RequestClaim():
            return request_claim(facts, ledger, command)
        case ResolveClaim():
            return resolve_claim(facts, ledger, command)
        case CancelClaim():
            return cancel_claim(facts, ledger, command)
        case _:
            raise not_a_command(command)
