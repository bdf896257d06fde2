"""Goods that wait for an inspection: what is paid for each grade, and what is refused."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from rma import (
    ApproveReturn,
    CancelExchange,
    CancelReturn,
    Fee,
    GoodsInspected,
    Grade,
    InspectedItem,
    InspectReturn,
    InvalidValue,
    Money,
    NewItem,
    ReceivedItem,
    ReceiveReturn,
    RefundDeclined,
    RejectedItem,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    RestockRequest,
    ReturnPolicy,
    ReturnRule,
    ReturnStatus,
)
from rma.domain.messages.command_items import ClaimItem
from rma.domain.sale.grades import default_grades
from tests.rules.given import (
    Given,
    effect_kinds,
    line,
    names_and_amounts,
    order_of,
    receive,
    request,
    usd,
    vat,
)
from tests.rules.inspected import FAULTS, INSPECT, SCALE, five, graded, inspect, odd, waiting


def test_goods_that_wait_are_neither_paid_for_nor_put_into_stock() -> None:
    """Everything arrived, and the return is in inspection, without any effect."""
    given = waiting()

    the = given.the()
    assert the.status is ReturnStatus.IN_INSPECTION
    assert the.received_at is None
    assert the.items[0].waiting_quantity == 3
    assert the.needs_attention
    assert the.refunds == ()
    assert effect_kinds(given.ledger) == []


def test_five_shirts_of_which_three_come_in_three_grades() -> None:
    """18.00 + 14.40 + 0 = 32.40."""
    given = waiting()

    given.when(inspect("A", "B", "D"))

    the = given.the()
    assert the.status is ReturnStatus.RECEIVED
    assert the.refund_amount == usd(3240)
    assert names_and_amounts(the) == {"item:mug": 5400, "grade:B": -360, "grade:D": -1800}
    assert [refund.amount for refund in the.refunds] == [usd(3240)]


@pytest.mark.parametrize("grades", list(permutations("ABD")))
def test_odd_cents_go_to_the_best_grade_first(grades: tuple[str, ...]) -> None:
    """Units worth 9.67, 9.66, 9.67: 9.67 + 7.73 + 0 = 17.40, in whatever order they are graded."""
    given = waiting(order=odd())

    for grade in grades:
        given.when(inspect(grade))

    assert given.the().refund_amount == usd(1740)


def test_what_is_paid_does_not_depend_on_where_units_go() -> None:
    """Two units at 80 %, worth 19.33 together: 15.46, at one place or at two; not 7.74 + 7.73."""
    for second in ("refurbish", "restock", "hold"):
        given = waiting(2, order=odd())

        given.when(inspect("B", graded("B", disposition=second)))

        assert given.the().refund_amount == usd(1546)


def test_in_several_steps_it_is_paid_once_everything_was_judged() -> None:
    """Until then the return is in inspection, and each step moves its stock."""
    given = waiting()

    given.when(inspect("A"))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert given.the().refunds == ()
    assert effect_kinds(given.ledger) == ["restock-1"]
    given.when(inspect("A", "A"))

    assert given.the().refund_amount == given.the().quoted_refund == usd(5400)
    assert effect_kinds(given.ledger) == ["restock-1", "restock-2", "refund-1"]


def test_the_percentage_counts_only_for_the_customers_fault() -> None:
    """Merchant's or carrier's fault: all three are paid, and go where their grades say."""
    for reason_id in ("rr_defective", "rr_transit"):
        given = Given(five(), INSPECT)
        given.catalogue = FAULTS
        items = [RequestedItem(item_id="mug", quantity=3, reason_id=reason_id)]
        given.when(RequestReturn(order_id="order_1", items=items))
        given.when(receive(3))
        given.when(inspect("A", "B", "D"))

        assert given.the().refund_amount == usd(5400)
        assert names_and_amounts(given.the()) == {"item:mug": 5400}
        assert effect_kinds(given.ledger) == ["restock-1", "dispose-1", "dispose-2", "refund-1"]


def test_a_clerk_corrects_the_reason() -> None:
    """The clerk's fault counts; the customer's reason stays on record."""
    given = Given(five(), INSPECT)
    given.catalogue = FAULTS
    items = [RequestedItem(item_id="mug", quantity=2, reason_id="rr_defective")]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(2))

    given.when(inspect(graded("B", reason_id="rr_mind"), graded("B")))

    item = given.the().items[0]
    assert given.the().refund_amount == usd(1440 + 1800)
    assert item.reason_id == "rr_defective"
    assert {each.reason_id for each in item.graded} == {None, "rr_mind"}


def test_the_reason_of_a_clerk_decides_which_rule_speaks() -> None:
    """`defective` is free of fees; where it was a change of mind, the fee of that rule is kept."""
    policy = ReturnPolicy(
        inspect=True,
        rules=[
            ReturnRule(name="ours", when={"fault:merchant"}),
            ReturnRule(name="mind", fees=[Fee("restocking", percent=10)]),
        ],
    )
    given = Given(five(), policy)
    given.catalogue = FAULTS
    items = [RequestedItem(item_id="mug", quantity=2, reason_id="rr_defective")]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(2))
    assert given.the().quoted_refund == usd(3600)

    given.when(inspect(graded("sellable", reason_id="rr_mind"), graded("sellable")))

    assert names_and_amounts(given.the()) == {"item:mug": 3600, "fee:restocking": -180}
    assert given.the().items[0].rule == "ours"


def test_a_reason_that_fits_no_rule_leaves_the_rule_as_it_is() -> None:
    """The unit was taken by its own rule, and no other would take it."""
    policy = ReturnPolicy(
        inspect=True,
        rules=[ReturnRule(name="ours", when={"fault:merchant"}, fees=[Fee("handling", amount=usd(100))])],
    )
    given = Given(five(), policy)
    given.catalogue = FAULTS
    items = [RequestedItem(item_id="mug", quantity=1, reason_id="rr_defective")]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(1))

    given.when(inspect(graded("sellable", reason_id="rr_mind")))

    assert names_and_amounts(given.the()) == {"item:mug": 1800, "fee:handling": -100}


def test_a_deduction_is_taken_instead_of_the_grades() -> None:
    """Of each unit, with a note, whatever the fault."""
    given = waiting()

    given.when(inspect("A", graded("B", 2, deduction=500, note="scratched")))

    assert names_and_amounts(given.the()) == {"item:mug": 5400, "deduction:mug": -1000}


def test_a_deduction_may_be_the_whole_value_and_no_more() -> None:
    """A unit is worth 18.00."""
    given = waiting()
    refusal = given.refuses(inspect(graded("B", 3, deduction=1801, note="worn")))
    assert refusal.code == "deduction_exceeds_worth"
    assert refusal.violations[0].numbers["value"] == 1800
    assert given.codes(inspect(graded("B", deduction=1800))) == ["deduction_without_note"]
    assert given.codes(inspect(graded("B", deduction=0, note="n"))) == ["invalid_deduction"]
    assert given.codes(inspect(graded("B", deduction=Money(1, "eur"), note="n"))) == ["currency_mismatch"]

    given.when(inspect(graded("B", 3, deduction=usd(1800), note="worn")))

    assert given.the().refund_amount == usd(0)


def test_fees_are_kept_of_what_the_grades_leave() -> None:
    """10 % of 32.40."""
    policy = ReturnPolicy(inspect=True, grades=SCALE, fees=[Fee("restocking", percent=10)])
    given = waiting(policy=policy)

    given.when(inspect("A", "B", "D"))

    assert names_and_amounts(given.the())["fee:restocking"] == -324


def test_a_fee_for_each_unit_is_not_kept_of_those_that_nothing_is_paid_for() -> None:
    """Two of the three are paid for."""
    policy = ReturnPolicy(inspect=True, grades=SCALE, fees=[Fee("handling", amount=usd(100), per="unit")])
    given = waiting(policy=policy)

    given.when(inspect("A", "B", "D"))

    assert names_and_amounts(given.the())["fee:handling"] == -200


def test_a_later_better_judgement_pays_the_difference() -> None:
    """D becomes A: 14.40 + 3.60 and the 18.00 that were missing."""
    given = waiting()
    given.when(inspect("A", "B", "D"))

    given.when(inspect(graded("A", previous_grade="D")))

    assert given.the().refund_amount == usd(5040)
    assert [refund.amount for refund in given.the().refunds] == [usd(3240), usd(1800)]


def test_a_later_worse_judgement_takes_no_money_back() -> None:
    """A becomes D after it was paid: the difference is shown."""
    given = waiting()
    given.when(inspect("A", "B", "D"))

    given.when(inspect(graded("D", previous_grade="A")))

    assert given.the().refund_amount == usd(3240)
    assert names_and_amounts(given.the()) == {
        "item:mug": 5400,
        "grade:B": -360,
        "grade:D": -3600,
        "already_paid": 1800,
    }


def test_a_judgement_that_changes_before_the_payment_changes_the_amount() -> None:
    """Nothing was paid, so B that becomes D is worth nothing."""
    given = waiting()
    given.when(inspect("A", "B"))

    given.when(inspect(graded("D", previous_grade="B"), "D"))

    assert given.the().refund_amount == usd(1800)


def test_a_judgement_that_changes_nothing_moves_nothing() -> None:
    """The same again: no effect, no refund."""
    given = waiting()
    given.when(inspect("A", "B", "D"))
    given.all_delivered()

    (event,) = given.when(inspect(graded("B", previous_grade="B", note="looked again")))

    assert isinstance(event, GoodsInspected)
    assert event.inspection.requests == ()
    assert effect_kinds(given.ledger) == []


def test_a_failed_refund_is_not_tried_again_by_an_inspection() -> None:
    """To retry it is a command of its own."""
    given = waiting()
    given.when(inspect("A", "B", "D"))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("no")))

    given.when(inspect(graded("B", disposition="restock", previous_grade="B")))

    assert "refund-2" not in effect_kinds(given.ledger)
    assert given.the().amount_due == usd(3240)


def test_the_default_scale_is_what_a_receipt_says() -> None:
    """Sellable and damaged, as the policy pays for them."""
    for refund_damaged, due in ((True, 5400), (False, 3600)):
        given = waiting(policy=ReturnPolicy(inspect=True, refund_damaged=refund_damaged))

        given.when(inspect(graded("sellable", 2), "damaged"))

        assert given.the().refund_amount == usd(due)
        assert effect_kinds(given.ledger) == ["restock-1", "refund-1"]
        same = Given(five(), ReturnPolicy(refund_damaged=refund_damaged))
        same.when(request(3))
        same.when(receive(2, 1))
        assert same.the().refund_amount == usd(due)
        assert effect_kinds(same.ledger) == effect_kinds(given.ledger)


def test_goods_of_several_parcels_are_paid_as_they_are_judged() -> None:
    """The first parcel is paid once graded; the second is graded and paid after it arrived."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(1, more_expected=True))
    assert given.the().status is ReturnStatus.PARTIALLY_RECEIVED
    assert given.the().refunds == ()

    given.when(inspect("B"))
    assert given.the().status is ReturnStatus.PARTIALLY_RECEIVED
    assert given.the().refunded == usd(1440)
    given.when(receive(2))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    given.when(inspect("A", "A"))

    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refunded == usd(5040)


