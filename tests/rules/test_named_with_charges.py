"""Amounts that are named for units and the charges that come back with them: at most both, and each once."""

from typing import Any

import pytest
from attrs import evolve

from rma import (
    ApprovedItem,
    ApproveReturn,
    Charge,
    ClaimedCharge,
    ClaimItem,
    CorrectedItem,
    CorrectReceipt,
    InspectedItem,
    InspectReturn,
    ReceivedItem,
    ReceiveReturn,
    RequestClaim,
    ResolveReturn,
    ReturnStatus,
)
from rma.domain.sale.charges import RefundedCharge, up_to
from tests.rules.given import Given, names_and_amounts, request, update, usd
from tests.rules.inspected import SCALE
from tests.rules.test_rule_money import EXPRESS, all_back, come_home, parts_of, sold

#: 54.00 for the shirts, and 4.90 of the delivery with all of them.
GOODS, BOTH = 5400, 5400 + 490


def shop(mode: str = "all_back", *charges: Charge, **more: Any) -> Given:
    """Returns an order of three shirts whose charges come back so."""
    return Given(sold(*(charges or (EXPRESS,))), all_back(mode, **more))


def parcel(quantity: int, **more: Any) -> ReceiveReturn:
    """Receives shirts for the first return."""
    items = [ReceivedItem(item_id="shirt", quantity=quantity)]
    return ReceiveReturn(return_id="ret_1", items=items, **more)


def back(given: Given, return_id: str = "ret_1") -> list[int]:
    """Returns what the return gives back of charges, minor units."""
    return [each.amount for each in given.the(return_id).charges_back]


def test_an_amount_for_everything_is_at_most_the_goods_and_the_charges() -> None:
    """54.00 and 4.90: a cent more needs a note, by the request, the receipt and the resolution."""
    given = shop()
    (refusal,) = given.refuses(request(3, "shirt", refund_amount=BOTH + 1)).violations
    assert refusal.code == "refund_exceeds_worth"
    assert dict(refusal.numbers) == {"amount": BOTH + 1, "value": BOTH, "currency": "usd"}
    given.when(request(3, "shirt", refund_amount=BOTH))
    assert given.the().refund_amount == usd(BOTH)
    assert given.codes(parcel(3, refund_amount=BOTH + 1)) == ["refund_exceeds_worth"]
    given.when(parcel(2))
    assert given.codes(parcel(0, refund_amount=BOTH + 1)) == ["refund_exceeds_worth"]
    assert given.codes(ResolveReturn(return_id="ret_1", refund_amount=3601)) == ["refund_exceeds_worth"]
    given.when(parcel(1, refund_amount=BOTH))
    assert (given.the().refunded, back(given)) == (usd(BOTH), [490])


def test_a_part_of_the_goods_is_named_without_charges() -> None:
    """They come back with the last shirt only, and with their own taxes."""
    given = shop()
    assert given.codes(request(2, "shirt", refund_amount=3601)) == ["refund_exceeds_worth"]
    assert come_home(given, 2, "shirt", refund_amount=3600) == 3600
    assert back(given) == []
    assert given.codes(request(1, "shirt", refund_amount=1800 + 491)) == ["refund_exceeds_worth"]

    assert come_home(given, 1, "shirt", refund_amount=1800 + 490) == 1800 + 490

    assert names_and_amounts(given.the("ret_2")) == {
        "item:shirt": 1800, "charge:express": 490, "custom_amount": 0
    }  # fmt: skip
    assert parts_of(given, "charge:express", "ret_2") == {"price": 412, "tax:19": 78}


@pytest.mark.parametrize(
    ("named", "given_back", "custom"),
    [(5000, [], -400), (GOODS, [], 0), (5500, [100], 0), (BOTH, [490], 0)],
)
def test_what_is_above_the_goods_is_of_the_charges(named: int, given_back: list[int], custom: int) -> None:
    """As far as it goes, and each with its taxes; the quote says so, and it is what is paid."""
    given = shop()
    given.when(request(3, "shirt", refund_amount=named))
    quoted = names_and_amounts(given.the())
    assert quoted.get("charge:express", 0) == sum(given_back)

    given.when(parcel(3))

    assert given.the().refunded == usd(named)
    assert back(given) == given_back
    assert names_and_amounts(given.the()) == quoted
    assert quoted["custom_amount"] == custom


def test_what_has_a_note_is_above_both() -> None:
    """60.00: the goods, the delivery, and 1.10 for the trouble, which is no one's tax."""
    given = shop()
    assert come_home(given, 3, "shirt", refund_amount=6000, refund_note="for the trouble") == 6000
    assert back(given) == [490]
    assert names_and_amounts(given.the())["custom_amount"] == 110
    assert parts_of(given, "custom_amount") == {}


