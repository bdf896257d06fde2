"""Whether a reason can be given, as it is in the catalogue, and whose fault it says that it is."""

from collections.abc import Collection, Iterable, Mapping

from rma.domain.decide.checks import report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.violations import Violations
from rma.domain.messages.command_items import RequestedItem
from rma.domain.sale.catalogue import Fault, ReturnReason
from rma.domain.sale.eligibility import facts_of_reason, fault_in
from rma.domain.state.return_item import ReturnItem


def check_reason(
    wrong: Violations,
    item_id: str,
    reason_id: object,
    reasons: Mapping[str, ReturnReason],
    categories: Collection[str | None],
) -> None:
    """The reason of this id is a leaf of the catalogue (by id) that is in use; `categories` are not."""
    reason = reasons.get(reason_id) if isinstance(reason_id, str) else None
    if reason is None:
        report_unknown(wrong, "return_reason_not_found", "reason_id", reason_id, item_id)
    elif reason.id in categories:
        wrong.add("return_reason_is_category", item_id, reason_id=reason.id)
    elif reason.retired:
        wrong.add("return_reason_retired", item_id, reason_id=reason.id)


def faults_of(
    facts: Facts, items: Iterable[RequestedItem], before: Iterable[ReturnItem]
) -> dict[str | None, Fault | None]:
    """
    Whose fault each reason says that it is; as it was known before, if an update names it again.

    Of no use, and not known, where nothing is inspected.
    """
    reasons = {reason.id: reason for reason in facts.reasons if facts.policy.inspects}
    faults = {item.reason_id: item.fault for item in before}
    for asked in items:
        given: object = asked.reason_id
        if (given is None or isinstance(given, str)) and given not in faults:
            faults[given] = fault_in(facts_of_reason(reasons.get(given or ""), reasons))
    return faults