def test_a_mismatch_is_judged_and_then_decided() -> None:
    """Judging moves stock; the clerk's decision closes the return, and pays."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION

    given.when(inspect("A", "B"))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert effect_kinds(given.ledger) == ["restock-1", "dispose-1"]
    given.when(ResolveReturn(return_id="ret_1"))

    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refunded == usd(3240)


def test_a_mismatch_that_is_decided_first_is_in_inspection() -> None:
    """Nothing more is expected, and what arrived is yet to be graded."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))

    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert given.the().received_at is None
    assert given.the().refunds == ()
    given.when(inspect("A", "B"))

    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().received_at == given.now
    assert given.the().refunded == usd(3240)


def test_a_late_parcel_is_taken_while_goods_are_in_inspection() -> None:
    """What was not expected any more came after all."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2, allow_mismatch=True))
    assert given.the().status is ReturnStatus.IN_INSPECTION

    given.when(receive(1))
    given.when(inspect(graded("A", 3)))

    assert given.the().refund_amount == usd(5400)


def test_a_unit_that_goes_back_is_the_customers_and_nothing_is_paid() -> None:
    """It can be returned again, and is not expected with this return."""
    given = waiting()

    given.when(inspect("A", "A", graded("D", disposition="send_back")))

    item = given.the().items[0]
    assert names_and_amounts(given.the()) == {"item:mug": 3600}
    assert item.returned_to_customer_quantity == 1
    assert item.arrived_quantity == 2
    assert item.missing_quantity == 0
    assert item.graded_quantity == 3
    assert "sendback-1" in effect_kinds(given.ledger)
    given.when(request(3))
    assert given.the("ret_2").quoted_refund == usd(5400)


def test_what_went_back_cannot_be_judged_again() -> None:
    """It is not here any more."""
    given = waiting()
    given.when(inspect("A", "A", graded("D", disposition="send_back")))

    refusal = given.refuses(inspect(graded("A", previous_grade="D")))

    assert refusal.code == "regraded_exceeds_graded"
    assert refusal.violations[0].numbers["graded"] == 0


def test_an_exchange_is_received_once_its_goods_are_judged() -> None:
    """B at 80 %: the customer owes what is missing."""
    given = Given(five(), INSPECT)
    new = NewItem(variant_id="v_new", title="New", quantity=1, unit_price=usd(1800))
    given.when(
        RequestExchange(order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)], new_items=[new])
    )
    given.when(receive(1))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert given.ledger.exchanges[0].status == "requested"
    assert given.codes(CancelExchange(exchange_id=given.ledger.exchanges[0].id)) == ["return_in_inspection"]

    given.when(inspect("B"))

    exchange = given.ledger.exchanges[0]
    assert exchange.status == "requires_action"
    assert exchange.owed == usd(360)


def test_an_exchange_that_waits_for_its_difference_is_graded_again() -> None:
    """A B that was keyed by mistake: as an A it is worth the new goods, and they are sent."""
    given = Given(five(), INSPECT)
    new = NewItem(variant_id="v_new", title="New", quantity=1, unit_price=usd(1800))
    given.when(
        RequestExchange(order_id="order_1", items=[RequestedItem(item_id="mug", quantity=1)], new_items=[new])
    )
    given.when(receive(1))
    given.when(inspect("B"))
    assert given.ledger.exchanges[0].owed == usd(360)

    given.when(inspect(graded("D", previous_grade="B")))
    assert given.ledger.exchanges[0].owed == usd(1800)
    events = given.when(inspect(graded("D", disposition="outlet", previous_grade="D")))
    assert len(events) == 1
    given.when(inspect(graded("A", previous_grade="D")))

    assert given.ledger.exchanges[0].status == "completed"
    assert given.ledger.exchanges[0].owed == usd(0)
    assert "replacement-1" in effect_kinds(given.ledger)
    assert given.codes(inspect(graded("B", previous_grade="A"))) == ["value_fixed_by_exchange"]
    given.when(inspect(graded("A", disposition="outlet", previous_grade="A")))


def test_the_goods_of_a_claim_are_judged_and_move_no_money() -> None:
    """The claim waits until they are."""
    given = Given(five(), INSPECT)
    items = [ClaimItem(item_id="mug", quantity=1, reason="production_failure")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=items, return_items=True))
    given.when(receive(1))
    assert given.ledger.claims[0].status == "requested"

    given.when(inspect("D"))

    assert given.ledger.claims[0].status == "completed"
    assert given.the().refunds == ()


def test_rules_say_what_is_inspected() -> None:
    """Worn goods wait; the others are in stock and, with them, paid once all were graded."""
    policy = ReturnPolicy(
        grades=SCALE, rules=[ReturnRule(name="worn", when={"worn"}, inspect=True), ReturnRule(name="all")]
    )
    given = Given(order_of(line("mug", 5, 1800), line("pot", 1, 5000)), policy)
    items = [
        RequestedItem(item_id="mug", quantity=2, tags=["worn"]),
        RequestedItem(item_id="pot", quantity=1),
    ]
    given.when(RequestReturn(order_id="order_1", items=items))
    received = [("mug", 2), ("pot", 1)]
    given.when(
        ReceiveReturn(
            return_id="ret_1", items=[ReceivedItem(item_id=name, quantity=count) for name, count in received]
        )
    )
    (restock,) = [effect.request for effect in given.ledger.open_effects.values()]
    assert isinstance(restock, RestockRequest)
    assert [(each.item_id, each.quantity) for each in restock.lines] == [("pot", 1)]
    assert given.the().status is ReturnStatus.IN_INSPECTION

    given.when(inspect("A", "B"))

    assert given.the().refund_amount == usd(5000 + 1800 + 1440)


def test_units_beside_the_requested_ones_are_judged_too() -> None:
    """Of a line of another rule, or of none."""
    given = Given(five(), INSPECT)
    given.when(request(2))
    given.when(receive(3, allow_mismatch=True))
    assert sum(item.waiting_quantity for item in given.the().items) == 3

    given.when(inspect("A", "B", "D"))

    assert given.the().refund_amount == usd(3240)


def test_a_policy_changed_after_the_request_changes_no_inspection() -> None:
    """The scale and the flag are the return's own."""
    given = waiting()
    given.policy = ReturnPolicy()

    given.when(inspect("A", "B", "D"))

    assert given.the().refund_amount == usd(3240)


