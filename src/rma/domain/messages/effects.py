"""
What is asked of ports, and what they answer.

An effect IS the frozen request that its port takes. It is stored with the event that asks for it and sent,
under its key, until an outcome is recorded.
"""

from datetime import datetime

from attrs import field, frozen

from rma.domain.messages.advance import (
    ChargeOutcome,
    ChargeRequest,
    OutOfStock,
    ReleaseRequest,
    ReleaseReservationRequest,
    ReserveRequest,
)
from rma.domain.messages.command_items import ForeignItem
from rma.domain.sale.catalogue import ShippingMethod
from rma.domain.sale.new_item import NewItem
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money
from rma.domain.values.personal import hidden
from rma.domain.values.validators import as_map, mapping


@frozen
class StockLine:
    """Units of one line item."""

    item_id: str
    variant_id: str | None
    quantity: int


@frozen
class RefundRequest:
    """
    Give this much of this payment back.

    Attributes:
        return_id: None where a claim is paid for goods that are not returned.
        reason: `"return"`, `"exchange"` or `"claim"`.
        deadline: do not begin to send it after this moment, aware; others may send it then. None for ports
            that know keys. Requests that differ in nothing else are equal.
        kind, provider_id: of the payment, as the order has them: which gateway it is for.
        after_key: the refund that its gateway takes first, since it takes steps (`Payment.refund_step`).
    """

    key: str
    order_id: str
    return_id: str | None
    payment_id: str
    amount: Money
    reason: str = "return"
    deadline: datetime | None = field(default=None, eq=False)
    kind: str | None = None
    provider_id: str | None = None
    after_key: str | None = None


@frozen
class CreditRequest:
    """
    Give this much credit at the shop, and the bonus on top.

    Attributes:
        return_id, reason, deadline: as in `RefundRequest`.
        customer_id: who bought; None if the order does not say.
        payee: who is to have the credit, if it is not the customer: a gift is returned.
        amount: what counts against what was paid for the order; of goodwill, what is given besides.
        bonus: what is given besides; None for nothing.
    """

    key: str
    order_id: str
    return_id: str | None
    customer_id: str | None
    payee: str | None
    amount: Money
    bonus: Money | None = None
    reason: str = "return"
    deadline: datetime | None = field(default=None, eq=False)

    @property
    def total(self) -> Money:
        """The credit with its bonus."""
        return self.amount if self.bonus is None else self.amount + self.bonus


@frozen
class PayoutRequest:
    """Pay this much by other ways than the order's payments; the attributes are as in `RefundRequest`."""

    key: str
    order_id: str
    return_id: str | None
    amount: Money
    reason: str = "return"
    deadline: datetime | None = field(default=None, eq=False)


@frozen
class RestockRequest:
    """These units arrived and can be sold again: put them into stock."""

    key: str
    order_id: str
    return_id: str
    location_id: str | None
    lines: tuple[StockLine, ...]


@frozen
class WithdrawRequest:
    """
    Take out of stock what `restock_key` put in: these units go back to the customer.

    Attributes:
        is_correction: they never arrived, or cannot be sold: a receipt was corrected.
    """

    key: str
    order_id: str
    return_id: str
    location_id: str | None
    lines: tuple[StockLine, ...]
    restock_key: str
    is_correction: bool = False


@frozen
class DisposeRequest:
    """These units were inspected and are not put into stock: bring them where `disposition` says."""

    key: str
    order_id: str
    return_id: str
    location_id: str | None
    lines: tuple[StockLine, ...]
    disposition: str


@frozen
class SendBackRequest:
    """
    These goods go back to the customer.

    Attributes:
        lines: units of the order that were inspected or rejected.
        foreign: goods that are none of the order's.
        deadline: as in `RefundRequest`.
    """

    key: str
    order_id: str
    return_id: str
    location_id: str | None
    lines: tuple[StockLine, ...]
    deadline: datetime | None = field(default=None, eq=False)
    foreign: tuple[ForeignItem, ...] = ()


