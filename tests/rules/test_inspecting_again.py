"""Inspections whose outcome changes, or must not: refunded units, faults, places, named amounts."""

from itertools import permutations
from typing import Any

import pytest
from attrs import evolve

from rma import (
    Charge,
    CorrectedItem,
    CorrectReceipt,
    DisposeRequest,
    Fault,
    ForeignDecision,
    ForeignItem,
    InspectedItem,
    MissingItem,
    ReceivedItem,
    ReceiveReturn,
    RefundDeclined,
    RejectedItem,
    RequestedItem,
    RequestReturn,
    ResolveReturn,
    ReturnPolicy,
    ReturnReason,
    ReturnRule,
    ReturnStatus,
    UpdateReturn,
)
from tests.rules.given import Given, line, names_and_amounts, order_of, receive, request, usd
from tests.rules.inspected import FAULTS, INSPECT, SCALE, five, graded, inspect, mug, waiting


def back(grade: str = "D", **more: Any) -> Any:
    """Sends a mug back to the customer."""
    return inspect(graded(grade, disposition="send_back", **more))


def asks(*reasons: str | None) -> RequestReturn:
    """Requests a mug for each of these reasons."""
    items = [RequestedItem(item_id="mug", quantity=1, reason_id=reason) for reason in reasons]
    return RequestReturn(order_id="order_1", items=items)


def by_reasons(*reasons: str | None, policy: ReturnPolicy = INSPECT) -> Given:
    """Returns mugs that were requested for these reasons, one each; nothing arrived yet."""
    given = Given(five(), policy)
    given.catalogue = FAULTS
    given.when(asks(*reasons))
    return given


# units that were refunded


def test_a_unit_that_was_refunded_does_not_go_back() -> None:
    """The customer would have it and the money, and could return it for money again."""
    given = waiting(1)
    given.when(inspect("A"))
    assert given.the().refunded == usd(1800)

    refusal = given.refuses(back(previous_grade="A"))

    assert refusal.code == "rejected_already_refunded"
    assert refusal.violations[0].numbers["entitled"] == 1800
    assert refusal.violations[0].numbers["accepted"] == 0


def test_a_unit_that_was_paid_as_lost_does_not_go_back() -> None:
    """It turned up: it is the merchant's."""
    given = Given(five(), INSPECT)
    given.when(request(1))
    given.when(ResolveReturn(return_id="ret_1", missing=[MissingItem(item_id="mug", quantity=1, pay=True)]))
    given.when(receive(1))

    assert given.codes(back()) == ["rejected_already_refunded"]


def test_a_unit_for_which_nothing_was_paid_goes_back_later() -> None:
    """D is worth nothing; the other unit is paid."""
    given = waiting(2)
    given.when(inspect("A", "D"))

    given.when(back(previous_grade="D"))

    assert given.the().refunded == given.the().refund_amount == usd(1800)


def test_a_unit_whose_refund_failed_goes_back() -> None:
    """As long as the refund is in force, it is paid for; once it failed, it is not."""
    given = waiting(1)
    given.when(inspect("A"))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))

    given.when(back(previous_grade="A"))

    assert given.the().refund_amount == usd(0)


def test_a_late_unit_goes_back_although_others_were_paid_too_much() -> None:
    """It was never paid for itself."""
    given = waiting(1)
    given.when(inspect("A"))
    given.when(inspect(graded("D", previous_grade="A")))
    given.when(receive(1))
    assert given.the().refunded == usd(1800)

    given.when(back())

    assert given.the().items[-1].returned_to_customer_quantity == 1


# whose fault it is


@pytest.mark.parametrize("reasons", list(permutations(["rr_defective", "rr_mind"])))
@pytest.mark.parametrize("grades", list(permutations(["A", "D"])))
def test_the_worst_grades_are_of_units_of_the_merchants_fault(
    reasons: tuple[str, str], grades: tuple[str, str]
) -> None:
    """20 % off for no one: the D is the defective mug, in whatever order they were asked for and graded."""
    given = by_reasons(*reasons)
    given.when(receive(2))

    for grade in grades:
        given.when(inspect(grade))

    assert given.the().refund_amount == usd(3600)
    found = {item.reason_id: item.graded[0].grade for item in given.the().items}
    assert found == {"rr_defective": "D", "rr_mind": "A"}


