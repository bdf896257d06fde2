"""Bad input: each mistake is refused with a message that names it, and nothing changes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from math import inf, nan
from typing import Any, cast

import pytest
from attrs import evolve, fields_dict
from hypothesis import given, settings
from hypothesis import strategies as st

from rma import (
    CancelClaim,
    CancelExchange,
    CancelReturn,
    ClaimItem,
    Command,
    InvalidValue,
    Money,
    NewItem,
    NotFound,
    ReceivedItem,
    ReceiveReturn,
    RecordExchangePayment,
    RecordRefundOutcome,
    RefundSucceeded,
    Rejected,
    RejectedItem,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    ReturnLedger,
    ReturnPolicy,
    ShippingMethod,
    ShippingOption,
    Violation,
)
from rma.codec.conversion import decode, encode
from rma.domain.values.display import show
from rma.domain.values.frozenmap import MAX_DEPTH
from rma.domain.values.json_data import MAX_BYTES, find_unstorable, json_size
from rma.testing.faults import Declines
from tests.rules.given import Given, line, order_of, receive, request, update, usd
from tests.world import World

ODD_ID: Any = 5
NONE: Any = None


class Unprintable:
    """A value whose `repr` raises."""

    def __repr__(self) -> str:
        raise RuntimeError


def nested(levels: int) -> object:
    """Returns a mapping of this many levels."""
    found: object = 1
    for _ in range(levels):
        found = {"a": found}
    return found


def endless() -> dict[str, object]:
    """Returns two mappings that contain each other, twice."""
    outer: dict[str, object] = {}
    inner = {"back": outer, "again": [outer]}
    outer.update(left=inner, right=inner)
    return outer


def one(given: Given, command: Command) -> Violation:
    """Returns the only violation of the command."""
    (violation,) = given.refuses(command).violations
    return violation


def asked(**changes: Any) -> Any:
    """Requests a return of one mug, with changed fields of its item."""
    fields = {"item_id": "mug", "quantity": 1, **changes}
    return RequestReturn(order_id="order_1", items=[RequestedItem(**fields)])


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (evolve(request(1), order_id=ODD_ID), "order_not_found",
         "order 5 not found: order_id must be a string, not 5"),
        (receive(1, return_id=ODD_ID), "return_not_found",
         "return 5 not found: return_id must be a string, not 5"),
        (CancelReturn(return_id=ODD_ID), "return_not_found",
         "return 5 not found: return_id must be a string, not 5"),
        (CancelExchange(exchange_id=NONE), "exchange_not_found",
         "exchange None not found: exchange_id must be a string, not None"),
        (CancelClaim(claim_id=ODD_ID), "claim_not_found",
         "claim 5 not found: claim_id must be a string, not 5"),
        (RetryRefund(), "return_not_found", "return None not found: give a return_id or a claim_id"),
        (asked(reason_id=5), "return_reason_not_found",
         "line mug: return reason 5 not found: reason_id must be a string, not 5"),
        (request(1, shipping_option_id=5), "shipping_option_not_found",
         "shipping option 5 not found: shipping_option_id must be a string, not 5"),
        (asked(item_id=5), "invalid_items", "line 5: items[0].item_id must be a string, not 5"),
        (evolve(request(1), order_id="x" * 300), "order_not_found",
         f"order {show('x' * 300)} not found: order_id must be at most 255 characters long, not 300"),
    ],
)  # fmt: skip
def test_an_invalid_id_is_shown(command: Any, code: str, message: str) -> None:
    """
    An id that is not a valid string is refused with the code of an unknown id and a message that shows it.
    """
    error = Given().refuses(command)

    assert error.code == error.violations[0].code == code
    assert str(error.violations[0]) == message


def test_items_of_another_class_are_named_by_their_index() -> None:
    """Items of another class are named by their index, and the other items are checked as well."""
    items: Any = [{"item_id": "mug"}, RequestedItem(item_id="hat", quantity=1), None]

    error = Given().refuses(RequestReturn(order_id="order_1", items=items))

    assert [str(each) for each in error.violations] == [
        "items[0] must be a RequestedItem, not a dict",
        "items[2] must be a RequestedItem, not None",
        "line hat: not on order order_1",
    ]
    assert error.violations[0].numbers == {
        "field": "items[0]",
        "expected": "a RequestedItem",
        "value": "a dict",
    }


@pytest.mark.parametrize(
    ("items", "value"),
    [
        (5, "5"),
        ("mug", "'mug'"),
        ({"item_id": "mug"}, "a dict"),
        (RequestedItem(item_id="mug", quantity=1), "a RequestedItem"),
    ],
)
def test_a_value_that_is_not_a_list_is_named(items: Any, value: str) -> None:
    """A string or a mapping in place of a list is refused with its field, although it could be iterated."""
    violation = one(Given(), RequestReturn(order_id="order_1", items=items))

    assert (violation.code, str(violation)) == (
        "invalid_items",
        f"items must be a list of RequestedItem, not {value}",
    )


def test_lists_of_new_and_rejected_items_are_named_by_their_field() -> None:
    """A message about a list has the name of its field, such as new_items or rejected."""
    odd: Any = ["mug"]
    exchange = RequestExchange(
        order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)], new_items=odd
    )
    resolve = ResolveReturn(return_id="ret_9", rejected=ODD_ID)

    assert str(one(Given(), exchange)) == "new_items[0] must be a NewItem, not 'mug'"
    assert "rejected must be a list of RejectedItem, not 5" in str(Given().refuses(resolve))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (asked(quantity="1"), "invalid_quantity"),
        (receive("1"), "invalid_quantity"),  # type: ignore[arg-type] # the point
        (receive(1, "1"), "invalid_damaged_quantity"),  # type: ignore[arg-type] # the point
    ],
)
def test_a_quantity_that_is_a_string_is_quoted(command: Any, code: str) -> None:
    """A quantity that is a string is quoted in the message and in the numbers."""
    happened = Given()
    happened.when(request(1))

    violation = next(each for each in happened.refuses(command).violations if each.code == code)

    assert violation.numbers["quantity"] == "'1'"
    assert str(violation).endswith(f"at least {violation.numbers['minimum']}, not '1'")


@pytest.mark.parametrize(
    ("amount", "written"),
    [(10.0, "10.0"), ("10.00", "10.00"), (Decimal("10.5"), "10.5")],
)
def test_a_decimal_amount_has_a_hint_to_from_major(amount: Any, written: str) -> None:
    """The message for a decimal amount has the call of Money.from_major with the currency of the order."""
    hint = f'amounts are whole minor units; Money.from_major("{written}", "usd") converts a decimal'
    new_item = NewItem(variant_id="v", quantity=1, unit_price=amount)
    exchange = RequestExchange(
        order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)], new_items=[new_item]
    )
    happened = Given()
    happened.when(request(1))

    for command in (
        request(1, refund_amount=amount),
        request(1, shipping_option_id="so_return", shipping_price=amount),
        receive(1, refund_amount=amount),
        exchange,
    ):
        violation = one(happened, command)
        assert violation.numbers["hint"] == hint
        assert str(violation).endswith(f", not {show(amount)}: {hint}")
    for build in (
        lambda: Money(amount, "usd"),
        lambda: ShippingOption(id="so", price=amount),
        lambda: evolve(line(), unit_price=amount),
    ):
        with pytest.raises(InvalidValue) as error:
            build()
        assert str(error.value).endswith(f", not {show(amount)}: {hint}")


@pytest.mark.parametrize("amount", [nan, inf, "ten", "", "1" * 50, object(), None, True, -1])
def test_other_amounts_have_no_hint(amount: Any) -> None:
    """The message for an amount that cannot be converted has no hint."""
    with pytest.raises(InvalidValue) as error:
        evolve(line(), unit_price=amount)

    assert "hint" not in error.value.details


def test_an_amount_in_another_currency_is_named() -> None:
    """Each amount in another currency is named by its field."""
    command = request(
        1, refund_amount=Money(1, "eur"), shipping_price=Money(1, "gbp"), shipping_option_id="so_return"
    )

    assert str(Given().refuses(command)) == (
        "shipping_price is in gbp, the order in usd; refund_amount is in eur, the order in usd"
    )


UNSTORABLE: dict[str, tuple[object, str, str]] = {
    "datetime": (datetime(2026, 1, 1, tzinfo=UTC), "", "what JSON can carry"),
    "decimal": (Decimal(1), "", "what JSON can carry"),
    "set": ({1}, "", "what JSON can carry"),
    "bytes": (b"x", "", "what JSON can carry"),
    "object": (Unprintable(), "", "what JSON can carry"),
    "nan": (nan, "", "a finite number"),
    "inf": (-inf, "", "a finite number"),
    "digits": (10**4300, "", "an integer of at most 4300 digits"),
    "surrogate": ("\ud800", "", "a string of Unicode"),
    "key": ({1: 1}, "", "a mapping with strings of Unicode for keys"),
    "surrogate key": ({"\ud800": 1}, "", "a mapping with strings of Unicode for keys"),
    "odd name": ({"a b": {1}}, "['a b']", "what JSON can carry"),
    "long name": ({"x" * 50: {1}}, f"['{'x' * 50}']", "what JSON can carry"),
    "deep": (nested(MAX_DEPTH - 2), ".a" * (MAX_DEPTH - 3), "part of metadata at most 32 levels deep"),
}


@pytest.mark.parametrize("name", UNSTORABLE)
def test_metadata_that_cannot_be_stored_are_refused_with_their_path(name: str) -> None:
    """Every field of a command with metadata is checked, in memory as in SQL."""
    value, rest, expected = UNSTORABLE[name]
    odd: Any = {"fine": [1, None, "ñ\x00"], "a": {"b": [1, 2.5, value]}}
    item = RequestedItem(item_id="mug", quantity=1, metadata=odd)
    method = ShippingMethod(id="m", option_id=None, name="", price=1, data=odd)
    new_item = NewItem(variant_id="v", quantity=1, unit_price=1)
    claimed = ClaimItem(item_id="mug", quantity=1, reason="other")
    in_item = RequestReturn(order_id="order_1", items=[item])
    outbound = RequestExchange(
        order_id="order_1",
        items=[RequestedItem(item_id="mug", quantity=1)],
        new_items=[new_item],
        outbound_shipping=method,
    )

    for command, item_id, root in (
        (request(1, metadata=odd), None, "metadata"),
        (in_item, "mug", "metadata"),
        (outbound, None, "outbound_shipping.data"),
        (evolve(outbound, outbound_shipping=None, metadata=odd), None, "metadata"),
        (RequestClaim(order_id="order_1", type="refund", items=[claimed], metadata=odd), None, "metadata"),
    ):
        violation = one(Given(), command)
        assert (violation.code, violation.item_id) == ("invalid_metadata", item_id)
        assert violation.numbers["path"] == f"{root}.a.b[2]{rest}"
        assert violation.numbers["expected"] == expected
        assert f"{root}.a.b[2]{rest} must be {expected}, not " in str(violation)


def test_metadata_may_be_as_deep_as_the_bound() -> None:
    """Metadata may have 32 levels, counting the mapping itself, and are refused with one more."""
    happened = Given()
    deepest: Any = nested(MAX_DEPTH)
    too_deep: Any = nested(MAX_DEPTH + 1)

    happened.when(request(1, metadata=deepest))

    assert happened.the().metadata == deepest
    assert happened.codes(request(1, metadata=too_deep)) == ["invalid_metadata"]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    )
)
def test_the_size_of_metadata_is_that_of_its_json(value: Any) -> None:
    """As `json` writes it in UTF-8, without spaces."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    assert json_size(value) == len(written.encode())


