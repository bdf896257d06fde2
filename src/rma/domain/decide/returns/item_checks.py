"""What can be wrong with a requested item besides what rules say: its quantity, reason, strings and tags."""

from collections.abc import Iterable, Mapping

from rma.domain.decide.checks import check_images, check_metadata, check_text
from rma.domain.decide.facts import Facts
from rma.domain.decide.returns.reasons import check_reason
from rma.domain.decide.returns.rule_checks import check_tags
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.messages.command_items import ClaimItem, RequestedItem
from rma.domain.sale.order import LineItem, Order
from rma.domain.state.remainder import Remainder
from rma.domain.values.validators import is_whole


class ItemChecks:
    """The checks of requested items that no rule makes: `check` appends what is wrong with one of them."""

    def __init__(self, facts: Facts, order: Order | None, remainders: dict[str, Remainder]) -> None:
        self._order, self._remainders = order, remainders
        self._reasons = {reason.id: reason for reason in facts.reasons}
        self._categories = {reason.parent_id for reason in facts.reasons}

    def check(
        self, wrong: Violations, asked: RequestedItem, line: LineItem | None, total: int, *, is_first: bool
    ) -> None:
        """
        What is wrong with an item of this line, None if it is not on the order; `total` units of the line are
        requested by all items together, of which this may be the first.
        """
        item_id = asked.item_id
        if self._order and is_first:
            _check_line(wrong, item_id, total, self._order, line, self._remainders)
        if not is_whole(asked.quantity, at_least=1):
            wrong.add("invalid_quantity", item_id, quantity=error_value(asked.quantity), minimum=1)
        if asked.reason_id is not None:
            check_reason(wrong, item_id, asked.reason_id, self._reasons, self._categories)
        check_text(wrong, "note", asked.note, item_id)
        check_images(wrong, asked.images, item_id)
        check_metadata(wrong, asked.metadata, item_id)
        check_tags(wrong, item_id, asked.tags)


def worth_of(remainder: Remainder, quantity: int) -> int | None:
    """Of so many units of the line, minor units; None of more than remain."""
    if not 0 < quantity <= remainder.free_quantity:
        return None
    return sum([remainder.line.paid(each.running_sums) for each in remainder.take(quantity)])


def check_reduced(
    wrong: Violations, items: Iterable[RequestedItem | ClaimItem], remainders: Mapping[str, Remainder]
) -> None:
    """Of units that name the claim that reduced their price, there are so many."""
    totals: dict[tuple[str, str], int] = {}
    for asked in items:
        claim_id: object = asked.claim_id
        check_text(wrong, "claim_id", claim_id, asked.item_id)
        is_known = asked.item_id in remainders
        if isinstance(claim_id, str) and is_known and is_whole(asked.quantity, at_least=1):
            key = asked.item_id, claim_id
            totals[key] = totals.get(key, 0) + asked.quantity
    for (item_id, claim_id), quantity in totals.items():
        if quantity > (most := remainders[item_id].reduced_quantity(claim_id)):
            numbers = {"quantity": quantity, "reduced": most, "claim_id": error_id(claim_id)}
            wrong.add("quantity_exceeds_reduced", item_id, **numbers)


def _check_line(
    wrong: Violations,
    item_id: str,
    quantity: int,
    order: Order,
    line: LineItem | None,
    remainders: dict[str, Remainder],
) -> None:
    if line is None:
        wrong.add("item_not_found", item_id, order_id=order.id)
        return
    returnable = remainders[item_id].sent_quantity
    if quantity > returnable:
        wrong.add("quantity_exceeds_returnable", item_id, quantity=quantity, returnable=returnable)