@pytest.mark.parametrize("reasons", list(permutations(["rr_transit", "rr_mind"])))
@pytest.mark.parametrize("grades", list(permutations(["A", "D"])))
def test_in_whichever_parcel_they_arrived(reasons: tuple[str, str], grades: tuple[str, str]) -> None:
    """A later parcel says more about whose fault it is, and what was not paid is paid."""
    given = by_reasons(*reasons)
    given.when(receive(1, more_expected=True))
    given.when(inspect(grades[0]))
    given.when(receive(1))
    given.when(inspect(grades[1]))

    assert given.the().refund_amount == given.the().refunded == usd(3600)


def test_units_whose_worth_a_clerk_said_are_others() -> None:
    """A D for a reason of the clerk's is worth nothing, whose it is; so the B is the defective mug."""
    for grades in permutations([graded("B"), graded("D", reason_id="rr_mind")]):
        given = by_reasons("rr_defective", "rr_mind")
        given.when(receive(2))
        given.when(inspect(*grades))
        assert given.the().refund_amount == usd(1800)


@pytest.mark.parametrize("reasons", list(permutations(["rr_defective", "rr_mind"])))
def test_what_goes_back_is_of_the_customers_fault_first(reasons: tuple[str, str]) -> None:
    """The other one is paid whole, in whatever order they were asked for."""
    given = by_reasons(*reasons)
    given.when(receive(2))

    given.when(inspect(graded("D", disposition="send_back"), "B"))

    assert given.the().refund_amount == usd(1800)


@pytest.mark.parametrize("rules", [(), (ReturnRule(name="any"),)])
def test_whose_fault_it_is_was_known_when_it_was_requested(rules: tuple[ReturnRule, ...]) -> None:
    """The host retires the reason, or blames someone else by it: what was requested stays."""
    given = by_reasons("rr_defective", "rr_mind", policy=evolve(INSPECT, rules=rules))
    assert [item.fault for item in given.the().items] == [Fault.MERCHANT, Fault.CUSTOMER]
    given.when(receive(2))
    given.when(inspect("B"))
    given.catalogue = tuple(evolve(reason, fault="merchant") for reason in FAULTS[:-2])

    given.when(inspect("D"))

    assert given.the().refund_amount == usd(1800 + 1440)


def test_a_fault_that_is_named_later_is_not_counted() -> None:
    """The reason said nothing when the customer gave it."""
    given = Given(five(), INSPECT)
    given.catalogue = (ReturnReason(id="rr_odd", value="odd", label="Odd"),)
    given.when(asks("rr_odd"))
    given.when(receive(1))
    given.catalogue = (ReturnReason(id="rr_odd", value="odd", label="Odd", fault="merchant"),)

    given.when(inspect("B"))

    assert given.the().refund_amount == usd(1440)


def test_an_update_keeps_the_fault_of_a_reason() -> None:
    """Of a reason that it names again; another one's is that of the day."""
    given = by_reasons("rr_defective")
    blamed = [evolve(each, fault="customer" if each.id == "rr_defective" else each.fault) for each in FAULTS]
    given.catalogue = tuple(blamed)

    items = [
        RequestedItem(item_id="mug", quantity=1, reason_id="rr_defective"),
        RequestedItem(item_id="mug", quantity=1, reason_id="rr_transit"),
    ]
    given.when(UpdateReturn(return_id="ret_1", items=items))

    assert [item.fault for item in given.the().items] == [Fault.MERCHANT, Fault.CARRIER]