def test_a_named_amount_shrinks_with_the_grades() -> None:
    """30.00 named for 54.00 of goods: 30.00 x 32.40 / 54.00."""
    given = waiting(refund_amount=usd(3000))

    given.when(inspect("A", "B", "D"))

    assert given.the().refund_amount == usd(1800)


def test_taxes_are_reduced_with_the_goods() -> None:
    """A unit of 18.00 and 10 % tax on top is worth 19.80; 80 % of it 15.84."""
    given = waiting(1, order_of(line("mug", 1, 1800, tax_lines=vat("10"))))

    given.when(inspect("B"))

    assert given.the().refund_amount == usd(1584)


# -- refused -----------------------------------------------------------------------------------------


def test_a_grade_is_of_the_scale() -> None:
    """Of the return's own, which the refusal names."""
    refusal = waiting().refuses(inspect("C"))

    assert refusal.code == "unknown_grade"
    assert dict(refusal.violations[0].numbers) == {"grade": "C", "grades": ["A", "B", "D"]}


def test_no_more_is_judged_than_waits() -> None:
    """With the numbers, of all entries together."""
    refusal = waiting().refuses(inspect(graded("A", 2), graded("B", 2)))

    assert refusal.code == "inspected_exceeds_received"
    assert dict(refusal.violations[0].numbers) == {"quantity": 4, "waiting": 3}


