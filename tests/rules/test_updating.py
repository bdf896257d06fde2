"""UpdateReturn: a change of mind before the parcel leaves."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelExchange,
    CancelReturn,
    ClaimItem,
    Fee,
    LineItem,
    Money,
    NewItem,
    NotFound,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    ReturnItem,
    ReturnLedger,
    ReturnPolicy,
    ReturnQuery,
    ReturnShipment,
    ReturnStatus,
    ReturnUpdated,
    RevisedItem,
    ShippingOption,
    UpdateReturn,
)
from rma.domain.evolve import evolve as evolve_ledger
from tests.rules.before import EXPIRE, RENEW, REVIEW, SENT, approve, pending, requested
from tests.rules.given import Given, effect_kinds, line, order_of, put, receive, request, update, usd


def test_number_3_fewer_and_more_again() -> None:
    """3 to 2 gives 19.33; 2 to 3 gives 29.00 again; no price is repeated."""
    given = requested(3)

    (event,) = given.when(update(2))
    assert isinstance(event, ReturnUpdated)
    assert [type(each) for each in event.items] == [RevisedItem]
    assert given.the().refund_amount == usd(1933)

    given.when(update(3))
    assert given.the().refund_amount == usd(2900)
    assert (given.the().id, given.the().display_id) == ("ret_1", 1)


def test_number_3_a_changed_way_back_cancels_one_label_and_books_the_next() -> None:
    """The first is canceled, with what the carrier answered."""
    given = requested(shipping_option_id="so_return")
    given.record_outcomes(("ret_1-shipment-1", ReturnShipment({"label": 1})))
    given.options["so_other"] = ShippingOption(id="so_other", price=300, provider_id="dhl")

    given.when(update(3, shipping_option_id="so_other"))

    assert effect_kinds(given.ledger) == ["cancel_shipment-1", "shipment-2"]
    cancel, book = [each.request for each in given.ledger.open_effects.values()]
    assert getattr(cancel, "shipment", None) == ReturnShipment({"label": 1})
    assert getattr(book, "provider_id", None) == "dhl"
    assert given.the().shipment is None
    assert given.the().refund_amount == usd(2600)
    given.record_outcomes(("ret_1-shipment-2", ReturnShipment({"label": 2})))
    assert given.the().shipping_data == {"label": 2}


def test_an_answer_about_a_label_that_was_given_up_is_not_the_returns() -> None:
    """Its cancellation gets it, and waits for it."""
    given = requested(shipping_option_id="so_return")
    given.when(update(3, shipping_option_id="so_return", location_id="loc_9"))

    given.record_outcomes(("ret_1-shipment-1", ReturnShipment({"label": 1})))

    assert given.the().shipment is None
    cancel = given.ledger.open_effects["ret_1-cancel_shipment-1"].request
    assert getattr(cancel, "shipment", None) == ReturnShipment({"label": 1})


def test_the_same_way_back_keeps_its_label() -> None:
    """A label is booked once for each way back, whatever is in the parcel."""
    given = requested(shipping_option_id="so_return")
    given.all_delivered()
    before = given.the()

    given.when(update(2, shipping_option_id="so_return"))

    assert given.ledger.open_effects == {}
    assert (given.the().shipping_method, given.the().shipment) == (before.shipping_method, before.shipment)


@pytest.mark.parametrize(
    "way",
    [
        {},
        {"shipping_option_id": "so_return", "shipping_price": 100},
        {"shipping_option_id": "so_return", "location_id": "loc_9"},
    ],
)
def test_another_price_place_or_none_is_another_way(way: dict[str, Any]) -> None:
    """The label is canceled, and the next one has the next number, even after a time without one."""
    given = requested(shipping_option_id="so_return")
    given.all_delivered()

    given.when(update(3, **way))

    assert effect_kinds(given.ledger) == ["cancel_shipment-1", "shipment-2"][: 1 + bool(way)]
    given.all_delivered()
    given.when(update(3, shipping_option_id="so_return"))
    assert effect_kinds(given.ledger)[-1] == f"shipment-{3 if way else 2}"


def test_a_way_back_may_be_added() -> None:
    """The first label has the first number."""
    given = requested()

    given.when(update(3, shipping_option_id="so_return"))

    assert effect_kinds(given.ledger) == ["shipment-1"]


def test_other_lines_bring_their_prices() -> None:
    """The event has them once; a line that stays has its price where it is."""
    given = Given(order_of(line(), line("tea", 2, 500)))
    given.when(request(2))

    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("tea", "mug")]
    (event,) = given.when(UpdateReturn(return_id="ret_1", items=items))

    assert isinstance(event, ReturnUpdated)
    assert [type(each) for each in event.items] == [ReturnItem, RevisedItem]
    assert given.the().refund_amount == usd(1500)
    (event,) = given.when(update(2, "tea"))
    assert isinstance(event, ReturnUpdated)
    assert [type(each) for each in event.items] == [RevisedItem]
    assert given.the().refund_amount == usd(1000)


def test_a_line_whose_price_was_edited_has_its_new_one() -> None:
    """As for a return that was canceled and requested again."""
    given = Given(order_of(line()))
    given.when(request(1))
    put(given, items=[line(price=800)])

    (event,) = given.when(update(2))

    assert isinstance(event, ReturnUpdated)
    assert [type(each) for each in event.items] == [ReturnItem]
    assert given.the().refund_amount == usd(1600)


def test_a_named_refund_is_part_of_the_update() -> None:
    """Left out, it is computed again."""
    given = requested(refund_amount=100)

    given.when(update(3))
    assert given.the().refund_amount == usd(2900)
    given.when(update(3, refund_amount=Money(5000, "usd"), refund_note="sorry"))
    assert given.the().refund_amount == usd(5000)
    assert given.the().entitlement.refund_note == "sorry"
    assert given.codes(update(3, refund_amount=5000)) == ["refund_exceeds_worth"]


def test_its_own_units_are_free_for_it() -> None:
    """And no others: the limit is that of a request."""
    given = requested(2)
    given.when(request(1))

    error = given.refuses(update(3))

    assert [(each.code, each.numbers["returnable"]) for each in error.violations] == [
        ("quantity_exceeds_returnable", 2)
    ]


def test_fewer_units_are_judged_as_of_the_request_more_of_them_now() -> None:
    """After the window, a customer may still keep some; nothing is added."""
    policy = ReturnPolicy(window_days=10)
    given = Given(order_of(line(delivered_at=Given().now)), policy)
    given.when(request(1))
    given.now += timedelta(days=20)

    assert given.codes(update(2)) == ["return_window_closed"]
    given.when(update(1, refund_amount=1))
    assert given.the().refund_amount == usd(1)


def test_its_terms_stay() -> None:
    """A policy that was changed after the request changes no return."""
    given = requested(3, ReturnPolicy(fees=[Fee("restocking", percent=10)]))
    terms = given.the().terms
    given.policy = ReturnPolicy(version="2")

    given.when(update(2))

    assert given.the().terms == terms
    assert given.the().refund_amount == given.the().quoted_refund == usd(1933 - 193)


def test_a_pending_return_can_be_updated_and_stays_pending() -> None:
    """Nothing is booked for it."""
    given = pending(2, shipping_option_id="so_return")

    given.when(update(3, shipping_option_id="so_return", shipping_price=100))

    assert given.the().status is ReturnStatus.PENDING_APPROVAL
    assert given.ledger.open_effects == {}
    given.when(approve())
    assert effect_kinds(given.ledger) == ["shipment-1"]
    assert given.the().refund_amount == usd(2800)


def test_units_that_are_added_have_to_be_approved() -> None:
    """Its label is canceled until then; fewer units need no consent."""
    given = pending(2, shipping_option_id="so_return")
    given.when(approve())
    given.all_delivered()

    given.when(update(1, shipping_option_id="so_return"))
    assert given.the().status is ReturnStatus.REQUESTED
    assert given.ledger.open_effects == {}

    given.when(update(3, shipping_option_id="so_return"))
    assert given.the().status is ReturnStatus.PENDING_APPROVAL
    assert effect_kinds(given.ledger) == ["cancel_shipment-1"]
    given.all_delivered()

    given.when(approve(2))
    assert effect_kinds(given.ledger) == ["shipment-2"]


def test_what_was_sent_or_received_is_not_updated() -> None:
    """The goods are what they are."""
    given = requested()
    given.when(SENT)
    assert given.codes(update(1)) == ["return_already_sent"]
    given.when(receive(1, more_expected=True))
    assert "return_already_received" in given.codes(update(1))


def test_a_return_of_an_exchange_or_claim_is_not_updated() -> None:
    """What belongs to it would not fit any more."""
    given = Given(order_of(line(quantity=4)))
    items = [RequestedItem(item_id="mug", quantity=1)]
    new = [NewItem(variant_id="v", quantity=1, unit_price=1000)]
    given.when(RequestExchange(order_id="order_1", items=items, new_items=new))
    broken = [ClaimItem(item_id="mug", quantity=1, reason="production_failure")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken, return_items=True))

    assert given.codes(update(1)) == ["return_of_exchange"]
    assert given.codes(evolve(update(1), return_id="ret_2")) == ["return_of_claim"]


def test_everything_that_is_wrong_is_said_together() -> None:
    """That of the return, and that of what is asked for."""
    given = requested()
    given.when(SENT)

    assert given.codes(
        UpdateReturn(
            return_id="ret_1",
            items=[RequestedItem(item_id="tea", quantity=0), RequestedItem(item_id="mug", quantity=4)],
            shipping_option_id="so_out",
            created_by=5,  # type: ignore[arg-type] # wrong on purpose
        )
    ) == [
        "return_already_sent",
        "invalid_text",
        "item_not_found",
        "invalid_quantity",
        "quantity_exceeds_returnable",
        "not_a_return_option",
    ]
    error = given.refuses(UpdateReturn(return_id="ret_9", items=[]))
    assert isinstance(error, NotFound)
    assert [each.code for each in error.violations] == ["return_not_found", "no_items"]


def test_a_removed_line_leaves_the_return() -> None:
    """A host may have removed it from the order: the update says what is left."""
    given = Given(order_of(line(), line("tea", 1, 500)))
    items = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("mug", "tea")]
    given.when(evolve(request(1), items=items))
    assert isinstance(given.order, object)
    put(given, items=[LineItem(id="mug", quantity=2, fulfilled_quantity=2, unit_price=usd(1000))])

    given.when(update(1))

    assert [item.item_id for item in given.the().items] == ["mug"]


def test_update_then_cancel_leaves_no_label() -> None:
    """The one that is booked is canceled, not the first."""
    given = requested(shipping_option_id="so_return")
    given.when(RENEW)
    given.all_delivered()
    given.when(CancelReturn(return_id="ret_1"))

    assert effect_kinds(given.ledger) == ["cancel_shipment-2"]
    assert given.codes(EXPIRE) == ["return_canceled"]
    assert REVIEW.review


def test_an_event_of_a_return_that_is_not_there_changes_nothing() -> None:
    """History is folded, not checked: an event that lost its return is passed over."""
    given = requested()
    given.when(update(1))
    given.when(receive(1))
    exchanged = Given()
    items = [RequestedItem(item_id="mug", quantity=1)]
    new = [NewItem(variant_id="v", quantity=1, unit_price=1000)]
    exchanged.when(RequestExchange(order_id="order_1", items=items, new_items=new))
    exchanged.when(CancelExchange(exchange_id="exc_1"))

    ledger = ReturnLedger("order_1")
    for event in (*given.history[1:], *exchanged.history[2:]):
        ledger = evolve_ledger(ledger, event)

    assert (ledger.returns, ledger.exchanges) == ((), ())


def test_what_has_no_date_of_its_own_is_not_listed_by_dates() -> None:
    """Only returns have them."""
    given = Given()
    broken = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=broken))

    query = ReturnQuery(kinds=["return", "claim"], due_before=given.now)

    assert not any(map(query.accepts, given.ledger.claims))
