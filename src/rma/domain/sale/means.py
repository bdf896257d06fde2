"""By which means money goes back: a payment of the order, credit at the shop, or a payout of the host."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from attrs import Attribute, frozen

from rma.domain.values.validators import as_member, as_tuple, invalid, is_short_text


class Means(StrEnum):
    """
    How one amount goes back.

    `payment`: to a payment of the order. `store_credit`: as credit at the shop. `payout`: by other ways of
    the host, such as a bank transfer.
    """

    PAYMENT = "payment"
    STORE_CREDIT = "store_credit"
    PAYOUT = "payout"


class Split(StrEnum):
    """
    How an amount is split over payments.

    `in_order`: the first one gives all that it has left, then the next. `proportional`: each gives in
    proportion to what it has left.
    """

    IN_ORDER = "in_order"
    PROPORTIONAL = "proportional"


class WhenClosed(StrEnum):
    """
    What becomes of the part of a payment that takes no refund any more.

    `ask`: it is due, and a person decides. Otherwise it is given as `store_credit`, or as a `payout`.
    """

    ASK = "ask"
    STORE_CREDIT = "store_credit"
    PAYOUT = "payout"

    @property
    def means(self) -> Means | None:
        """The means that it is given by instead; None if a person decides."""
        return None if self is WhenClosed.ASK else Means(self.value)


#: Stands for payments of every kind that is not named beside it.
ANY_KIND = "*"


def as_kinds(values: Iterable[str]) -> tuple[str, ...]:
    """A converter from any iterable of kinds of payments to a tuple."""
    return as_tuple(values)


def are_kinds(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a tuple of kinds of payments, at least one, that do not repeat."""
    if not (
        isinstance(value, tuple)
        and value
        and all(map(is_short_text, value))
        and len(set(value)) == len(value)
    ):
        expected = f"kinds of payments that do not repeat, at least one; {ANY_KIND!r} for all others"
        raise invalid(instance, attribute.name, value, expected)


def as_split(value: Split | str) -> Split:
    """A converter from the name."""
    return as_member(Split, value)


def as_when_closed(value: WhenClosed | str) -> WhenClosed:
    """A converter from the name."""
    return as_member(WhenClosed, value)


@frozen
class RefundTerms:
    """
    In which order, and how, an amount is taken from the payments of an order.

    Attributes:
        means: kinds of payments, those first that give back first; `"*"` for all that are not named. Payments
            of a kind that has no place here are never asked, as if they were closed.
        split: over these.
        when_closed: what becomes of what payments have left that take no refund any more.
    """

    means: tuple[str, ...] = (ANY_KIND,)
    split: Split = Split.IN_ORDER
    when_closed: WhenClosed = WhenClosed.ASK

    def rank(self, kind: str | None) -> int | None:
        """The place of a payment of this kind; None if it has none. What has no kind is of every other."""
        if kind in self.means:
            return self.means.index(kind)
        return self.means.index(ANY_KIND) if ANY_KIND in self.means else None


#: What holds unless a policy says more: the payments in their order.
DEFAULT_REFUND_TERMS = RefundTerms()
