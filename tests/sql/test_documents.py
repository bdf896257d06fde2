"""Values are encoded as documents and decoded to the same values."""

from decimal import Decimal
from enum import IntEnum, StrEnum
from math import inf, nan

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    CancelReturn,
    Command,
    Event,
    EventsPublished,
    InvalidValue,
    Money,
    RefundReversed,
    RequestedItem,
    RequestReturn,
    ReturnShipment,
    ShippingMethod,
    TaxLine,
)
from rma.codec.conversion import decode, encode
from rma.domain.events import EventHeader
from rma.testing.core_harness import START
from tests.sql.alike import assert_alike, differences

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(data=st.dictionaries(st.text(), json_values, max_size=4))
def test_metadata_is_decoded_as_it_was(data: dict[str, object]) -> None:
    """Any metadata that JSON can represent is decoded to the same values, to the class."""
    shipment = ReturnShipment(data, "T1")

    assert_alike(decode(encode(shipment, ReturnShipment), ReturnShipment), shipment)


class Colour(IntEnum):
    """An integer with a name."""

    RED = 1


class Size(StrEnum):
    """A string with a name."""

    LARGE = "large"


@pytest.mark.parametrize("value", [Colour.RED, Size.LARGE, 10**400, -0.0, 1e308])
def test_metadata_of_a_number_or_a_string_is_decoded_equal(value: object) -> None:
    """An enumeration member of the host is decoded as the number or string that it equals."""
    shipment = ReturnShipment({"value": value})

    assert decode(encode(shipment, ReturnShipment), ReturnShipment) == shipment


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1.5"),
        START,
        b"x",
        {1},
        nan,
        inf,
        object(),
        {1: "a"},
        {None: 1},
        [{"deep": {2.5: 1}}],
        10**5000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_metadata_that_json_cannot_represent_is_refused(value: object) -> None:
    """Encoding raises InvalidValue instead of storing another value."""
    with pytest.raises(InvalidValue) as error:
        encode(ReturnShipment({"value": value}), ReturnShipment)

    assert error.value.details["expected"] == "what JSON can carry"


def test_only_what_differs_from_its_default_is_written() -> None:
    """A document omits fields that have their default value."""
    document = encode(CancelReturn(return_id="ret_1"), Command)

    assert document == '{"_type":"CancelReturn","return_id":"ret_1"}'
    assert encode(Money(5, "usd"), Money) == '{"amount":5,"currency":"usd"}'


@frozen
class Before:
    """A class of an earlier version."""

    amount: int


@frozen
class After:
    """The same class with more fields."""

    amount: int
    reason: str | None = None
    tags: tuple[str, ...] = ()


def test_a_field_that_was_added_with_a_default_is_read_from_older_documents() -> None:
    """An older document is decoded with the default, and one with an unknown field raises."""
    assert decode(encode(Before(5), Before), After) == After(5)
    with pytest.raises(Exception, match="reason"):
        decode(encode(After(5, "late"), After), Before)


def test_amounts_are_money_or_integers_as_they_were_given() -> None:
    """A command is decoded with its amounts as Money or integer, as its idempotency key requires."""
    items = [RequestedItem(item_id="mug", quantity=1)]
    for given_price in (Money(5, "usd"), 5, 0, None):
        command = RequestReturn(order_id="order_1", items=items, shipping_price=given_price)
        assert_alike(decode(encode(command, Command), Command), command)


def test_decimals_timestamps_and_large_integers_are_exact() -> None:
    """Digits of decimals, time zones, microseconds and large integers are decoded exactly."""
    tax = TaxLine(Decimal("7.50"), amount=Money(3, "jpy"))
    method = ShippingMethod(id="sm", option_id=None, name="", price=Money(9, "jpy"), tax_lines=[tax])
    event: Event = EventsPublished(
        header=EventHeader(order_id="o", at=START.replace(microsecond=1)), through=2**70
    )

    assert str(decode(encode(method, ShippingMethod), ShippingMethod).tax_lines[0].rate) == "7.50"
    assert_alike(decode(encode(event, Event), Event), event)


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "7", "{}", '{"_type":"Command"}'])
def test_an_invalid_document_raises(document: str) -> None:
    """Decoding an invalid document raises an error, which the store reports as Unavailable."""
    with pytest.raises(Exception, match=r".*"):
        assert decode(document, Event) is not None


def test_differences_include_classes() -> None:
    """`differences` reports values that are equal but of different classes, and where they are."""
    assert list(differences(RefundReversed(), RefundReversed())) == []
    assert list(differences(RefundReversed(Size.LARGE), RefundReversed("large")))  # equal, and not alike
    assert list(differences({"a": [1, (2,)]}, {"a": [1, (3,)]})) == ["it['a'][1][0]: 2 is not 3"]
    assert list(differences({"a": 1}, {"b": 1}))
    assert list(differences((1, 2), (1,)))
