"""The units of a claim: those that it compensates, those whose price it reduces, and what that takes."""

from collections.abc import Iterable, Mapping, Sequence

from rma.domain.decide.checks import check_amount, check_images, check_text
from rma.domain.decide.returns.draft import Wanted, allocate
from rma.domain.decide.returns.item_checks import check_reduced
from rma.domain.decide.violations import Violations, error_value
from rma.domain.messages.command_items import ClaimItem
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.pricing import PricedLine
from rma.domain.state.claims import ClaimedItem, ClaimReason, ClaimType
from rma.domain.state.lots import Lot
from rma.domain.state.remainder import Remainder
from rma.domain.values.money import Money, share, subtract
from rma.domain.values.money import allocate as allocate_amount
from rma.domain.values.validators import is_whole


def check_claimed_items(
    wrong: Violations,
    items: tuple[ClaimItem, ...],
    kind: ClaimType,
    order: Order | None,
    remainders: Mapping[str, Remainder],
) -> None:
    """Each item by itself, and the limits for the sum of a line's quantities."""
    sent: dict[str, int] = {}
    unsent: dict[str, int] = {}
    for asked in items:
        reason: object = asked.reason
        if is_whole(asked.quantity, at_least=1):
            totals = unsent if reason == ClaimReason.NOT_SENT and kind is not ClaimType.REDUCE else sent
            totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity
        else:
            wrong.add("invalid_quantity", asked.item_id, quantity=error_value(asked.quantity), minimum=1)
        is_contradiction = kind is ClaimType.REDUCE and reason == ClaimReason.NOT_SENT
        if reason not in list(ClaimReason) or is_contradiction:
            wrong.add("invalid_claim_reason", asked.item_id, reason=error_value(reason))
        check_text(wrong, "note", asked.note, asked.item_id)
        check_images(wrong, asked.images, asked.item_id, maximum=None)
    lines = {line.id: line for line in order.items} if order else {}
    for item_id in dict.fromkeys([asked.item_id for asked in items]) if order else ():
        if item_id not in lines:
            wrong.add("item_not_found", item_id, order_id=order.id if order else "")
            continue
        remainder = remainders[item_id]
        quantity = sent.get(item_id, 0)
        if kind is ClaimType.REDUCE:
            if quantity > (most := remainder.free_quantity):
                wrong.add("quantity_exceeds_reducible", item_id, quantity=quantity, reducible=most)
        elif quantity > (most := remainder.sent_quantity):
            wrong.add("quantity_exceeds_returnable", item_id, quantity=quantity, returnable=most)
        if unsent.get(item_id, 0) > (most := remainder.unsent_quantity):
            wrong.add("quantity_exceeds_unsent", item_id, quantity=unsent[item_id], unsent=most)
    check_reduced(wrong, items, remainders)


def check_item_amounts(
    wrong: Violations, items: tuple[ClaimItem, ...], kind: ClaimType, currency: str | None
) -> tuple[Money | None, ...]:
    """By what the price of each item is reduced; None where that is not, or wrongly, given."""
    found: list[Money | None] = []
    for asked in items:
        amount = None
        if kind is ClaimType.REDUCE and asked.amount is None:
            wrong.add("no_reduction_amount", asked.item_id)
        elif kind is ClaimType.REDUCE:
            amount = check_amount(
                wrong, asked.amount, currency, "invalid_refund_amount", field="amount", minimum=1
            )
        elif asked.amount is not None:
            wrong.add("amount_without_reduction", asked.item_id)
        found.append(amount)
    return tuple(found)


def allocate_claimed(
    items: tuple[ClaimItem, ...], remainders: Mapping[str, Remainder]
) -> tuple[ClaimedItem, ...]:
    """The items with the value that their units take from their lines, in request order."""
    return tuple(
        [
            _claimed(asked, remainders[asked.item_id].line, lot, lot.running_sums)
            for asked, lots in zip(items, _lots_of(items, remainders), strict=True)
            for lot in lots
        ]
    )


def allocate_reduced(
    wrong: Violations,
    items: tuple[ClaimItem, ...],
    amounts: Sequence[int],
    remainders: Mapping[str, Remainder],
) -> tuple[ClaimedItem, ...]:
    """The items with what their reductions take of their units, at most their value, and what they leave."""
    found = []
    for asked, lots, amount in zip(items, _lots_of(items, remainders), amounts, strict=True):
        line = remainders[asked.item_id].line
        values = [line.paid(lot.running_sums) for lot in lots]
        if amount > (value := sum(values)):
            numbers = {"amount": amount, "value": value, "currency": line.currency}
            wrong.add("reduction_exceeds_worth", asked.item_id, **numbers)
            continue
        for lot, part in zip(lots, allocate_amount(amount, values), strict=True):
            taken = _by_amount(line, lot, part)
            found.append(_claimed(asked, line, lot, taken, subtract(lot.running_sums, taken)))
    return tuple(found)


def allocate_goodwill(
    amount: int, lines: Iterable[LineItem], remainders: Mapping[str, Remainder]
) -> tuple[ClaimedItem, ...]:
    """
    What goodwill takes of the units of all lines, in proportion to what is left of them: minor units.

    All of that at most: what is named above it, with a note, is paid without units.
    """
    pools = [(remainders[line.id].line, lot) for line in lines for lot in remainders[line.id].all_lots]
    values = [line.paid(lot.running_sums) for line, lot in pools]
    most = min(amount, sum(values))
    found = []
    for (line, lot), part in zip(pools, allocate_amount(most, values) if most else (), strict=False):
        if not part:
            continue
        taken = _by_amount(line, lot, part)
        asked = ClaimItem(item_id=line.item_id, quantity=lot.quantity, reason=ClaimReason.OTHER)
        found.append(_claimed(asked, line, lot, taken, subtract(lot.running_sums, taken)))
    return tuple(found)


def _lots_of(
    items: tuple[ClaimItem, ...], remainders: Mapping[str, Remainder]
) -> tuple[tuple[Lot, ...], ...]:
    return allocate(
        [
            Wanted(
                asked.item_id, asked.quantity, asked.claim_id, is_sent=asked.reason != ClaimReason.NOT_SENT
            )
            for asked in items
        ],
        remainders,
    )


def _by_amount(line: PricedLine, lot: Lot, amount: int) -> tuple[int, ...]:
    """What an amount takes of each running sum of the lot: the same part of each as of what was paid."""
    return share(lot.running_sums, amount, line.paid(lot.running_sums)) if amount else line.nothing


def _claimed(
    asked: ClaimItem,
    line: PricedLine,
    lot: Lot,
    allocated: tuple[int, ...],
    left: tuple[int, ...] = (),
) -> ClaimedItem:
    return ClaimedItem(
        item_id=asked.item_id,
        quantity=lot.quantity,
        reason=ClaimReason(asked.reason),
        line=line,
        allocated=allocated,
        note=asked.note,
        images=asked.images,
        left=left,
        reduced_by=lot.reduced_by,
    )
