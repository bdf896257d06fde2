"""The checks that several commands share; each appends what is wrong to the `Violations` it is given."""

from collections.abc import Iterable
from typing import TypeVar, cast

from rma.domain.decide.violations import MAX_ID, Violations, error_id, error_value
from rma.domain.messages.command_items import (
    ApprovedItem,
    ClaimItem,
    CorrectedItem,
    InspectedItem,
    MissingItem,
    ReceivedItem,
    RejectedItem,
    RequestedItem,
)
from rma.domain.messages.commands import Command
from rma.domain.redaction import is_personal
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.order import Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.display import name_kind, show, with_article
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.json_data import MAX_BYTES, find_unstorable, is_unicode, json_size
from rma.domain.values.money import NO_CURRENCY, Money, hint_at_major
from rma.domain.values.validators import all_are, is_whole

T = TypeVar("T")
ItemT = TypeVar(
    "ItemT",
    RequestedItem,
    ApprovedItem,
    ReceivedItem,
    InspectedItem,
    CorrectedItem,
    MissingItem,
    RejectedItem,
    ClaimItem,
)

#: The longest note, reason, name or reference.
MAX_TEXT = 10_000
#: The most images of an item.
MAX_IMAGES = 20


def check_strings(wrong: Violations, command: Command, *names: str) -> None:
    """These fields are strings or None, `created_by` among them, and the idempotency key is valid."""
    for name in (*names, "created_by"):
        value: object = getattr(command, name)
        if value is not None:
            check_text(wrong, name, value)
    check_key(wrong, command)


def check_key(wrong: Violations, command: Command) -> None:
    """An idempotency key is a string of 1 to 255 characters, or None."""
    key: object = command.idempotency_key
    if key is None or (isinstance(key, str) and 0 < len(key) <= MAX_ID and is_unicode(key)):
        return
    length = {"length": len(key)} if isinstance(key, str) else {}
    wrong.add("invalid_idempotency_key", idempotency_key=error_value(key), maximum=MAX_ID, **length)


def check_text(wrong: Violations, name: str, value: object, item_id: str | None = None) -> None:
    """A field is None or a string that is not too long: ids 255 characters, other strings 10,000."""
    if value is not None:
        check_string(wrong, name, value, item_id)


def check_string(wrong: Violations, name: str, value: object, item_id: object = None) -> None:
    """A field is a string that is not too long: ids 255 characters, other strings 10,000."""
    if not isinstance(value, str):
        wrong.add("invalid_text", item_id, field=name, expected="a string", value=_shown(name, value))
        return
    if len(value) > MAX_ID:
        maximum = MAX_ID if name.endswith("_id") or name == "key" else MAX_TEXT
        if len(value) > maximum:
            wrong.add("text_too_long", item_id, field=name, length=len(value), maximum=maximum)
    if not is_unicode(value):
        shown = _shown(name, value)
        wrong.add("invalid_text", item_id, field=name, expected="a string of Unicode", value=shown)


def _shown(name: str, value: object) -> object:
    """The value as an error shows it; of what a person may have said, its class."""
    return name_kind(value) if is_personal(name) else error_value(value)


def check_filled(wrong: Violations, name: str, value: object, item_id: object = None) -> None:
    """A field is a string that is not too long, and says something."""
    check_string(wrong, name, value, item_id)
    if isinstance(value, str) and not value.strip():
        expected = "a string that is not blank"
        wrong.add("invalid_text", item_id, field=name, expected=expected, value=show(value))


def check_images(
    wrong: Violations, images: object, item_id: str | None = None, *, maximum: int | None = MAX_IMAGES
) -> None:
    """Images are strings, each not too long, and not too many."""
    if not isinstance(images, tuple):
        value = _shown("images", images)
        wrong.add("invalid_text", item_id, field="images", expected="a list of strings", value=value)
        return
    if maximum is not None and len(images) > maximum:
        wrong.add("too_many_images", item_id, images=len(images), maximum=maximum)
    for index, image in enumerate(images):
        check_string(wrong, f"images[{index}]", image, item_id)


def report_unknown(
    wrong: Violations, code: str, name: str, wanted_id: object, item_id: str | None = None
) -> None:
    """Nothing has this id; the violation says so if it is not even a string, or too long for an id."""
    wrong.add(code, item_id, **{name: error_id(wanted_id)}, **_hint_at_id(name, wanted_id))


def _hint_at_id(name: str, wanted_id: object) -> dict[str, str]:
    if not isinstance(wanted_id, str):
        return {"hint": f"{name} must be a string, not {show(wanted_id)}"}
    if len(wanted_id) > MAX_ID:
        return {"hint": f"{name} must be at most {MAX_ID} characters long, not {len(wanted_id)}"}
    return {}