def test_metadata_may_be_as_large_as_the_bound() -> None:
    """64 KiB as JSON, the braces included; one byte more is refused, with both numbers."""
    happened = Given()
    largest = {"note": "é" * ((MAX_BYTES - 12) // 2) + "x" * (MAX_BYTES % 2)}
    assert json_size(largest) <= MAX_BYTES
    largest["note"] += "x" * (MAX_BYTES - json_size(largest))
    too_large = {"note": largest["note"] + "x"}

    happened.when(request(1, metadata=largest))

    assert happened.the().metadata == largest
    error = happened.refuses(request(1, metadata=too_large))
    assert [str(each) for each in error.violations] == [
        "metadata must be at most 65536 bytes as JSON, not 65537 bytes"
    ]


def test_metadata_that_contain_themselves_are_refused() -> None:
    """Metadata that contain themselves are refused with a bounded number of violations."""
    error = Given().refuses(request(1, metadata=endless()))

    assert {each.numbers["expected"] for each in error.violations} == {
        "part of metadata at most 32 levels deep"
    }
    assert 0 < len(error.violations) < 20


def test_all_unstorable_metadata_are_refused_together() -> None:
    """All metadata that cannot be stored are listed, with the other violations of the command."""
    odd: Any = {"a": [b"x", {"b": nan}], "c": {2: 3}}

    assert str(Given().refuses(request(0, metadata=odd))).split("; ") == [
        "line mug: quantity must be an integer of at least 1, not 0",
        "metadata.a[0] must be what JSON can carry, not a bytes",
        "metadata.a[1].b must be a finite number, not nan",
        "metadata.c must be a mapping with strings of Unicode for keys, not one with the key 2",
    ]


def test_metadata_that_are_not_a_mapping_are_refused() -> None:
    """The message shows the value in place of the mapping."""
    assert str(one(Given(), request(1, metadata=[1]))) == "metadata must be a mapping, not a list"


@pytest.mark.parametrize(
    ("command", "field", "maximum"),
    [
        (lambda long: request(1, created_by=long), "created_by", 10_000),
        (lambda long: asked(note=long), "note", 10_000),
        (lambda long: request(1, location_id=long), "location_id", 255),
        (lambda long: receive(1, location_id=long), "location_id", 255),
        (lambda long: ResolveReturn(
            return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=1, reason=long)]
        ), "reason", 10_000),
        (lambda long: RequestClaim(order_id="order_1", type="refund", items=[
            ClaimItem(item_id="mug", quantity=1, reason="other", images=["a", long])
        ]), "images[1]", 10_000),
        (lambda long: RecordRefundOutcome(
            outcome=RefundSucceeded(long), key="ret_1-refund-1"
        ), "outcome.reference", 10_000),
        (lambda long: RecordRefundOutcome(
            outcome=RefundSucceeded(), return_id="ret_1", reference=long
        ), "reference", 10_000),
        (lambda long: RecordRefundOutcome(
            outcome=RefundSucceeded(), key="ret_1-refund-1", notification_id=long
        ), "notification_id", 255),
        (lambda long: RecordExchangePayment(
            exchange_id="exc_1", amount=1, reference=long
        ), "reference", 10_000),
        (lambda long: RequestExchange(
            order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)],
            new_items=[NewItem(variant_id="v", quantity=1, unit_price=1, title=long)],
        ), "title", 10_000),
        (lambda long: RequestExchange(
            order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)],
            new_items=[NewItem(variant_id=long, quantity=1, unit_price=1)],
        ), "variant_id", 255),
    ],
)  # fmt: skip
def test_a_string_beyond_its_bound_is_refused(
    command: Callable[[str], Any], field: str, maximum: int
) -> None:
    """
    A string of its maximal length is accepted, a longer one and one with half a surrogate pair are refused.
    """

    def found(text: str) -> list[Violation]:
        happened = Given(order_of(line(quantity=5)))
        happened.when(request(1))
        try:
            happened.when(command(text))
        except Rejected as error:
            return [each for each in error.violations if each.numbers.get("field") == field]
        return []

    (violation,) = found("é" * (maximum + 1))
    assert violation.code == "text_too_long"
    assert violation.numbers == {"field": field, "length": maximum + 1, "maximum": maximum}
    assert f"{field} must be at most {maximum} characters long, not {maximum + 1}" in str(violation)
    assert found("é" * maximum) == []
    (violation,) = found("\ud83d")
    assert (violation.code, violation.numbers["expected"]) == ("invalid_text", "a string of Unicode")


