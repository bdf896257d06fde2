"""
What can be asked. A command keeps what it is given and never raises; `decide` judges it.

Two commands are the same request when they are equal: an idempotency key stands for one of them.
"""

from typing import assert_never

from attrs import field, frozen

from rma.domain.messages.command_items import (
    ClaimItem,
    ReceivedItem,
    RejectedItem,
    RequestedItem,
    as_map,
    claim_items,
    new_items,
    received_items,
    rejected_items,
    requested_items,
)
from rma.domain.messages.effects import RefundOutcome, RefundReversed, owner_of
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.new_item import NewItem
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money


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
    items: tuple[RequestedItem, ...] = field(converter=requested_items)
    shipping_option_id: str | None = None
    shipping_price: Money | int | None = None
    refund_amount: Money | int | None = None
    location_id: str | None = None
    no_notification: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = None
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map)


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
    items: tuple[ReceivedItem, ...] = field(default=(), converter=received_items)
    refund_amount: Money | int | None = None
    location_id: str | None = None
    allow_mismatch: bool = False
    more_expected: bool = False
    idempotency_key: str | None = None
    created_by: str | None = None


@frozen(kw_only=True)
class ResolveReturn:
    """
    A clerk's last word on a return: what came is all that comes, and what of it is paid for.

    It ends `requires_action` and the rest of `partially_received`; of a received return whose amount is due
    and can not be paid, it sets the amount.

    Args:
        rejected: units that are not paid for; all others that came are accepted.
        refund_amount: what is due for the whole return, instead of the computed amount.
    """

    return_id: str
    rejected: tuple[RejectedItem, ...] = field(default=(), converter=rejected_items)
    refund_amount: Money | int | None = None
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
    """
    Ask again for what is due and not paid: all of it, or `amount`.

    Args:
        return_id: the return that it is due for, an exchange's too; or else
        claim_id: the claim.
    """

    return_id: str | None = None
    amount: Money | int | None = None
    claim_id: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = None


@frozen(kw_only=True)
class RecordRefundOutcome:
    """
    A gateway told how a refund ended, or a person found out. In any order, as often as it likes.

    Args:
        key: of the refund; or else
        return_id, reference: its return (or claim), and what the gateway calls the refund.
        outcome: `RefundSucceeded`, `RefundPending`, `RefundDeclined` (late failures too) or
            `RefundReversed`.
        notification_id: what the gateway calls the notification; kept with the event.
    """

    outcome: RefundOutcome | RefundReversed
    key: str | None = None
    return_id: str | None = None
    reference: str | None = None
    notification_id: str | None = None
    idempotency_key: str | None = None
    created_by: str | None = None

    @property
    def target_id(self) -> str:
        """The return or claim that the refund is of: a refund's key begins with it."""
        if self.return_id is not None:
            return self.return_id
        key: object = self.key
        return owner_of(key) if isinstance(key, str) else ""


@frozen(kw_only=True)
class RequestExchange:
    """
    Let the customer send items back for new ones.

    Args:
        items: what comes back, as for `RequestReturn`.
        new_items: what is sent once it came, and any difference is paid.
        shipping_option_id, shipping_price, location_id: how and where the goods come back.
        outbound_shipping: how the new items travel, and what the customer pays for that.
    """

    order_id: str
    items: tuple[RequestedItem, ...] = field(converter=requested_items)
    new_items: tuple[NewItem, ...] = field(converter=new_items)
    shipping_option_id: str | None = None
    shipping_price: Money | int | None = None
    outbound_shipping: ShippingMethod | None = None
    location_id: str | None = None
    no_notification: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = None
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map)


@frozen(kw_only=True)
class RecordExchangePayment:
    """
    The host took money for an exchange's difference.

    Args:
        amount: of at least 1, at most what is still owed.
        reference: what the host calls this payment; told twice, it counts once.
    """

    exchange_id: str
    amount: Money | int
    reference: str
    idempotency_key: str | None = None
    created_by: str | None = None


@frozen(kw_only=True)
class CancelExchange:
    """Call an exchange off with its return, before money moved or new goods were sent."""

    exchange_id: str
    idempotency_key: str | None = None
    created_by: str | None = None


@frozen(kw_only=True)
class RequestClaim:
    """
    Make units good: by their money at once, or by new goods.

    Args:
        type: `"refund"` or `"replace"`.
        new_items: what is sent, for `"replace"`.
        refund_amount: instead of what the units are worth, for `"refund"`.
        shipping_option_id: how the goods come back; the customer does not pay for it.
        return_items: True if the goods come back, with or without a shipment that is booked here.
    """

    order_id: str
    type: str
    items: tuple[ClaimItem, ...] = field(converter=claim_items)
    new_items: tuple[NewItem, ...] = field(default=(), converter=new_items)
    refund_amount: Money | int | None = None
    shipping_option_id: str | None = None
    return_items: bool = False
    location_id: str | None = None
    no_notification: bool | None = None
    idempotency_key: str | None = None
    created_by: str | None = None
    metadata: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map)


@frozen(kw_only=True)
class CancelClaim:
    """Call a claim off with its return, while nothing was paid, sent or received."""

    claim_id: str
    idempotency_key: str | None = None
    created_by: str | None = None


# By what is answered.
ReturnCommand = RequestReturn | ReceiveReturn | ResolveReturn | CancelReturn
ExchangeCommand = RequestExchange | RecordExchangePayment | CancelExchange
ClaimCommand = RequestClaim | CancelClaim
#: A return's, or a claim's.
RefundCommand = RetryRefund | RecordRefundOutcome

Command = ReturnCommand | ExchangeCommand | ClaimCommand | RefundCommand

#: What asks for something new, of an order.
Request = RequestReturn | RequestExchange | RequestClaim


def subject_of(
    command: ReceiveReturn
    | ResolveReturn
    | CancelReturn
    | RefundCommand
    | RecordExchangePayment
    | CancelExchange
    | CancelClaim,
) -> str:
    """The id of the return, exchange or claim that the command is about; empty if it names none."""
    match command:
        case RecordRefundOutcome():
            return command.target_id
        case RecordExchangePayment() | CancelExchange():
            return command.exchange_id
        case CancelClaim():
            return command.claim_id
        case RetryRefund():
            return command.return_id or command.claim_id or ""
        case ReceiveReturn() | ResolveReturn() | CancelReturn():
            return command.return_id
        case _:
            assert_never(command)
