"""
Handling a command: the same steps for every one, in this order.

Load the ledger; answer a repeat; gather facts; decide; commit; deliver. Nothing is asked of a port while
anything is open, and nothing here knows a rule about returns: an `if` about them would be in the wrong
room. What differs between commands is which ledger they are about and which facts they need: `ledger_for`
and `facts_for` say it, a row for each.
"""

from collections.abc import Callable
from typing import Any, assert_never, overload

from rma.async_ports import Host
from rma.domain.change import Change, apply_command, unchanged
from rma.domain.decide import answer
from rma.domain.decide.exchanges import request_exchange
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.request import request_return
from rma.domain.messages.commands import (
    CancelClaim,
    CancelExchange,
    CancelReturn,
    ClaimCommand,
    Command,
    ExchangeCommand,
    ReceiveReturn,
    RecordExchangePayment,
    RecordRefundOutcome,
    RefundCommand,
    Request,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    RetryRefund,
    ReturnCommand,
    subject_of,
)
from rma.domain.sale.catalogue import ReturnReason, ShippingOption
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.returns import Return
from rma.domain.values.errors import NotFound
from rma.domain.views.quotes import ExchangeQuote, Quote, exchange_quote_of, quote_of
from rma.shell.commit import committed
from rma.shell.deliver import delivered
from rma.shell.driver import Steps


@overload
def handled(command: ReturnCommand, host: Host) -> Steps[Return]: ...


@overload
def handled(command: ExchangeCommand, host: Host) -> Steps[Exchange]: ...


@overload
def handled(command: ClaimCommand, host: Host) -> Steps[Claim]: ...


@overload
def handled(command: RefundCommand, host: Host) -> Steps[Return | Claim]: ...


@overload
def handled(command: Command, host: Host) -> Steps[Subject]: ...


def handled(command: Command, host: Host) -> Steps[Subject]:
    """
    The return, exchange or claim that the command is about, after it was done, now or before, and delivered.

    Raises:
        Rejected: with everything that is wrong; nothing changed.
        Unavailable: a repository failed; nothing changed, unless the answer to the commit was lost.
        StaleLedger: others were faster too often; nothing changed.
    """
    ledger, subject_id = yield from recorded(command, host)
    ledger = yield from delivered(ledger, host, subject_id)
    return ledger.subject(subject_id)


def recorded(command: Command, host: Host) -> Steps[tuple[ReturnLedger, str]]:
    """
    The ledger in which the command was done, now or before, and the id of what it is about.

    A command that loses a race is answered or decided again on the new state, so callers never see a
    conflict that a second look would solve.

    Raises:
        As `handled`.
    """
    fresh_id = host.ids() if isinstance(command, Request) else ""

    def made() -> "Steps[Change]":  # a text, or it would be evaluated for each command
        ledger = yield from ledger_for(command, host)
        if answer(ledger, command) is not None:
            return unchanged(ledger)
        facts = yield from facts_for(command, ledger, host, fresh_id)
        return apply_command(facts, ledger, command)

    done = yield from committed((yield from made()), host, made)
    return done.ledger, answer(done.ledger, command) or done.subject_of(command)


def quoted(command: RequestReturn | RequestExchange, host: Host) -> Steps[Quote | ExchangeQuote]:
    """
    What this return or exchange would come to now, and why; nothing is done, and keys are not looked at.

    Raises:
        Rejected: as the command itself would be.
    """
    facts = yield from _facts_for_request(command, host, "quote")
    ledger = yield from ledger_for(command, host)
    if isinstance(command, RequestExchange):
        request, event = request_exchange(facts, ledger, command)
        return exchange_quote_of(event.exchange, request.opened)
    (request,) = request_return(facts, ledger, command)
    return quote_of(request.opened)


def ledger_for(command: Command, host: Host) -> Steps[ReturnLedger]:
    """The ledger that the command is about."""
    match command:
        case RequestReturn() | RequestExchange() | RequestClaim():
            return _loaded(command.order_id, host)
        case _:
            return ledger_of(subject_of(command), host)


def facts_for(command: Command, ledger: ReturnLedger, host: Host, fresh_id: str) -> Steps[Facts]:
    """Everything that deciding about this command needs to know."""
    match command:
        case RequestReturn() | RequestExchange() | RequestClaim():
            return _facts_for_request(command, host, fresh_id)
        case ReceiveReturn() | ResolveReturn() | RetryRefund() | CancelExchange():
            return _facts(host, ledger.order_id)
        case CancelReturn() | CancelClaim() | RecordRefundOutcome() | RecordExchangePayment():
            return _facts(host)
        case _:
            assert_never(command)


def _loaded(order_id: str, host: Host) -> Steps[ReturnLedger]:
    ledger: ReturnLedger = yield host.returns.load(known_id(order_id))
    return ledger


def _facts(host: Host, order_id: str | None = None) -> Steps[Facts]:
    at = host.clock()
    return Facts(at=at, order=None if order_id is None else (yield from found(host.orders.get, order_id)))


def _facts_for_request(command: Request, host: Host, fresh_id: str) -> Steps[Facts]:
    order: Order | None = yield from found(host.orders.get, command.order_id)
    at = host.clock()
    reasons: tuple[ReturnReason, ...] = yield host.return_reasons.list()
    option: ShippingOption | None = None
    if command.shipping_option_id is not None:
        option = yield from found(host.shipping_options.get, command.shipping_option_id)
    policy: ReturnPolicy = ReturnPolicy() if order is None else (yield host.policies(order))
    return Facts(
        at=at,
        order=order,
        fresh_id=fresh_id,
        reasons=reasons,
        shipping_option=option,
        policy=policy,
        books_shipments=host.fulfillment is not None,
    )


def ledger_of(subject_id: str, host: Host) -> Steps[ReturnLedger]:
    """
    The ledger that holds this return, exchange or claim; an empty one, of no order, if nobody knows it.

    Decide then says that it is not there, with everything else that is wrong.
    """
    return (yield from found(host.returns.load_by_return, subject_id)) or ReturnLedger("")


def known_id(wanted_id: object) -> str:
    """The id, if it is one; repositories are never asked for anything but texts."""
    return wanted_id if isinstance(wanted_id, str) else ""


def found(get: Callable[[str], object], wanted_id: str) -> Steps[Any]:
    """What the repository has under this id; None where it has nothing, for `decide` to judge."""
    try:
        return (yield get(wanted_id)) if known_id(wanted_id) else None
    except NotFound:
        return None
