"""Tests of bodies and queries: what is accepted, what is refused, and the place of each problem."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rma import CancelReturn, ReceivedItem, ReceiveReturn, RequestedItem, RequestReturn
from rma.adapters.medusa_api import (
    MalformedRequest,
    Page,
    cancel_return,
    loads,
    page,
    receive_return,
    request_return,
)
from rma.adapters.medusa_api.json_schema import Schema, check
from rma.adapters.medusa_api.schemas import CANCEL_RETURN, CREATE_RETURN, LIST_RETURNS, RECEIVE_RETURN

from .documented import REQUEST
from .schema_validators import draft_validator, strict_validator

Json = Any  # any JSON value

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 1.0, 2.0, "2", ""]),
    st.text(max_size=5),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
STRINGS = st.text(max_size=5)
NULL = st.none()
CREATE_BODIES = st.fixed_dictionaries(
    {
        "order_id": STRINGS,
        "items": st.lists(
            st.fixed_dictionaries(
                {"item_id": STRINGS, "quantity": INTEGERS},
                optional={"reason_id": NULL | STRINGS, "note": NULL | STRINGS},
            ),
            max_size=3,
        ),
    },
    optional={"return_shipping": NULL | st.fixed_dictionaries({"option_id": STRINGS})},
)
RECEIVE_BODIES = st.fixed_dictionaries(
    {
        "items": st.lists(
            st.fixed_dictionaries(
                {"item_id": STRINGS, "quantity": INTEGERS}, optional={"damaged_quantity": NULL | INTEGERS}
            ),
            max_size=3,
        )
    },
    optional={
        "refund": NULL | INTEGERS,
        "location_id": NULL | STRINGS,
        "allow_mismatch": NULL | st.booleans(),
        "more_expected": NULL | st.booleans(),
    },
)
CODECS: list[tuple[Schema, st.SearchStrategy[Json], Callable[[Json], object]]] = [
    (CREATE_RETURN, CREATE_BODIES, request_return),
    (RECEIVE_RETURN, RECEIVE_BODIES, lambda body: receive_return("ret_1", body)),
    (CANCEL_RETURN, st.builds(dict), lambda body: cancel_return("ret_1", body)),
]
by_codec = pytest.mark.parametrize(("schema", "bodies", "codec"), CODECS, ids=["create", "receive", "cancel"])


def containers(value: Json) -> Iterator[tuple[Json, Json]]:
    """Yields every container in a JSON value with each of its keys."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield value, key
        yield from containers(each)


@st.composite
def spoiled(draw: st.DrawFn, bodies: st.SearchStrategy[Json]) -> Json:
    """Draws a body in which one to three values were replaced, removed or added."""
    body = draw(bodies)
    for _ in range(draw(st.integers(1, 3))):
        if not (found := list(containers(body))):
            return draw(ANYTHING)
        container, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "remove":
                del container[key]
            case "add" if isinstance(container, dict):
                container[draw(st.sampled_from(["reason", "quantity", "__proto__", "a b"]))] = draw(ANYTHING)
            case _:
                container[key] = draw(ANYTHING)
    return body


def accepts(codec: Callable[[Json], object], body: Json) -> bool:
    """Returns True if the codec makes a command of the body."""
    try:
        codec(body)
    except MalformedRequest:
        return False
    return True


@by_codec
@given(data=st.data())
def test_the_codec_accepts_exactly_what_its_schema_accepts(
    schema: Schema, bodies: st.SearchStrategy[Json], codec: Callable[[Json], object], data: st.DataObject
) -> None:
    """The published schema is exact; only draft 2020-12 also calls 2.0 an integer."""
    body = data.draw(st.one_of(bodies, spoiled(bodies), ANYTHING))

    accepted = accepts(codec, body)

    assert accepted == strict_validator(schema).is_valid(body)
    assert not accepted or draft_validator(schema).is_valid(body)


@by_codec
@given(data=st.data())
def test_every_problem_is_reported_at_its_place(
    schema: Schema, bodies: st.SearchStrategy[Json], codec: Callable[[Json], object], data: st.DataObject
) -> None:
    """The places are those that another validator of the schema reports."""
    body = data.draw(spoiled(bodies))

    try:
        check(body, schema)
    except MalformedRequest as refused:
        found_paths = {
            re.sub(r'(\.\w+|\[".*"\])$', "", problem.path)  # the object that lacks it, or has it
            if problem.code in ("missing", "unknown")
            else problem.path
            for problem in refused.problems
        }
    else:
        found_paths = set()

    assert found_paths == {error.json_path for error in strict_validator(schema).iter_errors(body)}