def test_the_reason_of_a_clerk_counts_as_it_was() -> None:
    """The rule that it brought stays, also when the reason is gone by the next inspection."""
    rules = [ReturnRule(name="ours", when={"fault:merchant"}), ReturnRule(name="mind")]
    given = by_reasons("rr_mind", "rr_mind", policy=evolve(INSPECT, rules=rules))
    given.when(receive(2))
    given.when(inspect(graded("B", reason_id="rr_defective")))
    given.catalogue = ()

    given.when(inspect("A"))

    (found,) = [each for item in given.the().items for each in item.graded if each.reason_id]
    assert (found.fault, found.rule) == (Fault.MERCHANT, "ours")
    assert given.the().refund_amount == usd(3600)


# moved units


def test_a_unit_that_is_moved_keeps_its_deduction() -> None:
    """It goes into stock, and nothing else changes: neither money nor the clerk's amount."""
    given = waiting(1)
    given.when(inspect(graded("B", deduction=700, note="a hole")))

    given.when(inspect(graded("B", previous_grade="B", disposition="restock")))
    assert given.the().refunded == usd(1100)
    assert given.the().items[0].graded[0].disposition == "restock"

    given.when(inspect(graded("B", previous_grade="B", deduction=300, note="a small one")))
    assert given.the().refunded == usd(1500)
    given.when(inspect(graded("A", previous_grade="B")))
    assert given.the().refunded == usd(1800)


def test_a_unit_that_is_moved_keeps_the_reason_of_the_clerk() -> None:
    """It was the customer's fault, as the clerk saw it."""
    given = by_reasons("rr_defective")
    given.when(receive(1))
    given.when(inspect(graded("D", reason_id="rr_mind")))
    assert given.the().refunded == usd(0)

    given.when(inspect(graded("D", previous_grade="D", disposition="outlet")))
    assert given.the().refunded == usd(0)
    assert given.the().items[0].graded[0].reason_id == "rr_mind"

    given.when(inspect(graded("D", previous_grade="D", reason_id="rr_transit")))
    assert given.the().refunded == usd(1800)


def test_units_that_are_moved_together_keep_what_was_said_of_each() -> None:
    """One with a deduction, one without: both go to the outlet."""
    given = waiting(2)
    given.when(inspect(graded("B", deduction=100, note="a spot"), "B"))
    amount = given.the().refund_amount

    given.when(inspect(graded("B", 2, previous_grade="B", disposition="outlet")))

    assert given.the().refund_amount == amount == usd(1700 + 1440)
    assert {each.disposition for each in given.the().items[0].graded} == {"outlet"}


# amounts that a clerk names


def test_an_amount_that_is_named_before_goods_were_judged_is_final() -> None:
    """With the receipt: it is paid once everything was graded, and not reduced by grades."""
    given = Given(five(), INSPECT)
    given.when(request(2))
    given.when(receive(2, refund_amount=1500))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert given.the().refund_amount == usd(1500)
    assert sum(names_and_amounts(given.the()).values()) == 1500
    assert given.the().refunds == ()

    given.when(inspect("B", "D"))

    assert given.the().refund_amount == given.the().refunded == usd(1500)


def test_an_amount_that_a_resolution_names_is_final_also_if_goods_wait() -> None:
    """Two of three arrived, and both are worth nothing by their grade."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))
    given.when(ResolveReturn(return_id="ret_1", refund_amount=1500))
    given.when(inspect(graded("D", 2)))

    assert given.the().refunded == usd(1500)


def test_an_amount_for_goods_that_wait_is_at_most_what_they_are_worth_whole() -> None:
    """Two of three arrived; a note says why it is more."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))

    refusal = given.refuses(ResolveReturn(return_id="ret_1", refund_amount=3601))
    assert refusal.code == "refund_exceeds_worth"
    assert refusal.violations[0].numbers["value"] == 3600
    given.when(ResolveReturn(return_id="ret_1", refund_amount=3601, refund_note="for the trouble"))
    assert given.the().refund_amount == usd(3601)


