"""What is wrong with a value or a document is named, everything at once, with the path to it."""

import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from rma import (
    Event,
    Exchange,
    GoodsReceived,
    Invalid,
    InvalidValue,
    Money,
    NewItem,
    OpenEffect,
    RecordSending,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    Return,
    ReturnLedger,
    ReturnRequested,
    TaxLine,
    codec,
)
from rma.codec.found import MOST_VIOLATIONS
from rma.codec.shapes import shape_of
from rma.domain.values.frozenmap import FrozenMap
from tests.codec.schemas import is_valid
from tests.codec.values import golden

Problem = tuple[str, str]


def problems(error: Invalid) -> list[Problem]:
    """Code and path of each violation."""
    return [(each.code, str(each.numbers.get("path", ""))) for each in error.violations]


def refused(document: object, kind: object = None, unknown: codec.Unknown = "refuse") -> list[Problem]:
    """What is said against a document."""
    string = document if isinstance(document, str | bytes) else json.dumps(document)
    with pytest.raises(Invalid) as error:
        codec.decode(string, kind, unknown=unknown)
    assert error.value.code == "invalid_document"
    assert error.value.http_status_hint == 400
    assert problems(pickle.loads(pickle.dumps(error.value))) == problems(error.value)
    return problems(error.value)


def requested(**fields: Any) -> RequestedItem:
    """Units of a mug, of which the fields may be anything."""
    return RequestedItem(item_id="mug", **fields)


REQUEST: dict[str, Any] = {"_type": "RequestReturn", "_format": 1, "order_id": "o", "items": []}
ITEM: dict[str, Any] = {"item_id": "mug", "quantity": 1}


def test_a_document_says_everything_that_is_wrong_with_it() -> None:
    """Wrong types, fields that are missing or unknown, enumerations, lists, metadata; in its order."""
    items = [{"quantity": "3", "reason": "late"}, 5, {**ITEM, "metadata": [1], "tags": {"worn": True}}]
    document = {**REQUEST, "items": items, "order_id": None, "shipping_price": "9.99", "declared_at": "today"}

    assert refused(document) == [
        ("invalid_field", "order_id"),
        ("invalid_field", "items[0].quantity"),
        ("unknown_field", "items[0].reason"),
        ("missing_field", "items[0].item_id"),
        ("invalid_field", "items[1]"),
        ("invalid_field", "items[2].metadata"),
        ("invalid_field", "items[2].tags"),
        ("invalid_field", "shipping_price"),
        ("invalid_field", "declared_at"),
    ]


def test_its_message_is_for_people() -> None:
    """It says what is wrong and what would be right."""
    with pytest.raises(Invalid) as error:
        codec.decode(json.dumps({**REQUEST, "items": [{**ITEM, "quantity": True}], "refund_amount": 1.5}))

    assert str(error.value) == (
        "items[0].quantity must be an integer, not True; refund_amount must be an integer or a Money, not 1.5"
    )
    assert error.value.details == {"kind": None}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", ("not_json", "")),
        ("{", ("not_json", "")),
        ("{'a': 1}", ("not_json", "")),
        ('{"a": 1, "a": 2}', ("not_json", "")),
        ('{"a": NaN}', ("not_json", "")),
        ("9" * 5000, ("not_json", "")),
        ("[" * 100_000, ("not_json", "")),
        (b"\xff", ("not_json", "")),
        ("7", ("invalid_field", "document")),
        ("[]", ("invalid_field", "document")),
        ('{"_format":1}', ("missing_field", "_type")),
        ('{"_format":1,"_type":7}', ("unknown_kind", "_type")),
        ('{"_format":1,"_type":"Order"}', ("unknown_kind", "_type")),
        ('{"_type":"CancelReturn","return_id":"r"}', ("missing_field", "_format")),
        ('{"_format":0,"_type":"CancelReturn","return_id":7}', ("unknown_format", "_format")),
        ('{"_format":99,"_type":"CancelReturnSoon"}', ("unknown_format", "_format")),
        ('{"_format":true,"_type":"CancelReturn","return_id":"r"}', ("unknown_format", "_format")),
        ('{"_format":1,"_type":"CancelReturn","return_id":"r","":1}', ("unknown_field", "['']")),
    ],
)
def test_what_is_not_a_document(document: str | bytes, problem: Problem) -> None:
    """Neither JSON nor an object of a kind and format that this release knows."""
    assert refused(document) == [problem]


def test_a_document_is_a_string_or_bytes() -> None:
    """What parses to one all the same is refused: the type says so."""
    string = golden()["CancelReturn"][0].encode()
    for other in (bytearray(string), memoryview(string), None):
        given: Any = other
        with pytest.raises(Invalid) as error:
            codec.decode(given)
        assert problems(error.value) == [("not_json", "")]