def test_the_documented_request_is_a_command() -> None:
    """The documented example has the right shape; its quantity of 0 is left to the rules."""
    command = request_return(REQUEST, idempotency_key="key", created_by="ada")

    item = RequestedItem(item_id="string", quantity=0, reason_id="string", note="string")
    assert command == RequestReturn(
        order_id="string",
        items=[item],
        shipping_option_id="string",
        idempotency_key="medusa:customer:3:ada:key",
        created_by="ada",
    )


@given(CREATE_BODIES)
def test_a_request_keeps_everything_that_was_sent(body: Json) -> None:
    """The body can be rebuilt from the command."""
    command = request_return(loads(json.dumps(body).encode()))

    items = [
        {"item_id": item.item_id, "quantity": item.quantity}
        | ({} if item.reason_id is None else {"reason_id": item.reason_id})
        | ({} if item.note is None else {"note": item.note})
        for item in command.items
    ]
    option_id = command.shipping_option_id
    shipping = {} if option_id is None else {"return_shipping": {"option_id": option_id}}
    assert {"order_id": command.order_id, "items": items, **shipping} == without_nulls(body)


def without_nulls(value: Json) -> Json:
    """Returns a JSON value without the fields that are null."""
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return value


def test_a_receipt_has_medusas_fields_and_three_of_ours() -> None:
    """Ours are damaged units, mismatches and further parcels."""
    plain = {"items": [{"item_id": "mug", "quantity": 2}], "refund": 700, "location_id": "loc"}
    ours = {"items": [{"item_id": "mug", "quantity": 1, "damaged_quantity": 1}], "allow_mismatch": True}

    assert receive_return("ret_1", plain) == ReceiveReturn(
        return_id="ret_1",
        items=[ReceivedItem(item_id="mug", quantity=2)],
        refund_amount=700,
        location_id="loc",
    )
    assert receive_return("ret_1", ours) == ReceiveReturn(
        return_id="ret_1",
        items=[ReceivedItem(item_id="mug", quantity=1, damaged_quantity=1)],
        allow_mismatch=True,
    )


def test_a_host_may_accept_mismatches_as_medusa_does() -> None:
    """The default does not apply if the body has the key or expects more."""
    bodies = [{}, {"allow_mismatch": False}, {"more_expected": True}]

    accepted = [
        receive_return("ret_1", {"items": [], **more}, allow_mismatch=True).allow_mismatch for more in bodies
    ]

    assert accepted == [True, False, False]


def test_null_is_an_optional_field_that_is_left_out() -> None:
    """Optional fields may be null, required ones may not; a flag that is null is the host's default."""
    item = {"item_id": "mug", "quantity": 1}
    nulls = {"order_id": "o", "return_shipping": None, "items": [{**item, "reason_id": None, "note": None}]}
    assert request_return(nulls) == request_return({"order_id": "o", "items": [item]})

    optional = dict.fromkeys(("refund", "location_id", "allow_mismatch", "more_expected"))
    receipt = {"items": [{**item, "damaged_quantity": None}], **optional}
    assert receive_return("ret_1", receipt) == receive_return("ret_1", {"items": [item]})
    assert receive_return("ret_1", receipt, allow_mismatch=True).allow_mismatch

    with pytest.raises(MalformedRequest, match=r"\$\.return_shipping\.option_id: must be a string, not null"):
        request_return({"order_id": "o", "items": [], "return_shipping": {"option_id": None}})
    with pytest.raises(MalformedRequest, match=r"\$\.refund: must be an integer or null, not a string"):
        receive_return("ret_1", {"items": [], "refund": "1"})


def test_a_cancellation_needs_no_body() -> None:
    """A cancellation without a body and with an empty one are the same."""
    wanted = CancelReturn(return_id="ret_1", idempotency_key="medusa:admin:key", created_by="admin")

    assert cancel_return("ret_1", idempotency_key="key", created_by="admin") == wanted
    assert cancel_return("ret_1", {}, idempotency_key="key", created_by="admin") == wanted


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("2", "must be an integer, not a string"),
        (True, "must be an integer, not a boolean"),
        (2.0, "must be an integer, not a decimal number"),
        (None, "must be an integer, not null"),
        ([2], "must be an integer, not an array"),
        (2**53, f"must be at most {2**53 - 1}"),
        (-(2**53), f"must be at least {-(2**53) + 1}"),
    ],
)
def test_a_quantity_is_an_integer(quantity: object, message: str) -> None:
    """Other types, and integers that JSON parsers read differently, are refused."""
    body = {"order_id": "o", "items": [{"item_id": "mug", "quantity": quantity}]}

    with pytest.raises(MalformedRequest) as refused:
        request_return(body)

    assert str(refused.value) == f"$.items[0].quantity: {message}"


