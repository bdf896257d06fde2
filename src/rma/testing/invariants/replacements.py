"""Laws of claims whose new goods cannot be had."""

from collections.abc import Iterator

from rma.domain.events import ClaimResolved, EffectsAttempted
from rma.domain.messages.effects import ReplacementRequest
from rma.domain.react import react
from rma.domain.state.claims import Claim, ClaimType
from rma.domain.state.lifecycle import ClaimStatus
from rma.testing.invariants.snapshot import Snapshot


def a_claim_gives_goods_or_money_instead(snapshot: Snapshot) -> Iterator[str]:
    """Money only once no new goods were sent, as the carrier said of each that was asked; none afterwards."""
    for claim in snapshot.ledger.claims:
        asked: set[str] = set()
        gives_money = False
        for event in snapshot.whole_history:
            if isinstance(event, EffectsAttempted):
                asked -= {each.key for each in event.outcomes if each.out_of_stock}
            if event.claim_id != claim.id:
                continue
            if isinstance(event, ClaimResolved) and event.becomes is ClaimType.REFUND:
                gives_money = True
                if asked:
                    yield f"{claim.id}: money is given at {event.at}, and {asked} may have been sent"
            sent = {each.key for each in react(event) if isinstance(each, ReplacementRequest)}
            if sent and (gives_money or asked):
                yield f"{claim.id}: {sent} are sent after money, or after {asked}"
            asked |= sent
        if gives_money and claim.type is not ClaimType.REFUND:
            yield f"{claim.id}: money was given, and it is a claim to {claim.type}"


def a_claim_without_new_goods_waits_for_a_person(snapshot: Snapshot) -> Iterator[str]:
    """It says so, and asks for nothing, until other goods or money are given, or it is canceled."""
    for claim in snapshot.ledger.claims:
        if claim.type is not ClaimType.REPLACE or claim.status is ClaimStatus.CANCELED:
            continue
        is_asked = any(_sends(claim, each.request) for each in snapshot.ledger.open_effects.values())
        is_lacking = not is_asked and _refused(claim, snapshot)
        is_told = claim.status is ClaimStatus.REQUIRES_ACTION and claim.needs_attention
        if is_lacking != claim.lacks_new_goods or (is_lacking and not is_told):
            yield f"{claim.id}: {claim.status}, its new goods {'cannot' if is_lacking else 'can'} be had"


def _sends(claim: Claim, request: object) -> bool:
    return isinstance(request, ReplacementRequest) and request.claim_id == claim.id


def _refused(claim: Claim, snapshot: Snapshot) -> bool:
    """True if the last that was asked to be sent cannot be had."""
    asked = [each.key for each in snapshot.requested if _sends(claim, each)]
    refused = {
        each.key
        for event in snapshot.whole_history
        if isinstance(event, EffectsAttempted)
        for each in event.outcomes
        if each.out_of_stock
    }
    return bool(asked) and asked[-1] in refused