@pytest.mark.parametrize("amount", [0, 900])
def test_an_amount_named_with_a_later_parcel_replaces_the_one_before_and_its_note(amount: int) -> None:
    """72.00 was agreed for three mugs, with a note; a fourth comes, and less is named for the three."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(3, refund_amount=7200, refund_note="for the trouble"))

    given.when(receive(1, refund_amount=amount))

    account = given.the().entitlement
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert (account.requested_refund, account.agreed_refund, account.refund_note) == (usd(amount), None, None)
    assert given.the().refund_amount == usd(amount)
    given.when(ResolveReturn(return_id="ret_1"))
    given.when(inspect(graded("A", 4)))
    assert given.the().refund_amount == given.the().refunded == usd(amount + 1800)


def test_an_amount_above_the_value_keeps_its_note_while_no_other_is_named() -> None:
    """72.00 for three mugs that wait; one more comes and is accepted: the amount was for the whole return."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(3, refund_amount=7200, refund_note="for the trouble"))
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))
    given.when(inspect(graded("B", 4)))

    assert given.the().refunded == usd(7200)
    assert given.the().entitlement.refund_note == "for the trouble"


def going_back(quantity: int = 1) -> InspectedItem:
    """So many mugs go back to the customer."""
    return graded("D", quantity, disposition="send_back")


