"""In memory: holds, and an inventory that keeps new goods until they are sent."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping

from rma.adapters.memory_keys import is_new
from rma.domain.messages.advance import (
    ChargeOutcome,
    ChargeRequest,
    ChargeSucceeded,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
)


class InMemoryHolds:
    """
    A gateway of holds that keeps the first answer for each key.

    Args:
        answer: returns the outcome of a charge with a new key, or raises, like a gateway that cannot be
            reached. By default every charge succeeds.
    """

    def __init__(self, answer: Callable[[ChargeRequest], ChargeOutcome] | None = None) -> None:
        self.charges: dict[str, ChargeRequest] = {}
        self.releases: dict[str, ReleaseRequest] = {}
        self.answer = answer or (lambda request: ChargeSucceeded(reference=f"ch_{request.key}"))
        self._outcomes: dict[str, ChargeOutcome] = {}
        self._lock = threading.RLock()  # `answer` may call `charge` again

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """Returns the first answer for this key."""
        with self._lock:
            if is_new(self.charges, request.key, request):
                self._outcomes[request.key] = self.answer(request)
                self.charges[request.key] = request
            return self._outcomes[request.key]

    def release(self, request: ReleaseRequest) -> None:
        """Gives the hold back, once for each key."""
        with self._lock:
            if is_new(self.releases, request.key, request):
                self.releases[request.key] = request


class InMemoryReservations:
    """
    Keeps new goods: mixed into an inventory, it makes one that reserves.

    Args:
        available: how many units of each variant there are; of one that is not named, enough.
    """

    def __init__(self, available: Mapping[str, int] | None = None) -> None:
        super().__init__()
        self.available: dict[str, int] = dict(available or {})
        self.reservations: dict[str, ReserveRequest] = {}
        self.releases: dict[str, ReleaseReservationRequest] = {}
        self._refused: dict[str, OutOfStock] = {}
        self._reserving = threading.Lock()

    @property
    def reserved(self) -> Counter[str]:
        """Units that are kept now, by variant."""
        released = {request.reserve_key for request in self.releases.values()}
        found: Counter[str] = Counter()
        for key, request in self.reservations.items():
            if key not in released and key not in self._refused:
                found.update({line.variant_id: line.quantity for line in request.lines})
        return found

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        """Keeps the units if there are enough; a repeated key gets the same answer."""
        with self._reserving:
            if is_new(self.reservations, request.key, request):
                kept = self.reserved
                for line in request.lines:
                    left = self.available.get(line.variant_id, kept[line.variant_id] + line.quantity)
                    if kept[line.variant_id] + line.quantity > left:
                        self._refused[request.key] = OutOfStock(f"no {line.variant_id}")
                self.reservations[request.key] = request
            return self._refused.get(request.key)

    def release_reservation(self, request: ReleaseReservationRequest) -> None:
        """Keeps the units no longer, once for each key."""
        with self._reserving:
            if is_new(self.releases, request.key, request):
                self.releases[request.key] = request
