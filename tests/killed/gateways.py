"""Ports that store requests in a file, so that they outlive the process that calls them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from rma import (
    CancelShipmentRequest,
    ChargeDeclined,
    ChargeOutcome,
    ChargeRequest,
    ChargeSucceeded,
    CreditRequest,
    Gateway,
    OutOfStock,
    PayoutRequest,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReplacementRequest,
    ReplacementShipment,
    ReserveRequest,
    RestockRequest,
    ReturnShipment,
    ReturnShipmentRequest,
    WithdrawRequest,
)


class GatewayModel:
    """A file with the requests that ports received, by key, and how often."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS requests"
                " (key TEXT PRIMARY KEY, summary TEXT NOT NULL, times INTEGER)"
            )

    def record(self, key: str, summary: str) -> None:
        """Stores the request, or counts it once more for its key."""
        with closing(self._open()) as connection:
            connection.execute(
                "INSERT INTO requests VALUES (?, ?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1",
                (key, summary),
            )

    def done(self) -> dict[str, str]:
        """Returns what a gateway that is idempotent did, by key."""
        return {key: summary for key, summary, _ in self._requests()}

    def times(self) -> dict[str, int]:
        """Returns how often a gateway that ignores keys did it, by key."""
        return {key: times for key, _, times in self._requests()}

    def _requests(self) -> list[tuple[str, str, int]]:
        with closing(self._open()) as connection:
            return connection.execute("SELECT key, summary, times FROM requests ORDER BY key").fetchall()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        connection.execute("PRAGMA synchronous = OFF")  # it outlives processes, not a power failure
        return connection


#: What a gateway declines: refunds of this payment, payouts of this amount in minor units, and the first
#: charge to this hold. Its answer depends on the request alone, as that of a gateway that knows its keys.
CLOSED_CARD, CLOSED_ACCOUNT, EMPTY_HOLD = "closed_card", 500, "auth_empty"
#: The variant of which there is none.
GONE = "v_gone"


class StoredMoney:
    """Payments, store credit, payouts and holds at one gateway, idempotent or not."""

    def __init__(self, gateway_model: GatewayModel, gateway: Gateway) -> None:
        self._gateway_model = gateway_model
        self.gateway = gateway

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Succeeds, unless the card is closed."""
        self._gateway_model.record(request.key, f"refund {request.amount} of {request.payment_id}")
        if request.payment_id == CLOSED_CARD:
            return RefundDeclined("card_closed")
        return RefundSucceeded(f"re_{request.key}")

    def give(self, request: CreditRequest) -> RefundOutcome:
        """Always succeeds."""
        self._gateway_model.record(request.key, f"credit {request.total} for {request.customer_id}")
        return RefundSucceeded(f"credit_{request.key}")

    def pay(self, request: PayoutRequest) -> RefundOutcome:
        """Succeeds, unless the account is closed."""
        self._gateway_model.record(request.key, f"payout {request.amount}")
        if request.amount.amount == CLOSED_ACCOUNT:
            return RefundDeclined("account_closed")
        return RefundSucceeded(f"payout_{request.key}")

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Succeeds, except the first charge to one hold."""
        self._gateway_model.record(request.key, f"charge {request.amount} to {request.hold.reference}")
        if request.hold.reference == EMPTY_HOLD and request.key.endswith("-charge-1"):
            return ChargeDeclined("insufficient_funds")
        return ChargeSucceeded(f"ch_{request.key}")

    def release(self, request: ReleaseRequest) -> None:
        """Gives the hold back, once for each key."""
        self._gateway_model.record(request.key, f"release of {request.hold.reference}")


class StoredInventory:
    """Stock that is restocked, withdrawn and reserved once for each key."""

    def __init__(self, gateway_model: GatewayModel) -> None:
        self._gateway_model = gateway_model

    def restock(self, request: RestockRequest) -> None:
        """Adds the units, once for each key."""
        self._gateway_model.record(
            request.key, f"restock {[(line.item_id, line.quantity) for line in request.lines]}"
        )

    def withdraw(self, request: WithdrawRequest) -> None:
        """Removes the units, once for each key."""
        self._gateway_model.record(
            request.key, f"withdraw {[(line.item_id, line.quantity) for line in request.lines]}"
        )

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        """Keeps the units, once for each key; there is none of one variant."""
        variants = [(line.variant_id, line.quantity) for line in request.lines]
        self._gateway_model.record(request.key, f"reserve {variants}")
        return OutOfStock() if any(variant_id == GONE for variant_id, _ in variants) else None

    def release_reservation(self, request: ReleaseReservationRequest) -> None:
        """Keeps the units no longer, once for each key."""
        self._gateway_model.record(request.key, f"unreserve {request.reserve_key}")


class StoredFulfillment:
    """A carrier that books once for each key."""

    def __init__(self, gateway_model: GatewayModel) -> None:
        self._gateway_model = gateway_model

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        """Books a return label, once for each key."""
        self._gateway_model.record(request.key, f"label for {request.return_id}")
        return ReturnShipment({"shipment": request.key})

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        """Cancels a return label, once for each key."""
        self._gateway_model.record(request.key, f"cancel {request.shipment_key}")

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment:
        """Ships a replacement, once for each key."""
        self._gateway_model.record(request.key, f"replacement for {request.exchange_id or request.claim_id}")
        return ReplacementShipment({"shipment": request.key})