@pytest.mark.parametrize("key", ["", "k" * 256, "\udfff", 5, ["k"]])
def test_an_invalid_idempotency_key_is_shown(key: Any) -> None:
    """The violation has the maximal length and, for a string, the length of the key."""
    violation = one(Given(), request(1, idempotency_key=key))

    assert violation.code == "invalid_idempotency_key"
    assert violation.numbers["maximum"] == 255
    assert violation.numbers.get("length") == (len(key) if isinstance(key, str) else None)
    assert len(str(violation)) < 250


def test_an_idempotency_key_may_have_255_characters() -> None:
    """A key of 255 characters is accepted and stored."""
    happened = Given()

    happened.when(request(1, idempotency_key="k" * 255))

    assert happened.the().idempotency_key == "k" * 255


def test_images_are_a_list() -> None:
    """A single string in place of the list of images is refused."""
    item = ClaimItem(item_id="mug", quantity=1, reason="other", images="https://a.example/1.png")

    violation = one(Given(), RequestClaim(order_id="order_1", type="refund", items=[item]))

    assert str(violation) == "line mug: images must be a list of strings, not a str"


def life() -> World:
    """Returns a world with an open, a refunded and a mismatched return, an exchange and three claims."""
    world = World(order_of(line(quantity=40)))
    handle = world.service.handle
    handle(request(1))
    handle(request(1))
    handle(receive(1, return_id="ret_2"))
    handle(request(3))
    handle(receive(1, return_id="ret_3"))
    handle(VALID["RequestExchange"])
    handle(VALID["RequestClaim"])
    handle(evolve(VALID["RequestClaim"], refund_amount=0))
    world.faults.refunds.append(Declines())
    handle(VALID["RequestClaim"])
    return world


