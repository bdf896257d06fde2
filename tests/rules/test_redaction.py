"""What is data about persons, and the same values without it."""

import json
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from attrs import Attribute, evolve, fields

from rma import (
    CancelReturn,
    Command,
    Difference,
    Event,
    IdempotencyKeyReused,
    InvalidValue,
    NotAllowed,
    OrderRedacted,
    PersonalField,
    ReceivedItem,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
    ReturnLedger,
    ReturnShipment,
    ReturnShipmentRequest,
    codec,
    redacted,
    replay,
)
from rma.domain.change import apply_redaction
from rma.domain.decide import answer
from rma.domain.redaction import BY_CLASS, BY_NAME, group_of, is_repeat, redacted_ledger, without
from rma.domain.state.ledger import IdempotencyRecord
from rma.domain.values.personal import REDACTED, hidden
from rma.testing.contracts.storing import harness, in_vain
from rma.testing.core_harness import START, CoreHarness
from tests.canary import CANARY, classes_in, planted, strings_in

STORED = sorted(classes_in(Event, ReturnLedger, Command), key=lambda kind: kind.__name__)

#: Fields whose strings stay, by name: ids, keys, references, and names and codes of the merchant's.
KEPT = {
    "key": "keys of effects: once-ness",
    **dict.fromkeys(("restock_key", "shipment_key", "reserve_key", "reservation_key", "charge_key"), "keys"),
    **dict.fromkeys(
        ("idempotency_key", "retry_of", "after_key", "stuck_effects", "reservation", "open_effects"), "keys"
    ),
    **dict.fromkeys(("id", "order_id", "return_id", "exchange_id", "claim_id", "subject_id"), "ids"),
    **dict.fromkeys(("item_id", "variant_id", "payment_id", "charge_id", "option_id"), "ids of the host's"),
    **dict.fromkeys(("shipping_option_id", "location_id", "provider_id", "reason_id"), "ids of the host's"),
    **dict.fromkeys(("customer_id", "payee"), "whose store credit it is: an id of the host's"),
    **dict.fromkeys(("sku", "serials", "expected_by", "invoice_ids"), "which goods these are"),
    **dict.fromkeys(("reference", "notification_id", "success_notice"), "counted once by these"),
    **dict.fromkeys(("other_success_notices", "failure_notices"), "counted once by these"),
    **dict.fromkeys(("currency", "code", "kind", "type", "basis", "outcome", "means", "ship"), "codes"),
    **dict.fromkeys(("grade", "previous_grade", "disposition", "previous_disposition"), "codes"),
    **dict.fromkeys(("tags", "facts", "when", "rule", "other_rules", "refused_code"), "what rules name"),
    **dict.fromkeys(
        ("name", "version", "title", "taxes", "discounts", "label", "category"), "names of the merchant's"
    ),
    "answered": "by idempotency key",
}
#: Reasons that are codes.
CODES = {
    (name, "reason") for name in ("DeclineReturn", "Decision", "ClaimItem", "ClaimedItem", "RefundRequest")
} | {("CreditRequest", "reason"), ("PayoutRequest", "reason")}


def strings_of(kind: type[Any]) -> list[str]:
    """Names of its fields that can hold strings."""
    hints = get_type_hints(kind)
    return [each.name for each in fields(kind) if strings_in(hints[each.name])]


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_every_stored_string_is_data_about_persons_or_known_not_to_be(kind: type[Any]) -> None:
    """A field that is added is one or the other: in `rma.domain.redaction`, or above."""
    for name in strings_of(kind):
        is_kept = name in KEPT or (kind.__name__, name) in CODES
        assert is_kept != (group_of(kind, name) is not None), f"{kind.__name__}.{name}"


def test_nothing_is_listed_that_is_not_stored() -> None:
    """A field that is renamed is not forgotten."""
    found = {(kind.__name__, name) for kind in STORED for name in strings_of(kind)}
    assert {*BY_NAME, *KEPT} <= {name for _, name in found}
    assert {*BY_CLASS, *CODES - {("ClaimedItem", "reason")}} <= found


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_a_repr_says_that_there_is_a_note_and_not_which(kind: type[Any]) -> None:
    """Logs and tracebacks are full of reprs."""
    each: Attribute[Any]
    for each in fields(kind):
        assert (each.repr is hidden) == (group_of(kind, each.name) is not None), each.name


