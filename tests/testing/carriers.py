"""Carriers that know no keys."""

from collections import Counter
from datetime import timedelta

from rma import (
    CancelShipmentRequest,
    Gateway,
    NotIdempotent,
    ReplacementRequest,
    ReplacementShipment,
    ReturnShipment,
    ReturnShipmentRequest,
    Searchable,
)

HOUR = timedelta(hours=1)


class Keyless:
    """A carrier that buys a label for every call, and says so."""

    gateway: Gateway = NotIdempotent(HOUR)

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A new one each time."""
        self.made[request.key] += 1
        return ReturnShipment({"label": self.made.total()})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Nothing."""

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """A new one each time."""
        self.made[request.key] += 1
        return ReplacementShipment({"parcel": self.made.total()})


class Searched(Keyless):
    """A carrier that can be searched for what it did."""

    gateway: Gateway = Searchable(HOUR)

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, ReturnShipment | ReplacementShipment] = {}

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """A new one each time, kept."""
        answer = super().book_return(request)
        self.answers[request.key] = answer
        return answer

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """A new one each time, kept."""
        answer = super().ship_replacement(request)
        self.answers[request.key] = answer
        return answer

    def find_shipment(self, key: str) -> ReturnShipment | ReplacementShipment | None:
        """The latest of this key."""
        return self.answers.get(key)