ITEM = RequestedItem(
    item_id="mug", quantity=1, reason_id="rr_big", note="too big", metadata={"a": [1, {"b": None}]}
)
NEW_ITEM = NewItem(variant_id="v", quantity=1, unit_price=Money(3000, "usd"))
CLAIMED = ClaimItem(item_id="mug", quantity=1, reason="other", note="lost", images=("1.png",))
METHOD = ShippingMethod(id="m", option_id="o", name="Post", price=usd(100))
VALID: dict[str, Any] = {
    "RequestReturn": RequestReturn(
        order_id="order_1", items=[ITEM], shipping_option_id="so_return", shipping_price=usd(5)
    ),
    "ReceiveReturn": ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="mug", quantity=1)]),
    "ResolveReturn": ResolveReturn(return_id="ret_3", rejected=[RejectedItem(item_id="mug", quantity=1)]),
    "CancelReturn": CancelReturn(return_id="ret_1"),
    "RetryRefund": RetryRefund(return_id="ret_1"),
    "RecordRefundOutcome": RecordRefundOutcome(outcome=RefundSucceeded("re_1"), key="ret_2-refund-1"),
    "RequestExchange": RequestExchange(
        order_id="order_1", items=[ITEM], new_items=[NEW_ITEM], outbound_shipping=METHOD
    ),
    "RecordExchangePayment": RecordExchangePayment(exchange_id="exc_4", amount=1, reference="p"),
    "CancelExchange": CancelExchange(exchange_id="exc_4"),
    "RequestClaim": RequestClaim(order_id="order_1", type="refund", items=[CLAIMED], return_items=True),
    "ResolveClaim": ResolveClaim(claim_id="claim_7", refund_amount=0, refund_note="late"),
    "CancelClaim": CancelClaim(claim_id="claim_6"),
}
FIELDS = [(name, field) for name, command in VALID.items() for field in fields_dict(type(command))]
PART_FIELDS = [
    (name, many, field)
    for name, command in VALID.items()
    for many in ("items", "rejected", "new_items")
    for part in getattr(command, many, ())
    for field in fields_dict(type(part))
]