def test_no_more_is_judged_again_than_was_judged_so() -> None:
    """Of that grade, and at that disposition if one is named."""
    given = waiting()
    given.when(inspect("A", "B", "D"))

    assert given.codes(inspect(graded("A", 2, previous_grade="B"))) == ["regraded_exceeds_graded"]
    both = [graded("A", previous_grade="B"), graded("D", previous_grade="B")]
    assert given.codes(inspect(*both)) == ["regraded_exceeds_graded"]
    elsewhere = graded("A", previous_grade="B", previous_disposition="outlet")
    assert given.codes(inspect(elsewhere)) == ["regraded_exceeds_graded"]
    assert given.codes(inspect(graded("A", previous_disposition="outlet"))) == ["previous_grade_missing"]


def test_nothing_waits_where_the_terms_do_not_inspect() -> None:
    """What arrived is in stock and paid for."""
    assert waiting(policy=ReturnPolicy()).codes(inspect("sellable"))[0] == "nothing_to_inspect"


def test_nothing_arrived() -> None:
    """Of a return of which no parcel was booked."""
    given = Given(five(), INSPECT)
    given.when(request(3))

    assert given.codes(inspect("A"))[0] == "nothing_to_inspect"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """And nothing is changed."""
    given = waiting()

    codes = given.codes(
        inspect(
            graded("C", 0, note=7, images=["x" * 10_001], reason_id="rr_none"),
            InspectedItem(item_id="pot", quantity=1, grade="A"),
            graded("A", 4, disposition=""),
        )
    )

    assert sorted(set(codes)) == [
        "inspected_exceeds_received",
        "invalid_quantity",
        "invalid_text",
        "item_not_in_return",
        "return_reason_not_found",
        "text_too_long",
        "unknown_grade",
    ]


