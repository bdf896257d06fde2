"""Ports whose memory is a file, so that they outlive the process that calls them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from rma import (
    CancelShipmentRequest,
    RefundOutcome,
    RefundRequest,
    ReplacementRequest,
    ReplacementShipment,
    RefundSucceeded,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    WithdrawRequest,
)


class Books:
    """What was really done, by key; a repeated key does nothing. Counts every call besides."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as books:
            books.execute("CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY, what TEXT NOT NULL)")

    def do(self, key: str, what: str) -> None:
        """Once for the key."""
        with closing(self._open()) as books:
            books.execute("INSERT INTO done VALUES (?, ?) ON CONFLICT DO NOTHING", (key, what))

    def done(self) -> dict[str, str]:
        """Everything that was done, by key."""
        with closing(self._open()) as books:
            return dict(books.execute("SELECT key, what FROM done ORDER BY key").fetchall())

    def _open(self) -> sqlite3.Connection:
        books = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        books.execute("PRAGMA synchronous = OFF")  # it outlives processes; power cuts are not the point here
        return books


class BookedPayments:
    """A gateway that knows its keys."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Once for the key."""
        self._books.do(request.key, f"refund {request.amount} of {request.payment_id}")
        return RefundSucceeded(f"re_{request.key}")


class BookedInventory:
    """Stock."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def restock(self, request: RestockRequest) -> None:
        """Once for the key."""
        self._books.do(request.key, f"restock {[(line.item_id, line.quantity) for line in request.lines]}")

    def withdraw(self, request: WithdrawRequest) -> None:
        """Once for the key."""
        self._books.do(request.key, f"withdraw {[(line.item_id, line.quantity) for line in request.lines]}")


class BookedFulfillment:
    """A carrier."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Once for the key."""
        self._books.do(request.key, f"label for {request.return_id}")
        return ReturnShipment({"shipment": request.key})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Once for the key."""
        self._books.do(request.key, f"cancel {request.shipment_key}")

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Once for the key."""
        self._books.do(request.key, f"replacement for {request.exchange_id or request.claim_id}")
        return ReplacementShipment({"shipment": request.key})