ONE = RequestedItem(item_id="mug", quantity=1)


def labelled(note: str | None = "too big") -> CoreHarness:
    """One mug back, with a booking that is open."""
    life = harness()
    item = RequestedItem(item_id="mug", quantity=1, note=note, images=["a.jpg"], metadata={"said": "no"})
    life.handle(
        RequestReturn(
            order_id="order_1",
            items=[item],
            shipping_option_id="post",
            idempotency_key="k",
            created_by="jane@example.com",
            metadata={"ticket": "7"},
        )
    )
    return life


def history_of(life: CoreHarness) -> tuple[Event, ...]:
    """All that happened in it."""
    return tuple([each for change in life.changes for each in change.events])


def redact(life: CoreHarness, *groups: str) -> tuple[Event, ...]:
    """The history afterwards; the life goes on from there."""
    change, history = apply_redaction(
        life.ledger, history_of(life), groups or tuple(PersonalField), life.tick(), by="dpo"
    )
    life.ledger = change.ledger
    return history


def test_a_redacted_return_has_units_and_money_and_no_words() -> None:
    """Notes and actors are marked; images, metadata and what the carrier said are empty."""
    life = labelled()
    life.record_outcomes()
    before = life.ledger.returns[0]
    with pytest.raises(NotAllowed):
        redact(life)
    life.handle(ReceiveReturn(return_id="ret_order_1_1", items=[ReceivedItem(item_id="mug", quantity=1)]))

    history = redact(life)

    (ret,) = life.ledger.returns
    (item,) = ret.items
    assert (item.note, item.images, item.metadata) == (REDACTED, (), {})
    assert (ret.created_by, ret.metadata) == (REDACTED, {})
    assert ret.shipment is not None
    assert (ret.shipment.data, ret.shipment.tracking_number, ret.shipment.label_url) == ({}, None, None)
    assert item.line == before.items[0].line
    assert ret.refunds[0].amount == life.ledger.returns[0].refund_amount
    assert replay("order_1", history) == life.ledger
    event = history[-1]
    assert isinstance(event, OrderRedacted)
    assert (event.by, event.fields, event.revision) == ("dpo", tuple(PersonalField), 4)


def test_a_note_that_was_not_there_is_not_there_afterwards() -> None:
    """`None` stays `None`; and a note that was redacted stays so."""
    life = labelled(note=None)
    redact(life, "notes", "actors")
    assert life.ledger.returns[0].items[0].note is None
    redact(life, "notes", "actors", "images", "metadata")
    assert life.ledger.returns[0].created_by == REDACTED


def test_words_that_only_events_have_are_taken_from_them() -> None:
    """What a port said before it did its work is nowhere else."""
    life = harness()
    life.handle(RequestReturn(order_id="order_1", items=[ONE], shipping_option_id="post"))
    life.record_outcomes(in_vain)
    life.record_outcomes()
    assert "TimeoutError" not in codec.encode(life.ledger)
    assert "TimeoutError" in "".join([codec.encode(each) for each in history_of(life)])

    history = redact(life, "notes")

    assert isinstance(history[-1], OrderRedacted)
    assert "TimeoutError" not in "".join([codec.encode(each) for each in history])


def test_a_group_that_is_not_named_stays() -> None:
    """Each by itself."""
    for group in PersonalField:
        life = labelled()
        plain = life.ledger.returns[0]
        if group is not PersonalField.SHIPMENTS:
            redact(life, group)
        item, ret = life.ledger.returns[0].items[0], life.ledger.returns[0]
        was = plain.items[0]
        assert (item.note == was.note) == (group is not PersonalField.NOTES)
        assert (item.images == was.images) == (group is not PersonalField.IMAGES)
        assert (ret.metadata == plain.metadata) == (group is not PersonalField.METADATA)
        assert (ret.created_by == plain.created_by) == (group is not PersonalField.ACTORS)


def asked(**changes: Any) -> RequestReturn:
    """What `labelled` asked for, with these changes."""
    command = labelled().ledger.answered["k"].command
    assert isinstance(command, RequestReturn)
    return evolve(command, **changes)