@pytest.mark.parametrize("note", [None, "for the trouble"])
@pytest.mark.parametrize("steps", [[going_back(3)], [going_back(1), going_back(2)]])
def test_an_amount_named_for_goods_that_all_go_back_is_not_owed(
    steps: list[InspectedItem], note: str | None
) -> None:
    """50.00 for three mugs that wait; the customer keeps them all, and is not paid for them as well."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(3, refund_amount=5000, refund_note=note))

    for each in steps:
        given.when(inspect(each))

    account = given.the().entitlement
    assert given.the().status is ReturnStatus.RECEIVED
    assert (given.the().refund_amount, given.the().refunds, account.due) == (usd(0), (), usd(0))
    assert (account.agreed_refund, account.refund_note) == (None, None)
    assert names_and_amounts(given.the()) == {"item:mug": 0}
    assert not given.the().needs_attention


def test_an_amount_named_for_goods_of_which_some_go_back_is_at_most_what_the_others_are_worth() -> None:
    """50.00 for three mugs of 18.00 each; two stay for 36.00, whatever their grades; less stays as it is."""
    for named, note, paid in [(5000, None, 3600), (3000, None, 3000), (5000, "for the trouble", 5000)]:
        given = Given(five(), INSPECT)
        given.when(request(3))
        given.when(receive(3, refund_amount=named, refund_note=note))
        given.when(inspect(going_back()))
        assert given.the().refund_amount == usd(paid)
        given.when(inspect("A", "D"))
        assert given.the().refunded == given.the().refund_amount == usd(paid)


def test_what_was_paid_for_goods_that_all_go_back_is_overpaid() -> None:
    """Paid on receipt, named or not: a person has to look, no customer is charged, a clerk may leave it."""
    for named in (2000, None):
        given = Given(five(), ReturnPolicy(pay_on="receipt", inspect=True, grades=SCALE))
        given.when(request(3))
        given.when(receive(3, refund_amount=named))
        paid = given.the().refunded
        assert paid == usd(named or 5400)

        given.when(inspect(going_back(3)))

        account = given.the().entitlement
        assert (given.the().refunded, account.overpaid, account.due) == (paid, paid, usd(0))
        assert given.the().needs_attention
        leave = ResolveReturn(return_id="ret_1", refund_amount=paid, refund_note="a gift")
        given.when(leave)
        assert (given.the().entitlement.overpaid, given.the().needs_attention) == (usd(0), False)


def mug_and_tea(**more: Any) -> Given:
    """
    Returns a mug of 18.00 that waits to be graded, a tea of 10.00 that does not, and an amount for both.

    A foreign sock makes a person decide.
    """
    rules = [ReturnRule(name="worn", when={"worn"}, inspect=True), ReturnRule(name="all")]
    order = order_of(line("mug", 1, 1800, tags={"worn"}), line("tea", 2))
    given = Given(order, ReturnPolicy(rules=rules, grades=SCALE))
    asked = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("mug", "tea")]
    given.when(RequestReturn(order_id="order_1", items=asked))
    parcel = [ReceivedItem(item_id=item_id, quantity=1) for item_id in ("mug", "tea")]
    given.when(ReceiveReturn(return_id="ret_1", items=parcel, **more))
    given.when(ReceiveReturn(return_id="ret_1", items=[], foreign=[ForeignItem(description="a sock")]))
    return given


def tea_rejected(**more: Any) -> ResolveReturn:
    """Rejects the tea, and keeps the sock."""
    return ResolveReturn(
        return_id="ret_1",
        rejected=[RejectedItem(item_id="tea", quantity=1)],
        foreign=[ForeignDecision(number=1, send_back=False)],
        **more,
    )


def test_an_amount_with_a_note_is_not_for_goods_of_which_the_last_are_rejected() -> None:
    """40.00 for the trouble; the mug goes back, then the tea."""
    given = mug_and_tea(refund_amount=4000, refund_note="for the trouble")
    given.when(inspect(going_back()))
    assert given.the().entitlement.agreed_refund == usd(4000)

    given.when(tea_rejected())

    assert (given.the().status, given.the().refund_amount) == (ReturnStatus.RECEIVED, usd(0))
    assert given.the().entitlement.agreed_refund is None


@pytest.mark.parametrize(("named", "paid"), [(None, 1800), (2500, 2500)])
def test_an_amount_is_not_for_goods_that_are_rejected_later(named: int | None, paid: int) -> None:
    """25.00 for a mug of 18.00 and a tea of 10.00 that is rejected, unless who does it names it."""
    given = mug_and_tea(refund_amount=2500)

    given.when(tea_rejected(refund_amount=named, refund_note="for the trouble" if named else None))

    assert given.the().refund_amount == usd(paid)
    given.when(inspect("D"))
    assert given.the().refunded == usd(paid)


def test_an_order_whose_goods_all_go_back_keeps_its_charges() -> None:
    """What is given back with all goods is not given back without any."""
    rules = [ReturnRule(name="all", inspect=True, charges_back="all_back")]
    order = evolve(five(), charges=[Charge("post", "shipping", 490)])
    given = Given(order, ReturnPolicy(rules=rules, grades=SCALE))
    given.when(request(5))
    given.when(receive(5, refund_amount=9000))
    given.when(inspect(going_back(5)))
    assert (given.the().refund_amount, given.the().charges_back) == (usd(0), ())


def test_of_goods_that_were_judged_an_amount_is_at_most_what_they_are_worth_so() -> None:
    """B for 14.40, and one that waits for 18.00."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))
    given.when(inspect("B"))

    refusal = given.refuses(ResolveReturn(return_id="ret_1", refund_amount=3241))

    assert refusal.violations[0].numbers["value"] == 3240


# places


def two_places(policy: ReturnPolicy = INSPECT) -> Given:
    """Returns mugs of which one arrived at Berlin and one at Paris."""
    given = Given(five(), policy)
    given.when(request(2))
    given.when(receive(1, location_id="berlin", more_expected=True))
    given.when(receive(1, location_id="paris"))
    return given


def test_stock_needs_a_location_where_parcels_disagree() -> None:
    """No one said which of the two it is."""
    given = two_places()

    assert given.codes(inspect("A")) == ["location_missing"]
    given.when(inspect("D", graded("A", location_id="berlin")))

    assert [each.location_id for each in given.the().restocks] == ["berlin"]


def test_stock_is_where_its_line_arrived() -> None:
    """Another line's parcel changes nothing."""
    given = Given(order_of(line("mug", 2), line("cup", 2)), INSPECT)
    items = [RequestedItem(item_id=each, quantity=1) for each in ("mug", "cup")]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(1, location_id="berlin", more_expected=True))
    cup = ReceivedItem(item_id="cup", quantity=1)
    given.when(ReceiveReturn(return_id="ret_1", items=[cup], location_id="paris"))

    given.when(inspect("A", evolve(graded("A"), item_id="cup")))

    assert [each.location_id for each in given.the().restocks] == ["berlin", "paris"]


