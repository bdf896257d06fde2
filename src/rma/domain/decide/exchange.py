"""RequestExchange, RecordExchangePayment, CancelExchange: goods that come back pay for new ones."""

from attrs import evolve

from rma.domain.commands import CancelExchange, RecordExchangePayment, RequestExchange, RequestReturn
from rma.domain.decide.cancel import canceled, check_cancelable
from rma.domain.decide.closing import replacement_of
from rma.domain.decide.judging import Violations, plain
from rma.domain.decide.replacing import check_new_items
from rma.domain.decide.request import judged, no_notification, requested
from rma.domain.errors import InvalidValue
from rma.domain.events import (
    ExchangeCanceled,
    ExchangePaid,
    ExchangeRequested,
    ReturnCanceled,
    ReturnRequested,
)
from rma.domain.exchanges import Exchange, ExchangePayment, ExchangeStatus
from rma.domain.facts import Facts
from rma.domain.ledger import ReturnLedger
from rma.domain.money import Money
from rma.domain.offers import ShippingMethod
from rma.domain.order import in_currency
from rma.domain.pricing import Part
from rma.domain.returns import ReturnStatus


def request_exchange(
    facts: Facts, ledger: ReturnLedger, command: RequestExchange
) -> tuple[ReturnRequested, ExchangeRequested]:
    """
    An exchange opened, with the return whose goods pay for it.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is taken.
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
    asked = judged(wrong, facts, ledger, coming_back)
    currency = asked.order.currency if asked.order else None
    if not command.new_items:
        wrong.add("no_new_items")
    new_items = check_new_items(wrong, command.new_items, currency, books_shipments=facts.books_shipments)
    outbound = _outbound(wrong, command.outbound_shipping, currency)
    wrong.check_key(command)
    order = wrong.none_about(asked.order)

    exchange_id = f"exc_{facts.fresh_id}"
    charges = tuple([item.part() for item in new_items])
    if outbound:
        charges += (Part("outbound_shipping", -outbound.total),)
    request = requested(facts, ledger, coming_back, asked, exchange_id=exchange_id, charges=charges)
    worth = request.opened.valuation
    exchange = Exchange(
        id=exchange_id,
        order_id=order.id,
        display_id=len(ledger.exchanges) + 1,
        status=ExchangeStatus.REQUESTED,
        return_id=request.opened.id,
        new_items=new_items,
        difference_due=Money(worth.owed - worth.total, order.currency),
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
        wrong.add("exchange_not_found", exchange_id=plain(command.exchange_id))
    if not isinstance(reference, str) or not reference:
        wrong.add("invalid_reference", reference=plain(reference))
    currency = exchange.currency if exchange else None
    amount = wrong.check_amount(command.amount, currency, "invalid_payment_amount", minimum=1)
    wrong.check_texts(command)
    known = _known_payment(exchange, command) if exchange else None
    if known and amount is not None and known.amount.amount != amount:
        wrong.add("payment_reference_reused", reference=known.reference, amount=known.amount.amount)
    elif exchange and not known:
        _check_owed(wrong, exchange, amount)
    exchange = wrong.none_about(exchange)
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


def cancel_exchange(
    facts: Facts, ledger: ReturnLedger, command: CancelExchange
) -> tuple[()] | tuple[ReturnCanceled, ExchangeCanceled]:
    """
    The exchange called off, and its return; nothing if it was before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    target = ledger.find(exchange.return_id) if exchange else None
    if exchange is None:
        wrong.add("exchange_not_found", exchange_id=plain(command.exchange_id))
    elif exchange.payments:
        wrong.add("exchange_paid", exchange_id=exchange.id, paid=exchange.paid.amount)
    if target and target.status is not ReturnStatus.CANCELED:
        check_cancelable(wrong, target)
    wrong.check_texts(command)
    exchange, target = wrong.none_about(exchange), wrong.none_about(target)
    if exchange.status is ExchangeStatus.CANCELED:
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
    return (canceled(target, facts.at, command.created_by), event)


def _outbound(wrong: Violations, method: object, currency: str | None) -> ShippingMethod | None:
    if method is None or currency is None:
        return None
    if not isinstance(method, ShippingMethod):
        wrong.add("invalid_outbound_shipping", value=plain(method))
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