def test_a_document_of_mistakes_gets_a_short_error() -> None:
    """The first hundred are said, and how many more there are, also by encode."""
    wrong: Any = [{"quantity": "x" * 1000}] * 50_000
    with pytest.raises(Invalid) as error:
        codec.decode(json.dumps({**REQUEST, "items": wrong}))
    *first, last = error.value.violations

    assert len(first) == MOST_VIOLATIONS
    assert (last.code, last.numbers) == ("more_violations", {"number": 100_000 - MOST_VIOLATIONS})
    assert len(str(error.value)) < 20_000
    assert str(error.value).endswith(f"; {100_000 - MOST_VIOLATIONS} more are wrong")

    with pytest.raises(Invalid) as error:
        codec.encode(RequestReturn(order_id="o", items=wrong))
    assert len(error.value.violations) == MOST_VIOLATIONS + 1

    with pytest.raises(Invalid) as error:  # what is no longer noted still keeps a value from being built
        codec.decode(json.dumps({**REQUEST, "items": [{}] * MOST_VIOLATIONS, "shipping_price": {}}))
    assert error.value.violations[-1].numbers["number"] == MOST_VIOLATIONS + 2


def test_a_long_name_of_nothing_is_cut() -> None:
    """As every value that an error shows."""
    plain = json.loads(golden()["Return"][0])
    plain["terms"]["withdrawal"] = {"calendar": {"zone": "x" * 100_000}}
    with pytest.raises(Invalid) as error:
        codec.from_plain(plain)

    assert "refused_value" in [each.code for each in error.value.violations]
    assert len(str(error.value)) < 1000


def test_data_that_are_nested_too_deeply_are_refused() -> None:
    """Parsed by another program, they may be deeper than Python goes."""
    part: dict[str, Any] = {"name": "tax", "amount": {"amount": 1, "currency": "usd"}}
    for _ in range(5000):
        part = {"name": "tax", "amount": {"amount": 1, "currency": "usd"}, "parts": [part]}
    document = json.loads(golden()["Return"][0])
    document["charges"] = [part]

    with pytest.raises(Invalid) as error:
        codec.from_plain(document)
    assert problems(error.value) == [("not_json", "")]


def test_it_is_of_the_kind_that_was_asked_for() -> None:
    """A class, or a union of classes."""
    document = golden()["ReturnRequested"][0]

    assert isinstance(codec.decode(document, ReturnRequested), ReturnRequested)
    assert isinstance(codec.decode(document, Event), ReturnRequested)
    assert refused(document, Return) == [("unknown_kind", "_type")]
    assert refused(document, Exchange | GoodsReceived) == [("unknown_kind", "_type")]


def test_a_member_of_a_union_says_its_class() -> None:
    """The outcome of a refund without one, or with that of something else."""
    document = {"_format": 1, "_type": "RecordRefundOutcome", "key": "k"}

    assert refused({**document, "outcome": {"code": "no"}}) == [("missing_field", "outcome._type")]
    assert refused({**document, "outcome": {"_type": "Done"}}) == [("unknown_kind", "outcome._type")]
    assert refused({**document, "outcome": None}) == [("invalid_field", "outcome")]


def test_what_a_class_refuses_is_named_by_its_place() -> None:
    """What no type says: percentages below 0, zones and days that do not exist. All of them at once."""
    new = {"variant_id": "v", "quantity": 1, "unit_price": {"amount": 5, "currency": "usd"}}
    taxed = {**new, "tax_lines": [{"rate": "-5"}, {"rate": "7.5"}, {"rate": "-0.1"}]}
    document = {"_format": 1, "_type": "RequestExchange", "order_id": "o", "items": [ITEM]}

    assert refused({**document, "new_items": [new, taxed]}) == [
        ("refused_value", "new_items[1].tax_lines[0]"),
        ("refused_value", "new_items[1].tax_lines[2]"),
    ]
    sending = {"_format": 1, "_type": "RecordSending", "return_id": "r", "sent_at": "2026-02-30T00:00:00Z"}
    assert refused(sending) == [("refused_value", "sent_at")]
    given_twice = json.loads(golden()["ReturnLedger"][0])
    given_twice["open_effects"] = given_twice["open_effects"][:1] * 2
    assert refused(given_twice) == [("refused_value", "open_effects[1]")]