def test_stock_is_not_where_goods_were_disposed_of() -> None:
    """A host without locations of stock has a bin."""
    given = waiting(2)
    given.when(inspect(graded("D", location_id="bin")))

    given.when(inspect("A"))

    assert [each.location_id for each in given.the().restocks] == [None]


def test_units_that_a_correction_brought_are_where_the_return_is() -> None:
    """The parcel was booked as empty."""
    given = Given(five(), INSPECT)
    given.when(request(1))
    given.when(ReceiveReturn(return_id="ret_1", items=[mug(0)], location_id="berlin"))
    items = [CorrectedItem(item_id="mug", quantity=1)]
    given.when(CorrectReceipt(return_id="ret_1", items=items, reason="miscounted"))

    given.when(inspect("A"))

    assert [each.location_id for each in given.the().restocks] == ["berlin"]


def test_a_disposition_is_asked_for_once_for_each_move() -> None:
    """There and back: it was brought there twice; nothing is asked where nothing moves."""
    given = waiting(1)
    given.when(inspect("D"))
    given.when(inspect(graded("D", previous_grade="D")))
    for grade, previous in (("A", "D"), ("D", "A")):
        given.when(inspect(graded(grade, previous_grade=previous)))

    requests = [each for inspection in given.the().inspections for each in inspection.requests]
    assert [type(each).__name__ for each in requests] == [
        "DisposeRequest",
        "RestockRequest",
        "WithdrawRequest",
        "DisposeRequest",
    ]
    assert len({each.key for each in requests if isinstance(each, DisposeRequest)}) == 2


# resolutions beside inspections


def half_inspected() -> Given:
    """Returns three mugs: a defective one that waits, and two that no rule inspects, one not requested."""
    rules = [ReturnRule(name="ours", when={"fault:merchant"}, inspect=True), ReturnRule(name="others")]
    given = by_reasons("rr_defective", "rr_mind", policy=ReturnPolicy(grades=SCALE, rules=rules))
    given.when(receive(3))
    return given


def test_units_that_are_not_inspected_are_rejected_beside_those_that_are() -> None:
    """What no inspection will grade is for the resolution."""
    given = half_inspected()
    waits = [item.waiting_quantity for item in given.the().items]
    free = sum(item.arrived_quantity for item in given.the().items) - sum(waits)
    assert sum(waits)
    assert free

    refusal = given.refuses(
        ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=free + 1)])
    )
    assert refusal.code == "quantity_exceeds_received"
    assert refusal.violations[0].numbers["received"] == free
    given.when(ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=1)]))

    assert [item.waiting_quantity for item in given.the().items] == waits
    assert [item.rejected_quantity for item in given.the().items if item.is_inspected] == [0] * sum(
        item.is_inspected for item in given.the().items
    )


def test_units_that_wait_are_not_rejected_in_their_stead() -> None:
    """The mug that was not liked, though the defective one arrived after it."""
    rules = [ReturnRule(name="ours", when={"fault:merchant"}, inspect=True), ReturnRule(name="others")]
    policy = ReturnPolicy(grades=SCALE, rules=rules)
    given = by_reasons("rr_mind", "rr_defective", "rr_defective", policy=policy)
    given.when(receive(2))

    rejected = [RejectedItem(item_id="mug", quantity=1, send_back=False)]
    given.when(ResolveReturn(return_id="ret_1", rejected=rejected))

    assert [item.rejected_quantity for item in given.the().items] == [1, 0, 0]
    assert [item.waiting_quantity for item in given.the().items] == [0, 1, 0]


# what a short close leaves free


