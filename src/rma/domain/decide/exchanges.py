"""RequestExchange and RecordExchangePayment: returned goods pay for new ones."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.checks import (
    check_amount,
    check_key,
    check_metadata,
    check_string,
    check_strings,
    check_text,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.holds import (
    check_hold,
    check_hold_covers,
    check_ship,
    is_too_late,
    once_approved,
    release_hold,
)
from rma.domain.decide.replacements import check_new_items, replacement_of, reserve_new_goods
from rma.domain.decide.returns.draft import ReturnDraft, open_return
from rma.domain.decide.returns.kept import pay_for_kept
from rma.domain.decide.returns.request import (
    allocate_items,
    check_request_options,
    no_notification,
    validate_request,
)
from rma.domain.decide.returns.review import waits_for_approval
from rma.domain.decide.shipping_first import ship_first
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.events import Event, ExchangePaid, ExchangeRequested, HoldReleased, header_for
from rma.domain.messages.advance import ReserveRequest
from rma.domain.messages.commands import RecordExchangePayment, RequestExchange
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.hold import Ship
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import Order, in_currency
from rma.domain.sale.pricing import AmountPart
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.exchanges import Exchange, ExchangePayment
from rma.domain.state.explained import outbound_cost
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ExchangeStatus, ReturnStatus, exchange_refusal
from rma.domain.state.returns import Return
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money


def request_exchange(facts: Facts, ledger: ReturnLedger, command: RequestExchange) -> tuple[Event, ...]:
    """
    An exchange opened, with the return whose goods pay for it; new goods are sent at once for goods that a
    rule leaves with the customer, and where they are to be sent first, unless a person has to approve the
    return before, or a difference is owed.

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
    outbound = check_outbound(wrong, command.outbound_shipping, currency)
    ship = check_ship(wrong, command.ship)
    hold = check_hold(wrong, command.hold, ship, currency, ledger, has_holds=facts.has_holds)
    check_key(wrong, command)
    order = wrong.require(valid.order)

    exchange_id = facts.new_id("exc")
    charges = charges_for(new_items, outbound)
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
        is_advance=ship is Ship.FIRST,
        metadata=command.metadata,
    )
    request = open_return(facts, ledger, draft)
    if hold is not None:
        check_hold_covers(wrong, hold, once_approved(facts, request.opened))
        wrong.require(order)
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
        ship=wrong.require(ship),
        hold=hold,
    )
    exchange, reserve = _reserved(facts, exchange)
    by = command.created_by
    header = header_for(exchange, ledger, facts.at, by=by, command=command)
    opened = ExchangeRequested(header=header, opened=exchange, reserve_request=reserve)
    if draft.is_pending:
        return (request, opened)
    kept = pay_for_kept(facts, ledger, order, request.opened, exchange, by=by)
    return (request, opened, *ship_first(exchange, request.opened, ledger, facts.at, by), *kept)


def _reserved(facts: Facts, exchange: Exchange) -> tuple[Exchange, ReserveRequest | None]:
    """
    The exchange as it begins, and the request that its new goods are kept, where the host reserves goods.

    Where new goods are sent first, and the customer owes for them, that is what it waits for.
    """
    if exchange.is_advance and exchange.owed.amount:
        exchange = evolve(exchange, status=ExchangeStatus.AWAITING_PAYMENT)
    if not facts.reserves:
        return exchange, None
    reserve = reserve_new_goods(exchange)
    return evolve(exchange, reservation=reserve.key, reservations=1), reserve


