"""
What can be asked. A command keeps what it is given and never raises; `decide` judges it.

Two commands are the same request when they are equal: an idempotency key stands for one of them.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from attrs import field, frozen

from rma.domain.effects import RefundOutcome, RefundReversed
from rma.domain.frozenmap import FrozenMap, frozen_map
from rma.domain.money import Money

T = TypeVar("T")


def _as_map(mapping: Mapping[str, object]) -> FrozenMap[str, object]:
    # kept as it is when it is no mapping, and refused by decide
    given: object = mapping
    return frozen_map(mapping) if isinstance(given, Mapping) else cast("FrozenMap[str, object]", given)


@frozen(kw_only=True)
class RequestedItem:
    """Units of a line item to send back: a whole number of at least 1, and why."""

    item_id: str
    quantity: int
    reason_id: str | None = None
    note: str | None = None
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=_as_map)


@frozen(kw_only=True)
class ReceivedItem:
    """Units of a line item that arrived: sellable ones, and besides them damaged ones; 0 is a fact."""

    item_id: str
    quantity: int
    damaged_quantity: int = 0


def _requested_items(items: Iterable[RequestedItem]) -> tuple[RequestedItem, ...]:
    return _tuple_if_it_can_be(items)


def _received_items(items: Iterable[ReceivedItem]) -> tuple[ReceivedItem, ...]:
    return _tuple_if_it_can_be(items)


def _tuple_if_it_can_be(items: Iterable[T]) -> tuple[T, ...]:
    given: object = items
    return tuple(items) if isinstance(given, Iterable) else cast("tuple[T, ...]", given)


@frozen(kw_only=True)
class RequestReturn:
    """
    Let the customer send items back.

    Args:
        shipping_option_id: how they travel; the shipment is booked by itself.
        shipping_price: instead of the option's price.
        refund_amount: instead of the computed one; final, nothing is deducted from it.
        location_id: where the goods go; else the shipping option's location.
        no_notification: else as the order says.
        idempotency_key: repeat the request under the same key and it is done once.
        created_by: who asks, in the host's words.
    """

    order_id: str
    items: tuple[RequestedItem, ...] = field(converter=_requested_items)
    shipping_option_id: str | None = None
    shipping_price: Money | int | None = None
    refund_amount: Money | int | None = None
    location_id: str | None = None
    no_notification: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = None
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=_as_map)


@frozen(kw_only=True)
class ReceiveReturn:
    """
    Goods arrived for a return.

    Args:
        items: what came, added to what came before.
        refund_amount: what is due for the whole return, instead of the computed amount.
        location_id: where they are now; else the return's location.
        allow_mismatch: accept what came as all that will come.
        more_expected: what is missing comes in another parcel.
    """

    return_id: str
    items: tuple[ReceivedItem, ...] = field(default=(), converter=_received_items)
    refund_amount: Money | int | None = None
    location_id: str | None = None
    allow_mismatch: bool = False
    more_expected: bool = False
    idempotency_key: str | None = None
    created_by: str | None = None


@frozen(kw_only=True)
class CancelReturn:
    """Call a return off, before money was granted; what came already goes back to the customer."""

    return_id: str
    idempotency_key: str | None = None
    created_by: str | None = None


@frozen(kw_only=True)
class RetryRefund:
    """Ask again for what is due and not paid: all of it, or `amount`."""

    return_id: str
    amount: Money | int | None = None
    idempotency_key: str | None = None
    created_by: str | None = None


@frozen(kw_only=True)
class RecordRefundOutcome:
    """
    A gateway told how a refund ended, or a person found out. In any order, as often as it likes.

    Args:
        key: of the refund; or else
        return_id, reference: its return, and what the gateway calls the refund.
        outcome: `RefundSucceeded`, `RefundPending`, `RefundDeclined` (late failures too) or
            `RefundReversed`.
        notice_id: what the gateway calls the notification; kept with the event.
    """

    outcome: RefundOutcome | RefundReversed
    key: str | None = None
    return_id: str | None = None
    reference: str | None = None
    notice_id: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = None

    @property
    def target_id(self) -> str:
        """The return that the refund is of: a refund's key begins with it."""
        given: object = self.return_id if self.return_id is not None else self.key
        return given.split("/", 1)[0] if isinstance(given, str) else ""


Command = RequestReturn | ReceiveReturn | CancelReturn | RetryRefund | RecordRefundOutcome
