"""What a host asks about returns without changing anything: quotes, lookups, lists, history."""

from collections.abc import Iterable
from datetime import timedelta
from typing import overload

from attrs import evolve

from rma.async_ports import Host
from rma.domain.decide.exchanges import request_exchange
from rma.domain.decide.returns.request import request_return
from rma.domain.events import Event, ExchangeRequested, ReturnRequested
from rma.domain.messages.commands import RequestExchange, RequestReturn, check_quotable
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger, Subject, SubjectKind
from rma.domain.state.plan import PlannedRefund
from rma.domain.state.returns import Return
from rma.domain.values.display import show
from rma.domain.values.errors import InvalidValue, NotFound, Unavailable, stale_ledger
from rma.domain.values.validators import is_whole
from rma.domain.views.export import OrderExport
from rma.domain.views.notes import CreditNote, credit_notes
from rma.domain.views.order_state import OrderState, order_state
from rma.domain.views.outstanding import OutstandingEffect, outstanding_effects
from rma.domain.views.query import ReturnQuery, UnreadableSubject
from rma.domain.views.quotes import ExchangeQuote, Quote, exchange_quote_of, planned_refunds, quote_of
from rma.domain.views.returnable import ReturnableItem, returnable_items
from rma.domain.views.timeline import TimelineEntry, timeline
from rma.domain.views.transactions import OrderTransaction, transactions
from rma.observing import DocumentUnreadable, StoringFailed
from rma.shell.driver import call
from rma.shell.facts import facts_for_request, ledger_for, ledger_of, now
from rma.shell.observe import tell

#: How many of all orders are listed unless the caller says how many.
_PAGE = 100
#: So many that cannot be read are not single rows that are damaged; a list then fails.
_MOST_UNREADABLE = 100
#: How often an export begins again while others commit to the order.
_TRIES = 100


@overload
async def quote(command: RequestReturn, host: Host) -> Quote: ...


@overload
async def quote(command: RequestExchange, host: Host) -> ExchangeQuote: ...


@overload
async def quote(command: RequestReturn | RequestExchange, host: Host) -> Quote | ExchangeQuote: ...


async def quote(command: RequestReturn | RequestExchange, host: Host) -> Quote | ExchangeQuote:
    """
    Returns what this return or exchange would come to now, and why; idempotency keys are not looked at.

    Raises:
        Rejected: as the command itself would be.
        StaleOrder: the order is older than one that the ledger saw.
        InvalidValue: the command is neither of the two.
    """
    check_quotable(command)
    facts = await facts_for_request(command, host, "quote")
    ledger = await ledger_for(command, host) or ReturnLedger("")
    facts.require_current(ledger)
    if isinstance(command, RequestExchange):
        new_return, new_exchange, *_ = request_exchange(facts, ledger, command)
        assert isinstance(new_return, ReturnRequested)
        assert isinstance(new_exchange, ExchangeRequested)
        return exchange_quote_of(new_exchange.opened, new_return.opened, facts)
    request, *_ = request_return(facts, ledger, command)
    assert isinstance(request, ReturnRequested)
    assert facts.order is not None, "a request that is not refused is about an order"
    return quote_of(request.opened, facts.order, ledger, facts.at)


async def read_refund_plan(subject_id: str, host: Host) -> tuple[PlannedRefund, ...]:
    """
    Returns how what is due for this return or claim would go back now, or what an open return was quoted.

    Raises:
        NotFound: there is none of this id, or its order is not there any more.
    """
    ledger = await ledger_of(subject_id, host)
    target = None if ledger is None else ledger.find(subject_id) or ledger.find_claim(subject_id)
    if ledger is None or target is None:
        raise NotFound("return_not_found", {"return_id": subject_id})
    order = await call(host.orders.get(ledger.order_id))
    return planned_refunds(order, ledger, target, now(host))


