"""The one object that most hosts construct."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, Self, overload

from attrs import evolve, field, frozen

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
    Pause,
    Payments,
    Payouts,
    PolicyProvider,
    ReturnReasonRepository,
    ReturnRepository,
    ShippingOptionRepository,
)
from rma.shell.archive import archive
from rma.shell.construction import (
    NoReturnReasons,
    NoShippingOptions,
    as_host_rules,
    as_policy_provider,
    pause,
    refuse_awaited_observer,
    refuse_awaited_ports,
    utc_now,
)
from rma.shell.driver import run
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
class ReturnService:
    """
    Returns over the host's ports.

    Args:
        orders, returns, inventory, payments: required.
        fulfillment: books return shipments; without it no shipping option can be asked for.
        credits: gives store credit; without it none can be asked for.
        payouts: pays by other ways than an order's payments; without it a person does, by `RecordPayout`.
        shipping_options, return_reasons: what may be chosen; nothing unless given.
        policies: callable from an order to its `ReturnPolicy`, or one policy for all.
        events: where events are published, at least once each; nowhere unless given.
        clock: callable, the present moment, aware; UTC.
        ids: callable, a string never given before; derived from order id and idempotency key, or sorted by
            time where a command has none.
        timing: how long open effects are left alone, tried again and waited for.
        observer: receives a signal of what was done and what failed; the log, unless given.
        pause: callable, waits at most so many seconds, a part drawn at random, before a command that lost
            against another tries again; `time.sleep` unless given.
        host_rules: rules of the host's own, each a function with a name: all are asked about each requested
            line, besides the policy.
        holds: charges or releases what secures new goods that are sent before the others are back; without
            it no exchange can ask for that.

    Raises:
        InvalidValue: a method of a port is `async def`; `AsyncReturnService` is for those. An observer
            returns at once with either.
    """

    orders: OrderRepository
    returns: ReturnRepository
    inventory: Inventory
    payments: Payments
    fulfillment: Fulfillment | None = None
    shipping_options: ShippingOptionRepository = field(factory=NoShippingOptions)
    return_reasons: ReturnReasonRepository = field(factory=NoReturnReasons)
    policies: PolicyProvider = field(factory=ReturnPolicy, converter=as_policy_provider)  # type: ignore[assignment] # converted
    events: EventPublisher | None = None
    clock: Clock = utc_now
    ids: IdFactory | None = None
    timing: Timing = DEFAULT_TIMING
    observer: Observer = field(factory=LoggingObserver)
    pause: Pause = pause
    host_rules: tuple[HostRule, ...] = field(default=(), converter=as_host_rules)
    credits: Credits | None = None
    payouts: Payouts | None = None
    holds: Holds | None = None

    def __attrs_post_init__(self) -> None:
        refuse_awaited_ports(self)
        refuse_awaited_observer(self)

    @overload
    def handle(self, command: ReturnCommand, *, deliver: bool = ...) -> Return: ...

    @overload
    def handle(self, command: ExchangeCommand, *, deliver: bool = ...) -> Exchange: ...

    @overload
    def handle(self, command: ClaimCommand, *, deliver: bool = ...) -> Claim: ...

    @overload
    def handle(self, command: RefundCommand, *, deliver: bool = ...) -> Return | Claim: ...

    @overload
    def handle(self, command: Command, *, deliver: bool = ...) -> Subject: ...

    def handle(self, command: Command, *, deliver: bool = True) -> Subject:
        """
        The return, exchange or claim after the command was done, its effects delivered as far as the ports
        answered.

        A port that fails after the commit does not fail the command: what is outstanding stays in the
        ledger and goes out with the next `resume`.

        Args:
            command: what is asked for.
            deliver: False decides and commits only; `resume(return_id)` delivers what the command asks for,
                and so does the next `resume()`. With ledgers in a transaction of the host nothing is
                delivered, whatever this says: see `in_transaction`.

        Raises:
            Rejected: `NotFound`, `NotAllowed`, `Invalid` or `IdempotencyKeyReused`, with every violation;
                nothing changed.
            Unavailable: a repository failed; nothing changed, unless the answer to the commit was lost:
                repeat the command under its idempotency key.
            StaleLedger: others changed the order's returns again and again; nothing changed.
            StaleOrder: the order that was read is older than one that was seen before; nothing changed.
        """
        return run(handle_command(command, self, deliver_now=deliver))

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
        return run(quote(command, self))

    def refund_plan(self, subject_id: str) -> tuple[PlannedRefund, ...]:
        """
        How what is due for this return or claim would go back now: from which payments, or by which other
        means; for an open return, how what it was quoted would. Nothing is done.

        Nothing comes back where nothing is due, or where a person has to decide first.

        Raises:
            NotFound: there is no return or claim of this id, or its order is not there any more.
        """
        return run(read_refund_plan(subject_id, self))

    def returnable_items(
        self,
        order_id: str,
        *,
        reason_id: str | None = None,
        tags: Iterable[str] = (),
        basis: ReturnBasis | str = ReturnBasis.POLICY,
    ) -> tuple[ReturnableItem, ...]:
        """
        Every line of the order with how many of its units can come back now, and why not more.

        Each has its options, for units that come back for this reason, with these tags and by this right,
        `policy` or `withdrawal`: until when, for how much, at whose cost, and what refuses the others.

        Raises:
            NotFound: there is no such order.
            InvalidValue: the basis is none of the two; as a request, if an amount of the policy is not in the
                order's currency or a rule of the host fails.
        """
        return run(read_returnable_items(order_id, self, reason_id, tags, basis))

    def get(self, return_id: str) -> Return:
        """
        The return of this id.

        Raises:
            NotFound: there is none.
        """
        return run(get_return(return_id, self))

    def get_exchange(self, exchange_id: str) -> Exchange:
        """
        The exchange of this id.

        Raises:
            NotFound: there is none.
        """
        return run(get_exchange(exchange_id, self))

    def get_claim(self, claim_id: str) -> Claim:
        """
        The claim of this id.

        Raises:
            NotFound: there is none.
        """
        return run(get_claim(claim_id, self))

    def exchanges(self, order_id: str) -> tuple[Exchange, ...]:
        """The exchanges of an order, oldest first; none for an order that is not known."""
        return run(load_ledger(order_id, self)).exchanges

    def claims(self, order_id: str) -> tuple[Claim, ...]:
        """The claims of an order, oldest first; none for an order that is not known."""
        return run(load_ledger(order_id, self)).claims

    @overload
    def list(
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
    def list(
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

    def list(
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
        """
        Returns, and exchanges and claims if asked for, of an order, or of all orders a page at a time, in the
        order in which they were requested.

        Args:
            order_id: of this order only; none for an order that is not known.
            kinds: `"return"`, `"exchange"`, `"claim"`. Unless given: returns; with `needs_attention`, all
                kinds.
            status: as they stand now; its spelling will do.
            needs_attention: only those that go no further without a person.
            requested_since: aware; requested then or later.
            requested_before: aware; requested earlier.
            due_before: aware; only returns that were to be paid earlier, and some of which is neither paid
                nor on its way.
            return_before: aware; only returns whose goods were to be sent earlier, and of which nothing was
                sent or received.
            after: the id of the last one of the page before.
            offset: how many of those that follow are skipped; the store reads past them, so `after` is
                faster.
            limit: at most this many; unless given 100, or all of an order.
            newest_first: the latest request comes first, and `after` goes back in time.

        Raises:
            InvalidValue: a kind or status that does not exist, a moment without time zone, a limit below 1,
                an offset below 0.
            NotFound: there is no return, exchange or claim `after`.
            Unavailable: the store does not answer now. `unreadable_document`: something of this order cannot
                be read. Of all orders it is left out, the observer gets `DocumentUnreadable`, and the page
                goes on behind it; after 100 of them the list fails.
        """
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
        return run(list_subjects(query, self))

    def count(
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
        """
        How many `list` finds with these arguments, on all pages together; they mean what they mean there.

        Raises:
            InvalidValue: as `list`.
            Unavailable: the store does not answer now.
        """
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
        return run(count_subjects(query, self))

    def history(self, order_id: str) -> tuple[Event, ...]:
        """What happened to the returns of an order, oldest first."""
        return run(read_history(order_id, self))

    def timeline(self, order_id: str) -> tuple[TimelineEntry, ...]:
        """The history of an order in words, each amount explained by its parts; `str` tells an entry."""
        return run(read_timeline(order_id, self))

    def transactions(self, order_id: str) -> tuple[OrderTransaction, ...]:
        """
        Refunds in force and payments for exchanges, oldest first, linked to what they were for.

        Raises:
            NotFound: there is no such order.
        """
        return run(read_transactions(order_id, self))

    def credit_notes(self, order_id: str) -> tuple[CreditNote, ...]:
        """
        The credit notes of an order, in the order in which they were issued: one for what each event granted.

        None for an order that is not known. A note never changes; a later one says by how much what was
        granted is more or less.
        """
        return run(read_credit_notes(order_id, self))

    def order_state(self, order_id: str) -> OrderState:
        """
        The state of the order with its returns counted in.

        Raises:
            NotFound: there is no such order.
        """
        return run(read_order_state(order_id, self))

    def in_transaction(self, connection: Any) -> Self:
        """
        A service over the same ports, whose commands are part of the host's transaction on this connection.

        They are stored with what the host writes there, or not at all. `handle` decides and stores only: no
        port acts and no event is published before the host's commit. After it, `resume(return_id)` of this
        service delivers what the command asks for, and so does the next `resume()`. What is read and quoted
        is as the transaction sees it.

        Args:
            connection: of the class that the repository names; for `SqlReturns` an SQLAlchemy `Connection`
                in a transaction, for `AsyncSqlReturns` an `AsyncConnection`.

        Raises:
            InvalidValue: the repository cannot be bound (`host_transaction_unsupported`), or the connection
                commits each statement by itself.
        """
        return evolve(self, returns=bind_returns(self.returns, connection))

    def resume(
        self,
        return_id: str | None = None,
        *,
        stopped: bool = False,
        time_limit: timedelta | None = None,
    ) -> ResumeResult:
        """
        Deliver whatever is outstanding and due, of all orders. Run it on a timer.

        Args:
            return_id: of this return, exchange or claim only, and now: whatever no other process is sending.
            stopped: with an id, also what was stopped for a person, because its carrier can neither be asked
                nor repeat a key. Look at the carrier first: what it has done already, it does again.
            time_limit: no further order is begun after so long; the next pass goes on.

        Raises:
            InvalidValue: `stopped` without an id; a time limit that is not above 0; or the ledgers are
                written in a transaction of the host (`in_host_transaction`): commit it, then resume with the
                service outside of it.
            NotFound: there is none of this id.
            Unavailable: the store does not answer what is outstanding.
        """
        return run(resume(self, return_id, stopped=stopped, time_limit=time_limit))

    def outstanding(
        self, older_than: timedelta | None = None, *, limit: int = 100
    ) -> tuple[OutstandingEffect, ...]:
        """
        Effects that have no final outcome yet, those that were asked for first in front.

        Args:
            older_than: only what was asked for so long ago.
            limit: at most this many.

        Raises:
            InvalidValue: a duration below 0, a limit below 1.
            Unavailable: the store does not answer now.
        """
        return run(read_outstanding(self, older_than, limit))

    def archive(self, order_id: str) -> tuple[Event, ...]:
        """
        Remove the history of an order that is over, in one commit, and return what was removed, oldest first.

        The events that opened a return, exchange or claim stay, and so does the ledger: notifications that
        are late, repeated commands and new requests go on as before, and nothing is refunded twice. Nothing
        is removed of an order that is not known, or of which nothing happened since it was archived.

        What was removed is nowhere else: store `history(order_id)` before, or call this in a transaction of
        yours that stores what it returns (`in_transaction`).

        Raises:
            NotAllowed: the order is not over, with each reason: `not_over` (a return, exchange or claim),
                `amount_due`, `refund_not_ended`, `effect_open`, `needs_attention`, `events_unpublished`;
                nothing was removed.
            Unavailable: the store failed; nothing was removed, unless the answer to the commit was lost.
            StaleLedger: others changed the order's returns again and again; nothing was removed.
        """
        return run(archive(order_id, self))

    def export(self, order_id: str) -> OrderExport:
        """
        Everything that is stored of an order: its ledger, its history, and the history in words.

        `rma.codec.encode` makes a JSON document of it.

        Raises:
            NotFound: nothing is stored, and there is no such order.
            Unavailable: the store does not answer now; `unreadable_document`: something cannot be read.
            StaleLedger: others committed to the order again and again meanwhile.
        """
        return run(read_export(order_id, self))

    def redact(
        self,
        order_id: str,
        fields: Iterable[PersonalField | str] = tuple(PersonalField),
        *,
        created_by: str | None = None,
    ) -> OrderRedacted | None:
        """
        Take data about persons from ledger, events and remembered commands of an order, in one commit.

        Notes and actors become `[redacted]`; images, metadata, and what carriers were given and answered, are
        gone. Units, amounts, ids, codes and keys stay, so a repeated command is answered as before. What is
        not published yet is published as it is then. Nothing is stored if the fields hold nothing.

        Args:
            order_id: also of one that the host deleted.
            fields: groups of fields, all of them unless given: `"notes"`, `"images"`, `"metadata"`,
                `"actors"`, `"shipments"`.
            created_by: who asks for it; the event keeps it.

        Returns:
            The event that says so, which is published; None if there was nothing to take.

        Raises:
            NotAllowed: something still needs the data, with each reason: `effect_open`, a request that no
                port has answered and that holds some; `not_over`, a return, exchange or claim that is open,
                for `"shipments"`. Nothing changed.
            NotFound: nothing is stored, and there is no such order.
            InvalidValue: there is no such group of fields. `redaction_unsupported`: the repository has no
                `redact`.
            Unavailable: the store failed; nothing changed, unless the answer to the commit was lost.
            StaleLedger: others changed the order's returns again and again; nothing changed.
        """
        return run(redact(order_id, self, fields, created_by))

    def verify(self, order_id: str) -> tuple[Difference, ...]:
        """
        What is stored of this order otherwise than its history rebuilds it; nothing if all is well.

        Of an order whose history was archived, only what its events still say is compared: what was opened
        afterwards, open effects, revisions, and the columns by which rows are found.

        Raises:
            InvalidValue: `history_incomplete`: an event is about something that history does not know.
            Unavailable: the store does not answer now; `unreadable_document`: an event cannot be read, or
                anything of an archived order.
            StaleLedger: others committed to the order again and again meanwhile.
        """
        return run(verify(order_id, self.returns))

    def rebuild(self, order_id: str) -> tuple[Difference, ...]:
        """
        Put the ledger of this order right from its history, in one commit, and return what differed before.

        Events stay as they are, and nothing is stored if nothing differs.

        Raises:
            InvalidValue: `history_incomplete`: a later revision, a return, exchange or claim, or a refund is
                stored that history does not know; nothing was stored. `history_archived`: something differs,
                and the history was archived; nothing was stored. `repair_unsupported`: the repository has no
                `replace`.
            Unavailable, StaleLedger: as `verify`; nothing was stored.
        """
        return run(rebuild(order_id, self.returns))