def closed_short(**more: Any) -> Given:
    """Returns three mugs of which two arrived and wait; the third stays with the customer."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2, **more))
    missing = [MissingItem(item_id="mug", quantity=1, pay=False)]
    given.when(ResolveReturn(return_id="ret_1", missing=missing))
    return given


def test_what_did_not_come_is_the_customers_while_the_rest_is_inspected() -> None:
    """It can be requested again, and it is not owed any more."""
    given = closed_short()
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert given.the().refund_amount == usd(3600)
    assert names_and_amounts(given.the()) == {"item:mug": 3600}
    assert given.ledger.reserved_quantities() == {"mug": 2}

    given.when(request(3))
    assert given.the("ret_2").refund_amount == usd(5400)
    given.when(receive(3, return_id="ret_2"))
    given.when(inspect("A", "D"))

    assert given.the().refunded == usd(1800)
    assert given.ledger.reserved_quantities() == {"mug": 5}


def test_what_did_not_come_is_late_if_it_comes_while_the_rest_is_inspected() -> None:
    """As it is once the return was received: a person decides about it."""
    given = closed_short()

    given.when(receive(1))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert given.the().items[-1].is_late
    assert given.ledger.reserved_quantities() == {"mug": 3}
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().refund_amount == usd(5400)
    given.when(inspect(graded("A", 3)))
    assert given.the().refunded == usd(5400)


def test_a_parcel_that_was_lost_and_paid_turns_up_while_the_rest_is_inspected() -> None:
    """Nothing is left to decide: it waits, too, and pays nothing more."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2))
    given.when(ResolveReturn(return_id="ret_1", missing=[MissingItem(item_id="mug", quantity=1, pay=True)]))
    assert given.the().refund_amount == usd(5400)

    given.when(receive(1))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    given.when(inspect(graded("A", 3)))

    assert given.the().refunded == usd(5400)


def test_a_receipt_that_accepts_fewer_units_leaves_the_others_free() -> None:
    """Also after something late arrived, which a person decides about."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(1, allow_mismatch=True))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert given.ledger.reserved_quantities() == {"mug": 1}
    assert given.the().refund_amount == usd(1800)

    given.when(receive(1))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert given.ledger.reserved_quantities() == {"mug": 2}


def test_what_is_owed_while_some_is_inspected_is_for_what_arrived() -> None:
    """A mug that is kept without a refund, and a cup that never arrived, are not owed."""
    rules = [ReturnRule(name="ours", when={"fault:merchant"}, inspect=True), ReturnRule(name="others")]
    given = Given(order_of(line("mug", 3, 1800), line("cup", 1, 500)), ReturnPolicy(rules=rules))
    given.catalogue = FAULTS
    reasons = [("mug", "rr_defective"), ("mug", "rr_mind"), ("cup", "rr_mind")]
    items = [RequestedItem(item_id=item_id, quantity=1, reason_id=reason) for item_id, reason in reasons]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(2))
    rejected = [RejectedItem(item_id="mug", quantity=1, send_back=False)]

    given.when(ResolveReturn(return_id="ret_1", rejected=rejected))

    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert given.the().refund_amount == usd(1800)
    assert [part.amount.amount for part in given.the().breakdown] == [1800, 0]


def test_what_is_counted_too_high_is_still_expected() -> None:
    """Three were booked, and one arrived: no one closed the return without the others."""
    given = waiting(3)
    assert not given.the().is_released

    items = [CorrectedItem(item_id="mug", quantity=1)]
    given.when(CorrectReceipt(return_id="ret_1", items=items, reason="miscounted"))

    assert not given.the().receipts[0].closed_short


def test_a_correction_brings_what_a_short_close_left_free() -> None:
    """Three arrived: the third is what was requested."""
    given = closed_short()

    items = [CorrectedItem(item_id="mug", quantity=3)]
    given.when(CorrectReceipt(return_id="ret_1", items=items, reason="miscounted"))

    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert [item.waiting_quantity for item in given.the().items] == [3]
    given.when(inspect(graded("A", 3)))
    assert given.the().refunded == usd(5400)