async def read_returnable_items(
    order_id: str,
    host: Host,
    reason_id: str | None = None,
    tags: Iterable[str] = (),
    basis: ReturnBasis | str = ReturnBasis.POLICY,
) -> tuple[ReturnableItem, ...]:
    """
    Returns every line of the order with how many of its units can come back now, and why not more.

    Options are for units that come back for this reason, with these tags and by this right.

    Raises:
        NotFound: there is no such order.
        InvalidValue: the basis is none, an amount of the policy is not in the order's currency, or a rule of
            the host fails.
    """
    if basis not in list(ReturnBasis):
        details = {"field": "basis", "value": repr(basis), "expected": f"one of {', '.join(ReturnBasis)}"}
        raise InvalidValue("invalid_value", details)
    order = await call(host.orders.get(order_id))
    at = now(host)
    policy = await call(host.policies(order))
    # A request reads the catalogue, and rules of the host may too.
    is_needed = reason_id is not None or host.host_rules
    reasons = await call(host.return_reasons.list()) if is_needed else ()
    return returnable_items(
        order,
        await call(host.returns.load(order_id)),
        policy,
        at,
        reasons=reasons,
        host_rules=host.host_rules,
        reason_id=reason_id,
        tags=tags,
        basis=ReturnBasis(basis),
        books_shipments=host.fulfillment is not None,
        gives_credit=host.credits is not None,
    )


async def get_return(return_id: str, host: Host) -> Return:
    """
    Returns the return of this id.

    Raises:
        NotFound: `return_not_found`.
    """
    ledger = await ledger_of(return_id, host)
    if ledger is None:
        raise NotFound("return_not_found", {"return_id": return_id})
    return ledger.get(return_id)


async def get_exchange(exchange_id: str, host: Host) -> Exchange:
    """
    Returns the exchange of this id.

    Raises:
        NotFound: `exchange_not_found`.
    """
    ledger = await ledger_of(exchange_id, host)
    exchange = None if ledger is None else ledger.find_exchange(exchange_id)
    if exchange is None:
        raise NotFound("exchange_not_found", {"exchange_id": exchange_id})
    return exchange


async def get_claim(claim_id: str, host: Host) -> Claim:
    """
    Returns the claim of this id.

    Raises:
        NotFound: `claim_not_found`.
    """
    ledger = await ledger_of(claim_id, host)
    claim = None if ledger is None else ledger.find_claim(claim_id)
    if claim is None:
        raise NotFound("claim_not_found", {"claim_id": claim_id})
    return claim


async def load_ledger(order_id: str, host: Host) -> ReturnLedger:
    """Returns the ledger of the order; an empty one for an order that is not known."""
    return await call(host.returns.load(order_id))


def kinds_listed(
    kinds: Iterable[SubjectKind | str] | None, *, needs_attention: bool
) -> Iterable[SubjectKind | str]:
    """Returns the kinds that are listed: unless given, returns, or of what needs attention all."""
    if kinds is not None:
        return kinds
    return tuple(SubjectKind) if needs_attention else (SubjectKind.RETURN,)


async def list_subjects(query: ReturnQuery, host: Host) -> tuple[Subject, ...]:
    """
    Returns the page that the query asks for; of all orders at most 100, unless it has a limit.

    What cannot be read is left out and reported to the observer, and the page goes on behind it: a page is
    shorter than its limit only if it is the last one.

    Raises:
        NotFound: there is no return, exchange or claim `query.after`.
        Unavailable: the store cannot answer now; `unreadable_document`: something of the order `order_id`
            cannot be read, or of all orders very much.
    """
    if query.limit is None and query.order_id is None:
        query = evolve(query, limit=_PAGE)
    page: list[Subject] = []
    left = _MOST_UNREADABLE
    while True:
        found = await call(host.returns.find(query))
        unreadable = [each for each in found if isinstance(each, UnreadableSubject)]
        page += [each for each in found if not isinstance(each, UnreadableSubject)]
        for each in unreadable:
            tell(host, DocumentUnreadable(order_id=each.order_id, subject_id=each.id, error=each.error))
        left -= len(unreadable)
        if left <= 0:
            details = {"order_id": unreadable[-1].order_id, "error": unreadable[-1].error}
            raise Unavailable("unreadable_document", details)
        if not unreadable or len(found) != query.limit:
            return tuple(page)
        query = evolve(query, after=found[-1].id, offset=0, limit=len(unreadable))


