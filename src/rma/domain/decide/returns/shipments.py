"""Bookings of the way back, and their cancellations."""

from collections.abc import Iterable, Sequence

from rma.domain.messages.effects import (
    CancelShipmentRequest,
    OpenEffect,
    ReturnShipmentRequest,
    StockLine,
    effect_key,
)
from rma.domain.sale.policy import Terms
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return


def book_shipment(after: Return) -> ReturnShipmentRequest | None:
    """
    The booking of the way back of a return, as it is afterwards; None if nothing is to be booked.

    What the customer keeps does not travel.
    """
    method, number = after.shipping_method, after.label_number
    if method is None or number is None:
        return None
    return ReturnShipmentRequest(
        key=effect_key(after.id, "shipment", number),
        order_id=after.order_id,
        return_id=after.id,
        shipping_method=method,
        provider_id=after.provider_id,
        location_id=after.location_id,
        lines=_lines([item for item in after.items if not after.terms.is_kept(item.rule)]),
    )


def any_travels(items: Iterable[ReturnItem], terms: Terms) -> bool:
    """True if some of the items come back: the customer does not keep them all."""
    return not terms.keeps_goods or not all(terms.is_kept(item.rule) for item in items)


def cancel_shipment(target: Return, ledger: ReturnLedger) -> CancelShipmentRequest | None:
    """The cancellation of what is booked for a return; None if nothing is, or if the goods travel with it."""
    number = target.label_number
    if number is None or target.sending is not None:
        return None
    return CancelShipmentRequest(
        key=effect_key(target.id, "cancel_shipment", number),
        order_id=target.order_id,
        return_id=target.id,
        shipment_key=shipment_key(target, ledger),
        shipment=target.shipment,
    )


def shipment_key(target: Return, ledger: ReturnLedger) -> str:
    """The key of the latest booking."""
    # A first booking that is still open may have a key as ledgers spelled it before; the cancellation waits.
    if target.shipment_number == 1 and (booking := open_booking(target, ledger)):
        return booking.request.key
    return effect_key(target.id, "shipment", target.shipment_number)


def open_booking(target: Return, ledger: ReturnLedger) -> OpenEffect | None:
    """The latest booking of a return, if its carrier has not answered yet."""
    number = str(target.shipment_number)
    for key, effect in ledger.open_effects.items():
        request = effect.request
        is_ours = isinstance(request, ReturnShipmentRequest) and request.return_id == target.id
        if is_ours and key.endswith((f"-{number}", f"/{number}")):
            return effect
    return None


def _lines(items: Sequence[ReturnItem]) -> tuple[StockLine, ...]:
    quantities: dict[str, int] = {}
    for item in items:
        quantities[item.item_id] = quantities.get(item.item_id, 0) + item.quantity
    variants = {item.item_id: item.line.variant_id for item in items}
    return tuple([StockLine(item_id, variants[item_id], count) for item_id, count in quantities.items()])