@frozen
class ReturnShipment:
    """What the carrier answered to a booking; `data` becomes `Return.shipping_data`."""

    data: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, validator=mapping, repr=hidden)
    tracking_number: str | None = field(default=None, repr=hidden)
    label_url: str | None = field(default=None, repr=hidden)


@frozen
class ReturnShipmentRequest:
    """Book the way back for these goods; `deadline` as in `RefundRequest`."""

    key: str
    order_id: str
    return_id: str
    shipping_method: ShippingMethod
    provider_id: str | None
    location_id: str | None
    lines: tuple[StockLine, ...]
    deadline: datetime | None = field(default=None, eq=False)


@frozen
class CancelShipmentRequest:
    """
    Cancel what was booked under `shipment_key`.

    It is sent only after the booking was answered, and carries that answer.
    """

    key: str
    order_id: str
    return_id: str
    shipment_key: str
    shipment: ReturnShipment | None = None


@frozen
class ReplacementShipment:
    """What the carrier answered when new goods were sent."""

    data: FrozenMap[str, object] = field(factory=FrozenMap, converter=as_map, validator=mapping, repr=hidden)
    tracking_number: str | None = field(default=None, repr=hidden)
    label_url: str | None = field(default=None, repr=hidden)


@frozen
class ReplacementRequest:
    """
    Send these new goods to the customer, for an exchange or a claim; `deadline` as in `RefundRequest`.

    Attributes:
        reservation_key: under which they were reserved; None if they were not.
    """

    key: str
    order_id: str
    exchange_id: str | None
    claim_id: str | None
    new_items: tuple[NewItem, ...]
    shipping_method: ShippingMethod | None = None
    deadline: datetime | None = field(default=None, eq=False)
    reservation_key: str | None = None


Effect = (
    ReturnShipmentRequest
    | CancelShipmentRequest
    | RestockRequest
    | WithdrawRequest
    | DisposeRequest
    | SendBackRequest
    | RefundRequest
    | CreditRequest
    | PayoutRequest
    | ReplacementRequest
    | ChargeRequest
    | ReleaseRequest
    | ReserveRequest
    | ReleaseReservationRequest
)

#: What moves money for a refund: each has the key of one.
MoneyRequest = RefundRequest | CreditRequest | PayoutRequest


def effect_key(owner_id: str, kind: str, number: int) -> str:
    """
    The key of an effect: `{id}-{kind}-{number}`, the number counting from 1 within the owner and kind.

    It is handed to gateways as it is. Some take 45 characters at most, some no slash: `rma.shell.ids` holds
    ids to what fits.
    """
    return f"{owner_id}-{kind}-{number}"


def owner_of(key: str) -> str:
    """The id of the return, exchange or claim whose effect this key names: `{id}-{kind}-{number}`."""
    owner_id, _, rest = key.rpartition("-")
    if rest.isdecimal():
        return owner_id.rpartition("-")[0]
    return key.rsplit("/", 2)[0]  # ledgers may hold keys as they were spelled before: `{id}/{kind}/{number}`


@frozen
class RefundSucceeded:
    """
    The gateway gave the money back.

    Attributes:
        reference: what the gateway calls the refund.
        amount: what really moved, where the gateway says so; None for what was asked for.
    """

    reference: str | None = None
    amount: Money | None = None


@frozen
class RefundPending:
    """The gateway took the request and will report the outcome later."""

    reference: str | None = None


@frozen
class RefundDeclined:
    """
    The gateway refused, definitely: no money moved and none will under this key.

    Attributes:
        is_temporary: another refund of this payment may succeed: the merchant's balance was low, for example.
            Otherwise the payment counts as closed, and the return's terms say what becomes of the amount.
    """

    code: str
    message: str = field(default="", repr=hidden)
    is_temporary: bool = False


@frozen
class RefundNotSent:
    """
    Nothing was sent to the gateway: it refused the connection, or the adapter knows that it is away.

    The refund stays open under its key, whatever the gateway's class: it is sent again later. Never return
    this for a time-out.
    """

    reason: str


