"""Exchanges whose new goods are sent first, or replaced by others, in the words of the timeline."""

from collections.abc import Iterable
from typing import assert_never

from rma.domain import events
from rma.domain.sale.hold import Hold
from rma.domain.sale.new_item import NewItem
from rma.domain.state.exchanges import HoldCharge

AdvanceEvent = (
    events.AdvanceShipped
    | events.ExchangeUpdated
    | events.AdvanceCharged
    | events.HoldReleased
    | events.AdvanceWrittenOff
    | events.ChargeOutcomeRecorded
)


def describe_advance(event: AdvanceEvent) -> tuple[str, list[str]]:
    """What happened, and further lines about it."""
    match event:
        case events.AdvanceShipped(replacement=replacement):
            return f"{event.subject_id}: new goods sent first", to_be_sent(replacement.new_items)
        case events.ExchangeUpdated(status=status, new_items=new_items, hold=hold, release_request=request):
            what = f"{event.subject_id}: new goods replaced, {status.replace('_', ' ')}"
            held = [f"money: {hold.amount} held at {hold.reference}"] if hold else []
            return what, [*to_be_sent(new_items), *held, *([_free(request.hold)] if request else [])]
        case events.AdvanceCharged(charge=charge, charge_request=request):
            taken = [f"money: {charge.amount} of the hold {request.hold.reference}"]
            return f"{event.subject_id}: hold charged", taken
        case events.HoldReleased(release_request=request):
            return f"{event.subject_id}: hold released", [_free(request.hold)]
        case events.AdvanceWrittenOff(write_off=write_off):
            what = f"{write_off.amount} of {write_off.owed} owed: {write_off.note}"
            return f"{event.subject_id}: written off", [what]
        case events.ChargeOutcomeRecorded(charge=charge):
            return f"reported: {describe_charge(charge)}", []
        case _:
            assert_never(event)


def _free(hold: Hold) -> str:
    return f"money: {hold.amount} free at {hold.reference}"


def to_be_sent(items: Iterable[NewItem]) -> list[str]:
    """A line for each of these new goods."""
    return [f"{item.quantity} x {item.variant_id} to be sent" for item in items]


def describe_charge(charge: HoldCharge) -> str:
    """The charge and its status."""
    why = f" ({charge.failure})" if charge.failure else ""
    return f"{charge.key}: {charge.amount} {charge.status.replace('_', ' ')}{why}"
