"""The checks that several commands share, and the list in which they gather what is wrong."""

from typing import TypeGuard, TypeVar

from rma.domain.messages.command_items import ClaimItem, ReceivedItem, RejectedItem, RequestedItem
from rma.domain.messages.commands import Command
from rma.domain.sale.order import Order
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.errors import Violation, rejection
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import NO_CURRENCY, Money
from rma.domain.values.validators import all_are, is_whole

T = TypeVar("T")
ItemT = TypeVar("ItemT", RequestedItem, ReceivedItem, RejectedItem, ClaimItem)


class Violations(list[Violation]):
    """What is wrong with one request, in its order."""

    def add(self, code: str, item_id: object = None, **numbers: object) -> None:
        """One more thing that is wrong."""
        self.append(Violation(code, None if item_id is None else str(item_id), numbers))

    def require(self, subject: T | None) -> T:
        """
        The subject of the request, once nothing is wrong with it.

        Raises:
            Rejected: something is; a subject that is missing must have been reported.
        """
        if self or subject is None:
            raise rejection(self)
        return subject

    def check_texts(self, command: Command, *names: str) -> None:
        """These fields are texts or None, who asks among them, and the key is one."""
        for name in (*names, "created_by"):
            self.check_text(name, getattr(command, name))
        self.check_key(command)

    def check_key(self, command: Command) -> None:
        """An idempotency key is a text that is not empty, or None."""
        key: object = command.idempotency_key
        if key is not None and not (isinstance(key, str) and key):
            self.add("invalid_idempotency_key", idempotency_key=error_value(key))

    def check_text(self, name: str, value: object, item_id: str | None = None) -> None:
        """A field is a text or None."""
        if value is not None and not isinstance(value, str):
            self.add("invalid_text", item_id, field=name, value=error_value(value))

    def check_flags(self, **flags: object) -> None:
        """Fields are True or False: anything else, however truthy, is a mistake."""
        for name, value in flags.items():
            if not isinstance(value, bool):
                self.add("invalid_flag", field=name, value=error_value(value))

    def check_order(self, order: Order | None, ledger: ReturnLedger, target: object) -> None:
        """The order of a return or claim is still there, in the currency in which its returns were valued."""
        if order:
            self.check_order_currency(order, ledger)
        elif target:  # of a return that nobody knows, nobody knows the order either
            self.add("order_not_found", order_id=ledger.order_id)

    def check_order_currency(self, order: Order, ledger: ReturnLedger) -> None:
        """The order is in the currency in which its returns were valued."""
        currencies = {each.currency for each in ledger.returns} | {each.currency for each in ledger.claims}
        for currency in currencies - {order.currency}:
            self.add("order_currency_changed", currency=order.currency, return_currency=currency)

    def check_metadata(self, metadata: object, item_id: str | None = None) -> None:
        """Metadata is a mapping."""
        if not isinstance(metadata, FrozenMap):  # which commands make of any mapping
            self.add("invalid_metadata", item_id)

    def check_amount(
        self, amount: object, currency: str | None, code: str, *, minimum: int = 0
    ) -> int | None:
        """The amount in minor units if it is money of the currency and large enough; else None."""
        minor = amount.amount if isinstance(amount, Money) else amount
        if not is_whole(minor, at_least=minimum):
            self.add(code, amount=error_value(minor), minimum=minimum)
            return None
        if isinstance(amount, Money) and not self.check_currency(amount, currency):
            return None
        return minor

    def check_refund(self, named: Money | int | None, order: Order | None, most: int | None) -> int | None:
        """The refund that was named, if one was and it can be: at most so much, if that is known."""
        if named is None:
            return None
        currency = order.currency if order else None
        amount = self.check_amount(named, currency, "invalid_refund_amount")
        if amount is not None and order and most is not None and amount > most:
            self.add("refund_exceeds_refundable", amount=amount, refundable=most, currency=currency)
        return amount

    def check_items(self, items: object, kind: type[ItemT]) -> tuple[ItemT, ...]:
        """The items of a request, of which there is at least one; none where they are something else."""
        if not are_items(items, kind):
            self.add("invalid_items", expected=kind.__name__)
            return ()
        if not items:
            self.add("no_items")
        return items

    def check_currency(self, amount: Money, currency: str | None) -> bool:
        """True if the amount is in this currency, or in none yet, or there is none to be in."""
        if currency is None or amount.currency in (currency, NO_CURRENCY):
            return True
        self.add("currency_mismatch", currency=amount.currency, order_currency=currency)
        return False


def are_items(items: object, kind: type[ItemT]) -> TypeGuard[tuple[ItemT, ...]]:
    """True for a tuple of nothing but `kind`, each with a text for its `item_id`."""
    return all_are(items, kind) and all(isinstance(each.item_id, str) for each in items)


def error_value(value: object) -> object:
    """A value that can stand in an error: numbers and texts as they are, the rest in words."""
    return value if isinstance(value, int | str) and not isinstance(value, bool) else repr(value)