def test_all_problems_are_reported_together() -> None:
    """Each problem has its JSON path; they are in the order of the schema."""
    body = {
        "items": [{"item_id": 7, "quantity": "1", "notes": ""}, "mug", {"note": None}],
        "return_shipping": {"option_id": None, "a b": 1},
        "metadata": {},
    }

    with pytest.raises(MalformedRequest) as refused:
        request_return(body)

    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("$.order_id", "missing"),
        ("$.return_shipping.option_id", "wrong_type"),
        ('$.return_shipping["a b"]', "unknown"),
        ("$.items[0].item_id", "wrong_type"),
        ("$.items[0].quantity", "wrong_type"),
        ("$.items[0].notes", "unknown"),
        ("$.items[1]", "wrong_type"),
        ("$.items[2].item_id", "missing"),
        ("$.items[2].quantity", "missing"),
        ("$.metadata", "unknown"),
    ]


def test_half_a_surrogate_pair_is_not_a_string() -> None:
    """JSON can contain it, and databases cannot store it."""
    body = loads(b'{"order_id": "\\ud800", "items": []}')

    with pytest.raises(MalformedRequest, match=r"\$\.order_id: must be a Unicode string"):
        request_return(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON: Expecting value"),
        (b"{", "not JSON: Expecting property name"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": 1} {}', "not JSON: Extra data"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON: Unexpected UTF-8 BOM"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1, "a": 2}', 'the key "a" is in an object twice'),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number is too long"),
    ],
    ids=range(13),
)
def test_invalid_json_is_refused(body: bytes, reason: str) -> None:
    """The problem has a message, and nothing crashes."""
    with pytest.raises(MalformedRequest) as refused:
        loads(body)

    (problem,) = refused.value.problems
    assert (problem.path, problem.code) == ("$", "malformed")
    assert problem.message.startswith(reason)


@given(ANYTHING)
@example({"a": [1.5, None, {"b": "ä"}]})
def test_json_is_read_as_it_was_written(value: Json) -> None:
    """Any JSON value is parsed to the same Python value."""
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=40))
def test_no_bytes_crash_the_parser(body: bytes) -> None:
    """Any bytes are parsed or refused."""
    with suppress(MalformedRequest):
        loads(body)


def test_a_page_is_requested_in_integers() -> None:
    """The default is the first fifty."""
    assert page([]) == Page(limit=50, offset=0)
    assert page([("limit", "10"), ("offset", "20")]) == Page(limit=10, offset=20)
    assert page([("offset", "0" * 5000 + "20")]) == Page(offset=20)
    assert page([("offset", "-0")]) == Page(offset=0)


@given(st.integers() | st.integers(2**53 - 2, 2**53))
@example(2**53 - 1)
@example(10**400)
def test_an_offset_is_taken_if_and_only_if_the_schema_allows_it(offset: int) -> None:
    """The schema is the published one."""
    if strict_validator(LIST_RETURNS).is_valid({"offset": offset}):
        assert page([("offset", str(offset))]).offset == offset
    else:
        with pytest.raises(MalformedRequest):
            page([("offset", str(offset))])


@pytest.mark.parametrize(
    ("limit", "clipped"),
    [("-5", 1), ("0", 1), ("100", 100), ("101", 100), ("9" * 5000, 100), ("-" + "9" * 5000, 1)],
)
def test_a_limit_beyond_the_bounds_is_clipped(limit: str, clipped: int) -> None:
    """The response tells the limit that was used."""
    assert page([("limit", limit)]) == Page(limit=clipped)


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ([("limit", "ten")], [("?limit", "wrong_type")]),
        ([("limit", "0"), ("offset", "-1")], [("?offset", "out_of_range")]),
        ([("limit", "1"), ("limit", "2")], [("?limit", "given_twice")]),
        ([("offset", "1.0")], [("?offset", "wrong_type")]),
        ([("offset", "9" * 5000)], [("?offset", "out_of_range")]),
        ([("offset", str(2**53))], [("?offset", "out_of_range")]),
        ([("offset", "-" + "9" * 5000)], [("?offset", "out_of_range")]),
        ([("offset", "٣")], [("?offset", "wrong_type")]),
        ([("offset", "--1")], [("?offset", "wrong_type")]),
        ([("order", "asc")], [("?order", "unknown")]),
    ],
)
def test_an_invalid_page_is_refused(query: list[tuple[str, str]], problems: list[tuple[str, str]]) -> None:
    """Every problem of the query is reported."""
    with pytest.raises(MalformedRequest) as refused:
        page(query)

    assert [(problem.path, problem.code) for problem in refused.value.problems] == problems
