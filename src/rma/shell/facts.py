"""What the shell gathers from the ports before anything is decided: the moment, the ledger, the facts."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar, assert_never

from attrs import evolve

from rma.async_ports import Host
from rma.domain.decide.facts import Facts
from rma.domain.messages.commands import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RenewShipment,
    Request,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
    subject_of,
)
from rma.domain.sale.catalogue import ShippingOption
from rma.domain.sale.paying import PayOn
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import InvalidValue, NotFound
from rma.domain.values.validators import as_utc
from rma.shell.asking import timing_of
from rma.shell.driver import call

T = TypeVar("T")


def now(host: Host) -> datetime:
    """
    Returns the present moment by the host's clock.

    Raises:
        InvalidValue: the clock answers anything but an aware datetime.
    """
    at: object = host.clock()
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise InvalidValue(
            "invalid_value",
            {
                "field": "clock",
                "value": f"one that returns {at!r}",
                "expected": "a callable that returns a datetime with a time zone",
            },
        )
    utc: datetime = as_utc(at)
    return utc


async def get_or_none(get: Callable[[str], Awaitable[T] | T], wanted_id: object) -> T | None:
    """Returns what a repository has under this id, or None; it is never asked for anything but an id."""
    if not isinstance(wanted_id, str) or not wanted_id:
        return None
    try:
        return await call(get(wanted_id))
    except NotFound:
        return None


def ledger_for(command: Command, host: Host) -> Awaitable[ReturnLedger | None]:
    """Returns the ledger of the order that the command is about, or None if no order is known."""
    match command:
        case RequestReturn() | RequestExchange() | RequestClaim() | ReceiveUnannounced():
            return get_or_none(host.returns.load, command.order_id)
        case _:
            return ledger_of(subject_of(command), host)


def ledger_of(subject_id: str | None, host: Host) -> Awaitable[ReturnLedger | None]:
    """Returns the ledger that holds this return, exchange or claim, or None if there is none."""
    return get_or_none(host.returns.load_by_return, subject_id)


def facts_for(  # noqa: PLR0911 # a row for each command
    command: Command, ledger: ReturnLedger | None, host: Host, fresh_id: str | None
) -> Awaitable[Facts]:
    """Gathers everything that deciding about this command needs to know."""
    match command:
        case RequestReturn() | RequestExchange() | RequestClaim():
            return facts_for_request(command, host, fresh_id)
        case ReceiveUnannounced():
            return _facts_about_goods(host, command.order_id, None, fresh_id)
        case UpdateReturn():
            order_id = None if ledger is None else ledger.order_id
            return _facts_about_goods(host, order_id, command.shipping_option_id)
        case UpdateExchange() | ResolveClaim():
            return _facts_about_new_goods(host, None if ledger is None else ledger.order_id)
        case InspectReturn():
            return _facts_about_inspection(host, None if ledger is None else ledger.order_id)
        case (
            ApproveReturn()
            | ExpireReturn()
            | ReceiveReturn()
            | CorrectReceipt()
            | ResolveReturn()
            | RetryRefund()
            | RecordPayout()
            | SettleAdvance()
            | CancelExchange()
            | RecordExchangePayment()
        ):
            return _facts(host, order_id=None if ledger is None else ledger.order_id)
        case RecordSending():
            target = None if ledger is None else ledger.find(command.return_id)
            is_paid = target is not None and target.terms.pay_on is PayOn.SENDING
            return _facts(host, order_id=ledger.order_id if ledger and is_paid else None)
        case (
            DeclineReturn()
            | RenewShipment()
            | CancelReturn()
            | CancelClaim()
            | RecordRefundOutcome()
            | RecordChargeOutcome()
        ):
            return _facts(host, order_id=None)
        case _:
            assert_never(command)


async def _facts(host: Host, order_id: str | None) -> Facts:
    at = now(host)
    order = None if order_id is None else await get_or_none(host.orders.get, order_id)
    return Facts(
        at=at,
        order=order,
        timing=timing_of(host),
        gives_credit=host.credits is not None,
        pays_out=host.payouts is not None,
        disposes=hasattr(host.inventory, "dispose"),
        sends_back=hasattr(host.fulfillment, "send_back"),
    )


async def _facts_about_inspection(host: Host, order_id: str | None) -> Facts:
    """Besides the order: the reasons, whose fault each says it is."""
    facts = await _facts(host, order_id)
    return evolve(facts, reasons=await call(host.return_reasons.list()))


async def _facts_about_new_goods(host: Host, order_id: str | None) -> Facts:
    """Besides the order: whether the host's ports can send and reserve."""
    facts = await _facts(host, order_id)
    return evolve(
        facts,
        books_shipments=host.fulfillment is not None,
        reserves=hasattr(host.inventory, "reserve"),
    )


async def facts_for_request(command: Request, host: Host, fresh_id: str | None) -> Facts:
    """Gathers what deciding about something new needs to know: order, catalogues, policy."""
    return await _facts_about_goods(host, command.order_id, command.shipping_option_id, fresh_id)


async def _facts_about_goods(
    host: Host, order_id: str | None, option_id: str | None, fresh_id: str | None = None
) -> Facts:
    order = await get_or_none(host.orders.get, order_id)
    at = now(host)
    reasons = await call(host.return_reasons.list())
    option: ShippingOption | None = None
    if option_id is not None:
        option = await get_or_none(host.shipping_options.get, option_id)
    policy = ReturnPolicy() if order is None else await call(host.policies(order))
    return Facts(
        at=at,
        order=order,
        fresh_id=fresh_id,
        reasons=reasons,
        shipping_option=option,
        policy=policy,
        books_shipments=host.fulfillment is not None,
        gives_credit=host.credits is not None,
        pays_out=host.payouts is not None,
        has_holds=host.holds is not None,
        reserves=hasattr(host.inventory, "reserve"),
        timing=host.timing,
        host_rules=host.host_rules,
    )
