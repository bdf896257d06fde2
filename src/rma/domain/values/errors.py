"""
What can go wrong, classed by who has to act next.

`Rejected`: the caller changes the request. `Conflict`: reload and try again. `Unavailable`: wait and try
again. `InvalidValue`: the programmer mends the code that built a value.

Every error carries a stable `code` and the numbers as data; messages are derived from them, in `_CODES`,
and only codes and numbers are promised.
"""

from collections.abc import Iterable, Mapping
from string import Formatter

from attrs import field, frozen

from rma.domain.values.display import show
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
    """
    A value that a host builds (`Money`, `Order`, a policy, …) was given something it cannot be, or a service
    in a transaction of the host was asked to deliver.
    """


class Conflict(RmaError):
    """The state moved under the caller: reload, decide again."""

    http_status_hint = 409


class StaleLedger(Conflict):
    """Another commit came first: the ledger's revision is no longer the one the change was made for."""


def history_incomplete(lost: str) -> InvalidValue:
    """The error that events are lost: `lost` says what they said."""
    return InvalidValue("history_incomplete", {"lost": lost})


def stale_ledger(order_id: str, expected: int | str, found: int | str) -> StaleLedger:
    """The error of a ledger of another revision, or of other commits, than expected."""
    return StaleLedger("stale_ledger", {"order_id": order_id, "expected": expected, "found": found})


class StaleOrder(Conflict):
    """The order that a repository answered is older than one that the ledger saw: read it again, and retry."""


class Unavailable(RmaError):
    """A port did not answer; raised by adapters, with the cause attached. Nothing was changed."""

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
    The request cannot be done as it is; nothing was changed.

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