def record_exchange_payment(
    facts: Facts, ledger: ReturnLedger, command: RecordExchangePayment
) -> tuple[()] | tuple[ExchangePaid, *tuple[HoldReleased, ...]]:
    """
    The customer's payment counted, and the new goods sent if the rest is done; nothing if it is known.

    New goods that go first are not sent after the last day for the others: a person decides then.

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
    check_text(wrong, "kind", command.kind)
    check_strings(wrong, command, "provider_id")
    known = _find_payment(exchange, command) if exchange else None
    elsewhere = [_find_payment(each, command) for each in ledger.exchanges if each != exchange]
    if any(reference in each.hold_references for each in ledger.exchanges) and not known:
        wrong.add("hold_reference_reused", reference=error_id(reference))
    other = next((payment for payment in elsewhere if payment), None)
    if other or (known and amount is not None and known.amount != amount):
        reused = other or known
        assert reused is not None
        wrong.add("payment_reference_reused", reference=reused.reference, amount=reused.amount.amount)
    elif exchange and not known:
        _check_listed(wrong, facts.order, command.reference, amount)
        _check_owed(wrong, exchange, command, amount)
    exchange = wrong.require(exchange)
    if known or amount is None:
        return ()

    payment = ExchangePayment(
        command.reference,
        amount,
        facts.at,
        command.created_by,
        kind=command.kind,
        provider_id=command.provider_id,
    )
    is_done = (
        amount >= exchange.owed
        and exchange.status is not ExchangeStatus.REQUESTED
        and exchange.out_of_stock is None
    )
    target = ledger.find(exchange.return_id)
    is_pending = target is not None and target.status is ReturnStatus.PENDING_APPROVAL
    status = _status_paid(exchange, target, facts.at) if is_done else exchange.status
    is_too_late = status is ExchangeStatus.REQUIRES_ACTION
    is_sent_now = is_done and not (exchange.is_sent or is_pending or is_too_late)
    event = ExchangePaid(
        header=header_for(exchange, ledger, facts.at, by=command.created_by, command=command),
        status=status,
        payment=payment,
        replacement=replacement_of(exchange) if is_sent_now else None,
    )
    if not is_done or not exchange.sent_first:
        return (event,)
    return (event, *release_hold(evolve(exchange, status=status), ledger, facts.at, command.created_by))


def _status_paid(exchange: Exchange, target: Return | None, at: datetime) -> ExchangeStatus:
    """The status of an exchange for which nothing more is owed: it may still wait for its goods."""
    if not exchange.is_advance or exchange.sent_first or target is None or not target.is_open:
        return ExchangeStatus.COMPLETED
    return ExchangeStatus.REQUIRES_ACTION if is_too_late(target, at) else ExchangeStatus.REQUESTED


def charges_for(new_items: tuple[NewItem, ...], outbound: ShippingMethod | None) -> tuple[AmountPart, ...]:
    """What new goods set against those that are returned: below 0."""
    charges = tuple([item.part() for item in new_items])
    return (*charges, outbound_cost(outbound)) if outbound else charges


def check_outbound(wrong: Violations, method: object, currency: str | None) -> ShippingMethod | None:
    """How new goods travel, in the order's currency."""
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


def _check_listed(wrong: Violations, order: Order | None, reference: str, amount: Money | None) -> None:
    """A payment that the order lists under this reference is this one: it captured as much."""
    for payment in order.payments if order else ():
        if payment.id == reference and amount is not None and payment.captured.amount != amount.amount:
            wrong.add("payment_reference_reused", reference=reference, amount=payment.captured.amount)


def _check_owed(
    wrong: Violations, exchange: Exchange, command: RecordExchangePayment, amount: Money | None
) -> None:
    if refusal := exchange_refusal(exchange.status, command):
        wrong.add(refusal, exchange_id=exchange.id)
    elif exchange.status is ExchangeStatus.COMPLETED and not _unpaid(exchange).amount:
        wrong.add("exchange_completed", exchange_id=exchange.id)
    elif amount is not None and amount > (owed := _unpaid(exchange)):
        wrong.add("payment_exceeds_owed", amount=amount.amount, owed=owed.amount, currency=exchange.currency)


def _unpaid(exchange: Exchange) -> Money:
    """What the customer can pay: what is owed, and what was written off, if it is paid after all."""
    return exchange.owed + exchange.written_off
