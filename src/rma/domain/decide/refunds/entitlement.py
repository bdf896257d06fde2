"""What the received goods entitle the customer to, and how much of that is paid now."""

from collections.abc import Collection
from datetime import datetime

from attrs import evolve

from rma.domain.decide.checks import check_refund, check_refund_value
from rma.domain.decide.refunds.charges import charges_arrived, charges_requested
from rma.domain.decide.refunds.split import limit_to_refundable, plan_for, refunds_of, room_for
from rma.domain.decide.violations import Violations
from rma.domain.events import RefundBlocked, header_for
from rma.domain.messages.commands import RefundCommand
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.order import Order
from rma.domain.sale.paying import PayOn
from rma.domain.state.claims import Claim
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.grading import as_if_whole
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, claim_refusal, return_refusal
from rma.domain.state.plan import Plan
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.state.valuation import value_of_units
from rma.domain.values.money import Money


def entitle(
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    *,
    status: ReturnStatus,
    agreed: Money | None,
    refund_note: str | None,
    refundable: int,
    at: datetime,
    charges_back: tuple[RefundedCharge, ...] = (),
    first: Collection[str] = (),
) -> Entitlement:
    """
    The return's account once it has these items and this status, with the refunds that are made now.

    `agreed` is the amount named by this command. In the act that closes the return it is final, also if goods
    wait for an inspection first. On a mismatch that was not accepted yet it is for the requested units, as an
    amount named on request is: it shrinks with what does not arrive, and it replaces one that was agreed
    before, as the amount named last always holds, with its note. `refundable` is what the payments have
    left, minor units; `charges_back` what it gives back of charges. Payments whose ids are `first` give
    before others.
    """
    if agreed is None:
        target = agree_to_what_stays(order, ledger, target, items)
    before = target.entitlement
    if not pays_now(target, status):
        return before if agreed is None else _agreed_for_later(target, status, agreed, refund_note)
    named, is_named = agreed, agreed is not None
    if agreed is None:
        agreed, refund_note = before.agreed_refund, before.refund_note
        named = target.named_for(items, charges_back)
    items = target.as_paid_for(items, status)
    entitled = target.value_arrived(items, named, charges_back).total
    entitled = max(entitled, _least(target, status, is_named=is_named))
    return pay_what_is_due(
        order,
        ledger,
        target,
        entitled,
        agreed=agreed,
        refund_note=refund_note,
        refundable=refundable,
        at=at,
        items=items,
        is_promised=target.is_promised and status is not ReturnStatus.RECEIVED,
        first=first,
    )


def _agreed_for_later(
    target: Return, status: ReturnStatus, agreed: Money, refund_note: str | None
) -> Entitlement:
    """The account once this amount was named, paid later: of what was promised, no more is."""
    before = target.entitlement
    promised = min(before.entitled.amount, max(agreed.amount, _still_promised(target)))
    is_final = status is ReturnStatus.IN_INSPECTION
    return evolve(
        before,
        entitled=Money(promised, agreed.currency),
        requested_refund=before.requested_refund if is_final else agreed,
        agreed_refund=agreed if is_final else None,
        refund_note=refund_note,
        is_refund_blocked=before.is_refund_blocked and promised > before.covered,
    )


def _least(target: Return, status: ReturnStatus, *, is_named: bool) -> int:
    """
    What the customer is entitled to at least, minor units: a payment is never asked back.

    What was paid before the goods were known is more than is due, if they turn out to be worth less. What is
    shown as overpaid, here or by a correction, stays shown. An amount that is named now takes the place of
    what was promised and is not paid yet.
    """
    before = target.entitlement
    if target.is_paid_ahead:  # while goods are expected, it is what the customer was promised
        if status is ReturnStatus.RECEIVED:
            return 0
        return _still_promised(target) if is_named else before.entitled.amount
    paid = before.covered
    return min(paid, before.entitled.amount) if target.corrections else paid


def _still_promised(target: Return) -> int:
    """What is left of a promise once another amount is named, minor units: what was paid of it."""
    before = target.entitlement
    return min(before.entitled.amount, before.covered)


