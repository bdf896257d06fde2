"""RequestExchange, RecordExchangePayment, CancelExchange: returned goods pay for new ones."""

from rma.domain.decide.checks import (
    check_amount,
    check_key,
    check_metadata,
    check_order,
    check_string,
    check_strings,
    check_text,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.replacements import check_new_items, replacement_of
from rma.domain.decide.returns.cancel import check_cancelable, report_canceled
from rma.domain.decide.returns.draft import ReturnDraft, open_return
from rma.domain.decide.returns.kept import close_with_kept, pay_for_kept
from rma.domain.decide.returns.request import (
    allocate_items,
    check_request_options,
    no_notification,
    validate_request,
)
from rma.domain.decide.returns.resolve import close_return
from rma.domain.decide.returns.review import waits_for_approval
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import (
    Event,
    ExchangeCanceled,
    ExchangePaid,
    ExchangeRequested,
    header_for,
)
from rma.domain.messages.commands import CancelExchange, RecordExchangePayment, RequestExchange
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.order import in_currency
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.exchanges import Exchange, ExchangePayment
from rma.domain.state.explained import outbound_cost
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ExchangeStatus, ReturnStatus, exchange_refusal
from rma.domain.state.returns import Resolution
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money


def request_exchange(facts: Facts, ledger: ReturnLedger, command: RequestExchange) -> tuple[Event, ...]:
    """
    An exchange opened, with the return whose goods pay for it; new goods are sent at once for goods that a
    rule leaves with the customer, unless a person has to approve the return first.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is taken; `currency_mismatch`, a fee
            of the policy is not in the order's currency.
    """
    wrong = Violations()
    valid = validate_request(wrong, facts, ledger, command, Outcome.EXCHANGE)
    check_request_options(wrong, command)
    check_text(wrong, "location_id", command.location_id)
    check_text(wrong, "created_by", command.created_by)
    currency = valid.order.currency if valid.order else None
    if not command.new_items:
        wrong.add("no_new_items")
    new_items = check_new_items(wrong, command.new_items, currency, books_shipments=facts.books_shipments)
    outbound = _check_outbound(wrong, command.outbound_shipping, currency)
    check_key(wrong, command)
    order = wrong.require(valid.order)

    exchange_id = facts.new_id("exc")
    charges = tuple([item.part() for item in new_items])
    if outbound:
        charges += (outbound_cost(outbound),)
    items = allocate_items(command.items, valid)
    draft = ReturnDraft(
        order=order,
        items=items,
        shipping_price=valid.shipping_price,
        location_id=command.location_id,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        exchange_id=exchange_id,
        charges=charges,
        is_pending=waits_for_approval(facts.policy, ReturnBasis.POLICY, items),
        metadata=command.metadata,
    )
    request = open_return(facts, ledger, draft)
    quote = request.opened.valuation
    exchange = Exchange(
        id=exchange_id,
        order_id=order.id,
        display_id=len(ledger.exchanges) + 1,
        status=ExchangeStatus.REQUESTED,
        return_id=request.opened.id,
        new_items=new_items,
        difference_due=Money(quote.owed - quote.total, order.currency),
        requested_at=facts.at,
        updated_at=facts.at,
        outbound_shipping=outbound,
        no_notification=draft.no_notification,
        created_by=command.created_by,
        idempotency_key=command.idempotency_key,
        metadata=command.metadata,
    )
    header = header_for(exchange, ledger, facts.at, by=command.created_by, command=command)
    opened = ExchangeRequested(header=header, opened=exchange)
    if draft.is_pending:
        return (request, opened)
    kept = pay_for_kept(facts, ledger, order, request.opened, exchange, by=command.created_by)
    return (request, opened, *kept)


def record_exchange_payment(
    facts: Facts, ledger: ReturnLedger, command: RecordExchangePayment
) -> tuple[()] | tuple[ExchangePaid]:
    """
    The customer's payment counted, and the new goods sent if the rest is done; nothing if it is known.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    reference: object = command.reference
    if exchange is None:
        report_unknown(wrong, "exchange_not_found", "exchange_id", command.exchange_id)
    if not isinstance(reference, str) or not reference:
        wrong.add("invalid_reference", reference=error_value(reference))
    else:
        check_string(wrong, "reference", reference)
    currency = exchange.currency if exchange else None
    amount = check_amount(
        wrong, command.amount, currency, "invalid_payment_amount", field="amount", minimum=1
    )
    check_strings(wrong, command)
    known = _find_payment(exchange, command) if exchange else None
    elsewhere = [_find_payment(each, command) for each in ledger.exchanges if each != exchange]
    other = next((payment for payment in elsewhere if payment), None)
    if other or (known and amount is not None and known.amount != amount):
        reused = other or known
        assert reused is not None
        wrong.add("payment_reference_reused", reference=reused.reference, amount=reused.amount.amount)
    elif exchange and not known:
        _check_owed(wrong, exchange, command, amount)
    exchange = wrong.require(exchange)
    if known or amount is None:
        return ()

    payment = ExchangePayment(command.reference, amount, facts.at, command.created_by)
    is_done = exchange.status is not ExchangeStatus.REQUESTED and amount == exchange.owed
    event = ExchangePaid(
        header=header_for(exchange, ledger, facts.at, by=command.created_by, command=command),
        status=ExchangeStatus.COMPLETED if is_done else exchange.status,
        payment=payment,
        replacement=replacement_of(exchange) if is_done else None,
    )
    return (event,)


def cancel_exchange(facts: Facts, ledger: ReturnLedger, command: CancelExchange) -> tuple[Event, ...]:
    """
    The exchange canceled with its return, or, once its goods are here or kept, with their refund; nothing if
    it was canceled before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    target = ledger.find(exchange.return_id) if exchange else None
    is_over = exchange is not None and exchange.status is ExchangeStatus.CANCELED
    is_here = not is_over and target is not None and target.status is ReturnStatus.RECEIVED
    keeps_some = (
        not is_over
        and target is not None
        and target.status is ReturnStatus.PARTIALLY_RECEIVED
        and target.waits_for_first_parcel
    )
    if exchange is None:
        report_unknown(wrong, "exchange_not_found", "exchange_id", command.exchange_id)
    elif refusal := exchange_refusal(exchange.status, command):
        wrong.add(refusal, exchange_id=exchange.id)
    elif exchange.payments and not (is_here or keeps_some or is_over):
        wrong.add("exchange_paid", exchange_id=exchange.id, paid=exchange.paid.amount)
    if is_here or keeps_some:
        check_order(wrong, facts.order, ledger, target)
    elif target and not is_over:
        check_cancelable(wrong, target)
    check_strings(wrong, command)
    exchange, target = wrong.require(exchange), wrong.require(target)
    if is_over:
        return ()
    at, by = facts.at, command.created_by
    event = ExchangeCanceled(header=header_for(exchange, ledger, at, by=by, command=command))
    if not (is_here or keeps_some):
        return (report_canceled(target, ledger, at, by), event)
    # What the customer paid for the exchange is given back with the goods' value.
    order = wrong.require(facts.order)
    if keeps_some:
        return (event, *close_with_kept(order, ledger, target, at, by))
    alone = target.without_exchange()
    return (event, *close_return(order, ledger, alone, Resolution(at, by), items=alone.items))


def _check_outbound(wrong: Violations, method: object, currency: str | None) -> ShippingMethod | None:
    if method is None:
        return None
    if not isinstance(method, ShippingMethod):
        wrong.add("invalid_outbound_shipping", value=error_value(method))
        return None
    if currency is None:
        return None
    check_metadata(wrong, method.data, path="outbound_shipping.data")
    try:
        return in_currency(method, currency)
    except InvalidValue as error:
        wrong.add("currency_mismatch", **error.details)
        return None


def _find_payment(exchange: Exchange, command: RecordExchangePayment) -> ExchangePayment | None:
    return next((each for each in exchange.payments if each.reference == command.reference), None)


def _check_owed(
    wrong: Violations, exchange: Exchange, command: RecordExchangePayment, amount: Money | None
) -> None:
    if refusal := exchange_refusal(exchange.status, command):
        wrong.add(refusal, exchange_id=exchange.id)
    elif amount is not None and amount > (owed := exchange.owed):
        wrong.add("payment_exceeds_owed", amount=amount.amount, owed=owed.amount, currency=exchange.currency)
