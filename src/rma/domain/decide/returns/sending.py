"""RecordSending: goods that are on their way."""

from datetime import datetime

from rma.domain.decide.checks import check_order, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.ahead import is_paid_on, pay_ahead
from rma.domain.decide.returns.basis import check_moment
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, ReturnSent, header_for
from rma.domain.messages.commands import RecordSending
from rma.domain.sale.paying import PayOn
from rma.domain.state.deadlines import refund_due_by
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.returns import Return, Sending


def record_sending(facts: Facts, ledger: ReturnLedger, command: RecordSending) -> tuple[Event, ...]:
    """
    The goods on their way: the return expires no more, and is paid if its terms say so.

    What was recorded without a proof can be recorded again with one. A return that expired stays so, though
    its goods were sent in time.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    before = target.sending if target else None
    sent_at = check_moment(wrong, "sent_at", command.sent_at) or (before.at if before else facts.at)
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    else:
        _check_state(wrong, target, command, sent_at)
    if sent_at > facts.at:
        wrong.add("sent_at_in_future", sent_at=sent_at.isoformat(), now=facts.at.isoformat())
    if is_paid_now := target is not None and _is_paid_now(target, ledger):
        check_order(wrong, facts.order, ledger, target)
    check_strings(wrong, command, "tracking_number", "proof")
    target = wrong.require(target)
    tracking_number = command.tracking_number
    if tracking_number is None and before is not None:
        tracking_number = before.tracking_number
    sending = Sending(sent_at, tracking_number, command.proof)
    event = ReturnSent(
        header=header_for(target, ledger, facts.at, by=command.created_by, command=command),
        sending=sending,
        refund_due_by=refund_due_by(target, sending=sending, received_at=None),
    )
    if not is_paid_now:
        return (event,)
    order, by = wrong.require(facts.order), command.created_by
    return (event, *pay_ahead(order, ledger, target, PayOn.SENDING, at=facts.at, by=by).events)


def _is_paid_now(target: Return, ledger: ReturnLedger) -> bool:
    """True if it is paid on being sent; the units of one that expired are free again."""
    return target.status is not ReturnStatus.EXPIRED and is_paid_on(target, ledger, PayOn.SENDING)


def _check_state(wrong: Violations, target: Return, command: RecordSending, sent_at: datetime) -> None:
    status, until = target.status, target.return_by
    if refusal := return_refusal(status, command):
        wrong.add(refusal, return_id=target.id)
    elif target.sending is not None and (target.sending.proof is not None or command.proof is None):
        wrong.add("return_already_sent", return_id=target.id)
    elif status is ReturnStatus.PARTIALLY_RECEIVED and not target.waits_for_first_parcel:
        wrong.add("return_already_received", return_id=target.id)
    elif status is ReturnStatus.EXPIRED and until is not None and sent_at > until:
        wrong.add("return_expired", return_id=target.id)
    if sent_at < (since := target.declared_at or target.requested_at):
        wrong.add("sent_before_requested", sent_at=sent_at.isoformat(), requested_at=since.isoformat())