def test_an_amount_for_charges_shrinks_with_them() -> None:
    """58.90 was named for three; one stays with the customer, and so does the delivery."""
    given = shop()
    given.when(request(3, "shirt", refund_amount=BOTH))
    given.when(parcel(2))
    given.when(ResolveReturn(return_id="ret_1"))
    assert (given.the().refunded, back(given)) == (usd(3600), [])
    assert names_and_amounts(given.the()) == {"item:shirt": 3600, "custom_amount": 0}


def test_fewer_units_are_approved_without_the_charges_that_need_all() -> None:
    """Of 55.00 for three: 36.00 for two; of 60.00 with a note two thirds of what is not the delivery."""
    for named, note, approved in [(5500, None, 3600), (6000, "for the trouble", 3673)]:
        given = shop(review=True)
        given.when(request(3, "shirt", refund_amount=named, refund_note=note))
        given.when(ApproveReturn(return_id="ret_1", items=[ApprovedItem(item_id="shirt", quantity=2)]))
        assert given.the().refund_amount == usd(approved)
        given.when(parcel(2))
        assert given.the().refunded == usd(approved)


def test_an_update_is_limited_as_a_request() -> None:
    """By its own rules, and as if it was not there."""
    given = shop()
    given.when(request(3, "shirt", refund_amount=BOTH))
    assert given.codes(update(3, "shirt", refund_amount=BOTH + 1)) == ["refund_exceeds_worth"]
    given.policy = all_back("never")
    given.when(update(3, "shirt", refund_amount=BOTH))
    assert given.codes(update(2, "shirt", refund_amount=3601)) == ["refund_exceeds_worth"]
    given.when(parcel(3))
    assert (given.the().refunded, back(given)) == (usd(BOTH), [490])


def test_a_charge_is_given_back_once() -> None:
    """What a claim gave of the delivery is not left for the amount, also if it was named before."""
    given = shop()
    given.when(request(3, "shirt", refund_amount=BOTH))
    charge = ClaimedCharge(charge_id="express", amount=400)
    given.when(RequestClaim(order_id="order_1", type="refund", charges=[charge]))

    given.when(parcel(3))

    assert (given.the().refunded, back(given)) == (usd(GOODS + 90), [90])


def test_a_final_amount_keeps_its_charges_while_its_goods_wait() -> None:
    """Nothing is left of the delivery for a claim; grades do not change the amount."""
    given = Given(sold(EXPRESS), evolve(all_back("all_back", inspect=True), grades=SCALE))
    given.when(request(3, "shirt"))
    given.when(parcel(3, refund_amount=BOTH))
    assert (given.the().status, back(given)) == (ReturnStatus.IN_INSPECTION, [490])
    charge = ClaimedCharge(charge_id="express", amount=1)
    claim = RequestClaim(order_id="order_1", type="refund", charges=[charge])
    assert given.codes(claim) == ["refund_exceeds_charge"]

    grades = [InspectedItem(item_id="shirt", quantity=1, grade=grade) for grade in ("A", "B", "D")]
    given.when(InspectReturn(return_id="ret_1", items=grades))

    assert (given.the().refunded, back(given)) == (usd(BOTH), [490])
    assert names_and_amounts(given.the())["custom_amount"] == 360 + 1800


def test_a_final_amount_is_without_charges_once_some_goods_go_back() -> None:
    """58.90 for three shirts and the delivery: two stay, for 36.00."""
    given = Given(sold(EXPRESS), all_back("all_back", inspect=True))
    given.when(request(3, "shirt"))
    given.when(parcel(3, refund_amount=BOTH))
    back_again = InspectedItem(item_id="shirt", quantity=1, grade="damaged", disposition="send_back")
    given.when(InspectReturn(return_id="ret_1", items=[back_again]))
    assert given.the().refund_amount == usd(3600)
    stay = InspectedItem(item_id="shirt", quantity=2, grade="sellable")
    given.when(InspectReturn(return_id="ret_1", items=[stay]))
    assert (given.the().refunded, back(given)) == (usd(3600), [])


def test_a_final_amount_has_the_share_of_charges_of_the_goods_that_stay() -> None:
    """58.90 for three shirts and the delivery by share: two stay, for 36.00 and 3.27."""
    given = Given(sold(EXPRESS), all_back("share", inspect=True))
    given.when(request(3, "shirt"))
    given.when(parcel(3, refund_amount=BOTH))
    back_again = InspectedItem(item_id="shirt", quantity=1, grade="damaged", disposition="send_back")
    given.when(InspectReturn(return_id="ret_1", items=[back_again]))
    stay = InspectedItem(item_id="shirt", quantity=2, grade="sellable")
    given.when(InspectReturn(return_id="ret_1", items=[stay]))
    assert (given.the().refunded, back(given)) == (usd(3600 + 327), [327])