#: What hypothesis does not draw by itself, and could not print.
ODD: dict[str, Callable[[], object]] = {
    "object": object,
    "unprintable": Unprintable,
    "endless": endless,
    "deep": lambda: nested(40),
    "too deep to print": lambda: nested(5000),
    "huge": lambda: 10**5000,
    "huge and negative": lambda: -(10**5000),
    "huge amount": lambda: Money(10**5000, "usd"),
    "other currency": lambda: Money(1, "eur"),
    "pair in halves": lambda: "\ud83d\ude00",
    "long id": lambda: "x" * 300,
    "long text": lambda: "x" * 10_001,
    "decimal": lambda: Decimal("sNaN"),
    "set": lambda: {1},
    "datetime": lambda: datetime(2026, 1, 1, tzinfo=UTC),
    "class": lambda: RequestReturn,
    "outcome": lambda: RefundSucceeded(cast("str", object())),
    "item": lambda: ITEM,
    "method": lambda: METHOD,
}
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.binary(max_size=3)
    | st.sampled_from(sorted(ODD)).map(lambda name: ODD[name]())
)
junk = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


def test_the_unchanged_commands_are_valid() -> None:
    """Every command but the retry, for which nothing is due, is accepted before a field is changed."""
    for name, command in VALID.items():
        if name != "RetryRefund":
            life().service.handle(command)


