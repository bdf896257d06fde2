"""RequestClaim, CancelClaim: units compensated once, by money or new goods, or their price reduced."""

from typing import assert_never

from attrs import evolve

from rma.domain.decide.checks import (
    check_refund_value,
    check_strings,
    report_unknown,
)
from rma.domain.decide.claim_checks import OF_ALL_LINES, ValidClaim, validate_claim
from rma.domain.decide.claimed_items import allocate_claimed, allocate_goodwill, allocate_reduced
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.entitlement import pay_what_is_due, report_blocked
from rma.domain.decide.replacements import replacement_of
from rma.domain.decide.returns.cancel import check_cancelable, report_canceled
from rma.domain.decide.returns.draft import ReturnDraft, open_return
from rma.domain.decide.returns.request import (
    no_notification,
)
from rma.domain.decide.returns.rule_checks import require_means
from rma.domain.decide.violations import Violations
from rma.domain.events import (
    ClaimCanceled,
    ClaimRequested,
    Event,
    PriceReduced,
    ReturnRequested,
    header_for,
)
from rma.domain.messages.commands import CancelClaim, RequestClaim
from rma.domain.sale.order import Order
from rma.domain.state.claims import Claim, ClaimedItem, ClaimType
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ClaimStatus, ReturnStatus, claim_refusal
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money


def request_claim(facts: Facts, ledger: ReturnLedger, command: RequestClaim) -> tuple[Event, ...]:
    """
    The units compensated: refunded, or replaced; and the return opened that brings them back, if one does.

    Or the price of units reduced, which stay with the customer and can still come back at what is left of
    it. Windows and final sale do not matter: the merchant failed to deliver what was sold.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is taken.
    """
    wrong = Violations()
    require_means(facts)
    valid = validate_claim(wrong, facts, ledger, command)
    order = wrong.require(valid.order, besides="refund_exceeds_refundable")
    claimed = _allocate(wrong, valid, order)
    value = sum([item.line.paid(item.allocated) for item in claimed])
    if not valid.gives_extra:
        hint = OF_ALL_LINES if valid.kind is ClaimType.GOODWILL else None
        check_refund_value(wrong, valid.refund, command.refund_note, value, hint=hint)
    wrong.require(order)

    claim_id = facts.new_id("claim")
    if ledger.find_claim(claim_id):
        raise InvalidValue("id_not_fresh", {"return_id": claim_id})
    request = _open_return(facts, ledger, command, order, claim_id, claimed)
    of_charges = sum([each.amount for each in valid.charges])
    claim = Claim(
        id=claim_id,
        order_id=order.id,
        display_id=len(ledger.claims) + 1,
        type=valid.kind,
        status=ClaimStatus.REQUESTED if request else ClaimStatus.COMPLETED,
        items=claimed,
        entitlement=Entitlement(
            Money(_for_units(valid, value) + of_charges, order.currency),
            requested_refund=valid.refund,
            refund_note=command.refund_note if valid.refund else None,
        ),
        requested_at=facts.at,
        updated_at=facts.at,
        new_items=valid.new_items,
        return_id=request[0].opened.id if request else None,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        idempotency_key=command.idempotency_key,
        metadata=command.metadata,
        refund_terms=facts.policy.refund_terms,
        customer_id=order.customer_id,
        charges_back=valid.charges,
        outcome=valid.outcome,
        payee=command.payee,
    )
    refundable = ledger.refundable(order).amount
    account = pay_what_is_due(
        order,
        ledger,
        claim,
        claim.refund_amount.amount,
        refund_note=claim.entitlement.refund_note,
        refundable=refundable,
        at=facts.at,
    )
    status = ClaimStatus.REQUIRES_ACTION if account.is_refund_blocked else claim.status
    claim = evolve(claim, status=status, entitlement=account)
    header = header_for(claim, ledger, facts.at, by=command.created_by, command=command, order=order)
    made: PriceReduced | ClaimRequested
    if claim.reductions:
        made = PriceReduced(header=header, opened=claim)
    else:
        replacement = replacement_of(claim) if claim.type is ClaimType.REPLACE else None
        made = ClaimRequested(header=header, opened=claim, replacement=replacement)
    return (
        *request,
        made,
        *report_blocked(account, claim, ledger, refundable, facts.at, command.created_by),
    )


