"""RequestExchange, RecordExchangePayment, CancelExchange: goods that come back pay for new ones."""

from attrs import evolve

from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.entitlement import block_refund, grant, resolve_event
from rma.domain.decide.replacements import check_new_items, replacement_of
from rma.domain.decide.returns.cancel import cancel_event, check_cancelable
from rma.domain.decide.returns.request import no_notification, open_return, validate_request
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import (
    Event,
    ExchangeCanceled,
    ExchangePaid,
    ExchangeRequested,
    RefundBlocked,
    ReturnRequested,
    ReturnResolved,
)
from rma.domain.messages.commands import CancelExchange, RecordExchangePayment, RequestExchange, RequestReturn
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.order import Order, in_currency
from rma.domain.sale.pricing import AmountPart
from rma.domain.state.exchanges import Exchange, ExchangePayment, ExchangeStatus
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Resolution, Return, ReturnStatus
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money


def request_exchange(
    facts: Facts, ledger: ReturnLedger, command: RequestExchange
) -> tuple[ReturnRequested, ExchangeRequested]:
    """
    An exchange opened, with the return whose goods pay for it.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is allocated.
    """
    wrong = Violations()
    coming_back = RequestReturn(
        order_id=command.order_id,
        items=command.items,
        shipping_option_id=command.shipping_option_id,
        shipping_price=command.shipping_price,
        location_id=command.location_id,
        no_notification=command.no_notification,
        created_by=command.created_by,
        metadata=command.metadata,
    )
    asked = validate_request(wrong, facts, ledger, coming_back)
    currency = asked.order.currency if asked.order else None
    if not command.new_items:
        wrong.add("no_new_items")
    new_items = check_new_items(wrong, command.new_items, currency, books_shipments=facts.books_shipments)
    outbound = _outbound(wrong, command.outbound_shipping, currency)
    wrong.check_key(command)
    order = wrong.require(asked.order)

    exchange_id = f"exc_{facts.fresh_id}"
    charges = tuple([item.part() for item in new_items])
    if outbound:
        charges += (AmountPart("outbound_shipping", -outbound.total),)
    request = open_return(facts, ledger, coming_back, order, asked, exchange_id=exchange_id, charges=charges)
    value = request.opened.valuation
    exchange = Exchange(
        id=exchange_id,
        order_id=order.id,
        display_id=len(ledger.exchanges) + 1,
        status=ExchangeStatus.REQUESTED,
        return_id=request.opened.id,
        new_items=new_items,
        difference_due=Money(value.owed - value.total, order.currency),
        requested_at=facts.at,
        updated_at=facts.at,
        outbound_shipping=outbound,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        idempotency_key=command.idempotency_key,
        metadata=command.metadata,
    )
    event = ExchangeRequested(
        order_id=order.id,
        return_id=exchange.return_id,
        exchange_id=exchange.id,
        at=facts.at,
        by=command.created_by,
        no_notification=exchange.no_notification,
        command=command if command.idempotency_key else None,
        exchange=exchange,
    )
    return (request, event)


