"""Makers of commands about claims."""

from attrs import evolve

from rma.domain.messages.command_items import ClaimedCharge, ClaimItem
from rma.domain.messages.commands import CancelClaim, RequestClaim, ResolveClaim
from rma.domain.sale.rules import Outcome
from rma.domain.state.claims import ClaimReason, ClaimType
from rma.domain.state.lifecycle import ClaimStatus
from rma.domain.values.money import Money
from rma.testing.commands.choices import (
    choose_amount,
    choose_note,
    choose_target,
    choose_units,
    new_items,
    rarely,
)
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation

#: What can be wrong with units that the customer has.
_REASONS = tuple([reason.value for reason in ClaimReason if reason is not ClaimReason.NOT_SENT])


def request_claim(chooser: Chooser, situation: Situation) -> RequestClaim | None:
    """
    For money, computed or named, for new goods, or for a part of the price of goods that stay.

    Seldom store credit instead of money: for the customer, who may not be known, or for a friend.
    """
    command = _request(chooser, situation)
    outcome = chooser.detail([Outcome.REFUND.value] * 3 + [Outcome.STORE_CREDIT.value])
    if command is None or outcome != Outcome.STORE_CREDIT:
        return command
    return evolve(command, outcome=outcome, payee=chooser.detail([None, "cus_friend"]))


def _request(chooser: Chooser, situation: Situation) -> RequestClaim | None:
    kind = chooser.choose(
        [ClaimType.REFUND, ClaimType.REFUND, ClaimType.REPLACE, ClaimType.REDUCE, ClaimType.GOODWILL]
    )
    if kind is ClaimType.GOODWILL:
        goodwill = Money(chooser.choose([1, chooser.whole(1, 400)]), situation.order.currency)
        return RequestClaim(
            order_id=situation.order.id,
            type=kind.value,
            refund_amount=goodwill,
            refund_note=choose_note(chooser, goodwill),
        )
    unsent = _unsent(situation) if kind is ClaimType.REFUND and rarely(chooser, 3) else {}
    units = unsent or choose_units(chooser, situation)
    if not units:
        return None
    if kind is ClaimType.REDUCE:
        return _reduction(chooser, situation, units)
    is_refund = kind is ClaimType.REFUND
    amount = choose_amount(chooser, situation, 3) if is_refund or rarely(chooser, 3) else None
    comes_back = not unsent
    return RequestClaim(
        order_id=situation.order.id,
        type=kind.value,
        items=[
            ClaimItem(
                item_id=item_id,
                quantity=quantity,
                reason=ClaimReason.NOT_SENT.value if unsent else chooser.detail(_REASONS),
                images=chooser.detail([(), ("a.jpg",)]),
            )
            for item_id, quantity in units.items()
        ],
        new_items=[] if is_refund else new_items(chooser, situation, units),
        refund_amount=amount,
        refund_note=choose_note(chooser, amount),
        shipping_option_id=chooser.choose([None, None, *situation.shipping_option_ids])
        if comes_back
        else None,
        return_items=chooser.choose([False, True]) if comes_back else False,
        charges=_charges(chooser, situation),
    )


def _reduction(chooser: Chooser, situation: Situation, units: dict[str, int]) -> RequestClaim:
    """A part of the price of these units, seldom all of it, or one minor unit more."""
    values = {each.item_id: each.unit_value.amount for each in situation.returnable()}
    claim_ids = [claim.id for claim in situation.ledger.claims if claim.reductions]
    items = []
    for item_id, quantity in units.items():
        most = values.get(item_id, 0) * quantity
        amount = chooser.choose([max(1, most // 3), 1, max(1, most) + rarely(chooser, 10)])
        items.append(
            ClaimItem(
                item_id=item_id,
                quantity=quantity,
                reason=chooser.detail(_REASONS),
                amount=amount,
                claim_id=chooser.detail([None, None, None, *claim_ids]),
            )
        )
    return RequestClaim(order_id=situation.order.id, type=ClaimType.REDUCE.value, items=items)


def _unsent(situation: Situation) -> dict[str, int]:
    """By item id, one unit of each line of which some were not sent."""
    order = situation.order
    remainders = situation.ledger.remainders(order, [line.id for line in order.items])
    return {item_id: 1 for item_id, each in remainders.items() if each.unsent_quantity}


def _charges(chooser: Chooser, situation: Situation) -> list[ClaimedCharge]:
    """Seldom one of the order's charges, all that is left of it or one minor unit."""
    charges = situation.order.all_charges
    if not charges or not rarely(chooser, 4):
        return []
    charge = chooser.detail(charges)
    return [ClaimedCharge(charge_id=charge.id, amount=chooser.detail([None, 1]))]


def resolve_claim(chooser: Chooser, situation: Situation) -> ResolveClaim | None:
    """
    What is due is written off, or all of it but one minor unit.

    Where new goods cannot be had, money is given, or others, or the same again.
    """
    claims = situation.ledger.claims
    likely = [each for each in claims if each.amount_due.amount or each.lacks_new_goods]
    target = choose_target(chooser, likely, claims)
    if target is None:
        return None
    if target.lacks_new_goods:
        instead = chooser.choose([None, None, *target.new_items])
        if instead is not None:
            return ResolveClaim(claim_id=target.id, new_items=[instead])
        named = choose_amount(chooser, situation, 3)
        return ResolveClaim(claim_id=target.id, refund_amount=named, refund_note=choose_note(chooser, named))
    amount = target.refunded.amount + chooser.choose([0, 0, 1])
    return ResolveClaim(claim_id=target.id, refund_amount=amount, refund_note=chooser.detail([None, "late"]))


def cancel_claim(chooser: Chooser, situation: Situation) -> CancelClaim | None:
    """Refused where something was paid, sent or received."""
    claims = situation.ledger.claims
    open_claims = [each for each in claims if each.status is not ClaimStatus.CANCELED]
    uncompensated = [
        each
        for each in open_claims
        if (each.lacks_new_goods or not each.new_items)
        and not any(refund.is_in_force for refund in each.refunds)
    ]
    target = choose_target(chooser, uncompensated or open_claims, claims)
    return None if target is None else CancelClaim(claim_id=target.id)
