"""What gateways did with each refund, as known from answers of adapters and faults planned for them."""

from collections.abc import Callable

from rma.domain.messages.commands import RecordRefundOutcome
from rma.domain.messages.effects import (
    MoneyRequest,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
)
from rma.domain.sale.order import Order
from rma.testing.faults import Declines, Faults, Pends

#: What can be known of a refund at the gateway.
KnownOutcome = RefundOutcome | RefundReversed


class GatewayModel:
    """
    What a gateway did with each key: its adapter's answers, the faults it was given, its notifications.

    Args:
        faults: the plan under which the adapter is asked.
        refunds_made: how many refunds the gateway really made under a key. Without it, as many as its
            answers have different references.

    Attributes:
        requests: by key, as they reached the adapter.
        answers: everything the adapter answered, by key.
        without_room: keys of refunds that were asked for first when their payment had less left.
    """

    def __init__(self, faults: Faults, refunds_made: Callable[[str], int] | None = None) -> None:
        self.requests: dict[str, MoneyRequest] = {}
        self.answers: dict[str, list[RefundOutcome]] = {}
        self.without_room: list[str] = []
        self._faults = faults
        self._refunds_made = refunds_made
        self._notified: dict[str, KnownOutcome] = {}

    def outcome_of(self, key: str) -> KnownOutcome | None:
        """The latest outcome of this refund; None if the gateway never made it, or if that is unknown."""
        if key in self._notified:
            return self._notified[key]
        answers, fault = self.answers.get(key, ()), self._faults.responses.get(key)
        if isinstance(fault, Declines):
            return RefundDeclined(fault.code, fault.message)
        if not answers:
            return RefundSucceeded() if self.refunds_made(key) else None
        if isinstance(fault, Pends) and isinstance(answers[0], RefundSucceeded):
            return RefundPending(answers[0].reference)
        return answers[0]

    def is_unknown(self, key: str) -> bool:
        """True if the adapter raised and the gateway cannot be searched: it may have acted."""
        return key in self.requests and key not in self.answers and self._refunds_made is None

    def refunds_made(self, key: str) -> int:
        """How many refunds were made, or begun, under this key."""
        if self._refunds_made is not None:
            return self._refunds_made(key)
        moved = [
            answer
            for answer in self.answers.get(key, ())
            if isinstance(answer, RefundSucceeded | RefundPending)
        ]
        references = {answer.reference for answer in moved if answer.reference is not None}
        return max(len(references), min(len(moved), 1))

    def given_back(self, order_id: str, payment_id: str) -> int:
        """What left this payment, or may have: minor units."""
        return sum(
            request.amount.amount * self.refunds_made(key)
            for key, request in self.requests.items()
            if isinstance(request, RefundRequest)
            and (request.order_id, request.payment_id) == (order_id, payment_id)
            and isinstance(self.outcome_of(key), RefundSucceeded | RefundPending)
        )

    def given_otherwise(self, order_id: str) -> int:
        """What was given as store credit without bonus, or paid out, or may have been: minor units."""
        return sum(
            request.amount.amount * self.refunds_made(key)
            for key, request in self.requests.items()
            if not isinstance(request, RefundRequest)
            and request.order_id == order_id
            and isinstance(self.outcome_of(key), RefundSucceeded | RefundPending)
        )

    def keys_that_may_change(self) -> list[str]:
        """Keys of refunds whose outcome may still change: pending and successful ones."""
        changeable = RefundPending | RefundSucceeded
        return [key for key in self.requests if isinstance(self.outcome_of(key), changeable)]

    def record_notification(self, notification: RecordRefundOutcome) -> None:
        """The gateway sends this notification; a late one does not undo a later outcome."""
        assert notification.key is not None
        if _rank(notification.outcome) > _rank(self.outcome_of(notification.key)):
            self._notified[notification.key] = notification.outcome

    def contradict(self, key: str) -> None:
        """The gateway said that the refund failed, and now says that it succeeded: that is true."""
        self._notified[key] = RefundSucceeded()

    def record_request(self, request: MoneyRequest, order: Order) -> None:
        """The adapter is asked for this refund, of an order that looks like this to its host."""
        if request.key not in self.requests and isinstance(request, RefundRequest):
            for payment in order.payments:
                given_back = self.given_back(order.id, payment.id) + payment.refunded.amount
                if payment.id == request.payment_id and (
                    given_back + request.amount.amount > payment.captured.amount
                ):
                    self.without_room.append(request.key)
        self.requests[request.key] = request

    def search(self, key: str, found: RefundOutcome | None) -> RefundOutcome | None:
        """What a search returns in which the adapter found this."""
        outcome = self.outcome_of(key)
        if found is None or outcome is None:
            return found
        if key not in self._notified and not isinstance(self._faults.responses.get(key), Pends):
            return found
        if isinstance(outcome, RefundReversed):
            return RefundDeclined(outcome.code, outcome.message)
        return outcome


def _rank(outcome: KnownOutcome | None) -> int:
    match outcome:
        case RefundDeclined() | RefundReversed():
            return 2
        case RefundSucceeded():
            return 1
        case _:
            return 0
