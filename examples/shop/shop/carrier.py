"""The carrier of the shop: it prints labels, and knows each by the key under which it was asked for."""

from hashlib import sha256

from django.urls import reverse

from rma import (
    CancelShipmentRequest,
    ReplacementRequest,
    ReplacementShipment,
    ReturnShipment,
    ReturnShipmentRequest,
    SendBackRequest,
)
from shop.models import Parcel


class ShopCarrier:
    """Books one parcel for each key; a `rma.Fulfillment` with `rma.SendingBack`."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Returns the label of this key."""
        contents = [{"item": line.item_id, "quantity": line.quantity} for line in request.lines]
        parcel = _parcel(request.key, request.order_id, contents)
        label = reverse("slip", args=[request.return_id])
        return ReturnShipment(tracking_number=parcel.tracking_number, label_url=label)

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Cancels the label that was booked under the key of the shipment."""
        Parcel.objects.filter(key=request.shipment_key).update(is_canceled=True)

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Sends new goods."""
        contents = [{"item": item.variant_id, "quantity": item.quantity} for item in request.new_items]
        parcel = _parcel(request.key, request.order_id, contents)
        return ReplacementShipment(tracking_number=parcel.tracking_number)

    def send_back(self, request: SendBackRequest) -> None:
        """Sends goods back to the customer."""
        contents = [{"item": line.item_id, "quantity": line.quantity} for line in request.lines]
        _parcel(request.key, request.order_id, contents)


def _parcel(key: str, order_id: str, contents: list[dict[str, object]]) -> Parcel:
    number = int(sha256(key.encode()).hexdigest(), 16) % 10**12
    booked = {"order_id": order_id, "contents": contents, "tracking_number": f"SP{number:012}"}
    return Parcel.objects.get_or_create(key=key, defaults=booked)[0]
