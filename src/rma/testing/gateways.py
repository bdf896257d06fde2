"""A payment gateway of each class, in memory: it keeps exactly what it declares."""

from collections import Counter
from datetime import datetime
from typing import cast

from rma.adapters.memory import InMemoryHolds, InMemoryPayments, KeyReusedError
from rma.domain.messages.advance import ChargeOutcome, ChargeRequest
from rma.domain.messages.effects import (
    CreditRequest,
    MoneyRequest,
    PayoutRequest,
    RefundOutcome,
    RefundRequest,
    RefundSucceeded,
)
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
        moved: what it was asked for, by key.
    """

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        super().__init__()
        self.gateway = gateway
        self.executions: Counter[str] = Counter()
        self.moved: dict[str, MoneyRequest] = {}
        self._clock = clock
        self._known_since: dict[str, datetime] = {}

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """The first answer to this key, if it is remembered; else the refund is made."""
        return self.move(request)

    def move(self, request: MoneyRequest) -> RefundOutcome:
        """The same for any request that moves money."""
        key = request.key
        with self._lock:
            if self.moved.setdefault(key, request) != request:
                raise KeyReusedError(f"{key} is the key of {self.moved[key]}, not for {request}")
            if isinstance(request, RefundRequest):
                self.refunds[key] = request
            if not self._remembers(key):
                self._known_since[key] = self._clock()
                self._outcomes[key] = self._answered(request)
                self.executions[key] += 1
            return self._outcomes[key]

    def refunds_made(self, key: str) -> int:
        """How many refunds it really made under this key."""
        return self.executions[key]

    def _answered(self, request: MoneyRequest) -> RefundOutcome:
        return (
            self.answer(request)
            if isinstance(request, RefundRequest)
            else RefundSucceeded(f"re_{request.key}")
        )

    def _remembers(self, key: str) -> bool:
        if key not in self._known_since or not isinstance(self.gateway, Idempotent):
            return False
        window = self.gateway.key_lifetime
        return window is None or self._clock() < self._known_since[key] + window


class SearchableSimulatedPayments(SimulatedPayments):
    """A gateway that can be searched for a key."""

    def find_refund(self, request: MoneyRequest) -> RefundOutcome | None:
        """What it answered last; None for a key it never received."""
        return self._outcomes.get(request.key)


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


class SimulatedCredits:
    """Store credit at a gateway that keeps what it declares; `gateway_inside` is it."""

    def __init__(self, gateway_inside: SimulatedPayments) -> None:
        self.gateway_inside = gateway_inside
        self.gateway = gateway_inside.gateway

    def give(self, request: CreditRequest) -> RefundOutcome:
        """As the gateway answers."""
        return self.gateway_inside.move(request)


class SearchableSimulatedCredits(SimulatedCredits):
    """The same, where a key can be searched."""

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """As the gateway finds it."""
        return cast("SearchableSimulatedPayments", self.gateway_inside).find_refund(request)


class SimulatedPayouts:
    """Payouts at a gateway that keeps what it declares; `gateway_inside` is it."""

    def __init__(self, gateway_inside: SimulatedPayments) -> None:
        self.gateway_inside = gateway_inside
        self.gateway = gateway_inside.gateway

    def pay(self, request: PayoutRequest) -> RefundOutcome:
        """As the gateway answers."""
        return self.gateway_inside.move(request)


class SearchableSimulatedPayouts(SimulatedPayouts):
    """The same, where a key can be searched."""

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """As the gateway finds it."""
        return cast("SearchableSimulatedPayments", self.gateway_inside).find_refund(request)


def simulated_credits(gateway: Gateway, clock: Clock) -> SimulatedCredits:
    """Store credit at a gateway of this class; it can be searched unless it is `NotIdempotent`."""
    inside = simulated_payments(gateway, clock)
    is_searchable = isinstance(inside, SearchableSimulatedPayments)
    return SearchableSimulatedCredits(inside) if is_searchable else SimulatedCredits(inside)


def simulated_payouts(gateway: Gateway, clock: Clock) -> SimulatedPayouts:
    """Payouts at a gateway of this class; it can be searched unless it is `NotIdempotent`."""
    inside = simulated_payments(gateway, clock)
    is_searchable = isinstance(inside, SearchableSimulatedPayments)
    return SearchableSimulatedPayouts(inside) if is_searchable else SimulatedPayouts(inside)
