"""Which goods of an exchange go first, and what secures new ones that are sent before others are back."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from rma.domain.values.money import Money, as_money
from rma.domain.values.validators import as_utc


class Ship(StrEnum):
    """
    When the new goods of an exchange are sent.

    `last`: once the returned goods are here. `first`: at once, secured by a hold.
    """

    LAST = "last"
    FIRST = "first"


@frozen
class Hold:
    """
    An amount that the customer's bank keeps free for the merchant, who has yet to take it (an authorisation).

    Args:
        reference: what the host calls it.
        amount: at least the value of the goods that are to be returned.
        until: when it ends, aware; not before the goods are to be sent (`Return.return_by`).
        kind, provider_id: of the payment that a charge to it is, as `Payment` has them; a part of it may be
            given back later.
    """

    reference: str
    amount: Money = field(converter=as_money)
    until: datetime = field(converter=as_utc)
    kind: str | None = None
    provider_id: str | None = None