async def count_subjects(query: ReturnQuery, host: Host) -> int:
    """
    Returns how many the query asks for, on all pages together.

    Raises:
        Unavailable: the store cannot answer now.
    """
    return await call(host.returns.count(query))


async def read_history(order_id: str, host: Host) -> tuple[Event, ...]:
    """Returns what happened to the returns of an order, oldest first."""
    return await call(host.returns.history(order_id))


async def read_timeline(order_id: str, host: Host) -> tuple[TimelineEntry, ...]:
    """Returns the history of an order in words, each amount with its parts."""
    return timeline(order_id, await call(host.returns.history(order_id)))


async def read_transactions(order_id: str, host: Host) -> tuple[OrderTransaction, ...]:
    """
    Returns refunds in force and payments for exchanges, oldest first.

    Raises:
        NotFound: there is no such order.
    """
    order = await call(host.orders.get(order_id))
    return transactions(order, await call(host.returns.load(order_id)))


async def read_credit_notes(order_id: str, host: Host) -> tuple[CreditNote, ...]:
    """Returns the credit notes of an order, in the order in which they were issued."""
    return credit_notes(await call(host.returns.load(order_id)))


async def read_order_state(order_id: str, host: Host) -> OrderState:
    """
    Returns the statuses of the order with its returns counted in.

    Raises:
        NotFound: there is no such order.
    """
    order = await call(host.orders.get(order_id))
    return order_state(order, await call(host.returns.load(order_id)))


async def read_outstanding(
    host: Host, older_than: timedelta | None, limit: int
) -> tuple[OutstandingEffect, ...]:
    """
    What ports have not answered yet and was asked for so long ago, oldest first.

    An order whose ledger cannot be read is left out, and the observer gets `StoringFailed`.

    Raises:
        InvalidValue: a duration below 0, a limit below 1.
        Unavailable: the store does not answer now.
    """
    asked: object = older_than
    if asked is not None and (not isinstance(asked, timedelta) or asked < timedelta(0)):
        details = {
            "field": "outstanding.older_than",
            "value": show(asked),
            "expected": "a timedelta of at least 0",
        }
        raise InvalidValue("invalid_value", details)
    if not is_whole(limit, at_least=1):
        details = {"field": "outstanding.limit", "value": show(limit), "expected": "an integer of at least 1"}
        raise InvalidValue("invalid_value", details)
    before = now(host) - (older_than or timedelta(0))
    found: list[OutstandingEffect] = []
    for order_id in await call(host.returns.waiting(before, limit)):
        try:
            ledger = await call(host.returns.load(order_id))
        except Unavailable as error:
            if error.code != "unreadable_document":
                raise
            tell(host, StoringFailed(order_id=order_id, error=error))
            continue
        of_order = list(outstanding_effects(ledger, before))
        # Orders come by their oldest effect: once so many are older than that, no later one is.
        if of_order and len([each for each in found if each.since <= of_order[0].since]) >= limit:
            break
        found += of_order
    return tuple(sorted(found, key=lambda each: each.since)[:limit])


async def read_export(order_id: str, host: Host) -> OrderExport:
    """
    Returns everything that is stored of the order.

    Raises:
        NotFound: nothing is, and the host has no such order.
        StaleLedger: others committed to the order again and again meanwhile.
        Unavailable: the store does not answer now.
    """
    for _ in range(_TRIES):
        ledger = await call(host.returns.load(order_id))
        history = await call(host.returns.history(order_id))
        if not history or history[-1].revision == ledger.revision:
            await require_known_order(order_id, ledger, host)
            words = tuple([str(each) for each in timeline(order_id, history)])
            return OrderExport(order_id=order_id, ledger=ledger, history=history, timeline=words)
    raise stale_ledger(order_id, "no commits", "commits")


async def require_known_order(order_id: str, ledger: ReturnLedger, host: Host) -> None:
    """
    Checks that the order is not misspelled: something is stored of it, or the host has it.

    Raises:
        NotFound: `order_not_found`.
    """
    if not ledger.revision:
        await call(host.orders.get(order_id))
