"""RecordSending and ExpireReturn: goods that are on their way, and goods that never arrived."""

from rma.domain.decide.checks import check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.basis import check_moment
from rma.domain.decide.returns.shipments import cancel_shipment
from rma.domain.decide.violations import Violations
from rma.domain.events import ReturnExpired, ReturnSent, header_for
from rma.domain.messages.commands import ExpireReturn, RecordSending
from rma.domain.state.deadlines import refund_due_by
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.returns import Return, Sending


def record_sending(facts: Facts, ledger: ReturnLedger, command: RecordSending) -> tuple[ReturnSent]:
    """
    The goods on their way: the return expires no more.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    sent_at = check_moment(wrong, "sent_at", command.sent_at) or facts.at
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif refusal := return_refusal(target.status, command):
        wrong.add(refusal, return_id=target.id)
    elif target.sending is not None:
        wrong.add("return_already_sent", return_id=target.id)
    if target and sent_at < (since := target.declared_at or target.requested_at):
        wrong.add("sent_before_requested", sent_at=sent_at.isoformat(), requested_at=since.isoformat())
    if sent_at > facts.at:
        wrong.add("sent_at_in_future", sent_at=sent_at.isoformat(), now=facts.at.isoformat())
    check_strings(wrong, command, "tracking_number", "proof")
    target = wrong.require(target)
    event = ReturnSent(
        header=header_for(target, ledger, facts.at, by=command.created_by, command=command),
        sending=Sending(sent_at, command.tracking_number, command.proof),
        refund_due_by=refund_due_by(target, sent_at=sent_at, received_at=None),
    )
    return (event,)


def expire_return(
    facts: Facts, ledger: ReturnLedger, command: ExpireReturn
) -> tuple[()] | tuple[ReturnExpired]:
    """
    The return expired, its label canceled and its units free again; nothing if it was before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif refusal := return_refusal(target.status, command):
        wrong.add(refusal, return_id=target.id)
    elif target.status is not ReturnStatus.EXPIRED:
        _check_expired(wrong, facts, target)
    check_strings(wrong, command)
    target = wrong.require(target)
    if target.status is ReturnStatus.EXPIRED or target.return_by is None:
        return ()
    event = ReturnExpired(
        header=header_for(target, ledger, facts.at, by=command.created_by, command=command),
        return_by=target.return_by,
        cancel_request=cancel_shipment(target, ledger),
    )
    return (event,)


def _check_expired(wrong: Violations, facts: Facts, target: Return) -> None:
    if target.sending is not None:
        wrong.add("return_already_sent", return_id=target.id)
    until = target.return_by
    if until is None:
        wrong.add("not_expired_yet", return_id=target.id, return_by=None, hint="it never expires")
    elif facts.at <= until:
        wrong.add("not_expired_yet", return_id=target.id, return_by=until.isoformat())
