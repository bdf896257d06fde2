"""
Ways to build it that look right as long as nothing fails.

Each is a process as it would be, made of the shipped one by standing between it and its ports.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from attrs import Factory, evolve, fields, frozen

from rma import (
    CancelShipmentRequest,
    Change,
    Disposal,
    DisposeRequest,
    Event,
    Exchange,
    Fulfillment,
    Inventory,
    Order,
    OrderRepository,
    OutOfStock,
    Payments,
    RecordRefundOutcome,
    RefundAnswer,
    RefundDeclined,
    RefundPending,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    ReleaseReservationRequest,
    ReplacementRequest,
    ReplacementShipment,
    Reservations,
    ReserveRequest,
    RestockRequest,
    ReturnLedger,
    ReturnQuery,
    ReturnRepository,
    ReturnService,
    ReturnShipment,
    ReturnShipmentRequest,
    Subject,
    UnreadableSubject,
    WithdrawRequest,
)
from rma.domain.messages.effects import owner_of
from tests.testing.environment import Environment


@frozen
class Returns:
    """A repository as it is; the wrong ones commit otherwise."""

    port: ReturnRepository

    def load(self, order_id: str) -> ReturnLedger:
        """As it is."""
        return self.port.load(order_id)

    def load_by_return(self, return_id: str) -> ReturnLedger:
        """As it is."""
        return self.port.load_by_return(return_id)

    def commit(self, change: Change) -> None:
        """As it is."""
        self.port.commit(change)

    def outstanding(self, now: datetime, limit: int, *, unpublished: bool = False) -> Iterable[str]:
        """As it is."""
        return self.port.outstanding(now, limit, unpublished=unpublished)

    def waiting(self, before: datetime, limit: int) -> Iterable[str]:
        """As it is."""
        return self.port.waiting(before, limit)

    def find(self, query: ReturnQuery) -> tuple[Subject | UnreadableSubject, ...]:
        """As it is."""
        return self.port.find(query)

    def count(self, query: ReturnQuery) -> int:
        """As it is."""
        return self.port.count(query)

    def history(self, order_id: str) -> tuple[Event, ...]:
        """As it is."""
        return self.port.history(order_id)


@frozen
class _PaysFirst(Returns):
    payments: Payments

    def commit(self, change: Change) -> None:
        for effect in change.effects:
            if isinstance(effect, RefundRequest):
                self.payments.refund(effect)
        self.port.commit(change)


def pays_before_it_commits(service: ReturnService, environment: Environment) -> ReturnService:
    """The refund is made while the transaction is open: a process that dies then has paid for nothing."""
    return evolve(service, returns=_PaysFirst(service.returns, service.payments))


@frozen
class _WritesTwice(Returns):
    def commit(self, change: Change) -> None:
        if change.effects:
            before = self.port.load(change.order_id).open_effects
            facts = evolve(change.ledger, open_effects=before)
            self.port.commit(evolve(change, ledger=facts))
            change = evolve(change, expected_revision=facts.revision)
        self.port.commit(change)


def writes_the_journal_in_a_later_commit(service: ReturnService, environment: Environment) -> ReturnService:
    """First what happened, then what is to be done about it: a process that dies between forgets to do it."""
    return evolve(service, returns=_WritesTwice(service.returns))


@frozen
class _FreshKeys:
    port: Payments
    environment: Environment

    def refund(self, request: RefundRequest) -> RefundAnswer:
        attempt = self.environment.attempts.get(request.key, 0) + 1
        self.environment.attempts[request.key] = attempt
        key = request.key if attempt == 1 else f"{request.key}#{attempt}"
        return self.port.refund(evolve(request, key=key))


def draws_a_fresh_key_for_each_attempt(service: ReturnService, environment: Environment) -> ReturnService:
    """The gateway cannot know that it is the same refund, and makes it again."""
    return evolve(service, payments=_FreshKeys(service.payments, environment))


@frozen
class _Hasty:
    port: Payments

    def refund(self, request: RefundRequest) -> RefundAnswer:
        try:
            return self.port.refund(request)
        except Exception as error:
            return RefundDeclined("timeout", str(error))


def takes_a_time_out_for_a_refusal(service: ReturnService, environment: Environment) -> ReturnService:
    """What may have been paid counts as not paid, and is paid under the next key."""
    return evolve(service, payments=_Hasty(service.payments))


@frozen
class _ForgetfulPayments:
    port: Payments

    def refund(self, request: RefundRequest) -> RefundAnswer:
        try:
            return self.port.refund(request)
        except Exception:
            return RefundPending()


def forgets_refunds_that_fail(service: ReturnService, environment: Environment) -> ReturnService:
    """The row of the journal is removed whatever the gateway said: it is not tried again."""
    return evolve(service, payments=_ForgetfulPayments(service.payments))


@frozen
class _ForgetfulInventory:
    port: Inventory

    def restock(self, request: RestockRequest) -> None:
        try:
            self.port.restock(request)
        except Exception:
            return

    def withdraw(self, request: WithdrawRequest) -> None:
        self.port.withdraw(request)

    def dispose(self, request: DisposeRequest) -> None:
        cast("Disposal", self.port).dispose(request)

    def reserve(self, request: ReserveRequest) -> OutOfStock | None:
        return cast("Reservations", self.port).reserve(request)

    def release_reservation(self, request: ReleaseReservationRequest) -> None:
        cast("Reservations", self.port).release_reservation(request)


def forgets_restocks_that_fail(service: ReturnService, environment: Environment) -> ReturnService:
    """The row of the journal is removed whatever the stock said: goods are missing for ever."""
    return evolve(service, inventory=_ForgetfulInventory(service.inventory))


@frozen
class _SaysItIsKeyed:
    port: Payments

    def refund(self, request: RefundRequest) -> RefundAnswer:
        return self.port.refund(request)


def leases_nothing(service: ReturnService, environment: Environment) -> ReturnService:
    """A gateway that knows no keys is treated as if it did: a repeat pays again."""
    return evolve(service, payments=_SaysItIsKeyed(service.payments))


def delivers_in_a_transaction_of_the_host(service: ReturnService, environment: Environment) -> ReturnService:
    """A wrapper hides that the ledgers are the host's to commit: it may roll back what was paid for."""
    return evolve(service, returns=Returns(service.returns))


