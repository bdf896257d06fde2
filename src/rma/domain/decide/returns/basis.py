"""By which right goods come back, and the dates that customers and clerks name."""

from datetime import datetime

from rma.domain.decide.facts import Facts
from rma.domain.decide.violations import Violations, error_value
from rma.domain.messages.commands import RequestReturn
from rma.domain.sale.withdrawal import ReturnBasis


def check_basis(
    wrong: Violations, facts: Facts, command: RequestReturn
) -> tuple[ReturnBasis, datetime | None]:
    """The right that a request names, and when a withdrawal was declared: None for other requests."""
    named: object = command.basis
    declared_at = check_moment(wrong, "declared_at", command.declared_at)
    if named not in list(ReturnBasis):
        wrong.add("invalid_basis", basis=error_value(named))
        return ReturnBasis.POLICY, None
    basis = ReturnBasis(command.basis)
    if basis is ReturnBasis.POLICY:
        if command.declared_at is not None:
            wrong.add("declared_without_withdrawal")
        return basis, None
    if facts.order is not None and facts.policy.withdrawal is None:
        wrong.add("no_right_of_withdrawal", policy=facts.policy.name)
    if declared_at is None:
        return basis, facts.at
    created_at = facts.order.created_at if facts.order else None
    if declared_at > facts.at:
        wrong.add("declared_at_in_future", declared_at=declared_at.isoformat(), now=facts.at.isoformat())
    elif created_at is not None and declared_at < created_at:
        ordered = created_at.isoformat()
        wrong.add("declared_before_order", declared_at=declared_at.isoformat(), ordered_at=ordered)
    return basis, declared_at


def check_moment(wrong: Violations, field: str, value: object) -> datetime | None:
    """The moment, if one is given and it has a time zone; else None."""
    if value is None or (isinstance(value, datetime) and value.utcoffset() is not None):
        return value
    wrong.add("invalid_datetime", field=field, value=error_value(value))
    return None