def assert_handled_or_refused(command: Any) -> None:
    """
    Asserts that the command is done and its ledger can be stored, or that it is refused and changes
    nothing.
    """
    world = life()
    returns, before = world.returns, snapshot(world)
    refusal: Rejected | InvalidValue | None = None
    try:
        world.service.handle(command)
    except (Rejected, InvalidValue) as error:
        refusal = error
    if refusal is None:
        ledger = returns.load("order_1")
        assert decode(encode(ledger, ReturnLedger), ReturnLedger) == ledger
    else:
        assert str(refusal)
        assert snapshot(world) == before


def snapshot(world: World) -> object:
    """Returns everything that a command could have changed."""
    return world.returns.load("order_1"), world.service.history("order_1"), str(world.asked)


@settings(deadline=None)
@given(where=st.sampled_from(FIELDS), value=junk, key=st.none() | st.just("k"))
def test_junk_in_any_field_is_refused_or_stored(where: tuple[str, str], value: Any, key: str | None) -> None:
    """
    A command with any value in any field is done or refused, without another error and without half a
    change.
    """
    name, field = where
    command = evolve(VALID[name], idempotency_key=key)

    assert_handled_or_refused(evolve(command, **{field: value}))


@settings(deadline=None)
@given(where=st.sampled_from(PART_FIELDS), value=junk)
def test_junk_in_any_part_is_refused_or_stored(where: tuple[str, str, str], value: Any) -> None:
    """The same is true for any value in any field of the items of a command."""
    name, many, field = where
    (part,) = getattr(VALID[name], many)

    assert_handled_or_refused(evolve(VALID[name], **{many: [evolve(part, **{field: value})]}))


@given(value=junk)
def test_accepted_metadata_are_decoded_equal(value: Any) -> None:
    """Metadata that are accepted are equal after encoding and decoding."""
    command = request(1, metadata={"a": value})

    if not list(find_unstorable(command.metadata, "metadata")):
        assert decode(encode(command, RequestReturn), RequestReturn) == command


@pytest.mark.parametrize(
    "odd", [None, {}, {"order_id": "order_1"}, 5, "RequestReturn", RequestReturn, object()]
)
def test_an_unknown_command_is_refused_by_the_core(odd: Any) -> None:
    """A value that is not a command raises InvalidValue, which names the commands."""
    happened = Given()

    with pytest.raises(InvalidValue, match=r"command must be one of RequestReturn, ApproveReturn, .*, not "):
        happened.when(odd)