def test_an_amount_for_a_mismatch_is_for_the_requested_units_and_their_charges() -> None:
    """Two of three arrive: 58.90 may be named for all three, of which 36.00 are paid for the two."""
    given = shop()
    given.when(request(3, "shirt"))
    assert given.codes(parcel(2, refund_amount=BOTH + 1)) == ["refund_exceeds_worth"]
    given.when(parcel(2, refund_amount=BOTH))
    assert given.the().refund_amount == usd(BOTH)
    given.when(ResolveReturn(return_id="ret_1"))
    assert (given.the().refunded, back(given)) == (usd(3600), [])


def test_a_correction_leaves_the_charges_of_what_arrived() -> None:
    """58.90 named for three: all the same if one was damaged, 36.00 if one did not arrive."""
    given = shop()
    given.when(request(3, "shirt"))
    given.when(parcel(3, refund_amount=BOTH))
    assert given.the().refunded == usd(BOTH)

    def counted(quantity: int, damaged: int = 0) -> CorrectReceipt:
        item = CorrectedItem(item_id="shirt", quantity=quantity, damaged_quantity=damaged)
        return CorrectReceipt(return_id="ret_1", items=[item], reason="counted again")

    given.when(counted(2, 1))
    assert (given.the().entitlement.overpaid, back(given)) == (usd(0), [490])
    given.when(counted(2))
    assert (given.the().entitlement.overpaid, back(given)) == (usd(BOTH - 3600), [])


def test_a_share_of_charges_is_named_with_its_units() -> None:
    """4.90 by share: 1.63 with one shirt of three, and everything in the end."""
    given = shop("share")
    assert given.codes(request(1, "shirt", refund_amount=1800 + 164)) == ["refund_exceeds_worth"]
    assert come_home(given, 1, "shirt", refund_amount=1800 + 163) == 1963
    assert come_home(given, 2, "shirt") == 3600 + 327


def test_a_rounding_that_went_down_limits_no_amount() -> None:
    """0.03 were not paid: an amount is named for the goods all the same, and leaves the rounding alone."""
    rounding = Charge("cash", "cash_rounding", usd(-3))
    given = shop("all_back", rounding)
    assert come_home(given, 3, "shirt", refund_amount=GOODS) == GOODS
    assert back(given) == []
    given = shop("all_back", EXPRESS, rounding)
    assert given.codes(request(3, "shirt", refund_amount=BOTH - 2)) == ["refund_exceeds_worth"]
    assert come_home(given, 3, "shirt", refund_amount=BOTH - 3) == BOTH - 3
    assert back(given) == [490, -3]
    given = shop("all_back", rounding, EXPRESS)
    assert come_home(given, 3, "shirt", refund_amount=BOTH - 4) == BOTH - 4
    assert back(given) == [0, 486]


def test_charges_of_a_claim_are_named_apart_from_its_amount() -> None:
    """Both limits hold: the amount is for the units, the charges are what is left of them."""
    given = shop()
    claim: dict[str, Any] = {
        "order_id": "order_1",
        "type": "refund",
        "items": [ClaimItem(item_id="shirt", quantity=3, reason="other")],
        "charges": [ClaimedCharge(charge_id="express", amount=490)],
    }
    (refusal,) = given.refuses(RequestClaim(**claim, refund_amount=GOODS + 1)).violations
    assert (refusal.code, refusal.numbers["value"]) == ("refund_exceeds_worth", GOODS)
    given.when(RequestClaim(**claim, refund_amount=GOODS))
    assert given.ledger.claims[0].refunded == usd(BOTH)


def test_charges_are_taken_up_to_an_amount() -> None:
    """The first ones first; all, or none."""
    charges = (
        RefundedCharge("a", (100,), share_of=7),
        RefundedCharge("b", (-3,)),
        RefundedCharge("c", (50,)),
    )
    amounts = {
        most: [each.amount for each in up_to(charges, most)] for most in (-1, 0, 1, 120, 146, 147, 999)
    }
    assert amounts == {
        -1: [], 0: [], 1: [1, 0, 0], 120: [100, 0, 20], 146: [100, 0, 46],
        147: [100, -3, 50], 999: [100, -3, 50],
    }  # fmt: skip
    assert [each.share_of for each in up_to(charges, 1)] == [7, 0, 0]
    assert up_to(charges[1:2], 5) == ()