def correct_entitlement(
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    *,
    status: ReturnStatus,
    refundable: int,
    at: datetime,
    charges_back: tuple[RefundedCharge, ...],
) -> Entitlement:
    """
    The return's account once its receipts are corrected to these items: computed again, lower ones too.

    What was paid above it is `overpaid`. An amount that was named for the whole return stays on record, and
    holds as `Return.named_for` says.
    """
    before = target.entitlement
    entitled = target.value_arrived(items, target.named_for(items, charges_back), charges_back).total
    if target.is_paid_ahead and status is not ReturnStatus.RECEIVED:
        entitled = max(entitled, before.entitled.amount)
    if not pays_now(target, status):
        fewer = min(before.entitled.amount, entitled)
        return evolve(before, entitled=Money(fewer, order.currency))
    return pay_what_is_due(
        order,
        ledger,
        target,
        entitled,
        agreed=before.agreed_refund,
        refund_note=before.refund_note,
        refundable=refundable,
        at=at,
        items=items,
        is_promised=target.is_promised and status is not ReturnStatus.RECEIVED,
    )


def agree_to_what_stays(
    order: Order, ledger: ReturnLedger, target: Return, items: tuple[ReturnItem, ...]
) -> Return:
    """
    The return with the amount that was named for it, once some of its units may be with the customer again.

    It is at most the value of those that stay, with the charges that come back with them, unless it has a
    note; if none stays, none is named.
    """
    account = target.entitlement
    if account.agreed_refund is None or _given_back(items) <= _given_back(target.items):
        return target
    if not any(item.gone_quantity for item in items):
        return evolve(target, entitlement=evolve(account, agreed_refund=None, refund_note=None))
    agreed = target.named_for(items, _charges_if_whole(order, ledger, target, items))
    return evolve(target, entitlement=evolve(account, agreed_refund=agreed))


def _charges_if_whole(
    order: Order, ledger: ReturnLedger, target: Return, items: tuple[ReturnItem, ...]
) -> tuple[RefundedCharge, ...]:
    """What the return gives back of the charges if the units that wait to be graded are whole."""
    return charges_arrived(order, ledger, target, [as_if_whole(item) for item in items])


def _given_back(items: tuple[ReturnItem, ...]) -> int:
    return sum([item.returned_to_customer_quantity for item in items])


def charges_now(
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    status: ReturnStatus,
    agreed: Money | None,
) -> tuple[RefundedCharge, ...]:
    """
    What the return gives back of the order's charges once it has these items and this status.

    Of an amount that is named, as much of them as it is above the value of its units. They are kept for it as
    soon as it is final, also if its goods wait to be graded.
    """
    if pays_now(target, status):
        items = target.as_paid_for(items, status)
    elif agreed is not None and status is ReturnStatus.IN_INSPECTION:
        items = tuple([as_if_whole(item) for item in items])
    else:
        return target.charges_back
    arrived = charges_arrived(order, ledger, target, items)
    named = target.named_for(items, arrived) if agreed is None else agreed
    if named is None and target.entitlement.requested_refund is None:
        return arrived
    return target.value_arrived(items, named, arrived).charges_back


def pays_now(target: Return, status: ReturnStatus) -> bool:
    """True if a return that reaches this status is paid: an exchange pays once, when its goods are here."""
    if target.exchange_id is not None:
        return status is ReturnStatus.RECEIVED
    if status is ReturnStatus.IN_INSPECTION and target.terms.pay_on is PayOn.RECEIPT:
        return True
    return status not in (ReturnStatus.REQUIRES_ACTION, ReturnStatus.IN_INSPECTION)


