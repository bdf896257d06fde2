"""Whether a reason can be given: it is in the catalogue, is not a category and not retired."""

from collections.abc import Collection, Mapping

from rma.domain.decide.checks import report_unknown
from rma.domain.decide.violations import Violations
from rma.domain.sale.catalogue import ReturnReason


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