def test_a_repeat_is_known_by_what_is_left() -> None:
    """With its words, or others; another quantity is another request."""
    life = labelled()
    redact(life, "notes", "images", "metadata", "actors")
    assert answer(life.ledger, asked()) == "ret_order_1_1"
    assert answer(life.ledger, asked(created_by="bob")) == "ret_order_1_1"
    with pytest.raises(IdempotencyKeyReused) as error:
        answer(life.ledger, asked(items=[RequestedItem(item_id="mug", quantity=2)], created_by="bob"))
    assert error.value.details["fields"] == ["items"]


def test_only_what_was_taken_is_not_compared() -> None:
    """A command without a note is another one than the same with a note; so is one that came later."""
    life = labelled(note=None)
    redact(life, "notes", "actors")
    other = asked()
    with pytest.raises(IdempotencyKeyReused) as error:
        answer(life.ledger, other)
    assert error.value.details["fields"] == ["items"]
    assert life.ledger.answered["k"].redacted == (PersonalField.ACTORS,)
    cancel = CancelReturn(return_id="ret_order_1_1", idempotency_key="c", created_by="jane")
    life.handle(cancel)
    with pytest.raises(IdempotencyKeyReused) as error:
        answer(life.ledger, evolve(cancel, created_by="bob"))
    assert error.value.details["fields"] == ["created_by"]


def test_what_was_taken_before_is_remembered() -> None:
    """Group after group."""
    life = labelled()
    redact(life, "notes")
    redact(life, "actors")
    assert life.ledger.answered["k"].redacted == (PersonalField.NOTES, PersonalField.ACTORS)
    assert is_repeat(life.ledger.answered["k"], without(asked(), ["notes", "actors"]))  # type: ignore[list-item]


@pytest.mark.parametrize("given", [5, "text", ["a"], {"a": 1}, object()])
def test_a_repeat_of_the_wrong_types_is_another_command(given: object) -> None:
    """It is refused, whatever it holds; nothing raises."""
    life = labelled()
    redact(life, "notes", "images", "metadata", "actors")
    for name in ("created_by", "metadata", "items"):
        if given == "text" and name == "created_by":
            continue
        if isinstance(given, dict) and name == "metadata":
            continue
        with pytest.raises(IdempotencyKeyReused):
            answer(life.ledger, asked(**{name: given}))


def test_a_request_that_is_open_is_sent_as_it_was_made() -> None:
    """A booking that is to be canceled, goods that go back: they have to be done first, or left out."""
    life = labelled()
    life.record_outcomes()
    life.handle(CancelReturn(return_id="ret_order_1_1"))
    (key,) = life.ledger.open_effects
    before = life.ledger

    with pytest.raises(NotAllowed) as error:
        redact(life)

    assert [(each.code, each.numbers["key"]) for each in error.value.violations] == [("effect_open", key)]
    assert life.ledger == before
    redact(life, "notes", "actors")
    life.record_outcomes()
    redact(life)
    assert life.ledger.returns[0].shipment == ReturnShipment()


def test_an_open_booking_without_such_data_goes_on() -> None:
    """Its request is the same afterwards."""
    life = labelled()
    (before,) = life.ledger.open_effects.values()
    assert isinstance(before.request, ReturnShipmentRequest)
    redact(life)
    assert tuple(life.ledger.open_effects.values()) == (before,)


def test_a_shipment_stays_while_its_carrier_may_need_it() -> None:
    """A return that is open can be canceled, and its booking with it."""
    life = labelled()
    life.record_outcomes()
    with pytest.raises(NotAllowed) as error:
        redact(life, "shipments")
    assert [(each.code, dict(each.numbers)) for each in error.value.violations] == [
        ("not_over", {"subject_id": "ret_order_1_1", "status": "requested"})
    ]


def test_twice_changes_nothing() -> None:
    """There is nothing left to take; who asked first stays on record."""
    life = labelled()
    history = redact(life, "notes", "images", "metadata", "actors")
    change, again = apply_redaction(life.ledger, history, ["notes", "actors"], life.tick())
    assert change.events == ()
    assert again == history
    assert history[-1].by == "dpo"


def test_twice_changes_nothing_where_both_are_loaded_from_a_store() -> None:
    """What is left of words is known by what it says, and not by where it is in memory."""
    life = labelled()
    history = redact(life, "notes", "actors")
    ledger = codec.decode(codec.encode(life.ledger), ReturnLedger)
    loaded = [codec.decode(codec.encode(each), Event) for each in history]

    change, again = apply_redaction(ledger, loaded, ["notes", "actors"], life.tick())

    assert (change.events, again) == ((), history)


