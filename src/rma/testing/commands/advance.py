"""Makers of commands about exchanges whose new goods are sent first, or replaced by others."""

from datetime import timedelta

from rma.domain.messages.advance import ChargeDeclined, ChargeOutcome, ChargeSucceeded
from rma.domain.messages.commands import RecordChargeOutcome, RequestExchange, SettleAdvance, UpdateExchange
from rma.domain.sale.hold import Hold, Ship
from rma.domain.state.exchanges import Exchange
from rma.domain.state.lifecycle import ChargeStatus
from rma.domain.values.money import Money
from rma.testing.commands.choices import choose_target, new_items, rarely
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def choose_hold(chooser: Chooser, situation: Situation, asked: RequestExchange) -> tuple[str, Hold | None]:
    """When the new goods are sent, and on which hold: first, only where goods have a last day."""
    days = situation.policy.return_within_days
    if days is None or not chooser.choose([True, True, False]):
        return Ship.LAST.value, None
    values = {line.id: line.price.amount * 2 + 1000 for line in situation.order.items}
    amount = sum([values.get(item.item_id, 0) * max(1, item.quantity) for item in asked.items])
    number = len(situation.ledger.exchanges) + 1
    hold = Hold(
        reference=f"hold_{situation.order.id}_{number}",
        amount=Money(1 if rarely(chooser, 20) else max(1, amount), situation.order.currency),
        until=situation.now + timedelta(days=days + chooser.choose([30, 30, 30, -1])),
    )
    return Ship.FIRST.value, hold


def update_exchange(chooser: Chooser, situation: Situation) -> UpdateExchange | None:
    """Something else, where it can be had, or the first is out of stock."""
    exchanges = situation.ledger.exchanges
    likely = [each for each in exchanges if each.is_open and not each.sent_first]
    target = choose_target(chooser, likely, exchanges)
    if target is None:
        return None
    goods = situation.ledger.get(target.return_id).items
    units = {item.item_id: item.quantity for item in goods}
    return UpdateExchange(exchange_id=target.id, new_items=new_items(chooser, situation, units))


def close_advance(chooser: Chooser, situation: Situation) -> SettleAdvance | None:
    """Those that were sent first, late or too early."""
    exchanges = situation.ledger.exchanges
    target = choose_target(chooser, [each for each in exchanges if _is_to_be_closed(each)], exchanges)
    return None if target is None else SettleAdvance(exchange_id=target.id)


def _is_to_be_closed(exchange: Exchange) -> bool:
    return exchange.sent_first and exchange.is_open and not exchange.is_hold_closed


def record_charge_outcome(chooser: Chooser, situation: Situation) -> RecordChargeOutcome | None:
    """Of a charge that needs attention, whatever it is; of others what is known."""
    charges = [each for exchange in situation.ledger.exchanges for each in exchange.hold_charges]
    unknown = [each for each in charges if each.status is ChargeStatus.NEEDS_ATTENTION]
    target = choose_target(chooser, [*unknown * 3, *charges], charges)
    if target is None:
        return None
    taken: list[ChargeOutcome] = [ChargeSucceeded(target.reference or f"ch_{target.key}")]
    refused: list[ChargeOutcome] = [ChargeDeclined("declined")]
    known = {ChargeStatus.SUCCEEDED: taken, ChargeStatus.FAILED: refused}
    outcome = chooser.choose(known.get(target.status, taken + refused))
    return RecordChargeOutcome(key=target.key, outcome=outcome)
