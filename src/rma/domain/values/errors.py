"""
What can go wrong, told by whose move is next.

`Rejected`: the caller changes the request. `Conflict`: reload and try again. `Unavailable`: wait and try
again. `InvalidValue`: the programmer mends the code that built a value.

Every error carries a stable `code` and the numbers as data; messages are derived from them, in `_CODES`,
and only codes and numbers are promised.
"""

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from rma.domain.values.frozenmap import FrozenMap, frozen_map


class RmaError(Exception):
    """
    Base of everything this library raises on purpose.

    Attributes:
        code: stable, snake_case; safe to branch on and to show to other programs.
        details: the ids and numbers behind it.
    """

    http_status_hint = 500

    def __init__(self, code: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(code, details)
        self.code = code
        self.details: FrozenMap[str, object] = frozen_map(details or {})

    def __str__(self) -> str:
        return _message(self.code, self.details)


class InvalidValue(RmaError, ValueError):
    """A value that a host builds (`Money`, `Order`, a policy, …) was given something it can not be."""


class Conflict(RmaError):
    """The state moved under the caller: reload, decide again."""

    http_status_hint = 409


class StaleLedger(Conflict):
    """Another commit came first: the ledger's revision is no longer the one the change was made for."""


class Unavailable(RmaError):
    """The outside did not answer; raised by adapters, with the cause attached. Nothing was changed."""

    http_status_hint = 503


def _numbers(numbers: Mapping[str, object]) -> FrozenMap[str, object]:
    return frozen_map(numbers)


@frozen
class Violation:
    """
    One thing that a request breaks, with the line item it concerns, if any, and the numbers.

    >>> from rma import Violation
    >>> str(Violation("quantity_exceeds_returnable", "L1", {"quantity": 3, "returnable": 1}))
    'line L1: asked to return 3, only 1 returnable'
    """

    code: str
    item_id: str | None = None
    numbers: FrozenMap[str, object] = field(factory=FrozenMap, converter=_numbers)

    def __str__(self) -> str:
        where = f"line {self.item_id}: " if self.item_id is not None else ""
        return where + _message(self.code, self.numbers)


class Rejected(RmaError):
    """
    The request can not be done as it stands; nothing was changed.

    Raised as one of its subclasses. `violations` holds everything that is wrong, in the order of the
    request; class, `code` and `http_status_hint` are those of the gravest.
    """

    http_status_hint = 400

    def __init__(
        self,
        code: str,
        details: Mapping[str, object] | None = None,
        violations: Iterable[Violation] = (),
    ) -> None:
        super().__init__(code, details)
        self.violations = tuple(violations) or (Violation(code, numbers=details or {}),)
        self.args = (code, details, self.violations)  # so that a copied or pickled error keeps them

    def __str__(self) -> str:
        return "; ".join(str(violation) for violation in self.violations)


class NotFound(Rejected):
    """The order, return or shipping option does not exist. Repositories of hosts raise it too."""

    http_status_hint = 404


class NotAllowed(Rejected):
    """The order or return is in a state that does not permit this."""

    http_status_hint = 409


class Invalid(Rejected):
    """The request itself is wrong."""

    http_status_hint = 400


class IdempotencyKeyReused(Rejected):
    """The key stands for another request already."""

    http_status_hint = 409


_GRAVEST_FIRST: tuple[type[Rejected], ...] = (NotFound, NotAllowed, Invalid, IdempotencyKeyReused)


def rejection(violations: Iterable[Violation]) -> Rejected:
    """The error to raise for these violations (at least one): of the gravest one's class and code."""
    broken = tuple(violations)
    gravest = min(broken, key=lambda violation: _GRAVEST_FIRST.index(_class_of(violation.code)))
    return _class_of(gravest.code)(gravest.code, gravest.numbers, broken)


def _class_of(code: str) -> type[Rejected]:
    kind, _ = _CODES.get(code, (Invalid, ""))
    return kind if issubclass(kind, Rejected) else Invalid


def _message(code: str, numbers: Mapping[str, object]) -> str:
    _, template = _CODES.get(code, (Invalid, ""))
    try:
        return template.format_map(numbers) if template else _plain(code, numbers)
    except KeyError:
        return _plain(code, numbers)


def _plain(code: str, numbers: Mapping[str, object]) -> str:
    render = ", ".join(f"{name} {value}" for name, value in numbers.items())
    words = code.replace("_", " ")
    return f"{words} ({render})" if render else words


_CODES: dict[str, tuple[type[RmaError], str]] = {
    # what was asked for does not exist
    "order_not_found": (NotFound, "order {order_id} not found"),
    "return_not_found": (NotFound, "return {return_id} not found"),
    "refund_not_found": (NotFound, "refund {key} {reference} not found"),
    "shipping_option_not_found": (NotFound, "shipping option {shipping_option_id} not found"),
    # its state does not permit it
    "order_canceled": (NotAllowed, "order {order_id} is canceled"),
    "return_already_received": (NotAllowed, "return {return_id} was received already"),
    "return_canceled": (NotAllowed, "return {return_id} is canceled"),
    "return_not_cancelable": (
        NotAllowed,
        "return {return_id}: part of it was received or refunded; it can only be closed short",
    ),
    "exchange_not_found": (NotFound, "there is no exchange {exchange_id}"),
    "claim_not_found": (NotFound, "there is no claim {claim_id}"),
    "return_of_exchange": (NotAllowed, "return {return_id} belongs to exchange {exchange_id}: cancel that"),
    "exchange_canceled": (NotAllowed, "exchange {exchange_id} is canceled"),
    "exchange_completed": (NotAllowed, "exchange {exchange_id} is completed: nothing is owed"),
    "exchange_paid": (NotAllowed, "exchange {exchange_id}: {paid} was paid for it (minor units)"),
    "claim_not_cancelable": (NotAllowed, "claim {claim_id} was made good already"),
    "nothing_to_resolve": (NotAllowed, "nothing came for return {return_id} yet: cancel it instead"),
    "nothing_due": (NotAllowed, "return {return_id}: nothing is due that is not paid or on its way"),
    # the request is wrong
    "no_items": (Invalid, "no items given"),
    "invalid_items": (Invalid, "items must be a list of {expected}"),
    "invalid_metadata": (Invalid, "metadata must be a mapping"),
    "item_not_found": (Invalid, "not on order {order_id}"),
    "invalid_quantity": (Invalid, "quantity must be a whole number of at least {minimum}, not {quantity}"),
    "invalid_damaged_quantity": (
        Invalid,
        "damaged quantity must be a whole number of at least {minimum}, not {quantity}",
    ),
    "quantity_exceeds_returnable": (Invalid, "asked to return {quantity}, only {returnable} returnable"),
    "quantity_exceeds_receivable": (Invalid, "{quantity} arrived, at most {receivable} can come back"),
    "item_not_returnable": (Invalid, "this item can not be returned"),
    "return_window_closed": (Invalid, "could be returned until {until}"),
    "return_reason_not_found": (Invalid, "return reason {reason_id} not found"),
    "return_reason_is_category": (Invalid, "return reason {reason_id} is a category, give one of its leaves"),
    "return_reason_retired": (Invalid, "return reason {reason_id} is retired"),
    "refund_settled_elsewhere": (
        Invalid,
        "what return {return_id} comes to is settled by its exchange or claim",
    ),
    "return_and_claim": (Invalid, "name either a return or a claim, not both"),
    "no_new_items": (Invalid, "nothing new is asked for"),
    "invalid_new_item": (Invalid, "new item: {field} can not be {value}"),
    "invalid_outbound_shipping": (Invalid, "outbound shipping must be a ShippingMethod, not {value}"),
    "invalid_reference": (Invalid, "a payment's reference is a text that is not empty, not {reference}"),
    "invalid_payment_amount": (Invalid, "a payment must be money of at least {minimum}, not {amount}"),
    "payment_exceeds_owed": (Invalid, "{amount} was paid, only {owed} is owed (minor units, {currency})"),
    "payment_reference_reused": (Invalid, "payment {reference} was recorded with another amount, {amount}"),
    "invalid_claim_type": (Invalid, "a claim is a refund or a replace, not {type}"),
    "invalid_claim_reason": (Invalid, "{reason} is no reason for a claim"),
    "refund_amount_of_replacement": (Invalid, "what is replaced is not refunded"),
    "new_items_of_refund": (Invalid, "what is refunded is not replaced"),
    "units_not_claimed": (NotAllowed, "{quantity} more came than claim {claim_id} is about: reject them"),
    "item_not_in_return": (Invalid, "return {return_id} has no such line"),
    "quantity_exceeds_received": (Invalid, "{quantity} units rejected, only {received} arrived undamaged"),
    "damaged_quantity_exceeds_received": (
        Invalid,
        "{quantity} damaged units rejected, only {received} arrived damaged",
    ),
    "rejected_already_refunded": (
        NotAllowed,
        "{entitled} was granted for earlier parcels of return {return_id}, what is accepted is worth {accepted} (minor units)",
    ),
    "not_a_return_option": (Invalid, "shipping option {shipping_option_id} is not for returns"),
    "no_fulfillment": (Invalid, "return shipments can not be booked here: no fulfillment is configured"),
    "shipping_price_without_option": (Invalid, "a shipping price needs a shipping option"),
    "invalid_shipping_price": (Invalid, "shipping price must be money of at least 0, not {amount}"),
    "invalid_refund_amount": (Invalid, "refund amount must be money of at least {minimum}, not {amount}"),
    "refund_exceeds_refundable": (
        Invalid,
        "asked to refund {amount}, only {refundable} refundable (minor units, {currency})",
    ),
    "refund_exceeds_due": (Invalid, "asked to refund {amount}, only {due} due (minor units, {currency})"),
    "currency_mismatch": (Invalid, "amount is in {currency}, the order in {order_currency}"),
    "order_currency_changed": (Invalid, "the order is in {currency}, its returns are in {return_currency}"),
    "invalid_outcome": (Invalid, "outcome must be how a refund can end, not {outcome}"),
    "invalid_flag": (Invalid, "{field} must be True or False, not {value}"),
    "invalid_text": (Invalid, "{field} must be a text, not {value}"),
    "invalid_idempotency_key": (Invalid, "an idempotency key is a text that is not empty"),
    "mismatch_and_more_expected": (Invalid, "more_expected and allow_mismatch exclude each other"),
    "refund_amount_with_more_expected": (
        Invalid,
        "a refund amount is for the whole return: give it with the last parcel",
    ),
    # the host's own code is wrong
    "id_not_fresh": (InvalidValue, "id {return_id} was given before"),
    "mixed_currencies": (InvalidValue, "{left} and {right} do not mix"),
    "invalid_weights": (InvalidValue, "can not split {total} by {weights}"),
    "invalid_value": (InvalidValue, "{field} must be {expected}, not {value}"),
    # the key is allocated
    "idempotency_key_reused": (
        IdempotencyKeyReused,
        "idempotency key {idempotency_key} stands for another request",
    ),
    # state moved
    "stale_ledger": (StaleLedger, "order {order_id}: revision {expected} expected, found {found}"),
}