def test_an_event_says_of_its_command_all_that_was_ever_taken() -> None:
    """Notes first, and later who asked."""
    life = labelled()
    once = redact(life, "notes")
    change, history = apply_redaction(life.ledger, once, ["actors"], life.tick())
    assert history[0].header.redacted == (PersonalField.NOTES, PersonalField.ACTORS)
    assert change.ledger.answered["k"].redacted == history[0].header.redacted


def test_why_an_open_request_failed_is_taken_from_it() -> None:
    """What a carrier said may name the customer; the request is sent again all the same."""
    life = labelled(note=None)
    life.record_outcomes(in_vain)
    (failed,) = life.ledger.open_effects.values()
    assert failed.delivery.last_error not in (None, REDACTED)

    redact(life, "notes")

    (effect,) = life.ledger.open_effects.values()
    assert (effect.request, effect.delivery.last_error) == (failed.request, REDACTED)


@pytest.mark.parametrize("groups", [[], ["nope"], "notes", None, 5, [None], ["notes", 5]])
def test_a_group_that_does_not_exist_is_refused(groups: Any) -> None:
    """And no group at all: nothing would be taken."""
    life = labelled()
    with pytest.raises(InvalidValue) as error:
        apply_redaction(life.ledger, history_of(life), groups, START)
    assert error.value.details["field"] == "redact.fields"


def test_an_actor_that_is_not_a_string_is_refused() -> None:
    """As in a command."""
    life = labelled()
    with pytest.raises(Exception, match="created_by"):
        apply_redaction(life.ledger, history_of(life), ["notes"], START, by=5)  # type: ignore[arg-type]


def test_a_part_of_the_history_that_is_kept_elsewhere_is_redacted_by_the_event() -> None:
    """Events as they were, and after them the one that says that they are gone."""
    life = labelled()
    before = history_of(life)
    event = redact(life, "notes", "images", "metadata", "actors")[-1]
    assert replay("order_1", (*before, event)) == life.ledger
    assert [redacted(each, event.fields) for each in before] == list(redact_all(before))  # type: ignore[union-attr]


def redact_all(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Without all but shipments."""
    return tuple(
        [redacted(each, [group for group in PersonalField if group != "shipments"]) for each in events]
    )


def test_a_ledger_without_such_data_is_the_same() -> None:
    """Nothing is built again."""
    ledger = ReturnLedger("order_1")
    assert redacted_ledger(ledger, tuple(PersonalField)) == ledger
    record = IdempotencyRecord(CancelReturn(return_id="ret_1", idempotency_key="k"), "ret_1")
    assert is_repeat(record, record.command)
    assert without(record, tuple(PersonalField)) is record


def test_no_field_of_any_event_is_forgotten() -> None:
    """Every kind, as the documents of earlier releases have them, with a string wherever there can be one."""
    for document in GOLDEN:
        event = planted(codec.decode(document, Event))
        assert CANARY in codec.encode(event)
        assert CANARY not in repr(event)
        if isinstance(event, OrderRedacted):
            continue
        gone = redacted(event, tuple(PersonalField))
        assert CANARY not in codec.encode(gone)
        assert redacted(gone, tuple(PersonalField)) is gone
        assert (gone.event_id, gone.at, gone.subject_id) == (event.event_id, event.at, event.subject_id)


def golden() -> list[str]:
    """A document of each kind of event."""
    written = (Path(__file__).parents[1] / "codec/golden/unreleased.json").read_text("utf-8")
    found = json.loads(written)["documents"]
    return [
        document for name in (each.__name__ for each in Event.__args__) for document in found.get(name, [])
    ]


GOLDEN = golden()


def test_a_difference_in_personal_data_names_the_field_alone() -> None:
    """As `verify` prints it."""
    difference = Difference(
        order_id="order_1", where="return ret_1", field="created_by", stored="Eve", rebuilt="Ada"
    )

    assert str(difference) == "order order_1, return ret_1: created_by is not what it should be"
    assert "Eve" not in repr(difference)
    assert "Ada" not in repr(difference)