def test_what_is_not_a_string_is_refused() -> None:
    """Wherever a clerk's client puts something else."""
    given = waiting()
    for name in ("disposition", "location_id", "note", "previous_disposition"):
        wrong: dict[str, Any] = {name: 7, "previous_grade": "A" if name.startswith("previous") else None}
        assert "invalid_text" in given.codes(inspect(graded("A", **wrong)))
    for grade in (7, None):
        assert "unknown_grade" in given.codes(inspect(graded(grade)))  # type: ignore[arg-type]
    assert "unknown_grade" in given.codes(inspect(graded("A", previous_grade=7)))
    assert given.codes(inspect(graded("A", images=7))) == ["invalid_text"]
    assert given.codes(inspect(graded("A", reason_id=7))) == ["return_reason_not_found"]
    assert given.codes(inspect(graded("A", reason_id="rr_old"))) == ["return_reason_retired"]
    assert given.codes(inspect(graded("A", images=["i"] * 101))) == ["too_many_images"]
    assert given.codes(InspectReturn(return_id="ret_1", items=[])) == ["no_items"]
    assert given.codes(InspectReturn(return_id="ret_9", items=[graded("A")])) == ["return_not_found"]


def test_notes_and_images_are_kept_as_they_were_given() -> None:
    """References only, in the inspection."""
    given = waiting()

    given.when(inspect(graded("B", note="scratched", images=["https://img.example/1"])))

    (inspection,) = given.the().inspections
    assert inspection.items[0].note == "scratched"
    assert inspection.items[0].images == ("https://img.example/1",)


