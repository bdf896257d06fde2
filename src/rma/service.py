"""The one object that most hosts construct."""

import uuid
from datetime import UTC, datetime
from typing import overload

from attrs import evolve, field, frozen

from rma.domain.decide.facts import Facts
from rma.domain.events import Event
from rma.domain.messages.commands import (
    ClaimCommand,
    Command,
    ExchangeCommand,
    RefundCommand,
    RequestExchange,
    RequestReturn,
    ReturnCommand,
)
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.returns import Return
from rma.domain.values.errors import NotFound
from rma.domain.views.order_state import OrderState, order_state
from rma.domain.views.query import ReturnQuery
from rma.domain.views.quotes import ExchangeQuote, Quote
from rma.domain.views.returnable import ReturnableItem, returnable_items
from rma.domain.views.timeline import TimelineEntry, timeline
from rma.domain.views.transactions import OrderTransaction, transactions
from rma.ports import (
    Clock,
    EventPublisher,
    Fulfillment,
    IdFactory,
    Inventory,
    OrderRepository,
    Payments,
    PolicyProvider,
    ReturnReasonRepository,
    ReturnRepository,
    ShippingOptionRepository,
)
from rma.shell.driver import run
from rma.shell.handle import handled, ledger_of, quoted, recorded
from rma.shell.resume import ResumeResult, resumed

#: How many returns of all orders `list` shows unless told.
_PAGE = 100


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


def as_policy_provider(policies: PolicyProvider | ReturnPolicy) -> PolicyProvider:
    """The same policy for every order, where one is given instead of a callable."""
    return (lambda _: policies) if isinstance(policies, ReturnPolicy) else policies


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
    policies: PolicyProvider = field(factory=ReturnPolicy, converter=as_policy_provider)  # type: ignore[assignment] # converted
    events: EventPublisher | None = None
    clock: Clock = utc_now
    ids: IdFactory = random_id

    @overload
    def handle(self, command: ReturnCommand) -> Return: ...

    @overload
    def handle(self, command: ExchangeCommand) -> Exchange: ...

    @overload
    def handle(self, command: ClaimCommand) -> Claim: ...

    @overload
    def handle(self, command: RefundCommand) -> Return | Claim: ...

    @overload
    def handle(self, command: Command) -> Subject: ...

    def handle(self, command: Command) -> Subject:
        """
        The return, exchange or claim after the command was done, its effects delivered as far as the ports
        answered.

        A port that fails after the commit does not fail the command: what is outstanding stays in the
        ledger and goes out with the next `resume`.

        Raises:
            Rejected: `NotFound`, `NotAllowed`, `Invalid` or `IdempotencyKeyReused`, with every violation;
                nothing changed.
            Unavailable: a repository failed; nothing changed, unless the answer to the commit was lost:
                repeat the command under its idempotency key.
            StaleLedger: others changed the order's returns again and again; nothing changed.
        """
        return run(handled(command, self))

    @overload
    def record(self, command: ReturnCommand, *, returns: ReturnRepository | None = ...) -> Return: ...

    @overload
    def record(self, command: ExchangeCommand, *, returns: ReturnRepository | None = ...) -> Exchange: ...

    @overload
    def record(self, command: ClaimCommand, *, returns: ReturnRepository | None = ...) -> Claim: ...

    @overload
    def record(self, command: RefundCommand, *, returns: ReturnRepository | None = ...) -> Return | Claim: ...

    @overload
    def record(self, command: Command, *, returns: ReturnRepository | None = ...) -> Subject: ...

    def record(self, command: Command, *, returns: ReturnRepository | None = None) -> Subject:
        """
        What the command is about once it was decided and committed, as by `handle`; nothing is delivered yet.

        With ledgers within a transaction of the host, the command is part of it. Once it is committed,
        `resume(return_id)` delivers what the command asks for; so does the next `resume()`.

        `returns` says where the command is committed, if not where all the others are.

        Raises:
            Rejected, Unavailable, StaleLedger: as `handle`.
        """
        host = self if returns is None else evolve(self, returns=returns)
        ledger, subject_id = run(recorded(command, host))
        return ledger.subject(subject_id)

    @overload
    def quote(self, command: RequestReturn) -> Quote: ...

    @overload
    def quote(self, command: RequestExchange) -> ExchangeQuote: ...

    def quote(self, command: RequestReturn | RequestExchange) -> Quote | ExchangeQuote:
        """
        What this return or exchange would come to now, and why; nothing is done, and keys are not looked at.

        Raises:
            Rejected: as the command itself would be.
        """
        return run(quoted(command, self))

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
        return run(ledger_of(return_id, self)).get(return_id)

    def get_exchange(self, exchange_id: str) -> Exchange:
        """
        The exchange of this id.

        Raises:
            NotFound: there is none.
        """
        found = run(ledger_of(exchange_id, self)).find_exchange(exchange_id)
        if found is None:
            raise NotFound("exchange_not_found", {"exchange_id": exchange_id})
        return found

    def get_claim(self, claim_id: str) -> Claim:
        """
        The claim of this id.

        Raises:
            NotFound: there is none.
        """
        found = run(ledger_of(claim_id, self)).find_claim(claim_id)
        if found is None:
            raise NotFound("claim_not_found", {"claim_id": claim_id})
        return found

    def exchanges(self, order_id: str) -> tuple[Exchange, ...]:
        """The exchanges of an order, oldest first; none for an order that is not known."""
        return self.returns.load(order_id).exchanges

    def claims(self, order_id: str) -> tuple[Claim, ...]:
        """The claims of an order, oldest first; none for an order that is not known."""
        return self.returns.load(order_id).claims

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

    def timeline(self, order_id: str) -> tuple[TimelineEntry, ...]:
        """The history of an order in words, each amount explained by its parts; `str` tells an entry."""
        return timeline(order_id, self.returns.history(order_id))

    def transactions(self, order_id: str) -> tuple[OrderTransaction, ...]:
        """
        Refunds in force and payments for exchanges, oldest first, linked to what they were for.

        Raises:
            NotFound: there is no such order.
        """
        return transactions(self.orders.get(order_id), self.returns.load(order_id))

    def order_state(self, order_id: str) -> OrderState:
        """
        How the order stands with its returns counted in.

        Raises:
            NotFound: there is no such order.
        """
        return order_state(self.orders.get(order_id), self.returns.load(order_id))

    def resume(self, return_id: str | None = None) -> ResumeResult:
        """
        Deliver whatever is outstanding and due: of one return, exchange or claim, or all. Run it on a timer.

        Raises:
            NotFound: there is none of this id.
            Unavailable: the store can not say what is outstanding.
        """
        return run(resumed(self, return_id))