def _allocate(wrong: Violations, valid: ValidClaim, order: Order) -> tuple[ClaimedItem, ...]:
    """The units with what the claim takes of them."""
    match valid.kind:
        case ClaimType.REDUCE:
            amounts = [each.amount for each in valid.amounts if each is not None]
            return allocate_reduced(wrong, valid.items, amounts, valid.remainders)
        case ClaimType.GOODWILL:
            return _allocate_goodwill(valid, order)
        case ClaimType.REFUND | ClaimType.REPLACE:
            return allocate_claimed(valid.items, valid.remainders)
        case _:
            assert_never(valid.kind)


def _allocate_goodwill(valid: ValidClaim, order: Order) -> tuple[ClaimedItem, ...]:
    """
    What goodwill takes of all lines, so that everything that comes back gives back no more than was paid.

    As store credit it does not go back to the payments, and takes nothing of them.
    """
    if valid.gives_extra:
        return ()
    amount = valid.refund.amount if valid.refund else 0
    return allocate_goodwill(amount, order.items, valid.remainders)


def _for_units(valid: ValidClaim, value: int) -> int:
    """What is paid besides charges: the amount that was named, or the value of the units; minor units."""
    if valid.refund is not None:
        return valid.refund.amount
    return 0 if valid.kind is ClaimType.REPLACE else value


def cancel_claim(facts: Facts, ledger: ReturnLedger, command: CancelClaim) -> tuple[Event, ...]:
    """
    The claim canceled, and its return; nothing if it was before.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    claim = ledger.find_claim(command.claim_id)
    target = ledger.find(claim.return_id) if claim and claim.return_id else None
    if claim is None:
        report_unknown(wrong, "claim_not_found", "claim_id", command.claim_id)
    else:
        _check_cancelable(wrong, claim, command)
    is_open = target is not None and target.status is not ReturnStatus.CANCELED
    if target and is_open:
        check_cancelable(wrong, target)
    if claim is not None:
        _check_reduced_units(wrong, claim, ledger)
    check_strings(wrong, command)
    claim = wrong.require(claim)
    if claim.status is ClaimStatus.CANCELED:
        return ()
    at, by = facts.at, command.created_by
    event = ClaimCanceled(header=header_for(claim, ledger, at, by=by, command=command))
    return (report_canceled(target, ledger, at, by), event) if target and is_open else (event,)


def _check_cancelable(wrong: Violations, claim: Claim, command: CancelClaim) -> None:
    """Its status allows it, and nothing was paid, or sent, as far as is known."""
    paid = claim.refunded.amount
    refusal = claim_refusal(claim.status, command)
    is_sent = bool(claim.new_items) and not claim.lacks_new_goods
    if refusal is None and claim.status is not ClaimStatus.CANCELED and (paid or is_sent):
        refusal = "claim_not_cancelable"
    if refusal is not None:
        wrong.add(refusal, claim_id=claim.id, paid=paid)


def _check_reduced_units(wrong: Violations, claim: Claim, ledger: ReturnLedger) -> None:
    """No return or other claim has units whose price it reduced: they were worth less because of it."""
    reduced = {index for index, _ in claim.reductions}
    takers = [
        each.id
        for each in ledger.returns
        for item, (_, quantity) in zip(each.items, each.reserved_quantities(), strict=True)
        if quantity and item.reduced_by and item.reduced_by.claim_id == claim.id
    ]
    takers += [
        other.id
        for other in ledger.claims
        if other.id != claim.id
        for item in (*other.compensated, *[each for _, each in other.reductions])
        if item.reduced_by and item.reduced_by.claim_id == claim.id
    ]
    if reduced and takers:
        wrong.add("reduced_units_taken", claim_id=claim.id, subjects=", ".join(dict.fromkeys(takers)))


def _open_return(
    facts: Facts,
    ledger: ReturnLedger,
    command: RequestClaim,
    order: Order,
    claim_id: str,
    claimed: tuple[ClaimedItem, ...],
) -> tuple[()] | tuple[ReturnRequested]:
    """The return that brings the claimed goods back, if they are to be returned."""
    if not command.return_items and command.shipping_option_id is None:
        return ()
    items = [
        ReturnItem(
            item_id=each.item_id,
            quantity=each.quantity,
            line=each.line,
            allocated=each.allocated,
            note=each.note,
            reduced_by=each.reduced_by,
        )
        for each in claimed
        if each.is_sent
    ]
    draft = ReturnDraft(
        order=order,
        items=tuple(items),
        location_id=command.location_id,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        claim_id=claim_id,
    )
    return (open_return(facts, ledger, draft),)
