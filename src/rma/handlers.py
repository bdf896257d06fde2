"""
One handler a command. Every handler does the same, in this order.

Load the ledger; answer a repeat; gather facts; decide; commit; deliver. Nothing is asked of a port while
anything is open, and nothing here knows a rule about returns: an `if` about them would be in the wrong
room. What differs between commands is which ledger they are about and which facts they need.
"""

from collections.abc import Callable
from typing import TypeVar

from attrs import frozen

from rma.committing import committed
from rma.delivery import Delivery
from rma.domain.change import Change, change, unchanged
from rma.domain.commands import (
    CancelReturn,
    Command,
    ReceiveReturn,
    RecordRefundOutcome,
    RequestReturn,
    RetryRefund,
)
from rma.domain.decide import answer
from rma.domain.errors import NotFound
from rma.domain.facts import Facts
from rma.domain.ledger import ReturnLedger
from rma.domain.policy import ReturnPolicy
from rma.domain.returns import Return
from rma.ports import (
    Clock,
    Ids,
    OrderRepository,
    Policies,
    ReturnReasonRepository,
    ReturnRepository,
    ShippingOptionRepository,
)

T = TypeVar("T")


@frozen
class RequestReturnHandler:
    """Handles `RequestReturn`."""

    returns: ReturnRepository
    orders: OrderRepository
    shipping_options: ShippingOptionRepository
    return_reasons: ReturnReasonRepository
    policies: Policies
    clock: Clock
    ids: Ids
    delivery: Delivery

    def __call__(self, command: RequestReturn) -> Return:
        """
        The return, opened now or under this idempotency key before.

        Raises:
            Rejected: with everything that is wrong; nothing changed.
            Unavailable: a repository failed; nothing changed.
        """
        fresh_id = self.ids()
        return carry_out(
            command,
            load=lambda: self.returns.load(known_id(command.order_id)),
            gather=lambda _: self.facts(command, fresh_id),
            deliver=self.delivery,
        )

    def facts(self, command: RequestReturn, fresh_id: str) -> Facts:
        """Everything that deciding about this request needs to know."""
        option_id = command.shipping_option_id
        order = found(self.orders.get, command.order_id)
        return Facts(
            at=self.clock(),
            order=order,
            fresh_id=fresh_id,
            reasons=self.return_reasons.list(),
            shipping_option=None if option_id is None else found(self.shipping_options.get, option_id),
            policy=ReturnPolicy() if order is None else self.policies(order),
            books_shipments=self.delivery.fulfillment is not None,
        )


@frozen
class ReceiveReturnHandler:
    """Handles `ReceiveReturn`."""

    returns: ReturnRepository
    orders: OrderRepository
    clock: Clock
    delivery: Delivery

    def __call__(self, command: ReceiveReturn) -> Return:
        """
        The return with these goods booked, and paid as far as they are what was requested.

        Raises:
            Rejected: with everything that is wrong; nothing changed.
            Unavailable: a repository failed; nothing changed.
        """
        return carry_out(
            command,
            load=lambda: ledger_of(self.returns, command.return_id),
            gather=lambda ledger: Facts(at=self.clock(), order=found(self.orders.get, ledger.order_id)),
            deliver=self.delivery,
        )


@frozen
class CancelReturnHandler:
    """Handles `CancelReturn`."""

    returns: ReturnRepository
    clock: Clock
    delivery: Delivery

    def __call__(self, command: CancelReturn) -> Return:
        """
        The return, called off now or before.

        Raises:
            Rejected: it was received or paid for; nothing changed.
            Unavailable: a repository failed; nothing changed.
        """
        return carry_out(
            command,
            load=lambda: ledger_of(self.returns, command.return_id),
            gather=lambda _: Facts(at=self.clock()),
            deliver=self.delivery,
        )


@frozen
class RetryRefundHandler:
    """Handles `RetryRefund`."""

    returns: ReturnRepository
    orders: OrderRepository
    clock: Clock
    delivery: Delivery

    def __call__(self, command: RetryRefund) -> Return:
        """
        The return with what was due asked for again.

        Raises:
            Rejected: nothing is due, or it is still more than can be refunded; nothing changed.
            Unavailable: a repository failed; nothing changed.
        """
        return carry_out(
            command,
            load=lambda: ledger_of(self.returns, command.return_id),
            gather=lambda ledger: Facts(at=self.clock(), order=found(self.orders.get, ledger.order_id)),
            deliver=self.delivery,
        )


@frozen
class RecordRefundOutcomeHandler:
    """Handles `RecordRefundOutcome`."""

    returns: ReturnRepository
    clock: Clock
    delivery: Delivery

    def __call__(self, command: RecordRefundOutcome) -> Return:
        """
        The return with what is known of its refund now.

        Raises:
            Rejected: there is no such refund; nothing changed.
            Unavailable: a repository failed; nothing changed.
        """
        return carry_out(
            command,
            load=lambda: ledger_of(self.returns, command.target_id),
            gather=lambda _: Facts(at=self.clock()),
            deliver=self.delivery,
        )


def carry_out(
    command: Command,
    *,
    load: Callable[[], ReturnLedger],
    gather: Callable[[ReturnLedger], Facts],
    deliver: Delivery,
) -> Return:
    """
    The return that the command is about, after it was done, now or before.

    A command that loses a race is answered or decided again on the new state, so callers never see a
    conflict that a second look would solve.

    Raises:
        Rejected: the command can not be done.
        StaleLedger: others were faster too often.
    """

    def make() -> Change:
        ledger = load()
        if answer(ledger, command) is not None:
            return unchanged(ledger)
        return change(gather(ledger), ledger, command)

    made = committed(deliver.returns, make)
    return_id = answer(made.ledger, command) or made.subject_of(command)
    return deliver(made.ledger, return_id).get(return_id)


def ledger_of(returns: ReturnRepository, return_id: str) -> ReturnLedger:
    """
    The ledger that holds this return; an empty one, of no order, for a return that nobody knows.

    Decide then says that it is not there, with everything else that is wrong.
    """
    return found(returns.load_by_return, return_id) or ReturnLedger("")


def known_id(wanted_id: object) -> str:
    """The id, if it is one; repositories are never asked for anything but texts."""
    return wanted_id if isinstance(wanted_id, str) else ""


def found(get: Callable[[str], T], wanted_id: str) -> T | None:
    """What the repository has under this id; None where it has nothing, for `decide` to judge."""
    try:
        return get(wanted_id) if known_id(wanted_id) else None
    except NotFound:
        return None