@frozen
class _RememberedOrders:
    port: OrderRepository
    known: dict[str, Order] = Factory(dict)

    def get(self, order_id: str) -> Order:
        if order_id not in self.known:
            self.known[order_id] = self.port.get(order_id)
        return self.known[order_id]


def reads_each_order_once(service: ReturnService) -> ReturnService:
    """Orders are cached: that a payment was charged back meanwhile is not seen when a refund leaves late."""
    return evolve(service, orders=_RememberedOrders(service.orders))


class _Believing(ReturnService):
    def handle(self, command: Any, *, deliver: bool = True) -> Any:  # for every command
        if isinstance(command, RecordRefundOutcome) and isinstance(command.outcome, RefundSucceeded):
            subject_id = owner_of(command.key or "")
            subject = self.returns.load_by_return(subject_id).subject(subject_id)
            refunds = () if isinstance(subject, Exchange) else subject.refunds
            if any(each.key == command.key and each.status is RefundStatus.FAILED for each in refunds):
                return subject
        return super().handle(command, deliver=deliver)


def believes_the_first_notice(service: ReturnService) -> ReturnService:
    """A final outcome is final: that the gateway made the refund after all is dropped."""
    return _Believing(**{each.name: getattr(service, each.name) for each in fields(ReturnService)})


@frozen
class _SaysItKnowsKeys:
    port: Fulfillment

    def book_return(self, request: ReturnShipmentRequest) -> ReturnShipment:
        return self.port.book_return(request)

    def cancel_return(self, request: CancelShipmentRequest) -> None:
        self.port.cancel_return(request)

    def ship_replacement(self, request: ReplacementRequest) -> ReplacementShipment | OutOfStock:
        return self.port.ship_replacement(request)


def buys_labels_again(service: ReturnService) -> ReturnService:
    """A carrier that knows no keys is treated as if it did: a time-out buys another label."""
    assert service.fulfillment is not None
    return evolve(service, fulfillment=_SaysItKnowsKeys(service.fulfillment))
