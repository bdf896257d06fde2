"""Makers of commands about exchanges."""

from attrs import evolve

from rma.domain.messages.commands import CancelExchange, RecordExchangePayment, RequestExchange
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.state.lifecycle import ExchangeStatus
from rma.domain.values.money import Money
from rma.testing.commands.advance import choose_hold
from rma.testing.commands.choices import (
    METADATA,
    choose_option,
    choose_target,
    choose_units,
    new_items,
    requested_items,
)
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def request_exchange(chooser: Chooser, situation: Situation) -> RequestExchange | None:
    """Some of what is left for something cheaper or dearer, whose shipping the customer pays or not."""
    units = choose_units(chooser, situation)
    if not units:
        return None
    price = Money(300, situation.order.currency)
    express = ShippingMethod(id="express", option_id=None, name="Express", price=price)
    asked = RequestExchange(
        order_id=situation.order.id,
        items=requested_items(chooser, situation, units),
        new_items=new_items(chooser, situation, units),
        shipping_option_id=choose_option(chooser, situation),
        outbound_shipping=chooser.detail([None, express]),
        metadata=chooser.detail(METADATA),
    )
    ship, hold = choose_hold(chooser, situation, asked)
    return evolve(asked, ship=ship, hold=hold)


def record_exchange_payment(chooser: Chooser, situation: Situation) -> RecordExchangePayment | None:
    """All that the customer owes, or a part of it."""
    exchanges = situation.ledger.exchanges
    target = choose_target(chooser, [each for each in exchanges if each.owed.amount], exchanges)
    if target is None:
        return None
    owed = max(1, target.owed.amount)
    return RecordExchangePayment(
        exchange_id=target.id,
        amount=Money(chooser.choose([owed, chooser.whole(1, owed)]), target.currency),
        reference=f"ch_{target.id}_{len(target.payments) + 1}",
        kind=chooser.detail([None, "card", "gift_card"]),
        provider_id=chooser.detail([None, "stripe"]),
    )


def cancel_exchange(chooser: Chooser, situation: Situation) -> CancelExchange | None:
    """Refused where new goods were sent."""
    exchanges = situation.ledger.exchanges
    ended = {ExchangeStatus.COMPLETED, ExchangeStatus.CANCELED}
    likely = [each for each in exchanges if each.status not in ended]
    target = choose_target(chooser, likely, exchanges)
    if target is None:
        return None
    return CancelExchange(exchange_id=target.id, keep_return=chooser.choose([False, False, True]))
