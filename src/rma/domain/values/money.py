"""
Money, and the only two ways of splitting it.

`share` takes a part of what remains; `allocate` splits a whole. Both are exact over all their parts, so
nothing else in this library multiplies an amount and rounds.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache, total_ordering
from typing import Any, cast

from attrs import Attribute, field, frozen

from rma.domain.values.errors import InvalidValue
from rma.domain.values.validators import invalid

#: ISO 4217 currencies whose minor unit is not a hundredth: the number of decimal places.
_EXPONENTS = {
    code: places
    for places, codes in {
        0: "bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf xxx",
        3: "bhd iqd jod kwd lyd omr tnd",
        4: "clf uyw",
    }.items()
    for code in codes.split()
}

#: ISO 4217's code for "no currency": what a bare number carries until the order it joins gives it one.
NO_CURRENCY = "xxx"


def exponent(currency: str) -> int:
    """How many decimal places the currency has: 2 for usd, 0 for jpy, 3 for kwd."""
    return _EXPONENTS.get(currency, 2)


def as_currency(currency: str) -> str:
    """A converter to lower case, as codes are kept."""
    given: object = currency
    return currency.lower() if isinstance(given, str) else currency


def currency_code(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """The field is a three-letter currency code."""
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha()):
        raise invalid(instance, attribute.name, value, "a three-letter currency code")


@total_ordering
@frozen(order=False)
class Money:
    """
    An amount in whole minor units of a currency: `Money(1999, "usd")` is 19.99 US dollars.

    >>> from rma import Money
    >>> str(Money(1999, "USD") + Money(1, "usd"))
    '20.00 USD'
    >>> Money.from_major("19.99", "usd")
    Money(amount=1999, currency='usd')

    Args:
        amount: minor units; may be negative.
        currency: ISO 4217 code in any case, kept in lower case.

    Raises:
        InvalidValue: the amount is not an integer, the code not three letters; or two currencies meet
            in a sum or comparison.
    """

    amount: int = field()
    currency: str = field(converter=as_currency, validator=currency_code)

    @amount.validator
    def _whole(self, attribute: object, value: object) -> None:  # noqa: ARG002 # attrs passes it
        if type(value) is not int:
            hint = hint_at_major(value, self.currency)
            raise invalid(self, "amount", value, "an integer of minor units", hint=hint)

    @classmethod
    def from_major(cls, amount: Decimal | int | str, currency: str) -> "Money":
        """
        Money from a decimal amount in major units: `Money.from_major("19.99", "usd")`.

        Raises:
            InvalidValue: the amount is not exact in the currency's minor unit; it is never rounded.
        """
        zero = cls(0, currency)
        try:
            exact = Decimal(amount) if type(amount) in (Decimal, int, str) else Decimal("NaN")
            numerator, denominator = exact.as_integer_ratio()
        except (ArithmeticError, ValueError):  # no number, or none that is finite
            numerator, denominator = 1, 0
        minor, rest = divmod(numerator * 10 ** exponent(zero.currency), denominator or 1)
        if rest or not denominator:
            expected = f"a Decimal, integer or string that is exact in {zero.currency}"
            raise invalid(zero, "amount", amount, expected)
        return cls(minor, zero.currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, with the currency's decimal places."""
        digits = tuple([int(digit) for digit in str(abs(self.amount))])
        return Decimal((int(self.amount < 0), digits, -exponent(self.currency)))

    def __str__(self) -> str:
        return f"{self.major:,f} {self.currency.upper()}"

    def __add__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.amount - self._same(other).amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.amount < self._same(other).amount

    def allocate(self, weights: Sequence[int]) -> "tuple[Money, ...]":
        """The amount split by weights, nothing lost: see `allocate`."""
        return tuple(Money(part, self.currency) for part in allocate(self.amount, weights))

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise InvalidValue("mixed_currencies", {"left": self.currency, "right": other.currency})
        return other


@lru_cache(maxsize=256)
def zero(currency: str) -> Money:
    """No money, in this currency: the same value each time."""
    return Money(0, currency)


def as_money(value: "Money | int") -> Money:
    """Money as given; a bare number becomes minor units of the currency of the order it will join."""
    return Money(value, NO_CURRENCY) if type(value) is int else cast("Money", value)


def hint_at_major(value: object, currency: str | None = None) -> str | None:
    """
    What an error says besides if someone gave a decimal amount where money belongs; else None.

    >>> from rma.domain.values.money import hint_at_major
    >>> hint_at_major("10.00", "eur")
    'amounts are whole minor units; Money.from_major("10.00", "eur") converts a decimal'
    """
    if not isinstance(value, float | str | Decimal) or len(written := str(value)) > 40:
        return None
    try:
        is_number = Decimal(written).is_finite()
    except ArithmeticError:
        return None
    if not is_number:
        return None
    example = "usd" if currency in (None, NO_CURRENCY) else currency
    return f'amounts are whole minor units; Money.from_major("{written}", "{example}") converts a decimal'


def round_half_up(numerator: int, denominator: int) -> int:
    """The nearest integer to the fraction (denominator above 0); a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)


def share(running_sums: tuple[int, ...], quantity: int, of: int) -> tuple[int, ...]:
    """
    What `quantity` of the `of` units left take from a pool, for each of its amounts.

    Taking shares of what remains until nothing does gives every amount back exactly, in any partition;
    amounts that ascend give shares that ascend, so differences between neighbours are never negative.

    >>> from rma.domain.values.money import share
    >>> share((2900,), 1, 3), share((1933,), 1, 2), share((966,), 1, 1)
    ((967,), (967,), (966,))
    """
    if quantity == of:
        return running_sums
    double = 2 * of
    twice = 2 * quantity
    return tuple([(twice * amount + of) // double for amount in running_sums])


def add(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """Both running sums together."""
    return tuple([one + other for one, other in zip(left, right, strict=True)])


def subtract(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """The first running sums without the second."""
    return tuple([had - gone for had, gone in zip(left, right, strict=True)])


def allocate(total: int, weights: Sequence[int], *, given: Sequence[int] = ()) -> tuple[int, ...]:
    """
    `total` split in proportion to the weights by largest remainder; the parts sum to it exactly.

    Each part is the fair one, rounded down or up; the units lost by rounding down go to the parts that
    are furthest behind, the first of equals first.

    >>> from rma.domain.values.money import allocate
    >>> allocate(100, [1000, 2000])
    (33, 67)

    Args:
        total: what to split; a negative total is split as its opposite.
        weights: integers of at least 0, not all 0 unless the total is 0.
        given: what earlier splits by the same weights gave each part. Being behind is then judged over
            all splits together, so that no part ever gets more than its weight while their sum does not.

    Raises:
        InvalidValue: no weights, a negative one, or all of them 0.
    """
    if total < 0:
        return tuple([-part for part in allocate(-total, weights, given=[-part for part in given])])
    whole = sum(weights)
    if min(weights, default=-1) < 0 or (whole == 0 and total > 0):
        raise InvalidValue("invalid_weights", {"weights": tuple(weights), "total": total})
    if total == 0:
        return (0,) * len(weights)
    before = given or (0,) * len(weights)
    running = total + sum(before)
    parts = [total * weight // whole for weight in weights]
    while missing := total - sum(parts):
        behind = [
            (running * weight - (had + part) * whole, -i)
            for i, (weight, had, part) in enumerate(zip(weights, before, parts, strict=True))
        ]
        for gap, i in sorted(behind, reverse=True)[:missing]:
            parts[-i] += gap > 0
    return tuple(parts)
