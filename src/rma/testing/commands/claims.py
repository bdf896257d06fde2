"""Makers of commands about claims."""

from rma.domain.messages.command_items import ClaimItem
from rma.domain.messages.commands import CancelClaim, RequestClaim, ResolveClaim
from rma.domain.state.claims import ClaimReason, ClaimType
from rma.domain.state.lifecycle import ClaimStatus
from rma.testing.commands.choices import choose_amount, choose_note, choose_target, choose_units, new_items
from rma.testing.commands.choosers import Chooser
from rma.testing.commands.situation import Situation


def request_claim(chooser: Chooser, situation: Situation) -> RequestClaim | None:
    """For money, computed or named, or for new goods; the broken ones come back or do not."""
    units = choose_units(chooser, situation)
    if not units:
        return None
    kind = chooser.choose([ClaimType.REFUND, ClaimType.REFUND, ClaimType.REPLACE])
    is_refund = kind is ClaimType.REFUND
    amount = choose_amount(chooser, situation, 3) if is_refund else None
    return RequestClaim(
        order_id=situation.order.id,
        type=kind.value,
        items=[
            ClaimItem(
                item_id=item_id,
                quantity=quantity,
                reason=chooser.detail(list(ClaimReason)).value,
                images=chooser.detail([(), ("a.jpg",)]),
            )
            for item_id, quantity in units.items()
        ],
        new_items=[] if is_refund else new_items(chooser, situation, units),
        refund_amount=amount,
        refund_note=choose_note(chooser, amount),
        shipping_option_id=chooser.choose([None, None, *situation.shipping_option_ids]),
        return_items=chooser.choose([False, True]),
    )


def resolve_claim(chooser: Chooser, situation: Situation) -> ResolveClaim | None:
    """What is due is written off, or all of it but one minor unit."""
    claims = situation.ledger.claims
    target = choose_target(chooser, [each for each in claims if each.amount_due.amount], claims)
    if target is None:
        return None
    amount = target.refunded.amount + chooser.choose([0, 0, 1])
    return ResolveClaim(claim_id=target.id, refund_amount=amount, refund_note=chooser.detail([None, "late"]))


def cancel_claim(chooser: Chooser, situation: Situation) -> CancelClaim | None:
    """Refused where something was paid, sent or received."""
    claims = situation.ledger.claims
    open_claims = [each for each in claims if each.status is not ClaimStatus.CANCELED]
    uncompensated = [
        each
        for each in open_claims
        if not each.new_items and not any(refund.is_in_force for refund in each.refunds)
    ]
    target = choose_target(chooser, uncompensated or open_claims, claims)
    return None if target is None else CancelClaim(claim_id=target.id)
