"""What a claim asks for, and everything that can be wrong with it before its units are taken."""

from attrs import frozen

from rma.domain.decide.checks import (
    check_amount,
    check_flags,
    check_items,
    check_refund,
    check_strings,
    check_text,
    valid_members,
)
from rma.domain.decide.claimed_items import check_claimed_items, check_item_amounts
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.charges import left_of_charge
from rma.domain.decide.replacements import check_new_items
from rma.domain.decide.returns.request import check_order_of, check_request_options, check_shipping
from rma.domain.decide.returns.rule_checks import REPLACE_HINT, check_outcome, check_payee
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.messages.command_items import ClaimedCharge, ClaimItem
from rma.domain.messages.commands import RequestClaim
from rma.domain.sale.charges import RefundedCharge, refundable_part
from rma.domain.sale.new_item import NewItem
from rma.domain.sale.order import Order
from rma.domain.sale.rules import Outcome
from rma.domain.state.claims import ClaimReason, ClaimType, is_extra_credit
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.remainder import Remainder
from rma.domain.values.money import Money

#: What a violation says of the value of goodwill.
OF_ALL_LINES = "goodwill is for what returns and claims left of all lines"


@frozen
class ValidClaim:
    """
    What the checks of a request found, of use once nothing is wrong.

    Attributes:
        refund: the amount that was named for the units.
        amounts: by what the price of each item is reduced.
        charges: what is given back of the order's charges.
    """

    kind: ClaimType
    outcome: Outcome
    order: Order | None
    items: tuple[ClaimItem, ...]
    remainders: dict[str, Remainder]
    amounts: tuple[Money | None, ...]
    new_items: tuple[NewItem, ...]
    refund: Money | None
    charges: tuple[RefundedCharge, ...]

    @property
    def gives_extra(self) -> bool:
        """True for goodwill as store credit: it takes nothing of the lines, and no payment limits it."""
        return is_extra_credit(self.kind, self.outcome)


def validate_claim(
    wrong: Violations, facts: Facts, ledger: ReturnLedger, command: RequestClaim
) -> ValidClaim:
    """Checks everything that a claim asks for but the value of its units; appends all that is wrong."""
    order = check_order_of(wrong, command.order_id, facts.order, ledger)
    currency = order.currency if order else None
    kind = _kind(wrong, command)
    outcome = check_outcome(wrong, command.outcome, gives_credit=facts.gives_credit, hint=REPLACE_HINT)
    is_extra = is_extra_credit(kind, outcome)
    items = _check_items(wrong, command, kind)
    lines = [line.id for line in order.items] if order else []
    wanted = lines if kind is ClaimType.GOODWILL else [asked.item_id for asked in items]
    remainders = ledger.remainders(order, wanted) if order else {}
    check_claimed_items(wrong, items, kind, order, remainders)
    amounts = check_item_amounts(wrong, items, kind, currency)
    new_items = check_new_items(wrong, command.new_items, currency, books_shipments=facts.books_shipments)
    _check_type(wrong, command, kind, items)
    least = 1 if kind is ClaimType.GOODWILL else 0
    refund = check_refund(wrong, command.refund_amount, order, None, least)
    charges, named = _check_charges(wrong, command, order, ledger)
    if is_extra and command.charges:
        wrong.add("charges_of_extra_credit")
    elif order and not is_extra:
        named += sum([each.amount for each in (refund, *amounts) if each])
        _check_refundable(wrong, named, order, ledger)
    check_shipping(wrong, facts, command.shipping_option_id, None)
    check_flags(wrong, return_items=command.return_items)
    check_request_options(wrong, command)
    check_payee(wrong, command.payee, outcome, order)
    check_strings(wrong, command, "location_id", "refund_note")
    outcome = outcome or Outcome.REFUND
    return ValidClaim(kind, outcome, order, items, remainders, amounts, new_items, refund, charges)


def _check_items(wrong: Violations, command: RequestClaim, kind: ClaimType) -> tuple[ClaimItem, ...]:
    """There is an item, unless nothing but an amount or a charge is given back."""
    if kind is ClaimType.GOODWILL:
        if command.items:
            wrong.add("items_of_goodwill")
        return ()
    if kind is ClaimType.REFUND and command.charges and command.items == ():
        if command.refund_amount is not None:
            wrong.add("refund_amount_without_items")
        return ()
    return check_items(wrong, command.items, ClaimItem)


def _check_type(
    wrong: Violations, command: RequestClaim, kind: ClaimType, items: tuple[ClaimItem, ...]
) -> None:
    """What each type needs, and what it has no use for."""
    if kind is not ClaimType.REPLACE:
        if command.new_items:
            wrong.add("new_items_of_refund")
    elif not command.new_items:
        wrong.add("no_new_items")
    if kind is ClaimType.REDUCE and command.refund_amount is not None:
        wrong.add("refund_amount_of_reduction")
    if kind is ClaimType.GOODWILL and command.refund_amount is None:
        wrong.add("no_refund_amount")
    comes_back = command.return_items is True or command.shipping_option_id is not None
    if not comes_back:
        return
    if kind in (ClaimType.REDUCE, ClaimType.GOODWILL):
        wrong.add("goods_stay", type=kind.value)
    elif not any(each.reason != ClaimReason.NOT_SENT for each in items):
        wrong.add("nothing_to_return")


def _check_charges(
    wrong: Violations, command: RequestClaim, order: Order | None, ledger: ReturnLedger
) -> tuple[tuple[RefundedCharge, ...], int]:
    """What is given back of the charges that were named, and the sum of the amounts that were."""
    found: dict[str, RefundedCharge] = {}
    named = 0
    known = {charge.id: charge for charge in order.all_charges} if order else {}
    for asked in valid_members(wrong, command.charges, ClaimedCharge, "charges"):
        charge_id: object = asked.charge_id
        check_text(wrong, "charge_id", charge_id)
        currency = order.currency if order else None
        amount = None
        if asked.amount is not None:
            amount = check_amount(
                wrong, asked.amount, currency, "invalid_refund_amount", field="amount", minimum=1
            )
        if order is None or not isinstance(charge_id, str):
            continue
        if charge_id not in known:
            wrong.add("charge_not_found", charge_id=error_id(charge_id), order_id=order.id)
            continue
        if charge_id in found:
            wrong.add("charge_repeated", charge_id=charge_id)
            continue
        left = left_of_charge(ledger, known[charge_id])
        wanted = amount.amount if amount else left.amount
        if wanted > left.amount or left.amount <= 0:
            asked_for = amount.amount if amount else refundable_part(known[charge_id]).amount
            numbers = {"amount": asked_for, "charge_id": charge_id, "left": left.amount, "currency": currency}
            wrong.add("refund_exceeds_charge", **numbers)
            continue
        named += amount.amount if amount else 0
        found[charge_id] = left.part(wanted)
    return tuple(found.values()), named


def _check_refundable(wrong: Violations, named: int, order: Order, ledger: ReturnLedger) -> None:
    """Amounts that were named are together at most what is refundable; minor units."""
    if named and named > (most := ledger.refundable(order).amount):
        wrong.add("refund_exceeds_refundable", amount=named, refundable=most, currency=order.currency)


def _kind(wrong: Violations, command: RequestClaim) -> ClaimType:
    kind: object = command.type
    if kind not in list(ClaimType):
        wrong.add("invalid_claim_type", type=error_value(kind))
        return ClaimType.REFUND
    return ClaimType(command.type)
