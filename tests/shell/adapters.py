"""Ports that act each time they are called, and do between what a test says."""

from collections.abc import Callable
from datetime import datetime

from rma import (
    CancelShipmentRequest,
    Gateway,
    Idempotent,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReplacementRequest,
    ReplacementShipment,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    WithdrawRequest,
)
from rma.testing.core_harness import START


class Clock:
    """A clock that changes only when the test sets it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Returns the time that is set."""
        return self.now


def nothing(key: str) -> None:
    """Does nothing."""


class Port:
    """
    A port that acts each time it is called, between two hooks.

    Attributes:
        asked: the key of every call.
        done: the key of every call that acted.
        before, after: called with the key; what they raise is what the caller gets.
        gateway: what it declares of repeats.
    """

    def __init__(self, gateway: Gateway | None = None) -> None:
        self.asked: list[str] = []
        self.done: list[str] = []
        self.before: Callable[[str], object] = nothing
        self.after: Callable[[str], object] = nothing
        self.gateway = gateway or Idempotent()

    def during(self, act: Callable[[], object]) -> None:
        """Does this during the next call, before the port acts."""

        def once(key: str) -> None:
            self.before = nothing
            act()

        self.before = once

    def act(self, key: str) -> None:
        """Acts, between the hooks."""
        self.asked.append(key)
        self.before(key)
        self.done.append(key)
        self.after(key)


class Payments(Port):
    """A gateway that refunds."""

    answer: RefundOutcome = RefundSucceeded("re_1")

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Returns the answer that is set."""
        self.act(request.key)
        return self.answer


class SearchedPayments(Payments):
    """A gateway that can be asked, and answers what is set."""

    def __init__(self, gateway: Gateway | None = None) -> None:
        super().__init__(gateway)
        self.searched: list[str] = []
        self.found: RefundOutcome | Exception | None = None

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """Returns or raises what is set."""
        self.searched.append(request.key)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class Stock(Port):
    """Stock."""

    def restock(self, request: RestockRequest) -> None:
        """Acts."""
        self.act(request.key)

    def withdraw(self, request: WithdrawRequest) -> None:
        """Acts."""
        self.act(request.key)


class Carrier(Port):
    """A carrier that makes a label for every call."""

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Returns another label each time."""
        self.act(request.key)
        return ReturnShipment({"label": len(self.done)})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Acts."""
        self.act(request.key)

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Returns another parcel each time."""
        self.act(request.key)
        return ReplacementShipment({"parcel": len(self.done)})


class SearchedCarrier(Carrier):
    """A carrier that can be asked for what was booked; it knows of all that it did."""

    def __init__(self, gateway: Gateway | None = None) -> None:
        super().__init__(gateway)
        self.searched: list[str] = []

    def find_shipment(self, key: str) -> ReturnShipment | ReplacementShipment | None:
        """Returns the label or parcel that was made first under this key."""
        self.searched.append(key)
        if key not in self.done:
            return None
        number = self.done.index(key) + 1
        return (
            ReplacementShipment({"parcel": number})
            if "-replacement-" in key
            else ReturnShipment({"label": number})
        )
