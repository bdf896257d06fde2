"""Makers of commands about exchanges whose new goods are sent first, or replaced by others."""

from collections.abc import Mapping
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
    units = {item.item_id: item.quantity for item in asked.items}
    return Ship.FIRST.value, _hold(chooser, situation, units, days)


def _hold(chooser: Chooser, situation: Situation, units: Mapping[str, int], days: int) -> Hold:
    """A hold for so many units by line, large and long enough as a rule."""
    values = {line.id: line.price.amount * 2 + 1000 for line in situation.order.items}
    amount = sum([values.get(item_id, 0) * max(1, quantity) for item_id, quantity in units.items()])
    number = sum([len(each.hold_references) for each in situation.ledger.exchanges]) + 1
    return Hold(
        reference=f"hold_{situation.order.id}_{number}",
        amount=Money(1 if rarely(chooser, 20) else max(1, amount), situation.order.currency),
        until=situation.now + timedelta(days=days + chooser.choose([30, 30, 30, -1])),
    )


def update_exchange(chooser: Chooser, situation: Situation) -> UpdateExchange | None:
    """Something else, where it can be had, or the first is out of stock; sometimes on another hold."""
    exchanges = situation.ledger.exchanges
    likely = [each for each in exchanges if each.is_open and not each.sent_first]
    target = choose_target(chooser, likely, exchanges)
    if target is None:
        return None
    goods = situation.ledger.get(target.return_id).items
    units = {item.item_id: item.quantity for item in goods}
    days = situation.policy.return_within_days or 0
    is_other = target.is_advance and chooser.choose([False, True])
    return UpdateExchange(
        exchange_id=target.id,
        new_items=new_items(chooser, situation, units),
        hold=_hold(chooser, situation, units, days) if is_other else None,
    )


def close_advance(chooser: Chooser, situation: Situation) -> SettleAdvance | None:
    """
    Those that were sent first, late or too early.

    What is owed after a charge was declined is charged again, or written off, or a part of it.
    """
    exchanges = situation.ledger.exchanges
    target = choose_target(chooser, [each for each in exchanges if _is_to_be_closed(each)], exchanges)
    if target is None:
        return None
    owed = target.owed.amount
    amount = chooser.choose([None, owed, owed, owed // 2, owed + 1]) if owed else None
    note = None if amount is None else chooser.detail(["gone", "late"])
    return SettleAdvance(exchange_id=target.id, write_off=amount, note=note)


def _is_to_be_closed(exchange: Exchange) -> bool:
    is_settled = exchange.is_hold_closed and not exchange.owed.amount
    return exchange.sent_first and exchange.is_open and not is_settled


def record_charge_outcome(chooser: Chooser, situation: Situation) -> RecordChargeOutcome | None:
    """Of a charge that is not known, whatever it is; of others what is known, rarely the opposite."""
    charges = [each for exchange in situation.ledger.exchanges for each in exchange.hold_charges]
    unknown = [each for each in charges if each.status is ChargeStatus.NEEDS_ATTENTION]
    target = choose_target(chooser, [*unknown * 3, *charges], charges)
    if target is None:
        return None
    taken: list[ChargeOutcome] = [ChargeSucceeded(target.reference or f"ch_{target.key}")]
    refused: list[ChargeOutcome] = [ChargeDeclined("declined")]
    known = {ChargeStatus.SUCCEEDED: taken, ChargeStatus.FAILED: refused}
    is_surprising = rarely(chooser, 10)
    outcome = chooser.choose(taken + refused if is_surprising else known.get(target.status, taken + refused))
    return RecordChargeOutcome(key=target.key, outcome=outcome)