def record_exchange_payment(
    facts: Facts, ledger: ReturnLedger, command: RecordExchangePayment
) -> tuple[()] | tuple[ExchangePaid]:
    """
    What the customer paid counted in, and the new goods sent if the rest is done; nothing if it is known.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    reference: object = command.reference
    if exchange is None:
        wrong.add("exchange_not_found", exchange_id=error_value(command.exchange_id))
    if not isinstance(reference, str) or not reference:
        wrong.add("invalid_reference", reference=error_value(reference))
    currency = exchange.currency if exchange else None
    amount = wrong.check_amount(command.amount, currency, "invalid_payment_amount", minimum=1)
    wrong.check_texts(command)
    known = _known_payment(exchange, command) if exchange else None
    if known and amount is not None and known.amount.amount != amount:
        wrong.add("payment_reference_reused", reference=known.reference, amount=known.amount.amount)
    elif exchange and not known:
        _check_owed(wrong, exchange, amount)
    exchange = wrong.require(exchange)
    if known or amount is None:
        return ()

    payment = ExchangePayment(
        command.reference, Money(amount, exchange.currency), facts.at, command.created_by
    )
    paid = evolve(exchange, payments=(*exchange.payments, payment), updated_at=facts.at)
    is_done = exchange.status is not ExchangeStatus.REQUESTED and not paid.owed.amount
    if is_done:
        paid = evolve(paid, status=ExchangeStatus.COMPLETED, completed_at=facts.at)
    event = ExchangePaid(
        order_id=exchange.order_id,
        return_id=exchange.return_id,
        exchange_id=exchange.id,
        at=facts.at,
        by=command.created_by,
        no_notification=exchange.no_notification,
        command=command if command.idempotency_key else None,
        exchange=paid,
        payment=payment,
        replacement=replacement_of(exchange) if is_done else None,
    )
    return (event,)


def cancel_exchange(facts: Facts, ledger: ReturnLedger, command: CancelExchange) -> tuple[Event, ...]:
    """
    The exchange called off with its return, or, once its goods are here, with their refund; nothing if it
    was before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    target = ledger.find(exchange.return_id) if exchange else None
    is_over = exchange is not None and exchange.status is ExchangeStatus.CANCELED
    is_here = not is_over and target is not None and target.status is ReturnStatus.RECEIVED
    if exchange is None:
        wrong.add("exchange_not_found", exchange_id=error_value(command.exchange_id))
    elif exchange.status is ExchangeStatus.COMPLETED:
        wrong.add("exchange_completed", exchange_id=exchange.id)
    elif exchange.payments and not (is_here or is_over):
        wrong.add("exchange_paid", exchange_id=exchange.id, paid=exchange.paid.amount)
    if is_here:
        wrong.check_order(facts.order, ledger, target)
    elif target and not is_over:
        check_cancelable(wrong, target)
    wrong.check_texts(command)
    exchange, target = wrong.require(exchange), wrong.require(target)
    if is_over:
        return ()
    event = ExchangeCanceled(
        order_id=exchange.order_id,
        return_id=exchange.return_id,
        exchange_id=exchange.id,
        at=facts.at,
        by=command.created_by,
        no_notification=exchange.no_notification,
        command=command if command.idempotency_key else None,
        exchange=evolve(exchange, status=ExchangeStatus.CANCELED, canceled_at=facts.at, updated_at=facts.at),
    )
    if facts.order and is_here:
        return (event, *_refunded(facts, facts.order, ledger, target, command.created_by))
    return (cancel_event(target, facts.at, command.created_by), event)


def _refunded(
    facts: Facts, order: Order, ledger: ReturnLedger, target: Return, by: str | None
) -> tuple[ReturnResolved] | tuple[ReturnResolved, RefundBlocked]:
    """What came, and what was paid for the exchange, given back as if there had been none."""
    alone = target.without_exchange()
    refundable = ledger.refundable(order)
    money = grant(order, alone, alone.items, refundable=refundable, status=ReturnStatus.RECEIVED, named=None)
    event = resolve_event(ledger, target, order, money, Resolution(facts.at, by), items=target.items)
    return (event, *block_refund(target, money.blocked, refundable, facts.at, by))


def _outbound(wrong: Violations, method: object, currency: str | None) -> ShippingMethod | None:
    if method is None or currency is None:
        return None
    if not isinstance(method, ShippingMethod):
        wrong.add("invalid_outbound_shipping", value=error_value(method))
        return None
    try:
        return in_currency(method, currency)
    except InvalidValue as error:
        wrong.add("currency_mismatch", **error.details)
        return None


def _known_payment(exchange: Exchange, command: RecordExchangePayment) -> ExchangePayment | None:
    return next((each for each in exchange.payments if each.reference == command.reference), None)


def _check_owed(wrong: Violations, exchange: Exchange, amount: int | None) -> None:
    if exchange.status is ExchangeStatus.CANCELED:
        wrong.add("exchange_canceled", exchange_id=exchange.id)
    elif exchange.status is ExchangeStatus.COMPLETED:
        wrong.add("exchange_completed", exchange_id=exchange.id)
    elif amount is not None and amount > (owed := exchange.owed.amount):
        wrong.add("payment_exceeds_owed", amount=amount, owed=owed, currency=exchange.currency)