def test_a_long_list_of_mistakes_is_one_error() -> None:
    """A request with a hundred wrong items is refused once, with a violation for each."""
    items: Any = [RequestedItem(item_id=n, quantity="1") for n, _ in product(range(50), range(2))]  # type: ignore[arg-type] # the point

    with pytest.raises(NotFound) as error:
        life().service.handle(RequestReturn(order_id="order_9", items=items))

    assert len(error.value.violations) == 101


def test_a_value_of_any_size_is_shortened() -> None:
    """A value of any size or depth is shown in less than 150 characters."""
    for value in (
        "x" * 10**6,
        list(range(10**5)),
        nested(10**5),
        10**5000,
        endless(),
        Unprintable(),
        ReturnPolicy(),
    ):
        assert 0 < len(show(value)) < 150


def test_items_with_and_without_an_id_are_distinguished_by_index() -> None:
    """Only the item without a string for its id is named."""
    items = [RequestedItem(item_id="mug", quantity=1), RequestedItem(item_id=ODD_ID, quantity=1)]

    (violation,) = Given().refuses(RequestReturn(order_id="order_1", items=items)).violations

    assert violation.numbers["field"] == "items[1].item_id"


def test_outbound_shipping_of_an_unknown_order_is_not_judged_further() -> None:
    """Its currency can only be compared with that of an order."""
    given = Given()
    given.order = None
    command = RequestExchange(
        order_id="order_1",
        items=[RequestedItem(item_id="mug", quantity=1)],
        new_items=[NewItem(variant_id="v_cup", quantity=1, unit_price=100)],
        outbound_shipping=ShippingMethod(id="sm", option_id=None, name="", price=Money(1, "eur")),
    )

    assert given.codes(command) == ["order_not_found"]


def naming(quantity: int, amount: int, note: str | None) -> list[tuple[list[Command], Command]]:
    """Each command that names an amount for this many mugs, and what is done before it."""
    named: dict[str, Any] = {"refund_amount": amount, "refund_note": note}
    items = [ClaimItem(item_id="mug", quantity=quantity, reason="other")]
    asked = request(quantity)
    return [
        ([], request(quantity, **named)),
        ([asked], update(quantity, **named)),
        ([asked], receive(quantity, **named)),
        ([asked, receive(quantity - 1)], ResolveReturn(return_id="ret_1", **named)),
        ([], RequestClaim(order_id="order_1", type="refund", items=items, **named)),
    ]


ABOVE: list[tuple[list[Command], Command]] = [
    ([], RequestClaim(order_id="order_1", type="goodwill", refund_amount=4500)),
    *naming(4, 4500, None),
]


@pytest.mark.parametrize(("before", "command"), ABOVE)
def test_an_amount_above_the_value_and_above_what_is_refundable_is_both(
    before: list[Command], command: Command
) -> None:
    """45.00 for mugs worth 40.00 at most, for which 40.00 were paid: the caller corrects it once."""
    given_mugs = Given(order_of(line(quantity=4), captured=4000))
    for each in before:
        given_mugs.when(each)

    assert given_mugs.codes(command) == ["refund_exceeds_refundable", "refund_exceeds_worth"]


@given(
    quantity=st.integers(2, 4),
    amount=st.integers(1, 6000),
    captured=st.integers(0, 5000),
    note=st.sampled_from([None, "as agreed"]),
    number=st.integers(0, 4),
)
def test_everything_that_is_wrong_with_an_amount_is_reported_at_once(
    quantity: int, amount: int, captured: int, note: str | None, number: int
) -> None:
    """Whether it is refundable does not depend on whether it is worth it, nor the other way round."""
    before, command = naming(quantity, amount, note)[number]
    given_mugs = Given(order_of(line(quantity=4), captured=captured))
    for each in before:
        given_mugs.when(each)
    arrived = quantity - 1 if isinstance(command, ResolveReturn) else quantity
    expected = ["refund_exceeds_refundable"] * (amount > captured)
    expected += ["refund_exceeds_worth"] * (amount > 1000 * arrived and note is None)

    assert given_mugs.codes(command) == expected if expected else given_mugs.when(command)