RefundOutcome = RefundSucceeded | RefundPending | RefundDeclined
#: What a payments port answers.
RefundAnswer = RefundOutcome | RefundNotSent


@frozen
class RefundReversed:
    """The refund was reversed after it succeeded: the bank or the card scheme returned the money."""

    code: str = "reversed"
    message: str = field(default="", repr=hidden)


@frozen
class Done:
    """A port that answers nothing has done what it was asked."""


@frozen
class Unknown:
    """The port raised: whether it acted is unknown. The same key is sent again later."""

    error: str


@frozen
class GivenUp:
    """Whether the port acted is unknown, and it cannot be asked: a person must look."""

    error: str


@frozen
class NotSent:
    """The adapter knows that nothing was sent. `is_first`: the command itself sent it, for the first time."""

    error: str
    is_first: bool


@frozen
class Deferred:
    """Its port was away for other effects just now: it was not asked."""


@frozen
class NoRoom:
    """
    The payment has less left than the refund: it is not sent now, and a person must decide.

    An attempt before, whose outcome is unknown, may have moved the money.
    """

    amount: Money
    left: Money


@frozen
class Overdue:
    """The gateway took the refund and has not reported its outcome for too long: a person must ask."""

    since: datetime


@frozen
class Outcome:
    """The outcome of the effect of this key, or that it is unknown."""

    key: str
    result: (
        RefundOutcome
        | ChargeOutcome
        | ReturnShipment
        | ReplacementShipment
        | OutOfStock
        | Done
        | Unknown
        | NotSent
        | Deferred
        | GivenUp
        | NoRoom
        | Overdue
    )


@frozen
class Delivery:
    """
    How far the delivery of an effect is.

    Attributes:
        attempts, last_error: how often it was tried in vain, and what was said last.
        due_at: a timer does not try it before; None for at once.
        started_at, leased_until: its latest lease, for ports that need one: no other process sends it before
            it ends.
        unsent_until: nothing was sent before, as is known from each attempt or from a person; the lifetime of
            its key begins then.
        pending_since: when the gateway said that it took the refund and will report the outcome later.
        is_stopped: it is not tried again, unless a person asks for it.
        is_stuck: it has been open for too long, or it is stopped; it needs attention.
    """

    attempts: int = 0
    last_error: str | None = field(default=None, repr=hidden)
    due_at: datetime | None = None
    started_at: datetime | None = None
    leased_until: datetime | None = None
    unsent_until: datetime | None = None
    pending_since: datetime | None = None
    is_stopped: bool = False
    is_stuck: bool = False


@frozen
class OpenEffect:
    """
    An effect without a final outcome.

    Attributes:
        opened_at: when the event that asks for it was recorded; it was not sent before.
        delivery: how far it is.
        recorded_in: revision and number of the event that said so last; None if none did.
    """

    request: Effect
    opened_at: datetime
    delivery: Delivery = Delivery()
    recorded_in: tuple[int, int] | None = None

    def is_due(self, now: datetime) -> bool:
        """True if a timer may try it now."""
        due_at = self.delivery.due_at
        return not self.delivery.is_stopped and (due_at is None or due_at <= now)

    def is_free(self, now: datetime) -> bool:
        """True if it may be tried when a person or a client asks: no other process is sending it."""
        delivery = self.delivery
        if delivery.is_stopped or delivery.pending_since is not None:
            return False
        return delivery.leased_until is None or delivery.leased_until <= now

    @property
    def owner_id(self) -> str:
        """The return, exchange or claim that it is an effect of."""
        return owner_of(self.request.key)

    @property
    def waits_for(self) -> str | None:
        """The key that must have an outcome before this may be sent."""
        match self.request:
            case CancelShipmentRequest(shipment_key=key) | WithdrawRequest(restock_key=key):
                return key
            case ReleaseReservationRequest(reserve_key=key):
                return key
            case ReplacementRequest(reservation_key=reservation_key):
                return reservation_key
            case RefundRequest(after_key=key):
                return key
            case _:
                return None
