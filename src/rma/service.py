"""The one object that most hosts construct."""

import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import assert_never

from attrs import field, frozen

from rma.delivery import Delivery
from rma.domain.commands import (
    CancelReturn,
    Command,
    ReceiveReturn,
    RecordRefundOutcome,
    RequestReturn,
    RetryRefund,
)
from rma.domain.decide.request import request_return
from rma.domain.errors import NotFound
from rma.domain.events import Event
from rma.domain.facts import Facts
from rma.domain.offers import ReturnReason, ShippingOption
from rma.domain.policy import ReturnPolicy
from rma.domain.query import ReturnQuery
from rma.domain.returns import Return, ReturnStatus
from rma.domain.views import (
    OrderState,
    Quote,
    ReturnableItem,
    order_state,
    quote_of,
    returnable_items,
)
from rma.handlers import (
    CancelReturnHandler,
    ReceiveReturnHandler,
    RecordRefundOutcomeHandler,
    RequestReturnHandler,
    RetryRefundHandler,
    known_id,
    ledger_of,
)
from rma.ports import (
    Clock,
    EventPublisher,
    Fulfillment,
    Ids,
    Inventory,
    OrderRepository,
    Payments,
    Policies,
    ReturnReasonRepository,
    ReturnRepository,
    ShippingOptionRepository,
)

#: How many orders `resume` asks for at a time.
_BATCH = 100

#: How many returns of all orders `list` shows unless told.
_PAGE = 100

_log = logging.getLogger("rma")


class _NoShippingOptions:
    """A host that ships nothing back."""

    def get(self, option_id: str) -> ShippingOption:
        raise NotFound("shipping_option_not_found", {"shipping_option_id": option_id})


class _NoReturnReasons:
    """A host that asks for no reasons."""

    def list(self) -> tuple[ReturnReason, ...]:
        return ()


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def random_id() -> str:
    """32 random hexadecimal digits."""
    return uuid.uuid4().hex


def as_policies(policies: Policies | ReturnPolicy) -> Policies:
    """The same policy for every order, where one is given instead of a callable."""
    return (lambda _: policies) if isinstance(policies, ReturnPolicy) else policies


@frozen(kw_only=True)
class Resumed:
    """
    What `resume` found and left.

    Attributes:
        orders: ids of the orders that had something outstanding.
        still_open: those of them that have it still; the next `resume` tries again.
    """

    orders: tuple[str, ...]
    still_open: tuple[str, ...]


