"""RenewShipment: another label, because the one before expired, was lost, or was never known to be booked."""

from attrs import evolve

from rma.domain.decide.checks import check_flags, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.shipments import book_shipment, cancel_shipment, open_booking
from rma.domain.decide.violations import Violations
from rma.domain.events import EffectOutcome, ShipmentRenewed, header_for
from rma.domain.messages.commands import RenewShipment
from rma.domain.messages.effects import OpenEffect, ReturnShipment
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import return_refusal
from rma.domain.state.returns import Return


def renew_shipment(facts: Facts, ledger: ReturnLedger, command: RenewShipment) -> tuple[ShipmentRenewed]:
    """
    The way back booked again under the next key, and the booking before canceled.

    A booking that was stopped for a person ends as the person says: canceled if the carrier made it.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    target = ledger.find(command.return_id)
    booking = open_booking(target, ledger) if target else None
    is_stopped = booking is not None and booking.delivery.is_stopped
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
    elif refusal := return_refusal(target.status, command):
        wrong.add(refusal, return_id=target.id)
    else:
        _check_renewable(wrong, target, command, is_stopped=is_stopped)
    if command.was_booked is not None:
        check_flags(wrong, was_booked=command.was_booked)
    check_strings(wrong, command)
    target = wrong.require(target)
    renewed = evolve(target, shipment_number=target.shipment_number + 1)
    request = book_shipment(renewed)
    assert request is not None, "what has a label has a way back"
    ended = _ended(booking, command) if booking and is_stopped else None
    event = ShipmentRenewed(
        header=header_for(target, ledger, facts.at, by=command.created_by, command=command),
        shipment_request=request,
        cancel_request=None if ended and not ended.shipment else cancel_shipment(target, ledger),
        ended=ended,
    )
    return (event,)


def _check_renewable(wrong: Violations, target: Return, command: RenewShipment, *, is_stopped: bool) -> None:
    if not target.waits_for_first_parcel:
        wrong.add("return_already_received", return_id=target.id)
    if target.sending is not None:
        wrong.add("return_already_sent", return_id=target.id)
    if target.label_number is None:
        wrong.add("no_shipment", return_id=target.id)
    elif is_stopped and command.was_booked is None:
        wrong.add("booking_unknown", return_id=target.id)
    elif command.was_booked is not None and not is_stopped:
        wrong.add("booking_not_stopped", return_id=target.id)


def _ended(booking: OpenEffect, command: RenewShipment) -> EffectOutcome:
    """What became of a booking that was stopped; of one that was made, no more is known than that."""
    return EffectOutcome(key=booking.request.key, shipment=ReturnShipment() if command.was_booked else None)