def test_a_host_without_the_ports_is_refused_what_needs_them() -> None:
    """And nothing else."""
    given = waiting()
    given.disposes = given.sends_back = False

    assert given.codes(inspect("B")) == ["disposal_unsupported"]
    assert given.codes(inspect(graded("A", disposition="send_back"))) == ["send_back_unsupported"]
    given.when(inspect("A", graded("B", disposition="restock"), graded("D", disposition="hold")))
    assert given.the().status is ReturnStatus.RECEIVED


def test_stock_has_a_location_if_other_units_of_the_return_have_one() -> None:
    """A host without locations names none at all."""
    given = waiting()

    codes = given.codes(inspect(graded("A", location_id="loc_1"), "A"))
    assert codes == ["location_missing"]
    given.when(inspect(graded("A", location_id="loc_1")))
    assert given.codes(inspect("A")) == ["location_missing"]
    waiting().when(inspect("A", "A", "A"))


def test_nothing_is_deducted_of_what_goes_back() -> None:
    """Nothing is paid for it either."""
    sent = graded("B", disposition="send_back", deduction=100, note="n")

    assert waiting().codes(inspect(sent)) == ["deduction_without_refund"]


def test_units_that_are_judged_are_not_rejected_besides() -> None:
    """A grade, or sending back, says the same."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))

    command = ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=1)])

    assert given.codes(command) == ["graded_by_inspection"]


def test_a_return_in_inspection_is_neither_resolved_nor_canceled() -> None:
    """Its goods are here: they are graded first."""
    given = waiting()

    assert given.codes(ResolveReturn(return_id="ret_1")) == ["return_in_inspection"]
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_in_inspection"]
    assert given.codes(ApproveReturn(return_id="ret_1")) == ["return_not_pending"]


def test_a_mismatch_of_which_units_were_judged_is_not_canceled() -> None:
    """They may be anywhere; while nothing was graded, it can be."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))
    judged_one = Given(five(), INSPECT)
    for command in given.commands:
        judged_one.when(command)
    judged_one.when(inspect("B"))

    assert judged_one.codes(CancelReturn(return_id="ret_1")) == ["return_not_cancelable"]
    given.when(CancelReturn(return_id="ret_1"))
    assert given.the().status is ReturnStatus.CANCELED


def test_units_beyond_a_claim_go_back_or_are_worth_nothing() -> None:
    """No one would pay for them."""
    given = Given(five(), INSPECT)
    items = [ClaimItem(item_id="mug", quantity=1, reason="production_failure")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=items, return_items=True))
    given.when(receive(2, allow_mismatch=True))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION

    given.when(inspect("A", graded("A", disposition="send_back")))
    given.when(ResolveReturn(return_id="ret_1"))

    assert given.the().status is ReturnStatus.RECEIVED
    assert given.ledger.claims[0].status == "completed"


# -- the scale ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "grades",
    [
        [Grade("A", 100), Grade("A", 50)],
        [Grade("B", 80)],
        [Grade("A", 100, "shelf", restock=True), Grade("B", 80, "shelf")],
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(grades: list[Grade]) -> None:
    """Names that repeat, no grade at 100 %, one disposition that is stock and is not."""
    with pytest.raises(InvalidValue, match="grades"):
        ReturnPolicy(inspect=True, grades=grades)


@pytest.mark.parametrize("percent", [101, -1, 80.5, "many", None])
def test_a_percentage_is_from_0_to_100(percent: object) -> None:
    """And never a float."""
    with pytest.raises(InvalidValue, match="percent"):
        Grade("B", percent)  # type: ignore[arg-type]


def test_what_is_held_or_goes_back_is_not_stock() -> None:
    """A grade cannot say both."""
    for disposition in ("hold", "send_back"):
        with pytest.raises(InvalidValue, match="restock"):
            Grade("A", 100, disposition, restock=True)


def test_kept_goods_are_not_inspected() -> None:
    """They never come."""
    with pytest.raises(InvalidValue, match="inspect"):
        ReturnRule(name="kept", goods="kept", inspect=True)


def test_the_default_scale_has_two_grades() -> None:
    """Damaged units are paid for as the policy says."""
    assert [grade.percent for grade in default_grades(refund_damaged=True)] == [100, 100]
    assert [grade.percent for grade in default_grades(refund_damaged=False)] == [Decimal(100), Decimal(0)]