def test_metadata_are_what_every_store_keeps() -> None:
    """No deeper than 32 levels; refused by path, as the service does."""
    deep: object = 1
    for _ in range(40):
        deep = [deep]

    ((code, path),) = refused({**REQUEST, "metadata": {"deep": deep}})

    assert code == "invalid_metadata"
    assert path.startswith("metadata.deep[0][0]")


def test_amounts_are_whole_minor_units() -> None:
    """Neither decimals nor 1.0, which JSON Schema takes for an integer; a currency has three letters."""
    for amount in (1.0, 9.99, "9.99", None, True):
        price = {"amount": amount, "currency": "usd"}
        assert refused({**REQUEST, "shipping_price": price}) == [("invalid_field", "shipping_price.amount")]
    money = {"amount": 1, "currency": "dollars"}
    assert refused({**REQUEST, "shipping_price": money}) == [("invalid_field", "shipping_price.currency")]
    command = codec.decode(json.dumps({**REQUEST, "shipping_price": {"amount": 1, "currency": "USD"}}))
    assert command == RequestReturn(order_id="o", items=[], shipping_price=Money(1, "usd"))


def test_digits_of_decimals_are_kept_and_their_exponents_bounded() -> None:
    """7.50 is not 7.5; a percentage of a million digits is refused before it is one."""
    tax_lines = [TaxLine(Decimal("7.50")), TaxLine(Decimal("1E+2"))]
    item = NewItem(variant_id="v", quantity=1, unit_price=Money(5, "usd"), tax_lines=tax_lines)
    command = RequestExchange(order_id="o", items=[], new_items=[item])
    decoded = codec.decode(codec.encode(command), RequestExchange)

    assert [str(each.rate) for each in decoded.new_items[0].tax_lines] == ["7.50", "1E+2"]
    plain = codec.to_plain(command)
    plain["new_items"][0]["tax_lines"][0]["rate"] = "1E+999999"
    assert refused(plain) == [("invalid_field", "new_items[0].tax_lines[0].rate")]


def test_timestamps_are_aware() -> None:
    """Any offset is read as the same moment; one without an offset names none."""
    document = {"_format": 1, "_type": "RecordSending", "return_id": "r"}
    read = codec.decode(json.dumps({**document, "sent_at": "2026-01-01T02:00:00.5+02:00"}), RecordSending)

    assert read.sent_at == datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert refused({**document, "sent_at": "2026-01-01T02:00:00"}) == [("invalid_field", "sent_at")]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"items": 5}, ("invalid_field", "items")),
        ({"items": [{"item_id": "mug"}]}, ("invalid_field", "items[0]")),
        ({"items": [requested(quantity="3")]}, ("invalid_field", "items[0].quantity")),
        ({"metadata": {"weight": Decimal("1.5")}}, ("invalid_metadata", "metadata.weight")),
        ({"metadata": 5}, ("invalid_field", "metadata")),
        ({"shipping_price": "9.99"}, ("invalid_field", "shipping_price")),
        ({"shipping_price": ITEM}, ("invalid_field", "shipping_price")),
        ({"no_notification": 1}, ("invalid_field", "no_notification")),
        ({"declared_at": datetime(2026, 1, 1)}, ("invalid_field", "declared_at")),  # noqa: DTZ001
        ({"refund_amount": 10**5000}, ("invalid_field", "refund_amount")),
    ],
)
def test_a_value_that_could_not_be_read_back_is_not_written(wrong: dict[str, Any], problem: Problem) -> None:
    """A command keeps what it is given, so that encoding it says what is wrong."""
    given: dict[str, Any] = {"order_id": "o", "items": [], **wrong}
    with pytest.raises(Invalid) as error:
        codec.encode(RequestReturn(**given))

    assert error.value.code == "invalid_document"
    assert problems(error.value) == [problem]


def test_maps_and_rows_of_other_types_are_not_written() -> None:
    """Of a ledger: what is not a mapping, effects under other keys, a revision and number that are three."""
    ledger = codec.decode(golden()["ReturnLedger"][0], ReturnLedger)
    effects = {f"{key}0": each for key, each in ledger.open_effects.items()}
    (_, first), *_ = ledger.open_effects.items()
    three: Any = (1, 2, 3)
    wrong: Any = {
        "answered": (),
        "open_effects": FrozenMap({"a": evolve(first, recorded_in=three), "b": 5}),
    }

    def said(**fields: Any) -> list[Problem]:
        with pytest.raises(Invalid) as error:
            codec.encode(evolve(ledger, **fields))
        return problems(error.value)

    assert said(**wrong) == [
        ("invalid_field", "open_effects.a.recorded_in"),
        ("invalid_field", "open_effects.b"),
        ("invalid_field", "answered"),
    ]
    assert said(open_effects=()) == [("invalid_field", "open_effects")]
    assert {code for code, _ in said(open_effects=FrozenMap(effects))} == {"refused_value"}
    assert said(answered=FrozenMap({1: 2})) == [
        ("invalid_field", "answered"),
        ("invalid_field", "answered['1']"),
    ]