@frozen
class ErrorCode:
    """
    One row of the table of errors.

    Attributes:
        code: stable, snake_case.
        kind: the class that is raised with it, unless a graver violation decides the class.
        message: what `str` of the error says, with the names of its numbers in braces.
    """

    code: str
    kind: type[RmaError]
    message: str

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the ids and numbers that its message shows, in order."""
        return tuple([name for _, name, _, _ in Formatter().parse(self.message) if name])


def codes() -> tuple[ErrorCode, ...]:
    """
    Every code that this library raises by itself, grouped by class; adapters add theirs to `Unavailable`.

    >>> from rma.domain.values.errors import codes
    >>> row = codes()[0]
    >>> row.code, row.kind.__name__, row.numbers
    ('order_not_found', 'NotFound', ('order_id',))
    """
    return tuple([ErrorCode(code, kind, message) for code, (kind, message) in _CODES.items()])


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
    """The sentence for a code, a plain one if a number of it is not there; a `hint` follows it."""
    _, template = _CODES.get(code, (Invalid, ""))
    shown = {name: _written(value) for name, value in numbers.items() if value is not None}
    hint = shown.pop("hint", None)
    try:
        message = template.format_map(shown) if template else _plain(code, shown)
    except KeyError:
        message = _plain(code, shown)
    return message if hint is None else f"{message}: {hint}"


def _written(value: object) -> str:
    """A number or id as it is read; a list by its members. Never fails, whatever a host put in."""
    try:
        return ", ".join(map(_written, value)) if isinstance(value, list | tuple) else str(value)
    except Exception:  # a value of any class; an integer of too many digits
        return show(value)


def _plain(code: str, numbers: Mapping[str, str]) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in numbers.items())
    words = code.replace("_", " ")
    return f"{words} ({shown})" if shown else words


_CODES: dict[str, tuple[type[RmaError], str]] = {
    # NotFound: what the request names does not exist
    "order_not_found": (NotFound, "order {order_id} not found"),
    "return_not_found": (NotFound, "return {return_id} not found"),
    "exchange_not_found": (NotFound, "exchange {exchange_id} not found"),
    "claim_not_found": (NotFound, "claim {claim_id} not found"),
    "hold_charge_not_found": (NotFound, "charge {key} of a hold not found"),
    "refund_not_found": (NotFound, "refund {key} {reference} not found"),
    "shipping_option_not_found": (NotFound, "shipping option {shipping_option_id} not found"),
    # NotAllowed: the state does not permit it
    "order_canceled": (NotAllowed, "order {order_id} is canceled"),
    "return_already_received": (NotAllowed, "return {return_id} is already received"),
    "return_canceled": (NotAllowed, "return {return_id} is canceled"),
    "return_declined": (NotAllowed, "return {return_id} was declined"),
    "return_expired": (NotAllowed, "return {return_id} has expired"),
    "return_not_pending": (NotAllowed, "return {return_id} does not wait for approval: it is {status}"),
    "return_not_approved": (NotAllowed, "return {return_id} waits for approval"),
    "return_already_sent": (NotAllowed, "return {return_id} is on its way: its goods were sent"),
    "return_already_paid": (
        NotAllowed,
        "return {return_id} cannot be changed: {paid} was paid for it (minor units); resolve it instead",
    ),
    "not_expired_yet": (
        NotAllowed,
        "return {return_id} has not expired: goods can be sent until {return_by}",
    ),
    "withdrawal_not_declinable": (
        NotAllowed,
        "return {return_id} is a withdrawal: it needs no consent and cannot be declined",
    ),
    "no_shipment": (NotAllowed, "return {return_id} has no shipment that could be renewed"),
    "booking_unknown": (
        NotAllowed,
        "return {return_id}: whether the carrier made the booking before is unknown: look, and give was_booked",
    ),
    "booking_not_stopped": (
        NotAllowed,
        "return {return_id}: the booking before was not stopped for a person: leave out was_booked",
    ),
    "return_not_cancelable": (
        NotAllowed,
        "return {return_id} cannot be canceled: part of it was received or refunded; resolve it instead",
    ),
    "return_of_exchange": (
        NotAllowed,
        "return {return_id} belongs to exchange {exchange_id}: cancel the exchange instead",
    ),
    "return_of_claim": (
        NotAllowed,
        "return {return_id} belongs to claim {claim_id}: cancel the claim instead",
    ),
    "nothing_to_resolve": (
        NotAllowed,
        "return {return_id} cannot be resolved: nothing was received yet; say what is missing, or cancel it",
    ),
    "nothing_to_correct": (NotAllowed, "return {return_id} has no receipt that could be corrected"),
    "foreign_undecided": (
        NotAllowed,
        "return {return_id}: say of its foreign goods {numbers} whether they are kept or go back",
    ),
    "correction_below_decided": (
        NotAllowed,
        "corrected to {quantity} sellable and {damaged_quantity} damaged units, but {least} and {damaged_least} went back to the customer or were rejected",
    ),
    "correction_below_graded": (
        NotAllowed,
        "corrected to {quantity} units, but {least} have other grades, or were decided about",
    ),
    "nothing_to_inspect": (
        NotAllowed,
        "return {return_id} cannot be inspected: nothing that arrived for it waits for that, or was graded",
    ),
    "return_in_inspection": (
        NotAllowed,
        "return {return_id} is in inspection: its goods are here, judge them first",
    ),
    "value_fixed_by_exchange": (
        NotAllowed,
        "the value of the goods was fixed at {fixed} with exchange {exchange_id}, and would be {value} (minor units)",
    ),
    "nothing_due": (NotAllowed, "return {return_id}: no amount is due"),
    "rejected_already_refunded": (
        NotAllowed,
        "return {return_id}: {entitled} was refunded before, the accepted units are worth only {accepted} (minor units)",
    ),
    "exchange_canceled": (NotAllowed, "exchange {exchange_id} is canceled"),
    "exchange_completed": (NotAllowed, "exchange {exchange_id} is completed: nothing is owed"),
    "exchange_paid": (
        NotAllowed,
        "{paid} was paid for exchange {exchange_id} (minor units): cancel it, and that is given back",
    ),
    "nothing_owed": (NotAllowed, "exchange {exchange_id}: nothing is owed"),
    "advance_not_over": (
        NotAllowed,
        "exchange {exchange_id}: the goods of return {return_id} are expected, or a person decides about them",
    ),
    "charge_outcome_unknown": (
        NotAllowed,
        "exchange {exchange_id}: whether its hold was charged is not known yet",
    ),
    "replacement_sent": (
        NotAllowed,
        "the new goods of claim {claim_id} were sent, or may be: nothing is given instead",
    ),
    "new_goods_sent": (
        NotAllowed,
        "the new goods of exchange {exchange_id} were sent already: `SettleAdvance` ends it",
    ),
    "not_an_advance": (
        NotAllowed,
        "exchange {exchange_id} sends its new goods last: it has no hold",
    ),
    "advance_not_sent": (
        NotAllowed,
        "the new goods of exchange {exchange_id} were not sent: there is nothing to charge for",
    ),
    "advance_too_late": (
        NotAllowed,
        "return {return_id}: the last day for its goods, {return_by}, is over: new goods are not sent first any more",
    ),
    "charge_given_back": (
        NotAllowed,
        "charge {key} of {amount} cannot have failed: {refunded} was refunded (minor units, {currency})",
    ),
    "advance_undecided": (
        NotAllowed,
        "goods are here for exchange {exchange_id}: decide about return {return_id} first",
    ),
    "advance_already_settled": (
        NotAllowed,
        "the hold of exchange {exchange_id} was charged or released already",
    ),
    "difference_already_refunded": (
        NotAllowed,
        "{refunded} of the difference was refunded already, and would be {difference} (minor units)",
    ),
    "claim_not_cancelable": (
        NotAllowed,
        "claim {claim_id} cannot be canceled: its units were refunded, replaced or received",
    ),
    "reduced_units_taken": (
        NotAllowed,
        "claim {claim_id} cannot be canceled: units whose price it reduced are in {subjects}",
    ),
    "units_not_claimed": (
        NotAllowed,
        "{quantity} more units were received than claim {claim_id} covers: reject them",
    ),
    # NotAllowed: the order is not over, so its history stays
    "effect_open": (NotAllowed, "{key} has no outcome yet, after {attempts} attempts"),
    "events_unpublished": (
        NotAllowed,
        "order {order_id}: events are published up to revision {published} of {revision}",
    ),
    "not_over": (NotAllowed, "{subject_id} is {status}"),
    "amount_due": (NotAllowed, "{subject_id}: {amount} due (minor units, {currency})"),
    "refund_not_ended": (NotAllowed, "refund {key} is {status}"),
    "needs_attention": (NotAllowed, "{subject_id} needs attention"),
    # Invalid: the request itself is wrong, first about its items
    "no_items": (Invalid, "no items given"),
    "invalid_items": (Invalid, "{field} must be {expected}, not {value}"),
    "item_not_found": (Invalid, "not on order {order_id}"),
    "item_not_in_return": (Invalid, "not in return {return_id}"),
    "invalid_quantity": (Invalid, "quantity must be an integer of at least {minimum}, not {quantity}"),
    "invalid_damaged_quantity": (
        Invalid,
        "damaged quantity must be an integer of at least {minimum}, not {quantity}",
    ),
    "quantity_exceeds_returnable": (Invalid, "asked to return {quantity}, only {returnable} returnable"),
    "quantity_exceeds_receivable": (Invalid, "{quantity} arrived, at most {receivable} can come back"),
    "quantity_exceeds_received": (Invalid, "asked to reject {quantity}, only {received} arrived undamaged"),
    "damaged_quantity_exceeds_received": (
        Invalid,
        "asked to reject {quantity} damaged units, only {received} arrived damaged",
    ),
    "graded_by_inspection": (
        Invalid,
        "units of this item are graded by inspections: give them a grade, or send them back, there",
    ),
    "missing_exceeds_outstanding": (Invalid, "{quantity} said to be missing, only {outstanding} outstanding"),
    "serial_given_twice": (Invalid, "serial number {serial} is given twice"),
    "serials_exceed_quantity": (Invalid, "{serials} serial numbers given for {quantity} units"),
    "too_many_images": (Invalid, "at most {maximum} images, not {images}"),
    "foreign_not_found": (Invalid, "return {return_id} has no foreign goods {number} to decide about"),
    "foreign_decided_twice": (Invalid, "foreign goods {number} are named twice"),
    "correction_without_reason": (Invalid, "a receipt is corrected for a reason: give one"),
    "item_not_returnable": (Invalid, "this item cannot be returned"),
    "return_window_closed": (Invalid, "this item could be returned until {until}"),
    "no_rule_applies": (Invalid, "no rule of return applies to this item"),
    "outcome_not_offered": (Invalid, "{outcome} is not offered for this item, only: {offered}"),
    "worth_exceeds_rule": (
        Invalid,
        "the value of the units is {value}, rule {rule} takes at most {most} (minor units)",
    ),
    "invalid_tags": (Invalid, "tags must be {expected}, not {value}"),
    "return_reason_not_found": (Invalid, "return reason {reason_id} not found"),
    "return_reason_is_category": (Invalid, "return reason {reason_id} is a category: give one of its leaves"),
    "return_reason_retired": (Invalid, "return reason {reason_id} is retired"),
    "invalid_return_outcome": (Invalid, "outcome must be {expected}, not {outcome}"),
    "store_credit_unsupported": (Invalid, "store credit cannot be given here: no port for it is configured"),
    "credit_without_customer": (
        Invalid,
        "order {order_id} has no customer who could have store credit",
    ),
    "payee_without_credit": (Invalid, "payee is who gets store credit: the outcome is another one"),
    "overrule_without_reason": (Invalid, "overrule must say why the rules are overruled"),
    # Invalid, about inspections
    "unknown_grade": (Invalid, "grade {grade} is not of the scale: {grades}"),
    "inspected_exceeds_received": (Invalid, "asked to judge {quantity}, only {waiting} wait for it"),
    "regraded_exceeds_graded": (
        Invalid,
        "asked to judge {quantity} again, only {graded} that are here were graded {grade}",
    ),
    "previous_grade_missing": (Invalid, "previous_disposition needs the previous_grade"),
    "invalid_deduction": (Invalid, "deduction must be money of at least {minimum}, not {amount}"),
    "deduction_exceeds_worth": (
        Invalid,
        "deduction of {deduction} exceeds the value of a unit, {value} (minor units, {currency})",
    ),
    "deduction_without_note": (Invalid, "a deduction needs a note that says why"),
    "deduction_without_refund": (Invalid, "nothing is paid for what goes back, so that nothing is deducted"),
    "location_missing": (
        Invalid,
        "{disposition} needs a location: other units are at one, or parcels arrived at several",
    ),
    "disposal_unsupported": (
        Invalid,
        "disposition {disposition} needs an inventory port with the method `dispose`",
    ),
    "send_back_unsupported": (Invalid, "sending back needs a fulfillment port with the method `send_back`"),
    # Invalid, about approval, withdrawals and dates
    "approved_exceeds_requested": (Invalid, "asked to approve {quantity}, only {requested} requested"),
    "nothing_approved": (Invalid, "nothing of return {return_id} would be approved: decline it instead"),
    "decline_reason_missing": (Invalid, "a return is declined for a reason: give one"),
    "note_too_long": (Invalid, "note must be at most {maximum} characters long, not {length}"),
    "invalid_basis": (Invalid, "basis must be policy or withdrawal, not {basis}"),
    "no_right_of_withdrawal": (Invalid, "policy {policy} has no right of withdrawal"),
    "declared_without_withdrawal": (Invalid, "declared_at is for withdrawals only"),
    "declared_at_in_future": (Invalid, "declared at {declared_at}, which is after {now}"),
    "declared_before_order": (Invalid, "declared at {declared_at}, before the order of {ordered_at}"),
    "sent_before_requested": (Invalid, "sent at {sent_at}, before the request of {requested_at}"),
    "sent_at_in_future": (Invalid, "sent at {sent_at}, which is after {now}"),
    "invalid_datetime": (Invalid, "{field} must be a datetime with a time zone, not {value}"),
    # Invalid, about shipping
    "not_a_return_option": (Invalid, "shipping option {shipping_option_id} is not for returns"),
    "no_fulfillment": (Invalid, "shipments cannot be booked here: no fulfillment port is configured"),
    "shipping_price_without_option": (Invalid, "shipping price needs a shipping option"),
    "invalid_shipping_price": (Invalid, "shipping price must be money of at least 0, not {amount}"),
    "invalid_outbound_shipping": (Invalid, "outbound shipping must be a ShippingMethod, not {value}"),
    # Invalid, about money
    "invalid_refund_amount": (Invalid, "refund amount must be money of at least {minimum}, not {amount}"),
    "refund_exceeds_refundable": (
        Invalid,
        "asked to refund {amount}, only {refundable} refundable (minor units, {currency})",
    ),
    "refund_exceeds_worth": (
        Invalid,
        "refund of {amount} exceeds the value of units and charges, {value} (minor units, {currency}): add a refund_note",
    ),
    "refund_exceeds_due": (Invalid, "asked to refund {amount}, only {due} due (minor units, {currency})"),
    "invalid_means": (Invalid, "means must be one of {expected}, not {means}"),
    "means_not_of_order": (Invalid, "order {order_id} has no payment {payment_id}"),
    "means_expired": (Invalid, "payment {payment_id} could be refunded until {until}: choose another means"),
    "refund_exceeds_means": (
        Invalid,
        "asked to refund {amount}, only {left} left in what takes refunds (minor units, {currency}): choose another means",
    ),
    "credit_not_agreed": (
        Invalid,
        "return {return_id} is a withdrawal: its customer did not ask for store credit",
    ),
    "payout_unsupported": (Invalid, "payouts cannot be made here: no port for them is configured"),
    "invalid_payout_amount": (Invalid, "payout must be money of at least {minimum}, not {amount}"),
    "payout_reference_reused": (
        Invalid,
        "payout {reference} was recorded before, with {amount} (minor units): give each its own reference",
    ),
    "refund_settled_elsewhere": (
        Invalid,
        "return {return_id} has no refund of its own: its exchange or claim sets the amount",
    ),
    "refund_amount_with_more_expected": (
        Invalid,
        "refund amount is for the whole return: give it with the last parcel",
    ),
    "mismatch_and_more_expected": (Invalid, "allow_mismatch and more_expected exclude each other"),
    "return_and_claim": (Invalid, "return_id and claim_id exclude each other"),
    "currency_mismatch": (Invalid, "{field} is in {currency}, the order in {order_currency}"),
    "order_currency_changed": (Invalid, "order is in {currency}, its returns are in {return_currency}"),
    "invalid_outcome": (Invalid, "outcome must be how a {of} can end, not {outcome}"),
    # Invalid, about exchanges
    "no_new_items": (Invalid, "no new items given"),
    "invalid_new_item": (Invalid, "new item: {field} must be {expected}, not {value}"),
    "invalid_ship": (Invalid, "ship must be one of {choices}, not {ship}"),
    "hold_missing": (Invalid, "new goods are sent first on a hold only: give one"),
    "hold_without_advance": (Invalid, "a hold is for exchanges whose new goods are sent first"),
    "no_holds": (Invalid, "no port of holds is configured: new goods cannot be sent first"),
    "invalid_hold": (Invalid, "{field} must be {expected}, not {value}"),
    "invalid_hold_amount": (Invalid, "hold amount must be money of at least {minimum}, not {amount}"),
    "hold_too_small": (
        Invalid,
        "the hold is of {amount}, but {needed} can be owed for the goods (minor units, {currency})",
    ),
    "hold_ends_before_return_by": (
        Invalid,
        "the hold ends {until}, but goods can be sent until {return_by}: nothing could be charged then",
    ),
    "advance_without_return_by": (
        Invalid,
        "new goods are sent first only where the others have a last day: set ReturnPolicy.return_within_days",
    ),
    "hold_reference_reused": (Invalid, "{reference} is a hold or payment of an exchange already"),
    "invalid_reference": (Invalid, "reference must be a string that is not empty, not {reference}"),
    "invalid_payment_amount": (Invalid, "payment amount must be money of at least {minimum}, not {amount}"),
    "payment_exceeds_owed": (Invalid, "asked to record {amount}, only {owed} owed (minor units, {currency})"),
    "invalid_write_off": (Invalid, "write_off must be money of at least {minimum}, not {amount}"),
    "write_off_exceeds_owed": (
        Invalid,
        "asked to write off {amount}, only {owed} owed (minor units, {currency})",
    ),
    "write_off_without_note": (Invalid, "what is written off needs a note that says why"),
    "note_without_write_off": (Invalid, "note is why something is written off: give write_off"),
    "payment_reference_reused": (
        Invalid,
        "payment {reference} was recorded before, with {amount} (minor units): give each its own reference",
    ),
    # Invalid, about claims
    "invalid_claim_type": (Invalid, "claim type must be refund, replace, reduce or goodwill, not {type}"),
    "invalid_claim_reason": (Invalid, "claim reason cannot be {reason}"),
    "items_of_goodwill": (Invalid, "goodwill is for no items: a claim of type reduce is"),
    "no_refund_amount": (Invalid, "goodwill needs a refund amount"),
    "no_reduction_amount": (Invalid, "a price reduction needs an amount"),
    "amount_without_reduction": (Invalid, "the amount of an item is for claims of type reduce only"),
    "refund_amount_of_reduction": (Invalid, "a price reduction has an amount for each item instead"),
    "charges_of_extra_credit": (
        Invalid,
        "goodwill as store credit gives no charges back: claim them by type refund",
    ),
    "refund_amount_without_items": (Invalid, "refund amount is for items: give an amount with the charge"),
    "reduction_exceeds_worth": (
        Invalid,
        "asked to reduce by {amount}, the units have a value of {value} (minor units, {currency})",
    ),
    "quantity_exceeds_reducible": (
        Invalid,
        "asked to reduce the price of {quantity}, only {reducible} are not returned, requested or claimed",
    ),
    "quantity_exceeds_reduced": (
        Invalid,
        "asked for {quantity} whose price claim {claim_id} reduced, only {reduced} are left",
    ),
    "quantity_exceeds_unsent": (Invalid, "asked to pay back {quantity} not sent, only {unsent} were not"),
    "goods_stay": (Invalid, "claims of type {type} leave the goods with the customer: nothing comes back"),
    "nothing_to_return": (Invalid, "units that were never sent cannot come back"),
    "charge_not_found": (Invalid, "charge {charge_id} is not on order {order_id}"),
    "charge_repeated": (Invalid, "charge {charge_id} is given more than once"),
    "refund_exceeds_charge": (
        Invalid,
        "asked to refund {amount} of charge {charge_id}, only {left} left (minor units, {currency})",
    ),
    "new_items_of_refund": (Invalid, "new items are for claims of type replace only"),
    "new_items_and_refund_amount": (Invalid, "give either other new items or an amount, not both"),
    # Invalid, in any command
    "invalid_flag": (Invalid, "{field} must be True or False, not {value}"),
    "invalid_text": (Invalid, "{field} must be {expected}, not {value}"),
    "text_too_long": (Invalid, "{field} must be at most {maximum} characters long, not {length}"),
    "invalid_metadata": (Invalid, "{path} must be {expected}, not {value}"),
    "invalid_idempotency_key": (
        Invalid,
        "idempotency key must be a string of 1 to {maximum} characters, not {idempotency_key}",
    ),
    # Invalid: a document of `rma.codec`, and what is wrong with it
    "invalid_document": (Invalid, "not a document of {kind}"),
    "not_json": (Invalid, "the document is not JSON: {problem}"),
    "unknown_kind": (Invalid, "{path} must be {expected}, not {value}"),
    "unknown_format": (Invalid, "{path} must be an integer from 1 to {latest}, not {value}"),
    "unknown_field": (Invalid, "{path} is not a field of {kind}"),
    "missing_field": (Invalid, "{path} is missing from {kind}"),
    "invalid_field": (Invalid, "{path} must be {expected}, not {value}"),
    "refused_value": (Invalid, "{path} is refused: {reason}"),
    "more_violations": (Invalid, "{number} more are wrong"),
    # IdempotencyKeyReused: the key belongs to another request
    "idempotency_key_reused": (
        IdempotencyKeyReused,
        "idempotency key {idempotency_key} belongs to another request, which differs in {fields}",
    ),
    # StaleLedger: the state moved
    "stale_order": (
        StaleOrder,
        "order {order_id}: version {version} was read, version {seen} was seen before",
    ),
    "stale_ledger": (StaleLedger, "order {order_id}: revision {expected} expected, found {found}"),
    # InvalidValue: the host's own code is wrong
    "id_not_fresh": (InvalidValue, "id {return_id} was given before"),
    "invalid_value": (InvalidValue, "{field} must be {expected}, not {value}"),
    "in_host_transaction": (
        InvalidValue,
        "nothing can be delivered in a transaction of the host: commit it, then resume with the service outside of it",
    ),
    "history_incomplete": (
        InvalidValue,
        "a part of the history is lost, and a rebuild would forget: {lost}; restore the events first",
    ),
    "history_archived": (
        InvalidValue,
        "the history before revision {archived} is archived, so it rebuilds nothing",
    ),
    "repair_unsupported": (
        InvalidValue,
        "{repository} cannot replace a ledger: it needs the method `replace` of rma.RepairableReturns",
    ),
    "redaction_unsupported": (
        InvalidValue,
        "{repository} cannot redact an order: it needs the method `redact` of rma.RedactableReturns",
    ),
    "host_transaction_unsupported": (
        InvalidValue,
        "{repository} cannot write in a transaction of the host: it needs {expected}",
    ),
    "rule_never_applies": (
        InvalidValue,
        "rule {rule} never applies: {earlier} before it speaks wherever it could",
    ),
    "withdrawal_restricted": (
        InvalidValue,
        "rule {rule} is for withdrawals: it must offer a refund, keep no fee and ask for no review",
    ),
    "host_rule_failed": (InvalidValue, "the host's rule {rule} failed: {problem}"),
    "mixed_currencies": (InvalidValue, "{left} and {right} do not mix"),
    "invalid_weights": (InvalidValue, "{total} cannot be split by {weights}"),
}
