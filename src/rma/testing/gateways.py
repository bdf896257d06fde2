"""A payment gateway of each class, in memory: it keeps exactly what it declares."""

from collections import Counter
from datetime import datetime

from rma.adapters.memory import InMemoryHolds, InMemoryPayments, KeyReusedError
from rma.domain.messages.advance import ChargeOutcome, ChargeRequest
from rma.domain.messages.effects import RefundOutcome, RefundRequest
from rma.domain.messages.gateways import Gateway, Idempotent, NotIdempotent
from rma.ports import Clock


class SimulatedPayments(InMemoryPayments):
    """
    A gateway that knows a key for as long as it declares: what it forgot, it refunds again.

    Args:
        gateway: what it declares, and is.
        clock: by which it forgets.

    Attributes:
        executions: how many refunds it really made, by key.
    """

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        super().__init__()
        self.gateway = gateway
        self.executions: Counter[str] = Counter()
        self._clock = clock
        self._known_since: dict[str, datetime] = {}

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """The first answer to this key, if it is remembered; else the refund is made."""
        key = request.key
        with self._lock:
            if self.refunds.setdefault(key, request) != request:
                raise KeyReusedError(f"{key} is the key of {self.refunds[key]}, not for {request}")
            if not self._remembers(key):
                self._known_since[key] = self._clock()
                self._outcomes[key] = self.answer(request)
                self.executions[key] += 1
            return self._outcomes[key]

    def refunds_made(self, key: str) -> int:
        """How many refunds it really made under this key."""
        return self.executions[key]

    def _remembers(self, key: str) -> bool:
        if key not in self._known_since or not isinstance(self.gateway, Idempotent):
            return False
        window = self.gateway.key_lifetime
        return window is None or self._clock() < self._known_since[key] + window


class SearchableSimulatedPayments(SimulatedPayments):
    """A gateway that can be searched for a key."""

    def find_refund(self, key: str) -> RefundOutcome | None:
        """What it answered last; None for a key it never received."""
        return self._outcomes.get(key)


class SimulatedHolds(InMemoryHolds):
    """
    A gateway of holds that keeps exactly what it declares, as `SimulatedPayments` does.

    Attributes:
        executions: how many charges it really made, by key.
    """

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self.gateway = gateway
        self.executions: Counter[str] = Counter()

    def charge(self, request: ChargeRequest) -> ChargeOutcome:
        """The first answer to this key, if keys are known; else the charge is made."""
        with self._lock:
            if self.charges.setdefault(request.key, request) != request:
                raise KeyReusedError(f"{request.key} is the key of another request, not for {request}")
            if request.key not in self._outcomes or not isinstance(self.gateway, Idempotent):
                self._outcomes[request.key] = self.answer(request)
                self.executions[request.key] += 1
            return self._outcomes[request.key]


class SearchableSimulatedHolds(SimulatedHolds):
    """A gateway that can be searched for a key."""

    def find_charge(self, key: str) -> ChargeOutcome | None:
        """What it answered last; None for a key it never received."""
        return self._outcomes.get(key)


def simulated_holds(gateway: Gateway) -> SimulatedHolds:
    """A gateway of this class; it can be searched unless it is `NotIdempotent`."""
    kind = SimulatedHolds if isinstance(gateway, NotIdempotent) else SearchableSimulatedHolds
    return kind(gateway)


def simulated_payments(gateway: Gateway, clock: Clock) -> SimulatedPayments:
    """A gateway of this class; it can be searched unless it is `NotIdempotent`."""
    kind = SimulatedPayments if isinstance(gateway, NotIdempotent) else SearchableSimulatedPayments
    return kind(gateway, clock)
