"""When a return is paid: most merchants wait for the goods, some pay before they know their worth."""

from enum import StrEnum


class PayOn(StrEnum):
    """
    What a return is paid on.

    `request`: on being requested, or approved where that is needed. `sending`: on `RecordSending`. `receipt`:
    on what arrived, before it is inspected. `inspection`: once everything that arrived was graded.

    What was paid before the goods were known to be worth less is shown as `Entitlement.overpaid`: no customer
    is charged for it.
    """

    REQUEST = "request"
    SENDING = "sending"
    RECEIPT = "receipt"
    INSPECTION = "inspection"


def as_pay_on(value: object) -> object:
    """The member of this name; what is none stays as it is, for the validator to refuse."""
    try:
        return PayOn(value) if isinstance(value, str) else value
    except ValueError:
        return value