def pay_what_is_due(
    order: Order,
    ledger: ReturnLedger,
    target: Return | Claim,
    entitled: int,
    *,
    agreed: Money | None = None,
    refund_note: str | None = None,
    refundable: int,
    at: datetime,
    items: tuple[ReturnItem, ...] | None = None,
    first: Collection[str] = (),
    is_promised: bool = False,
) -> Entitlement:
    """
    The account once the customer is entitled to this amount (minor units), with refunds for what is due.

    Nothing is paid, and the account is blocked, if the payments have less left, or if a part of it is left in
    payments that take no refund any more and a person is to decide; extra credit is not limited by them.
    `items` are those of a return afterwards; it `is_promised` while these did not arrive. Payments whose ids
    are `first` give before others.
    """
    before = target.entitlement
    due = max(0, entitled - before.covered)
    pay, rounding = limit_to_refundable(due, room_for(target, refundable, ledger), order)
    plan = Plan()
    if pay:
        plan = plan_for(pay, order, ledger, target, at, items=items, is_promised=is_promised, first=first)
    is_refund_blocked = pay is None or plan.closed > 0
    if is_refund_blocked:
        plan, rounding = Plan(), 0
    return Entitlement(
        entitled=Money(entitled - rounding, order.currency),
        requested_refund=before.requested_refund,
        agreed_refund=agreed,
        refund_note=refund_note,
        is_refund_blocked=is_refund_blocked,
        refunds=before.refunds + refunds_of(plan.refunds, target, at),
        carried=before.carried + plan.carried,
    )


def refund_refusal(target: Return | Claim, command: RefundCommand) -> str | None:
    """The code with which the status of this return or claim refuses the command; None if it allows it."""
    if isinstance(target, Claim):
        return claim_refusal(target.status, command)
    return return_refusal(target.status, command)


def check_agreed_refund(
    wrong: Violations,
    amount: Money | int | None,
    order: Order | None,
    target: Return | None,
    refundable: int,
) -> Money | None:
    """The amount that was named for the whole return, if one was and it is valid."""
    if amount is None:
        return None
    is_closed = target is not None and target.status is ReturnStatus.RECEIVED
    if target and not is_closed and (target.exchange_id is not None or target.claim_id is not None):
        wrong.add("refund_settled_elsewhere", return_id=target.id)
    return check_refund(wrong, amount, order, refundable + target.refunded.amount if target else None)


def check_agreed_value(
    wrong: Violations,
    agreed: Money | None,
    refund_note: str | None,
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    status: ReturnStatus,
) -> None:
    """
    A refund that is named now is at most the value of its units with the charges that come back with them,
    unless it has a note.

    Its units are those that arrived, if that closes the return, and of those that wait for an inspection the
    whole value counts; else those that were requested: what arrives besides is paid besides, when it is
    accepted.
    """
    if agreed is None:
        return
    if status in (ReturnStatus.RECEIVED, ReturnStatus.IN_INSPECTION):
        value = value_of_units(items, target.terms)
        charges = _charges_if_whole(order, ledger, target, items)
    else:
        value = sum([item.line.paid(item.allocated) for item in items if item.is_requested])
        charges = charges_requested(order, ledger, items, target.terms, target)
    check_refund_value(wrong, agreed, refund_note, value, charges)


def check_claimed(
    wrong: Violations, target: Return, items: tuple[ReturnItem, ...], status: ReturnStatus
) -> None:
    """Units beyond a claim's are not accepted with its return: no one would pay for them."""
    if target.claim_id is None or status is not ReturnStatus.RECEIVED:
        return
    for item in items:
        if quantity := _not_claimed(item):
            wrong.add("units_not_claimed", item.item_id, quantity=quantity, claim_id=target.claim_id)


def exceeds_claim(target: Return, items: tuple[ReturnItem, ...]) -> bool:
    """True if units beyond those of its claim are accepted with the return."""
    return target.claim_id is not None and any(_not_claimed(item) for item in items)


def _not_claimed(item: ReturnItem) -> int:
    if item.is_requested:
        return 0
    return item.waiting_quantity + item.refunded_quantity(refund_damaged=True)


def report_blocked(
    entitlement: Entitlement,
    target: Return | Claim,
    ledger: ReturnLedger,
    refundable: int,
    at: datetime,
    by: str | None,
) -> tuple[()] | tuple[RefundBlocked]:
    """The event that the account was blocked just now; none if it was not."""
    if not entitlement.is_refund_blocked:
        return ()
    event = RefundBlocked(
        header=header_for(target, ledger, at, by=by),
        amount=entitlement.due,
        refundable=Money(refundable, target.currency),
    )
    return (event,)
