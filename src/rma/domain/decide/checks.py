"""The checks that several commands share; each appends what is wrong to the `Violations` it is given."""

from typing import TypeGuard, TypeVar

from rma.domain.decide.violations import Violations, error_value
from rma.domain.messages.command_items import ClaimItem, ReceivedItem, RejectedItem, RequestedItem
from rma.domain.messages.commands import Command
from rma.domain.sale.order import Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import NO_CURRENCY, Money
from rma.domain.values.validators import all_are, is_whole

ItemT = TypeVar("ItemT", RequestedItem, ReceivedItem, RejectedItem, ClaimItem)


def check_texts(wrong: Violations, command: Command, *names: str) -> None:
    """These fields are strings or None, `created_by` among them, and the idempotency key is valid."""
    for name in (*names, "created_by"):
        check_text(wrong, name, getattr(command, name))
    check_key(wrong, command)


def check_key(wrong: Violations, command: Command) -> None:
    """An idempotency key is a string that is not empty, or None."""
    key: object = command.idempotency_key
    if key is not None and not (isinstance(key, str) and key):
        wrong.add("invalid_idempotency_key", idempotency_key=error_value(key))


def check_text(wrong: Violations, name: str, value: object, item_id: str | None = None) -> None:
    """A field is a string or None."""
    if value is not None and not isinstance(value, str):
        wrong.add("invalid_text", item_id, field=name, value=error_value(value))


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


def check_metadata(wrong: Violations, metadata: object, item_id: str | None = None) -> None:
    """Metadata is a mapping."""
    if not isinstance(metadata, FrozenMap):  # which commands make of any mapping
        wrong.add("invalid_metadata", item_id)


def check_amount(
    wrong: Violations, amount: object, currency: str | None, code: str, *, minimum: int = 0
) -> Money | None:
    """The amount, if it is money of the currency and large enough; else None."""
    minor = amount.amount if isinstance(amount, Money) else amount
    if not is_whole(minor, at_least=minimum):
        wrong.add(code, amount=error_value(minor), minimum=minimum)
        return None
    if isinstance(amount, Money) and not check_currency(wrong, amount, currency):
        return None
    return Money(minor, NO_CURRENCY if currency is None else currency)


def check_refund(
    wrong: Violations, named: Money | int | None, order: Order | None, most: int | None
) -> Money | None:
    """The refund that was named, if one was and it is valid: at most `most` minor units, if that is known."""
    if named is None:
        return None
    currency = order.currency if order else None
    amount = check_amount(wrong, named, currency, "invalid_refund_amount")
    if amount is not None and order and most is not None and amount.amount > most:
        wrong.add("refund_exceeds_refundable", amount=amount.amount, refundable=most, currency=currency)
    return amount


def check_worth(wrong: Violations, named: Money | None, note: object, worth: int) -> None:
    """A refund above the value of the units (minor units) needs a note: a typing error has none."""
    if named is not None and named.amount > worth and not note:
        wrong.add("refund_exceeds_worth", amount=named.amount, worth=worth, currency=named.currency)


def check_items(wrong: Violations, items: object, kind: type[ItemT]) -> tuple[ItemT, ...]:
    """The items of a request, of which there is at least one; none where they are something else."""
    if not are_items(items, kind):
        wrong.add("invalid_items", expected=kind.__name__)
        return ()
    if not items:
        wrong.add("no_items")
    return items


def check_currency(wrong: Violations, amount: Money, currency: str | None) -> bool:
    """True if the amount is in this currency, or in none yet, or there is none to be in."""
    if currency is None or amount.currency in (currency, NO_CURRENCY):
        return True
    wrong.add("currency_mismatch", currency=amount.currency, order_currency=currency)
    return False


def are_items(items: object, kind: type[ItemT]) -> TypeGuard[tuple[ItemT, ...]]:
    """True for a tuple of nothing but `kind`, each with a string for its `item_id`."""
    return all_are(items, kind) and all(isinstance(each.item_id, str) for each in items)
