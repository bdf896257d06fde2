"""The service of an asynchronous application: the methods of `ReturnService`, awaited."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, Self, overload

from attrs import evolve, field, frozen

from rma.async_ports import (
    AsyncCredits,
    AsyncEventPublisher,
    AsyncFulfillment,
    AsyncHolds,
    AsyncInventory,
    AsyncOrderRepository,
    AsyncPause,
    AsyncPayments,
    AsyncPayouts,
    AsyncPolicyProvider,
    AsyncReturnReasonRepository,
    AsyncReturnRepository,
    AsyncShippingOptionRepository,
)
from rma.domain.decide.facts import HostRule
from rma.domain.events import Event, OrderRedacted
from rma.domain.messages.commands import (
    ClaimCommand,
    Command,
    ExchangeCommand,
    RefundCommand,
    RequestExchange,
    RequestReturn,
    ReturnCommand,
)
from rma.domain.messages.timing import DEFAULT_TIMING, Timing
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject, SubjectKind
from rma.domain.state.plan import PlannedRefund
from rma.domain.state.returns import Return
from rma.domain.values.personal import PersonalField
from rma.domain.views.differences import Difference
from rma.domain.views.export import OrderExport
from rma.domain.views.notes import CreditNote
from rma.domain.views.order_state import OrderState
from rma.domain.views.outstanding import OutstandingEffect
from rma.domain.views.query import ReturnQuery, Status
from rma.domain.views.quotes import ExchangeQuote, Quote
from rma.domain.views.returnable import ReturnableItem
from rma.domain.views.timeline import TimelineEntry
from rma.domain.views.transactions import OrderTransaction
from rma.observing import LoggingObserver, Observer
from rma.ports import (
    Clock,
    Credits,
    EventPublisher,
    Fulfillment,
    Holds,
    IdFactory,
    Inventory,
    OrderRepository,
    Payments,
    Payouts,
    ReturnReasonRepository,
    ReturnRepository,
    ShippingOptionRepository,
)
from rma.shell.archive import archive
from rma.shell.construction import (
    NoReturnReasons,
    NoShippingOptions,
    as_async_policy_provider,
    as_host_rules,
    pause_awaited,
    refuse_awaited_observer,
    utc_now,
)
from rma.shell.driver import arun
from rma.shell.handle import handle_command
from rma.shell.host_transaction import bind_returns
from rma.shell.read import (
    count_subjects,
    get_claim,
    get_exchange,
    get_return,
    kinds_listed,
    list_subjects,
    load_ledger,
    quote,
    read_credit_notes,
    read_export,
    read_history,
    read_order_state,
    read_outstanding,
    read_refund_plan,
    read_returnable_items,
    read_timeline,
    read_transactions,
)
from rma.shell.redact import redact
from rma.shell.repair import rebuild, verify
from rma.shell.resume import ResumeResult, resume


@frozen(kw_only=True)
class AsyncReturnService:
    """
    Returns over the host's ports, for an application with an event loop; which one does not matter.

    Every port may be awaited or answer at once, whichever suits it; clock, ids and observer answer at once.
    Each method is that of `ReturnService` of the same name, awaited: it answers and raises the same. Only
    `in_transaction` asks nothing, and is not awaited.

    Nothing is open while a port is awaited: no transaction, connection or lock. A task may be canceled
    anywhere: what it committed stays, and `resume` goes on with what was not delivered.

    Args:
        orders, returns, inventory, payments: required.
        fulfillment, credits, payouts, holds, shipping_options: as in `ReturnService`.
        return_reasons, policies, host_rules, events, observer: as there.
        clock, ids, timing: as there.
        pause: as there, awaited or not; unless given, `asyncio.sleep` in its loops, and nothing in others.

    Raises:
        InvalidValue: the observer is awaited; it returns at once, as clock and ids do.
    """

    orders: OrderRepository | AsyncOrderRepository
    returns: ReturnRepository | AsyncReturnRepository
    inventory: Inventory | AsyncInventory
    payments: Payments | AsyncPayments
    fulfillment: Fulfillment | AsyncFulfillment | None = None
    shipping_options: ShippingOptionRepository | AsyncShippingOptionRepository = field(
        factory=NoShippingOptions
    )
    return_reasons: ReturnReasonRepository | AsyncReturnReasonRepository = field(factory=NoReturnReasons)
    policies: AsyncPolicyProvider = field(factory=ReturnPolicy, converter=as_async_policy_provider)  # type: ignore[assignment] # converted
    events: EventPublisher | AsyncEventPublisher | None = None
    clock: Clock = utc_now
    ids: IdFactory | None = None
    timing: Timing = DEFAULT_TIMING
    observer: Observer = field(factory=LoggingObserver)
    pause: AsyncPause = pause_awaited
    host_rules: tuple[HostRule, ...] = field(default=(), converter=as_host_rules)
    credits: Credits | AsyncCredits | None = None
    payouts: Payouts | AsyncPayouts | None = None
    holds: Holds | AsyncHolds | None = None

    def __attrs_post_init__(self) -> None:
        refuse_awaited_observer(self)

    @overload
    async def handle(self, command: ReturnCommand, *, deliver: bool = ...) -> Return: ...

    @overload
    async def handle(self, command: ExchangeCommand, *, deliver: bool = ...) -> Exchange: ...

    @overload
    async def handle(self, command: ClaimCommand, *, deliver: bool = ...) -> Claim: ...

    @overload
    async def handle(self, command: RefundCommand, *, deliver: bool = ...) -> Return | Claim: ...

    @overload
    async def handle(self, command: Command, *, deliver: bool = ...) -> Subject: ...

    async def handle(self, command: Command, *, deliver: bool = True) -> Subject:
        """`ReturnService.handle`, awaited."""
        return await arun(handle_command(command, self, deliver_now=deliver))

    @overload
    async def quote(self, command: RequestReturn) -> Quote: ...

    @overload
    async def quote(self, command: RequestExchange) -> ExchangeQuote: ...

    async def quote(self, command: RequestReturn | RequestExchange) -> Quote | ExchangeQuote:
        """`ReturnService.quote`, awaited."""
        return await arun(quote(command, self))

    async def refund_plan(self, subject_id: str) -> tuple[PlannedRefund, ...]:
        """`ReturnService.refund_plan`, awaited."""
        return await arun(read_refund_plan(subject_id, self))

    async def returnable_items(
        self,
        order_id: str,
        *,
        reason_id: str | None = None,
        tags: Iterable[str] = (),
        basis: ReturnBasis | str = ReturnBasis.POLICY,
    ) -> tuple[ReturnableItem, ...]:
        """`ReturnService.returnable_items`, awaited."""
        return await arun(read_returnable_items(order_id, self, reason_id, tags, basis))

    async def get(self, return_id: str) -> Return:
        """`ReturnService.get`, awaited."""
        return await arun(get_return(return_id, self))

    async def get_exchange(self, exchange_id: str) -> Exchange:
        """`ReturnService.get_exchange`, awaited."""
        return await arun(get_exchange(exchange_id, self))

    async def get_claim(self, claim_id: str) -> Claim:
        """`ReturnService.get_claim`, awaited."""
        return await arun(get_claim(claim_id, self))

    async def exchanges(self, order_id: str) -> tuple[Exchange, ...]:
        """`ReturnService.exchanges`, awaited."""
        return (await arun(load_ledger(order_id, self))).exchanges

    async def claims(self, order_id: str) -> tuple[Claim, ...]:
        """`ReturnService.claims`, awaited."""
        return (await arun(load_ledger(order_id, self))).claims

    @overload
    async def list(
        self,
        order_id: str | None = ...,
        *,
        kinds: None = ...,
        status: Status | str | None = ...,
        needs_attention: Literal[False] = ...,
        requested_since: datetime | None = ...,
        requested_before: datetime | None = ...,
        due_before: datetime | None = ...,
        return_before: datetime | None = ...,
        after: str | None = ...,
        offset: int = ...,
        limit: int | None = ...,
        newest_first: bool = ...,
    ) -> tuple[Return, ...]: ...

    @overload
    async def list(
        self,
        order_id: str | None = ...,
        *,
        kinds: Iterable[SubjectKind | str] | None = ...,
        status: Status | str | None = ...,
        needs_attention: bool = ...,
        requested_since: datetime | None = ...,
        requested_before: datetime | None = ...,
        due_before: datetime | None = ...,
        return_before: datetime | None = ...,
        after: str | None = ...,
        offset: int = ...,
        limit: int | None = ...,
        newest_first: bool = ...,
    ) -> tuple[Subject, ...]: ...

    async def list(
        self,
        order_id: str | None = None,
        *,
        kinds: Iterable[SubjectKind | str] | None = None,
        status: Status | str | None = None,
        needs_attention: bool = False,
        requested_since: datetime | None = None,
        requested_before: datetime | None = None,
        due_before: datetime | None = None,
        return_before: datetime | None = None,
        after: str | None = None,
        offset: int = 0,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> tuple[Subject, ...]:
        """`ReturnService.list`, awaited."""
        query = ReturnQuery(
            order_id=order_id,
            kinds=kinds_listed(kinds, needs_attention=needs_attention),
            status=status,
            needs_attention=needs_attention,
            requested_since=requested_since,
            requested_before=requested_before,
            due_before=due_before,
            return_before=return_before,
            after=after,
            offset=offset,
            limit=limit,
            newest_first=newest_first,
        )
        return await arun(list_subjects(query, self))

    async def count(
        self,
        order_id: str | None = None,
        *,
        kinds: Iterable[SubjectKind | str] | None = None,
        status: Status | str | None = None,
        needs_attention: bool = False,
        requested_since: datetime | None = None,
        requested_before: datetime | None = None,
        due_before: datetime | None = None,
        return_before: datetime | None = None,
    ) -> int:
        """`ReturnService.count`, awaited."""
        query = ReturnQuery(
            order_id=order_id,
            kinds=kinds_listed(kinds, needs_attention=needs_attention),
            status=status,
            needs_attention=needs_attention,
            requested_since=requested_since,
            requested_before=requested_before,
            due_before=due_before,
            return_before=return_before,
        )
        return await arun(count_subjects(query, self))

    async def history(self, order_id: str) -> tuple[Event, ...]:
        """`ReturnService.history`, awaited."""
        return await arun(read_history(order_id, self))

    async def timeline(self, order_id: str) -> tuple[TimelineEntry, ...]:
        """`ReturnService.timeline`, awaited."""
        return await arun(read_timeline(order_id, self))

    async def transactions(self, order_id: str) -> tuple[OrderTransaction, ...]:
        """`ReturnService.transactions`, awaited."""
        return await arun(read_transactions(order_id, self))

    async def credit_notes(self, order_id: str) -> tuple[CreditNote, ...]:
        """`ReturnService.credit_notes`, awaited."""
        return await arun(read_credit_notes(order_id, self))

    async def order_state(self, order_id: str) -> OrderState:
        """`ReturnService.order_state`, awaited."""
        return await arun(read_order_state(order_id, self))

    def in_transaction(self, connection: Any) -> Self:
        """`ReturnService.in_transaction`; answers at once."""
        return evolve(self, returns=bind_returns(self.returns, connection))

    async def resume(
        self,
        return_id: str | None = None,
        *,
        stopped: bool = False,
        time_limit: timedelta | None = None,
    ) -> ResumeResult:
        """`ReturnService.resume`, awaited."""
        return await arun(resume(self, return_id, stopped=stopped, time_limit=time_limit))

    async def outstanding(
        self, older_than: timedelta | None = None, *, limit: int = 100
    ) -> tuple[OutstandingEffect, ...]:
        """`ReturnService.outstanding`, awaited."""
        return await arun(read_outstanding(self, older_than, limit))

    async def archive(self, order_id: str) -> tuple[Event, ...]:
        """`ReturnService.archive`, awaited."""
        return await arun(archive(order_id, self))

    async def export(self, order_id: str) -> OrderExport:
        """`ReturnService.export`, awaited."""
        return await arun(read_export(order_id, self))

    async def redact(
        self,
        order_id: str,
        fields: Iterable[PersonalField | str] = tuple(PersonalField),
        *,
        created_by: str | None = None,
    ) -> OrderRedacted | None:
        """`ReturnService.redact`, awaited."""
        return await arun(redact(order_id, self, fields, created_by))

    async def verify(self, order_id: str) -> tuple[Difference, ...]:
        """`ReturnService.verify`, awaited."""
        return await arun(verify(order_id, self.returns))

    async def rebuild(self, order_id: str) -> tuple[Difference, ...]:
        """`ReturnService.rebuild`, awaited."""
        return await arun(rebuild(order_id, self.returns))