def test_maps_and_rows_of_other_types_are_not_read() -> None:
    """The same in a document."""
    plain = json.loads(golden()["ReturnLedger"][0])
    plain["answered"] = []
    plain["open_effects"][0]["recorded_in"] = [1]

    assert sorted(refused(plain)) == [
        ("invalid_field", "answered"),
        ("invalid_field", "open_effects[0].recorded_in"),
    ]


def test_open_effects_keep_their_order_in_databases_that_forget_that_of_objects() -> None:
    """Names in any order, as `jsonb` gives them back: the effects are as they were."""
    ledger = codec.decode(golden()["ReturnLedger"][0], ReturnLedger)
    swapped = evolve(ledger, open_effects=FrozenMap(dict(reversed(ledger.open_effects.items()))))

    assert len(ledger.open_effects) > 1
    for each in (ledger, swapped):
        plain = dict(reversed(codec.to_plain(each).items()))
        assert list(codec.from_plain(plain, ReturnLedger).open_effects) == list(each.open_effects)


@pytest.mark.parametrize("value", [5, None, Money(5, "usd"), OpenEffect, RequestReturn], ids=repr)
def test_what_is_of_no_public_kind_is_not_written(value: Any) -> None:
    """Parts of values have no documents of their own."""
    with pytest.raises(InvalidValue, match=r"one of rma\.codec\.KINDS"):
        codec.encode(value)


@pytest.mark.parametrize(
    "kind", [int, Money, "Return", Return | None, 7, list[Return], type[Return]], ids=repr
)
def test_a_kind_that_is_not_public_is_an_error_of_the_program(kind: object) -> None:
    """Asked for, or for its schema."""
    with pytest.raises(InvalidValue, match="kind must be"):
        codec.decode("{}", kind)
    with pytest.raises(InvalidValue, match="kind must be"):
        codec.json_schema(kind)


def test_unknown_fields_are_refused_or_ignored_and_nothing_else() -> None:
    """Another word for it would be taken for the default."""
    word: Any = "drop"
    with pytest.raises(InvalidValue, match="unknown must be"):
        codec.decode("{}", unknown=word)
    with pytest.raises(InvalidValue, match="unknown must be"):
        codec.json_schema(Return, unknown=word)


def test_kinds_and_members_of_later_releases_are_refused_even_if_fields_are_ignored() -> None:
    """Nothing can be left out that would make a value of them."""
    document = json.loads(golden()["ReturnCanceled"][0])

    assert refused({**document, "_type": "ReturnForgotten"}, unknown="ignore") == [("unknown_kind", "_type")]
    later = json.loads(golden()["Return"][0])
    assert refused({**later, "status": "forgotten"}, unknown="ignore") == [("invalid_field", "status")]


def test_the_id_of_a_published_event_is_that_of_the_event() -> None:
    """A receiver knows a repeat by it."""
    event = codec.decode(golden()["ReturnRequested"][0], ReturnRequested)
    published = codec.PublishedEvent(event.event_id, event)

    assert codec.decode(codec.encode(published)) == published
    with pytest.raises(InvalidValue, match="the id of its event"):
        codec.PublishedEvent("order_1/9/9", event)
    assert refused({**codec.to_plain(published), "event_id": "order_1/9/9"}) == [
        ("refused_value", "document")
    ]


def test_lists_without_repeats_have_none() -> None:
    """A set of tags that names one twice was not written by this library."""
    plain = next(each for each in map(json.loads, golden()["Return"]) if each["terms"].get("rules"))
    plain["terms"]["rules"][0]["when"] = ["worn", "worn"]

    assert refused(plain) == [("invalid_field", "terms.rules[0].when")]
    assert not is_valid(plain, Return)


def test_a_type_that_values_do_not_have_has_no_shape() -> None:
    """A new one is noticed when its class is first used."""
    for kind in (bytes, list[str], dict[str, int]):
        with pytest.raises(TypeError, match="no shape"):
            shape_of(kind)


def test_it_says_which_extra_is_missing() -> None:
    """Without cattrs, `import rma` goes on working and `rma.codec` names the extra."""
    program = "import sys; sys.modules['cattrs'] = None; import rma; import rma.codec"
    run = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == "ImportError: rma.codec needs cattrs: pip install 'rma-core[codec]'"