def check_flags(wrong: Violations, **flags: object) -> None:
    """Fields are True or False: any other value, however truthy, is a mistake."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            wrong.add("invalid_flag", field=name, value=error_value(value))


def check_order(wrong: Violations, order: Order | None, ledger: ReturnLedger, target: object) -> None:
    """The order of a return or claim still exists, in the currency in which its returns were valued."""
    if order:
        check_order_currency(wrong, order, ledger)
    elif target:  # the order of a return that does not exist is not known either
        wrong.add("order_not_found", order_id=ledger.order_id)


def check_order_currency(wrong: Violations, order: Order, ledger: ReturnLedger) -> None:
    """The order is in the currency in which its returns were valued."""
    currencies = {each.currency for each in ledger.returns} | {each.currency for each in ledger.claims}
    for currency in currencies - {order.currency}:
        wrong.add("order_currency_changed", currency=order.currency, return_currency=currency)


def check_metadata(
    wrong: Violations, metadata: object, item_id: str | None = None, path: str = "metadata"
) -> None:
    """Metadata is a mapping of what every store gives back equal, and no larger than `MAX_BYTES`."""
    if not isinstance(metadata, FrozenMap):  # which commands make of any mapping
        wrong.add("invalid_metadata", item_id, path=path, expected="a mapping", value=name_kind(metadata))
    elif metadata:
        unstorable = tuple(find_unstorable(metadata, path))
        for each in unstorable:
            wrong.add("invalid_metadata", item_id, path=each.path, expected=each.expected, value=each.value)
        if not unstorable and (size := json_size(metadata)) > MAX_BYTES:
            expected, found = f"at most {MAX_BYTES} bytes as JSON", f"{size} bytes"
            wrong.add("invalid_metadata", item_id, path=path, expected=expected, value=found)


def check_amount(
    wrong: Violations, amount: object, currency: str | None, code: str, *, field: str, minimum: int = 0
) -> Money | None:
    """The amount, if it is money of the currency and large enough; else None."""
    minor = amount.amount if isinstance(amount, Money) else amount
    if not is_whole(minor, at_least=minimum):
        wrong.add(code, amount=error_value(minor), minimum=minimum, **hint_for(minor, currency))
        return None
    if isinstance(amount, Money) and not check_currency(wrong, amount, currency, field):
        return None
    return Money(minor, NO_CURRENCY if currency is None else currency)


def hint_for(amount: object, currency: str | None) -> dict[str, str]:
    """What a violation says besides about a decimal amount; nothing about others."""
    hint = hint_at_major(amount, currency)
    return {} if hint is None else {"hint": hint}


def check_refund(
    wrong: Violations, named: Money | int | None, order: Order | None, most: int | None, minimum: int = 0
) -> Money | None:
    """The refund that was named, if one was and it is valid: at most `most` minor units, if that is known."""
    if named is None:
        return None
    currency = order.currency if order else None
    amount = check_amount(
        wrong, named, currency, "invalid_refund_amount", field="refund_amount", minimum=minimum
    )
    if amount is not None and order and most is not None and amount.amount > most:
        wrong.add("refund_exceeds_refundable", amount=amount.amount, refundable=most, currency=currency)
    return amount


def check_refund_value(
    wrong: Violations,
    named: Money | None,
    note: object,
    value: int,
    charges_back: Iterable[RefundedCharge] = (),
    hint: str | None = None,
) -> None:
    """
    A refund above the value of the units (minor units), with the charges that come back with them, needs a
    note: a typing error has none.
    """
    value += max(0, sum([each.amount for each in charges_back]))
    if named is not None and named.amount > value and not note:
        hints = {} if hint is None else {"hint": hint}
        wrong.add("refund_exceeds_worth", amount=named.amount, value=value, currency=named.currency, **hints)


def check_currency(wrong: Violations, amount: Money, currency: str | None, field: str) -> bool:
    """True if the amount is in this currency, or in none yet, or there is none to be in."""
    if currency is None or amount.currency in (currency, NO_CURRENCY):
        return True
    wrong.add("currency_mismatch", field=field, currency=amount.currency, order_currency=currency)
    return False


def check_items(wrong: Violations, items: object, kind: type[ItemT]) -> tuple[ItemT, ...]:
    """The items of a request, of which there is at least one; without those that are something else."""
    if isinstance(items, tuple) and not items:
        wrong.add("no_items")
    return valid_items(wrong, items, kind, "items")


def valid_items(wrong: Violations, items: object, kind: type[ItemT], field: str) -> tuple[ItemT, ...]:
    """Those items of a list that are of this class and have a string for their `item_id`."""
    found = valid_members(wrong, items, kind, field)
    if all(isinstance(each.item_id, str) for each in found):
        return found
    for index, each in enumerate(cast("tuple[object, ...]", items)):
        if isinstance(each, kind) and not _has_id(each):
            field_of_id, value = f"{field}[{index}].item_id", error_value(each.item_id)
            wrong.add("invalid_items", each.item_id, field=field_of_id, expected="a string", value=value)
    return tuple([each for each in found if _has_id(each)])


def _has_id(
    item: RequestedItem
    | ApprovedItem
    | ReceivedItem
    | InspectedItem
    | CorrectedItem
    | MissingItem
    | RejectedItem
    | ClaimItem,
) -> bool:
    item_id: object = item.item_id
    return isinstance(item_id, str)


def valid_members(wrong: Violations, values: object, kind: type[T], field: str) -> tuple[T, ...]:
    """Those values of a list that are of this class."""
    if all_are(values, kind):
        return values
    if not isinstance(values, tuple):  # which commands make of any list
        expected = f"a list of {kind.__name__}"
        wrong.add("invalid_items", field=field, expected=expected, value=_name(values))
        return ()
    expected = with_article(kind.__name__)
    for index, each in enumerate(values):
        if not isinstance(each, kind):
            wrong.add("invalid_items", field=f"{field}[{index}]", expected=expected, value=_name(each))
    return tuple([each for each in values if isinstance(each, kind)])


def _name(value: object) -> str:
    return show(value) if isinstance(value, str | int | float) else name_kind(value)
