"""
What is asked of ports for exchanges whose new goods are sent first, or are reserved, and what they answer.

A hold secures goods that are sent before others are back; a reservation keeps the new goods until they are
sent. Both end with their exchange.
"""

from datetime import datetime

from attrs import field, frozen

from rma.domain.sale.hold import Hold
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden


@frozen
class ChargeRequest:
    """
    Take this much of the hold, for goods that were not returned, or are worth less than was said.

    Attributes:
        deadline: as in `RefundRequest`.
    """

    key: str
    order_id: str
    exchange_id: str
    hold: Hold
    amount: Money
    deadline: datetime | None = field(default=None, eq=False)


@frozen
class ReleaseRequest:
    """Give the hold back whole: nothing is taken of it. One that ended, or was given back, is released."""

    key: str
    order_id: str
    exchange_id: str
    hold: Hold


@frozen
class VariantLine:
    """Units of something that is sold."""

    variant_id: str
    quantity: int


@frozen
class ReserveRequest:
    """Keep these units for an exchange until they are sent, or are not needed any more."""

    key: str
    order_id: str
    exchange_id: str
    lines: tuple[VariantLine, ...]


@frozen
class ReleaseReservationRequest:
    """These units are not needed: `reserve_key` is what they were reserved under, if they were."""

    key: str
    order_id: str
    exchange_id: str
    reserve_key: str
    lines: tuple[VariantLine, ...]


@frozen
class OutOfStock:
    """The new goods cannot be had, definitely: nothing was reserved or sent, and nothing will be."""

    message: str = field(default="", repr=hidden)


@frozen
class ChargeSucceeded:
    """
    The amount was taken.

    Attributes:
        reference: what the payments port knows it by, should some of it be given back: the `payment_id` of a
            `RefundRequest`. The hold's reference unless given.
    """

    reference: str | None = None


@frozen
class ChargePending:
    """The gateway took the request and will report the outcome later."""

    reference: str | None = None


@frozen
class ChargeDeclined:
    """The gateway refused, definitely: nothing was taken and nothing will be under this key."""

    code: str
    message: str = field(default="", repr=hidden)


@frozen
class ChargeNotSent:
    """Nothing was sent to the gateway, as in `RefundNotSent`."""

    reason: str


ChargeOutcome = ChargeSucceeded | ChargePending | ChargeDeclined
#: What a port of holds answers.
ChargeAnswer = ChargeOutcome | ChargeNotSent
