"""Ports whose memory is a file, so that they outlive the process that calls them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from rma import (
    CancelShipmentRequest,
    Gateway,
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


class GatewayModel:
    """What was asked for, by key, and how often."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as gateway_model:
            gateway_model.execute(
                "CREATE TABLE IF NOT EXISTS asked (key TEXT PRIMARY KEY, what TEXT NOT NULL, times INTEGER)"
            )

    def ask(self, key: str, what: str) -> None:
        """Once more for the key."""
        with closing(self._open()) as gateway_model:
            gateway_model.execute(
                "INSERT INTO asked VALUES (?, ?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1",
                (key, what),
            )

    def done(self) -> dict[str, str]:
        """What who knows the keys did, by key."""
        return {key: what for key, what, _ in self._asked()}

    def times(self) -> dict[str, int]:
        """How often who does not know the keys did it, by key."""
        return {key: times for key, _, times in self._asked()}

    def _asked(self) -> list[tuple[str, str, int]]:
        with closing(self._open()) as gateway_model:
            return gateway_model.execute("SELECT key, what, times FROM asked ORDER BY key").fetchall()

    def _open(self) -> sqlite3.Connection:
        gateway_model = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        gateway_model.execute(
            "PRAGMA synchronous = OFF"
        )  # it outlives processes; power cuts are not the point here
        return gateway_model


class BookedPayments:
    """A gateway that knows its keys, or not."""

    def __init__(self, gateway_model: GatewayModel, gateway: Gateway) -> None:
        self._books = gateway_model
        self.gateway = gateway

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Always."""
        self._books.ask(request.key, f"refund {request.amount} of {request.payment_id}")
        return RefundSucceeded(f"re_{request.key}")


class BookedInventory:
    """Stock."""

    def __init__(self, gateway_model: GatewayModel) -> None:
        self._books = gateway_model

    def restock(self, request: RestockRequest) -> None:
        """Once for the key."""
        self._books.ask(request.key, f"restock {[(line.item_id, line.quantity) for line in request.lines]}")

    def withdraw(self, request: WithdrawRequest) -> None:
        """Once for the key."""
        self._books.ask(request.key, f"withdraw {[(line.item_id, line.quantity) for line in request.lines]}")


class BookedFulfillment:
    """A carrier."""

    def __init__(self, gateway_model: GatewayModel) -> None:
        self._books = gateway_model

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Once for the key."""
        self._books.ask(request.key, f"label for {request.return_id}")
        return ReturnShipment({"shipment": request.key})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Once for the key."""
        self._books.ask(request.key, f"cancel {request.shipment_key}")

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Once for the key."""
        self._books.ask(request.key, f"replacement for {request.exchange_id or request.claim_id}")
        return ReplacementShipment({"shipment": request.key})