@frozen(kw_only=True)
class ReturnService:
    """
    Returns over the host's ports.

    Args:
        orders, returns, inventory, payments: required.
        fulfillment: books return shipments; without it no shipping option can be asked for.
        shipping_options, return_reasons: what may be chosen; nothing unless given.
        policies: callable from an order to its `ReturnPolicy`, or one policy for all.
        events: where events are published, at least once each; nowhere unless given.
        clock: callable, the present moment, aware; UTC.
        ids: callable, a text never given before; random.
    """

    orders: OrderRepository
    returns: ReturnRepository
    inventory: Inventory
    payments: Payments
    fulfillment: Fulfillment | None = None
    shipping_options: ShippingOptionRepository = field(factory=_NoShippingOptions)
    return_reasons: ReturnReasonRepository = field(factory=_NoReturnReasons)
    policies: Policies = field(factory=ReturnPolicy, converter=as_policies)  # type: ignore[assignment] # converted
    events: EventPublisher | None = None
    clock: Clock = utc_now
    ids: Ids = random_id

    def handle(self, command: Command) -> Return:
        """
        The return after the command was done, its effects delivered as far as the ports answered.

        A port that fails after the commit does not fail the command: what is outstanding stays in the
        ledger and goes out with the next `resume`.

        Raises:
            Rejected: `NotFound`, `NotAllowed`, `Invalid` or `IdempotencyKeyReused`, with every violation;
                nothing changed.
            Unavailable: a repository failed; nothing changed, unless the answer to the commit was lost:
                repeat the command under its idempotency key.
            StaleLedger: others changed the order's returns again and again; nothing changed.
        """
        match command:
            case RequestReturn():
                return self._request_return(command)
            case ReceiveReturn():
                return ReceiveReturnHandler(self.returns, self.orders, self.clock, self._delivery)(command)
            case CancelReturn():
                return CancelReturnHandler(self.returns, self.clock, self._delivery)(command)
            case RetryRefund():
                return RetryRefundHandler(self.returns, self.orders, self.clock, self._delivery)(command)
            case RecordRefundOutcome():
                return RecordRefundOutcomeHandler(self.returns, self.clock, self._delivery)(command)
            case _:
                assert_never(command)

    def quote(self, command: RequestReturn) -> Quote:
        """
        What this return would be worth now, and why; nothing is done, and keys are not looked at.

        Raises:
            Rejected: as the command itself would be.
        """
        facts = self._request_return.facts(command, fresh_id="quote")
        ledger = self.returns.load(known_id(command.order_id))
        (event,) = request_return(facts, ledger, command)
        return quote_of(event.opened)

    def returnable_items(self, order_id: str) -> tuple[ReturnableItem, ...]:
        """
        Every line of the order with how many of its units can come back now, and why not more.

        Raises:
            NotFound: there is no such order.
        """
        order = self.orders.get(order_id)
        facts = Facts(at=self.clock(), order=order, policy=self.policies(order))
        return returnable_items(order, self.returns.load(order_id), facts.policy, facts.at)

    def get(self, return_id: str) -> Return:
        """
        The return of this id.

        Raises:
            NotFound: there is none.
        """
        return ledger_of(self.returns, return_id).get(return_id)

    def list(
        self,
        order_id: str | None = None,
        *,
        status: ReturnStatus | str | None = None,
        needs_attention: bool = False,
        requested_since: datetime | None = None,
        requested_before: datetime | None = None,
        after: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> tuple[Return, ...]:
        """
        Returns of an order, or of all orders a page at a time, in the order in which they were requested.

        Args:
            order_id: of this order only; none for an order that is not known.
            status: as they stand now; its spelling will do.
            needs_attention: only those that go no further without a person.
            requested_since: aware; requested then or later.
            requested_before: aware; requested earlier.
            after: the id of the last return of the page before.
            limit: at most this many; unless given 100, or all of an order.
            newest_first: the latest request comes first, and `after` goes back in time.

        Raises:
            InvalidValue: a status that does not exist, a moment without time zone, a limit below 1.
            NotFound: there is no return `after`.
            Unavailable: the store can not tell now.
        """
        return self.returns.find(
            ReturnQuery(
                order_id=order_id,
                status=status,
                needs_attention=needs_attention,
                requested_since=requested_since,
                requested_before=requested_before,
                after=after,
                limit=_PAGE if limit is None and order_id is None else limit,
                newest_first=newest_first,
            )
        )

    def history(self, order_id: str) -> tuple[Event, ...]:
        """What happened to the returns of an order, oldest first."""
        return self.returns.history(order_id)

    def order_state(self, order_id: str) -> OrderState:
        """
        How the order stands with its returns counted in.

        Raises:
            NotFound: there is no such order.
        """
        return order_state(self.orders.get(order_id), self.returns.load(order_id))

    def resume(self, return_id: str | None = None) -> Resumed:
        """
        Deliver whatever is outstanding and due, of one return or of all. Run it on a timer.

        Raises:
            NotFound: there is no such return.
            Unavailable: the store can not say what is outstanding.
        """
        if return_id is not None:
            ledger = ledger_of(self.returns, return_id)
            orders = (ledger.get(return_id).order_id,)
            ledger = self._delivery(ledger, return_id)
            is_open = any(each.request.return_id == return_id for each in ledger.open_effects.values())
            return Resumed(orders=orders, still_open=orders if is_open else ())
        still_open: dict[str, bool] = {}
        while batch := self._outstanding(besides=still_open):
            for order_id in batch:
                try:
                    ledger = self._delivery(self.returns.load(order_id))
                except Exception:  # one ledger that can not be read does not hold up the others
                    _log.warning("order %s: not resumed, again later", order_id, exc_info=True)
                    still_open[order_id] = True
                else:
                    behind = self.events is not None and ledger.published < ledger.revision
                    still_open[order_id] = bool(ledger.open_effects) or behind
        return Resumed(
            orders=tuple(still_open),
            still_open=tuple([order_id for order_id, is_open in still_open.items() if is_open]),
        )

    def _outstanding(self, besides: Mapping[str, bool]) -> tuple[str, ...]:
        # Orders whose ports still fail stay in front, so each batch reaches beyond those already tried.
        now, limit = self.clock(), len(besides) + _BATCH
        if self.events is None:
            found_now = self.returns.outstanding(now, limit)
        else:
            found_now = self.returns.outstanding(now, limit, unpublished=True)
        return tuple([order_id for order_id in found_now if order_id not in besides])

    @property
    def _delivery(self) -> Delivery:
        return Delivery(
            self.returns, self.payments, self.inventory, self.fulfillment, self.events, self.clock
        )

    @property
    def _request_return(self) -> RequestReturnHandler:
        return RequestReturnHandler(
            self.returns,
            self.orders,
            self.shipping_options,
            self.return_reasons,
            self.policies,
            self.clock,
            self.ids,
            self._delivery,
        )
