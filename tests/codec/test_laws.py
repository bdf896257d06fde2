"""Whatever is written is read as it was; the schema and the reader say the same; fields that are unknown."""

import json
from copy import deepcopy
from datetime import timedelta, timezone
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from rma import Invalid, RequestedItem, RequestReturn, ReturnRequested, ReturnShipment, codec
from rma.codec import KINDS, Coded, PublishedEvent
from rma.domain.values.frozenmap import frozen_map
from rma.testing.core_harness import Flow
from rma.testing.strategies import flows
from tests.codec.schemas import is_valid
from tests.codec.values import golden, inside
from tests.sql.alike import assert_alike
from tests.sql.test_documents import json_values

#: What a reader says that no schema can say.
BEYOND_SCHEMAS = {"refused_value", "invalid_metadata"}

#: What takes the place of a part of a document.
OTHERS: list[object] = [None, True, 7, -1, 1.5, "", "x", [], {}, ["x"], {"_type": "Claim"}, "2026-02-30"]

documents = st.sampled_from([each for of_kind in golden().values() for each in of_kind])


@settings(max_examples=50)
@given(flow=flows(with_rules=True))
def test_everything_is_read_as_it_was_written(flow: Flow) -> None:
    """Every value of a public kind of a drawn life of an order, and its document is valid by the schema."""
    for change in flow:
        published = [PublishedEvent(each.event_id, each) for each in change.events]
        values: list[Coded] = [*inside(change.ledger), *published]
        for event in change.events:
            values += inside(event)
        for value in values:
            document = codec.encode(value)

            assert_alike(codec.decode(document), value)
            assert_alike(codec.from_plain(codec.to_plain(value), type(value)), value)
            assert codec.encode(codec.decode(document)) == document
            if not isinstance(value, PublishedEvent):  # which is its event and an id
                assert is_valid(json.loads(document), type(value))


metadata = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values, max_size=4)


def in_other_order(value: Any) -> Any:
    """Equal metadata, every mapping of which is in another order."""
    if isinstance(value, dict):
        return {key: in_other_order(value[key]) for key in reversed(value)}
    return [in_other_order(each) for each in value] if isinstance(value, list) else value


@given(data=metadata, hours=st.integers(-12, 12))
def test_the_same_value_is_the_same_string(data: dict[str, Any], hours: int) -> None:
    """Whatever the order of its mappings, and the zone that its timestamps are given in."""
    event = codec.decode(golden()["ReturnRequested"][0], ReturnRequested)
    elsewhere = event.at.astimezone(timezone(timedelta(hours=hours)))
    one = evolve(event, opened=evolve(event.opened, metadata=frozen_map(data)))
    other = evolve(
        one,
        opened=evolve(one.opened, metadata=frozen_map(in_other_order(data))),
        header=evolve(one.header, at=elsewhere),
    )

    assert one == other
    assert codec.encode(one) == codec.encode(other)
    assert_alike(codec.decode(codec.encode(one)), one)


def places(plain: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every part of a document but itself."""
    steps = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    found = []
    for step, each in steps:
        found += [(*path, step), *places(each, (*path, step))]
    return found


def at(plain: Any, path: tuple[Any, ...]) -> Any:
    """The part of a document at this path."""
    for step in path:
        plain = plain[step]
    return plain


def codes(plain: object, unknown: codec.Unknown = "refuse") -> set[str]:
    """What the reader says against it."""
    try:
        codec.from_plain(plain, unknown=unknown)
    except Invalid as error:
        return {each.code for each in error.violations if error.code == "invalid_document"}
    return set()


@settings(max_examples=600)
@given(document=documents, data=st.data())
def test_reader_and_schema_refuse_the_same(document: str, data: st.DataObject) -> None:
    """A document of which a part was replaced, left out or added: refused by both, or read by both."""
    plain = json.loads(document)
    kind = KINDS[plain["_type"]]
    *path, last = data.draw(st.sampled_from(places(plain)), label="place")
    part = at(plain, tuple(path))
    match data.draw(st.sampled_from(["replace", "remove", "add"]), label="what"):
        case "replace":
            part[last] = data.draw(st.sampled_from(OTHERS), label="other")
        case "remove":
            del part[last]
        case "add" if isinstance(part, dict):
            part["later"] = part[last]
        case _:
            part.append(data.draw(st.sampled_from(OTHERS), label="other"))
    before = deepcopy(plain)
    found = codes(plain)

    assert plain == before  # reading changes nothing
    if plain.get("_type") == kind.__name__:
        assert is_valid(plain, kind) == (found <= BEYOND_SCHEMAS), found
        assert is_valid(plain, kind, "ignore") == (codes(plain, "ignore") <= BEYOND_SCHEMAS)


@given(document=documents, data=st.data())
def test_fields_of_later_releases_are_refused_by_name_or_left_out(document: str, data: st.DataObject) -> None:
    """A field that is not known is named; with `ignore` the value is the one that is there without it."""
    plain = json.loads(document)
    maps = {"metadata", "data", "answered"}  # whose names are not fields
    objects = [
        path
        for path in [(), *places(plain)]
        if isinstance(at(plain, path), dict) and not maps.intersection(path)
    ]
    later = deepcopy(plain)
    for path in data.draw(st.lists(st.sampled_from(objects), min_size=1, unique=True)):
        at(later, path)["in_a_later_release"] = data.draw(st.sampled_from(OTHERS))

    assert codes(later) == {"unknown_field"}
    assert_alike(codec.from_plain(later, unknown="ignore"), codec.decode(document))
    assert is_valid(later, KINDS[plain["_type"]], "ignore")
    assert not is_valid(later, KINDS[plain["_type"]])


@given(value=json_values)
def test_what_is_not_a_document_is_refused_without_a_traceback(value: object) -> None:
    """Any JSON is a document, or is `invalid_document`."""
    assert codes(value)
    with pytest.raises(Invalid) as error:
        codec.decode(json.dumps(value))
    assert error.value.__suppress_context__


@given(string=st.text() | st.binary())
def test_what_is_not_json_is_refused(string: str | bytes) -> None:
    """Any string or bytes."""
    with pytest.raises(Invalid) as error:
        codec.decode(string)
    assert error.value.code == "invalid_document"


@given(data=metadata)
def test_metadata_are_read_as_they_were(data: dict[str, Any]) -> None:
    """To the class of each number."""
    item = RequestedItem(item_id="mug", quantity=1, metadata=data)
    command = RequestReturn(order_id="order_1", items=[item], metadata={"shipment": data})

    assert_alike(codec.decode(codec.encode(command)), command)
    assert ReturnShipment(data).data == item.metadata
