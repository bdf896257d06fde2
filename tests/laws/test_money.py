"""The laws of splitting, rounding and rendering money."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rma import InvalidValue, Money, TaxLine
from rma.domain.values.money import NO_CURRENCY, allocate, exponent, round_half_up, share

remainders = st.lists(st.integers(0, 10_000), min_size=1, max_size=5).map(sorted).map(tuple)


@given(remainder=remainders, units=st.integers(1, 12), data=st.data())
def test_shares_of_every_partition_add_up_to_the_whole(
    remainder: tuple[int, ...], units: int, data: st.DataObject
) -> None:
    """The shares of every partition of the units, in any order, add up to the remainder, amount by amount."""
    left, left_units = remainder, units
    allocated = [0] * len(remainder)

    while left_units:
        quantity = data.draw(st.integers(1, left_units))
        part = share(left, quantity, left_units)
        allocated = [a + b for a, b in zip(allocated, part, strict=True)]
        left = tuple([a - b for a, b in zip(left, part, strict=True)])
        left_units -= quantity

    assert tuple(allocated) == remainder
    assert not any(left)


@given(remainder=remainders, units=st.integers(1, 12), data=st.data())
def test_shares_of_amounts_that_ascend_ascend(
    remainder: tuple[int, ...], units: int, data: st.DataObject
) -> None:
    """The share of ascending amounts is ascending, so that no difference of neighbours is negative."""
    part = share(remainder, data.draw(st.integers(0, units)), units)

    assert list(part) == sorted(part)
    assert part[0] >= 0


@given(amount=st.integers(0, 10_000), units=st.integers(1, 12), data=st.data())
def test_any_units_are_worth_between_floor_and_ceiling_of_the_average(
    amount: int, units: int, data: st.DataObject
) -> None:
    """A share of q units is between q times the average rounded down and q times the average rounded up."""
    floor, ceiling = amount // units, -(-amount // units)
    left, left_units = amount, units

    while left_units:
        quantity = data.draw(st.integers(1, left_units))
        (part,) = share((left,), quantity, left_units)
        assert quantity * floor <= part <= quantity * ceiling
        left, left_units = left - part, left_units - quantity


@given(numerator=st.integers(-10_000, 10_000), denominator=st.integers(1, 1000))
@example(numerator=5, denominator=10)
@example(numerator=-5, denominator=10)
def test_round_half_up_is_the_nearest_integer_and_a_half_goes_up(numerator: int, denominator: int) -> None:
    """2.5 is rounded to 3, and -2.5 to -2."""
    exact = Fraction(numerator, denominator)

    rounded = round_half_up(numerator, denominator)

    assert Fraction(-1, 2) < rounded - exact <= Fraction(1, 2)


weights_of = st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any)


@given(weights=weights_of, data=st.data())
def test_allocated_parts_sum_to_the_whole_and_each_is_fair_to_a_minor_unit(
    weights: list[int], data: st.DataObject
) -> None:
    """
    Allocated parts sum to the total, differ from the exact part by less than 1, and do not exceed their
    weight.
    """
    total = data.draw(st.integers(0, sum(weights)))

    parts = allocate(total, weights)

    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1
        assert part <= weight


@given(weights=weights_of, data=st.data())
def test_allocations_one_after_the_other_never_exceed_a_weight(
    weights: list[int], data: st.DataObject
) -> None:
    """Successive discounts on an order together follow the weights, and no line is discounted below 0."""
    left = sum(weights)
    given_so_far = [0] * len(weights)

    for _ in range(data.draw(st.integers(1, 6))):
        total = data.draw(st.integers(0, left))
        parts = allocate(total, weights, given=given_so_far)
        assert sum(parts) == total
        assert min(parts) >= 0
        given_so_far = [a + b for a, b in zip(given_so_far, parts, strict=True)]
        left -= total

    fair = Fraction(sum(given_so_far), sum(weights))
    for got, weight in zip(given_so_far, weights, strict=True):
        assert got <= weight
        assert got - weight * fair < 1


@given(total=st.integers(0, 1000), weights=weights_of)
def test_a_negative_total_is_split_as_its_opposite(total: int, weights: list[int]) -> None:
    """A negative total is split into the negatives of the parts of its opposite."""
    assert allocate(-total, weights) == tuple([-part for part in allocate(total, weights)])


@pytest.mark.parametrize(("total", "weights"), [(1, []), (0, []), (1, [0, 0]), (1, [2, -1])])
def test_invalid_weights_are_refused(total: int, weights: list[int]) -> None:
    """An empty list of weights, only zeros for a total above 0, and a negative weight are refused."""
    with pytest.raises(InvalidValue) as error:
        allocate(total, weights)

    assert error.value.code == "invalid_weights"


def test_zero_can_be_split_by_weights_of_zero() -> None:
    """A total of 0 over weights of 0 is 0 each."""
    assert allocate(0, [0, 0]) == (0, 0)


def test_money_is_allocated_to_the_cent() -> None:
    """10.00 in three equal parts is 3.34, 3.33 and 3.33."""
    assert Money(1000, "usd").allocate([1, 1, 1]) == (
        Money(334, "usd"),
        Money(333, "usd"),
        Money(333, "usd"),
    )


@given(left=st.integers(), right=st.integers())
def test_money_adds_subtracts_and_compares_like_its_amounts(left: int, right: int) -> None:
    """Money of one currency adds, subtracts and compares as its integer amounts do."""
    a, b = Money(left, "eur"), Money(right, "EUR")

    assert a + b == Money(left + right, "eur")
    assert a - b == Money(left - right, "eur")
    assert -a == Money(-left, "eur")
    assert (a < b, a <= b, a > b, a >= b, a == b) == (
        left < right, left <= right, left > right, left >= right, left == right,
    )  # fmt: skip


def test_currencies_do_not_mix() -> None:
    """Adding or ordering two currencies raises InvalidValue, and comparing them for equality is false."""
    usd, eur = Money(1, "usd"), Money(1, "eur")

    mixes: list[Callable[[], object]] = [lambda: usd + eur, lambda: usd - eur, lambda: usd < eur]
    for mix in mixes:
        with pytest.raises(InvalidValue) as error:
            mix()
        assert error.value.code == "mixed_currencies"
    assert usd != eur


def test_money_does_not_mix_with_numbers() -> None:
    """Adding or comparing Money with a number raises TypeError."""
    usd: Any = Money(1, "usd")
    mixes: list[Callable[[], object]] = [lambda: usd + 1, lambda: usd - 1, lambda: usd < 1]

    for mix in mixes:
        with pytest.raises(TypeError):
            mix()


@pytest.mark.parametrize("amount", [1.0, True, "1", None, Decimal(1)])
def test_amounts_are_integers(amount: object) -> None:
    """An amount that is not an integer, such as 1.0, True or a Decimal, is refused."""
    with pytest.raises(InvalidValue) as error:
        Money(amount, "usd")  # type: ignore[arg-type] # the point

    assert error.value.details["field"] == "Money.amount"


@pytest.mark.parametrize("currency", ["us", "usdd", "u$d", "", 840, None, "éur"])
def test_currencies_are_three_letters(currency: object) -> None:
    """A currency that is not three ASCII letters is refused."""
    with pytest.raises(InvalidValue) as error:
        Money(1, currency)  # type: ignore[arg-type] # the point

    assert error.value.details["field"] == "Money.currency"


def test_currency_codes_are_lower_case() -> None:
    """A currency code is accepted in any case and stored in lower case."""
    assert Money(1, "USD").currency == "usd"


@pytest.mark.parametrize(
    ("money", "major", "rendered"),
    [
        (Money(123456, "usd"), "1234.56", "1,234.56 USD"),
        (Money(-5, "usd"), "-0.05", "-0.05 USD"),
        (Money(1234, "jpy"), "1234", "1,234 JPY"),
        (Money(1234, "kwd"), "1.234", "1.234 KWD"),
        (Money(1234, "clf"), "0.1234", "0.1234 CLF"),
        (Money(7, NO_CURRENCY), "7", "7 XXX"),
    ],
)
def test_major_units_follow_the_currency(money: Money, major: str, rendered: str) -> None:
    """Money converts to major units and back with the decimal places of its currency."""
    assert money.major == Decimal(major)
    assert str(money) == rendered
    assert Money.from_major(major, money.currency.upper()) == money
    assert exponent(money.currency) == max(0, -int(money.major.as_tuple().exponent))


@pytest.mark.parametrize("amount", ["1.001", 1.5, "nan", "inf", "one", None, True])
def test_major_units_that_are_not_exact_are_refused(amount: object) -> None:
    """An amount in major units that has too many places or is not a number is refused, not rounded."""
    with pytest.raises(InvalidValue):
        Money.from_major(amount, "usd")  # type: ignore[arg-type] # the point


def test_money_does_not_depend_on_the_decimal_context() -> None:
    """Money and tax rates are exact under a decimal context of low precision."""
    with localcontext() as context:
        context.prec = 3
        money = Money.from_major("12345678.90", "usd")

        assert money == Money(1234567890, "usd")
        assert str(money) == "12,345,678.90 USD"
        assert money.major == Decimal("12345678.90")
        assert TaxLine(Decimal("8.8750")).label == "8.875"
        assert TaxLine(Decimal(10)).label == "10"
