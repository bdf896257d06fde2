"""RequestClaim without goods: price reductions, goodwill, charges; and what can still come back."""

from typing import Any

import pytest
from attrs import evolve

from rma import (
    CancelClaim,
    CancelReturn,
    Charge,
    Claim,
    ClaimCanceled,
    ClaimedCharge,
    ClaimItem,
    ClaimRequested,
    ClaimStatus,
    IdempotencyKeyReused,
    Invalid,
    Money,
    NewItem,
    NotAllowed,
    Payment,
    PriceReduced,
    ReceivedItem,
    ReceiveReturn,
    ReducedBy,
    ReducedUnits,
    RefundDeclined,
    RefundRequest,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    Return,
    ReturnPolicy,
    ReturnRule,
)
from rma.domain.change import replay
from rma.domain.decide import answer
from rma.domain.react import react
from rma.domain.views.order_state import order_state
from rma.domain.views.returnable import returnable_items
from tests.rules.given import Given, line, names_and_amounts, off, order_of, put, receive, request, usd, vat

CUP = NewItem(variant_id="v_cup", quantity=1, unit_price=usd(1500))


def reduce(quantity: int = 1, amount: Any = 200, item_id: str = "mug", **more: Any) -> RequestClaim:
    """Returns a claim that reduces the price of units of a line."""
    of_item = {key: more.pop(key) for key in ("claim_id", "reason", "note", "images") if key in more}
    item = ClaimItem(
        item_id=item_id, quantity=quantity, amount=amount, **{"reason": "production_failure", **of_item}
    )
    return RequestClaim(order_id="order_1", type="reduce", **{"items": [item], **more})


def goodwill(amount: Any = 200, **more: Any) -> RequestClaim:
    """Returns a claim without units."""
    return RequestClaim(order_id="order_1", type="goodwill", refund_amount=amount, **more)


def back(given: Given, quantity: int, **more: Any) -> Return:
    """Requests mugs and receives them."""
    items = [RequestedItem(item_id="mug", quantity=quantity, **more)]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(quantity, return_id=given.ledger.returns[-1].id))
    return given.ledger.returns[-1]


def the(given: Given) -> Claim:
    """Returns the latest claim."""
    return given.ledger.claims[-1]


def latest(given: Given) -> Return:
    """Returns the latest return."""
    return given.ledger.returns[-1]


def arrive(given: Given, quantity: int, damaged: int = 0, **more: Any) -> None:
    """Receives mugs for the latest return."""
    given.when(receive(quantity, damaged, return_id=latest(given).id, **more))


def free(given: Given) -> tuple[int, int, tuple[str, ...]]:
    """Returns how many mugs are returnable, what the next one is worth, and the reasons why not more."""
    assert given.order is not None
    item, *_ = returnable_items(given.order, given.ledger, given.policy, given.now)
    return item.quantity, item.unit_value.amount, item.reasons


def parts(payee: Return | Claim) -> list[tuple[str, int, dict[str, int]]]:
    """Returns the parts of an amount with their parts."""
    return [
        (each.name, each.amount.amount, {part.name: part.amount.amount for part in each.parts})
        for each in payee.breakdown
    ]


def mugs(quantity: int = 3, **more: Any) -> Given:
    """Returns an order of mugs at 10.00, paid in full."""
    fields = {"captured": 1000 * quantity, **more}
    return Given(order_of(line(quantity=quantity), **fields))


def test_a_scratch_on_one_of_three_mugs() -> None:
    """2.00 for one of three mugs at 10.00; they come back for 10.00 + 10.00 + 8.00, 30.00 in all."""
    given = mugs()

    (event,) = given.when(reduce(note="scratched", images=["a.jpg"], created_by="ann"))

    assert isinstance(event, PriceReduced)
    claim = the(given)
    assert (claim.status, claim.refund_amount, claim.refunded) == (ClaimStatus.COMPLETED, usd(200), usd(200))
    assert names_and_amounts(claim) == {"item:mug": 200}
    assert (claim.items[0].note, claim.items[0].images) == ("scratched", ("a.jpg",))
    asked = RefundRequest("claim_1-refund-1", "order_1", None, "pay_1", usd(200), "claim", kind="card")
    assert react(event) == (asked,)
    assert free(given) == (3, 1000, ())

    first = back(given, 2)
    assert [(item.quantity, item.reduced_by) for item in first.items] == [(2, None)]
    assert (first.refund_amount, free(given)) == (usd(2000), (1, 800, ("already_returned",)))
    last = back(given, 1)
    assert [(item.quantity, item.reduced_by) for item in last.items] == [(1, ReducedBy("claim_1", 0))]
    assert last.refund_amount == usd(800)
    assert given.order
    assert order_state(given.order, given.ledger).refundable == usd(0)
    assert replay("order_1", given.history) == given.ledger


def test_untouched_units_come_back_first_unless_the_request_names_the_claim() -> None:
    """The scratched mug by its claim: 8.00; then two at 10.00."""
    given = mugs()
    given.when(reduce())

    scratched = back(given, 1, claim_id="claim_1")
    others = back(given, 2)

    assert (scratched.refund_amount, others.refund_amount) == (usd(800), usd(2000))


def test_what_is_returnable_says_which_units_were_reduced() -> None:
    """One of three, by its claim, with what it is worth; none any more once it is back."""
    given = mugs()
    given.when(reduce())
    (item,) = returnable_items(*_view(given))
    assert item.reduced == (ReducedUnits("claim_1", 1, usd(800)),)

    back(given, 1, claim_id="claim_1")

    (item,) = returnable_items(*_view(given))
    assert item.reduced == ()


def test_no_more_reduced_units_are_returnable_than_units() -> None:
    """Two of two were reduced, each by a claim of its own, and the host took one back by itself."""
    given = mugs(2)
    given.when(reduce())
    given.when(reduce(1, 300))
    assert given.order is not None
    put(given, items=[evolve(given.order.items[0], fulfilled_quantity=1)])

    (item,) = returnable_items(*_view(given))

    assert (item.quantity, [each.quantity for each in item.reduced]) == (1, [1])


def test_one_request_for_all_of_them_has_an_item_for_each_lot() -> None:
    """Two of three that arrive are the untouched ones; the reduced one is with the customer again."""
    given = mugs()
    given.when(reduce())
    given.when(request(3))
    assert latest(given).refund_amount == usd(2800)
    assert parts(latest(given)) == [("item:mug", 2000, {"price": 2000}), ("item:mug", 800, {"price": 800})]

    arrive(given, 2, allow_mismatch=True)

    assert latest(given).refund_amount == usd(2000)
    assert free(given) == (1, 800, ("already_returned",))


def test_an_extra_unit_that_arrives_is_an_untouched_one_as_long_as_there_is_one() -> None:
    """One requested, three arrived: an untouched one, then the reduced one, each an item of its own."""
    given = mugs()
    given.when(reduce())
    given.when(request(1))

    arrive(given, 2, 1)
    given.when(ResolveReturn(return_id=latest(given).id))

    found = [
        (item.is_requested, item.received_quantity, item.damaged_quantity, item.reduced_by is not None)
        for item in latest(given).items
    ]
    assert found == [(True, 1, 0, False), (False, 1, 0, False), (False, 0, 1, True)]
    assert latest(given).refund_amount == usd(2800)


def test_a_reduction_with_tax_on_top_gives_back_its_tax() -> None:
    """1.10 of 11.00: net 1.00 and tax 0.10; the unit comes back for 9.00 + 0.90."""
    given = Given(order_of(line(quantity=1, tax_lines=vat("10", code="vat")), captured=1100))

    given.when(reduce(amount=110))

    assert parts(the(given)) == [("item:mug", 110, {"price": 100, "tax:vat": 10})]
    assert parts(back(given, 1)) == [("item:mug", 990, {"price": 900, "tax:vat": 90})]


def test_two_reductions_of_one_unit_take_all_of_it() -> None:
    """2.99 incl. 9 %: 1.50, then 1.49; the tax of 0.25 leaves once, and nothing is left to come back for."""
    mug = line(quantity=1, price=299, tax_lines=vat("9"), is_tax_inclusive=True)
    given = Given(order_of(mug, captured=299))

    given.when(reduce(amount=150))
    given.when(reduce(amount=149))

    first, second = given.ledger.claims
    assert parts(first) == [("item:mug", 150, {"price": 137, "tax:9": 13})]
    assert parts(second) == [("item:mug", 149, {"price": 137, "tax:9": 12})]
    assert second.items[0].reduced_by == ReducedBy("claim_1", 0)
    assert free(given) == (1, 0, ())
    assert back(given, 1).refund_amount == usd(0)


def test_a_reduction_of_several_lots_takes_from_each_by_what_it_is_worth() -> None:
    """9.00 off two mugs at 10.00 and one at 8.00 is 6.43 and 2.57; all three come back for 19.00."""
    given = mugs()
    given.when(reduce())

    given.when(reduce(3, 900))

    found = [(item.quantity, item.line.paid(item.allocated), item.reduced_by) for item in the(given).items]
    assert found == [(2, 643, None), (1, 257, ReducedBy("claim_1", 0))]
    given.when(request(3))
    assert latest(given).refund_amount == usd(1900)
    assert [item.reduced_by for item in latest(given).items] == [
        ReducedBy("claim_2", 0),
        ReducedBy("claim_2", 1),
    ]


def test_a_lot_of_which_some_units_are_reduced_again_keeps_the_others() -> None:
    """Two mugs with 4.00 off, and one of them with 1.00 more: 8.00 and 7.00."""
    given = mugs(2)
    given.when(reduce(2, 400))

    given.when(reduce(1, 100, claim_id="claim_1"))

    (item,) = returnable_items(*_view(given))
    assert item.reduced == (ReducedUnits("claim_1", 1, usd(800)), ReducedUnits("claim_2", 1, usd(700)))
    assert back(given, 2).refund_amount == usd(1500)


def test_reduced_units_are_claimed_for_what_is_left_of_them() -> None:
    """The scratched mug breaks: its 8.00 are refunded; the others are worth what they were."""
    given = mugs()
    given.when(reduce())
    broken = ClaimItem(item_id="mug", quantity=1, reason="production_failure", claim_id="claim_1")

    given.when(RequestClaim(order_id="order_1", type="refund", items=[broken], return_items=True))

    assert the(given).refund_amount == usd(800)
    assert the(given).items[0].reduced_by == latest(given).items[0].reduced_by == ReducedBy("claim_1", 0)
    assert free(given) == (2, 1000, ("in_open_return", "claimed"))


def test_reduced_units_are_exchanged_for_what_is_left_of_them() -> None:
    """Three mugs, one of them at 8.00, for a cup at 15.00: 13.00 are due to the customer."""
    given = mugs()
    given.when(reduce())
    items = [RequestedItem(item_id="mug", quantity=3)]

    given.when(RequestExchange(order_id="order_1", items=items, new_items=[CUP]))

    assert given.ledger.exchanges[0].difference_due == usd(-1300)


def test_a_return_that_is_canceled_gives_a_lot_its_units_back() -> None:
    """They are worth what they were worth before."""
    given = mugs()
    given.when(reduce())
    given.when(request(3))
    assert free(given) == (0, 0, ("in_open_return",))

    given.when(CancelReturn(return_id=latest(given).id))

    assert free(given) == (3, 1000, ())
    given.when(request(3))
    assert given.ledger.returns[-1].refund_amount == usd(2800)


def test_goodwill_reduces_all_lines_by_what_is_left_of_them() -> None:
    """4.00 on mugs of 20.00 and a pot of 20.00: 2.00 each, so that all comes back for 36.00."""
    given = Given(order_of(line(quantity=2), line("pot", 1, 2000), captured=4000))

    (event,) = given.when(goodwill(400))

    assert isinstance(event, PriceReduced)
    claim = the(given)
    assert (claim.type, claim.refund_amount, names_and_amounts(claim)) == (
        "goodwill",
        usd(400),
        {"item:mug": 200, "item:pot": 200},
    )
    items = [RequestedItem(item_id="mug", quantity=2), RequestedItem(item_id="pot", quantity=1)]
    given.when(RequestReturn(order_id="order_1", items=items))
    assert latest(given).refund_amount == usd(3600)


def test_goodwill_is_of_lines_that_are_left_and_needs_a_note_above_them() -> None:
    """9.00 for an album that was returned, then 10.00 by amount alone: of the other line, which stays."""
    given = Given(order_of(line("album", 1, 900), line("box", 1, 2000), captured=3900))
    given.when(request(1, "album"))
    given.when(ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="album", quantity=1)]))

    given.when(goodwill(1000))

    assert names_and_amounts(the(given)) == {"item:box": 1000}
    album, box = returnable_items(*_view(given))
    assert (album.quantity, box.quantity, box.unit_value) == (0, 1, usd(1000))
    error = given.refuses(goodwill(1001))
    assert [(each.code, dict(each.numbers)) for each in error.violations] == [
        (
            "refund_exceeds_worth",
            {
                "amount": 1001,
                "value": 1000,
                "currency": "usd",
                "hint": "goodwill is for what returns and claims left of all lines",
            },
        )
    ]
    given.when(goodwill(1500, refund_note="promised"))
    assert names_and_amounts(the(given)) == {"item:box": 1000, "custom_amount": 500}
    (nothing,) = given.when(goodwill(300, refund_note="promised again"))
    assert isinstance(nothing, ClaimRequested)  # no price was reduced
    assert names_and_amounts(the(given)) == {"custom_amount": 300}


def _view(given: Given) -> Any:
    return given.order, given.ledger, given.policy, given.now


def test_a_price_that_the_host_lowers_later_is_a_lower_price_of_reduced_units_too() -> None:
    """1.00 of goodwill on two mugs at 10.00, then the host sells them at 8.00: together 15.00."""
    given = mugs(2)
    given.when(goodwill(100))

    put(given, items=[line(quantity=2, price=800)])

    given.when(request(2))
    assert latest(given).refund_amount == usd(1500)


def test_every_reduction_of_a_unit_counts_when_its_price_is_changed() -> None:
    """2.00 and 1.00 off one of two mugs, which then cost 12.00: 9.00, and 12.00 for the other one."""
    given = mugs(2)
    given.when(reduce())
    given.when(reduce(1, 100, claim_id="claim_1"))

    put(given, items=[line(quantity=2, price=1200)])

    (item,) = returnable_items(*_view(given))
    assert (item.unit_value, item.reduced) == (usd(1200), (ReducedUnits("claim_2", 1, usd(900)),))


def test_units_that_are_added_later_are_untouched() -> None:
    """A mug with 2.00 off, and one that was added: 10.00, then 8.00."""
    given = mugs(1)
    given.when(reduce())

    put(given, items=[line(quantity=2)], payments=[Payment(id="pay_1", captured=usd(2000))])

    assert [back(given, 1).refund_amount.amount for _ in range(2)] == [1000, 800]


def test_units_that_the_host_takes_away_are_not_there_any_more() -> None:
    """Three mugs reduced by 3.00 in all; one is left on the order, and is worth 10.00 less what was given."""
    given = mugs()
    given.when(reduce(3, 300))

    put(given, items=[line(quantity=1)])

    assert free(given) == (1, 700, ())
    put(given, items=[])
    assert given.codes(request(1)) == ["item_not_found"]


def test_of_units_that_the_host_takes_away_the_latest_reduced_go_first() -> None:
    """Two mugs with 2.00 and 3.00 off; of one that is left on the order the first reduction is known."""
    given = mugs(2)
    given.when(reduce())
    given.when(reduce(1, 300))

    put(given, items=[line(quantity=1)])

    (item,) = returnable_items(*_view(given))
    assert item.reduced == (ReducedUnits("claim_1", 1, usd(500)),)
    put(given, items=[line(quantity=0)])
    assert free(given)[0] == 0


def test_units_that_were_reduced_and_returned_keep_what_they_took_when_the_order_is_edited() -> None:
    """
    3 mugs less 3.00 on the order are 9.00 each; one is reduced by 2.00, and comes back for 7.00.

    Then the host takes the discount off: 30.00 less 9.00 are 21.00 for the two that are left.
    """
    given = Given(order_of(line(quantity=3), adjustments=off(300), captured=2700))
    given.when(reduce())
    assert back(given, 1, claim_id="claim_1").refund_amount == usd(700)
    given.when(reduce(1, 100))

    put(given, adjustments=(), payments=[Payment(id="pay_1", captured=usd(3000))])

    given.when(request(2))
    assert latest(given).refund_amount == usd(3000 - 700 - 200 - 100)


def test_a_discount_that_is_added_later_is_spread_over_reduced_units_too() -> None:
    """4.00 off an order of two mugs, one reduced by 2.00, and a pot at 20.00: 2.00 on each line."""
    given = Given(order_of(line(quantity=2), line("pot", 1, 2000), adjustments=off(200), captured=3800))
    given.when(reduce())
    given.when(reduce(1, 100, claim_id="claim_1"))
    put(given, items=[line(quantity=2, tax_lines=vat("10")), line("pot", 1, 2000)])
    assert back(given, 1, claim_id="claim_1").refund_amount.amount > 0

    put(given, adjustments=off(400))

    given.when(request(1))
    assert latest(given).refund_amount.amount > 0


def test_a_line_that_was_edited_and_edited_back_is_worth_what_it_says() -> None:
    """A discount is there while a reduced unit comes back, and is gone again."""
    given = mugs(2)
    given.when(reduce(2, 400))
    put(given, items=[line(quantity=2, adjustments=off(200))])
    assert back(given, 1).refund_amount == usd(700)

    put(given, items=[line(quantity=2)])

    given.when(request(1))
    assert latest(given).refund_amount == usd(2000 - 400 - 700)


def test_goodwill_takes_nothing_of_what_is_worth_nothing() -> None:
    """A gift beside a mug at 10.00."""
    given = Given(order_of(line(quantity=1), line("gift", 1, 0), captured=1000))

    given.when(goodwill(100))

    assert [item.item_id for item in the(given).items] == ["mug"]


def test_a_line_that_is_free_by_now_leaves_nothing_of_its_reduced_units() -> None:
    """Everything off after a reduction: units come back, for nothing."""
    given = mugs(2)
    given.when(reduce())

    put(given, items=[line(quantity=2, adjustments=off(2000))])

    given.when(request(2))
    assert latest(given).refund_amount == usd(0)


def test_a_reduction_that_was_not_paid_can_be_canceled() -> None:
    """Its refund failed: the price is what it was; of a reduction that was paid it cannot be taken back."""
    given = mugs()
    given.when(reduce())
    assert given.codes(CancelClaim(claim_id="claim_1")) == ["claim_not_cancelable"]
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))

    (event,) = given.when(CancelClaim(claim_id="claim_1"))

    assert isinstance(event, ClaimCanceled)
    assert (the(given).status, the(given).reductions) == (ClaimStatus.CANCELED, ())
    given.when(request(3))
    assert latest(given).refund_amount == usd(3000)


def test_a_reduction_whose_units_are_in_a_return_cannot_be_canceled() -> None:
    """They were taken at the lower price: the return is canceled first; another reduction of them, too."""
    given = mugs(1)
    given.when(reduce())
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))
    given.when(request(1))

    error = given.refuses(CancelClaim(claim_id="claim_1"))

    assert isinstance(error, NotAllowed)
    assert (error.code, error.details["subjects"]) == ("reduced_units_taken", latest(given).id)
    given.when(CancelReturn(return_id=latest(given).id))
    given.when(reduce())
    assert given.codes(CancelClaim(claim_id="claim_1")) == ["reduced_units_taken"]


def test_a_reduction_whose_refund_failed_is_retried_or_written_off() -> None:
    """2.00 are due until a retry pays them, or a clerk writes them off; the price stays reduced."""
    given = mugs()
    given.when(reduce())
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))
    assert the(given).amount_due == usd(200)
    given.when(RetryRefund(claim_id="claim_1", amount=usd(50)))

    given.when(ResolveClaim(claim_id="claim_1", refund_amount=usd(50)))

    assert (the(given).amount_due, the(given).refunded) == (usd(0), usd(50))
    assert names_and_amounts(the(given)) == {"item:mug": 200, "custom_amount": -150}
    assert free(given) == (3, 1000, ())
    assert given.codes(ResolveClaim(claim_id="claim_1", refund_amount=usd(300))) == [
        "nothing_due",
        "refund_exceeds_worth",
    ]


def test_a_reduction_names_at_most_what_its_units_are_worth() -> None:
    """10.01 for a mug at 10.00 is refused, with the value."""
    error = mugs().refuses(reduce(amount=1001))

    assert isinstance(error, Invalid)
    assert [(each.code, each.item_id, dict(each.numbers)) for each in error.violations] == [
        ("reduction_exceeds_worth", "mug", {"amount": 1001, "value": 1000, "currency": "usd"})
    ]


def test_reductions_are_together_at_most_what_is_refundable() -> None:
    """Two items of 4.00 when 7.99 were captured."""
    given = mugs(captured=799)
    item = ClaimItem(item_id="mug", quantity=1, reason="other", amount=usd(400))

    error = given.refuses(reduce(items=[item, item]))

    assert (error.code, error.details["amount"], error.details["refundable"]) == (
        "refund_exceeds_refundable",
        800,
        799,
    )
    given.when(reduce(items=[item]))


def test_two_items_of_one_line_reduce_different_units() -> None:
    """Those that name a claim take its units first, in whatever order they are given."""
    given = mugs(2)
    given.when(reduce())
    fresh = ClaimItem(item_id="mug", quantity=1, reason="other", amount=usd(100))
    again = ClaimItem(item_id="mug", quantity=1, reason="other", amount=usd(100), claim_id="claim_1")

    given.when(reduce(items=[fresh, again]))

    assert [item.reduced_by for item in the(given).items] == [None, ReducedBy("claim_1", 0)]
    given.when(request(2))
    assert latest(given).refund_amount == usd(900 + 700)


def test_an_entry_that_names_a_claim_gets_its_units_before_another_one_takes_them() -> None:
    """Of three mugs, one at 8.00 and one at 7.00: two of any, and the one at 8.00."""
    given = mugs()
    given.when(reduce())
    given.when(reduce(1, 300))
    items = [
        RequestedItem(item_id="mug", quantity=2),
        RequestedItem(item_id="mug", quantity=1, claim_id="claim_1"),
    ]

    given.when(RequestReturn(order_id="order_1", items=items))

    found = [item.reduced_by and item.reduced_by.claim_id for item in latest(given).items]
    assert found == [None, "claim_2", "claim_1"]


def test_units_keep_the_name_of_every_claim_that_reduced_them() -> None:
    """After goodwill on everything, the scratched mug is still found by its first claim."""
    given = mugs()
    given.when(reduce())
    given.when(goodwill(280))

    assert back(given, 1, claim_id="claim_1").refund_amount == usd(720)
    assert given.codes(_named("claim_1")) == ["quantity_exceeds_reduced"]
    assert back(given, 1).refund_amount == usd(900)


def _named(claim_id: Any, quantity: int = 1) -> RequestReturn:
    items = [RequestedItem(item_id="mug", quantity=quantity, claim_id=claim_id)]
    return RequestReturn(order_id="order_1", items=items)


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (reduce(amount=None), ["no_reduction_amount"]),
        (reduce(amount=0), ["invalid_refund_amount"]),
        (reduce(amount="2.00"), ["invalid_refund_amount"]),
        (reduce(amount=Money(1, "eur")), ["currency_mismatch"]),
        (reduce(items=[]), ["no_items"]),
        (reduce(4), ["quantity_exceeds_reducible"]),
        (reduce(0), ["invalid_quantity"]),
        (reduce(item_id="cup"), ["item_not_found"]),
        (reduce(reason="not_sent"), ["invalid_claim_reason"]),
        (reduce(reason="boredom"), ["invalid_claim_reason"]),
        (reduce(refund_amount=200), ["refund_amount_of_reduction"]),
        (reduce(new_items=[CUP]), ["new_items_of_refund"]),
        (reduce(return_items=True), ["goods_stay"]),
        (reduce(shipping_option_id="so_return"), ["goods_stay"]),
        (reduce(claim_id="claim_9"), ["quantity_exceeds_reduced"]),
        (reduce(claim_id=9), ["invalid_text"]),
        (_named("claim_9"), ["quantity_exceeds_reduced"]),
        (_named(9), ["invalid_text"]),
        (_named("claim_9", 0), ["invalid_quantity"]),
        (goodwill(None), ["no_refund_amount"]),
        (goodwill(-1), ["invalid_refund_amount"]),
        (goodwill(3001), ["refund_exceeds_refundable", "refund_exceeds_worth"]),
        (goodwill(items=[ClaimItem(item_id="mug", quantity=1, reason="other")]), ["items_of_goodwill"]),
        (goodwill(return_items=True), ["goods_stay"]),
        (
            RequestClaim(
                order_id="order_1",
                type="refund",
                items=[ClaimItem(item_id="mug", quantity=1, reason="other", amount=1)],
            ),
            ["amount_without_reduction"],
        ),
        (RequestClaim(order_id="order_1", type="gift", items=[]), ["invalid_claim_type", "no_items"]),
    ],
)
def test_each_impossible_claim_is_refused_with_its_code(command: Any, codes: list[str]) -> None:
    """Each with its own code, and nothing changes."""
    error = mugs().refuses(command)

    assert [violation.code for violation in error.violations] == codes


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    """Of several items each, in their order."""
    items = [
        ClaimItem(item_id="mug", quantity=1, reason="boredom", amount=None),
        ClaimItem(item_id="cup", quantity=0, reason="other", amount=usd(-1)),
    ]

    assert mugs().codes(reduce(items=items, refund_amount=1, return_items=True)) == [
        "invalid_claim_reason",
        "invalid_quantity",
        "item_not_found",
        "no_reduction_amount",
        "invalid_refund_amount",
        "refund_amount_of_reduction",
        "goods_stay",
    ]


# Units that were never sent


def unsent(quantity: int = 1, kind: str = "refund", **more: Any) -> RequestClaim:
    """Returns a claim for units that were never sent."""
    items = [ClaimItem(item_id="mug", quantity=quantity, reason="not_sent")]
    return RequestClaim(order_id="order_1", type=kind, **{"items": items, **more})


def test_a_unit_that_was_never_sent_takes_none_from_the_customer() -> None:
    """7 ordered, 6 sent, the seventh is sold out: 27.00 are paid, and six come back for 162.00."""
    given = Given(order_of(line(quantity=7, price=2700, fulfilled_quantity=6), captured=18900))

    given.when(unsent())

    assert (the(given).refund_amount, the(given).items[0].is_sent) == (usd(2700), False)
    assert free(given) == (6, 2700, ("not_fulfilled",))
    assert back(given, 6).refund_amount == usd(16200)
    assert given.codes(unsent()) == ["quantity_exceeds_unsent"]
    assert order_state(*_view(given)[:2]).fulfillment_status == "returned"


def test_nothing_was_sent_and_all_is_paid_back() -> None:
    """Three of three; nothing is put into stock, and nothing can come back."""
    given = Given(order_of(line(quantity=3, fulfilled_quantity=0), captured=3000))

    (event,) = given.when(unsent(3))

    assert [type(each) for each in react(event)] == [RefundRequest]
    assert (the(given).refund_amount, free(given)[0]) == (usd(3000), 0)
    assert given.codes(request(1)) == ["quantity_exceeds_returnable"]


def test_a_unit_that_was_paid_back_and_is_sent_after_all_is_foreign() -> None:
    """The shop finds the seventh and sends it: six are returnable, the seventh is foreign in a parcel."""
    given = Given(order_of(line(quantity=7, fulfilled_quantity=6)))
    given.when(unsent())

    put(given, items=[line(quantity=7)])

    assert free(given)[0] == 6
    given.when(request(6))
    arrive(given, 7)
    assert [(each.quantity, each.item_id) for each in latest(given).foreign] == [(1, "mug")]


def test_units_that_were_never_sent_are_replaced() -> None:
    """A cup is sent instead, and no money moves."""
    given = Given(order_of(line(quantity=2, fulfilled_quantity=1)))

    (event,) = given.when(unsent(kind="replace", new_items=[CUP]))

    assert isinstance(event, ClaimRequested)
    assert event.replacement is not None
    assert (the(given).refund_amount, free(given)[0]) == (usd(0), 1)


def test_units_that_were_never_sent_do_not_come_back() -> None:
    """A claim for them alone has no return; beside others, the return brings back those others."""
    given = Given(order_of(line(quantity=2, fulfilled_quantity=1), line("pot", 1)))
    assert given.codes(unsent(return_items=True)) == ["nothing_to_return"]
    items = [
        ClaimItem(item_id="mug", quantity=1, reason="not_sent"),
        ClaimItem(item_id="pot", quantity=1, reason="wrong_item"),
    ]

    given.when(RequestClaim(order_id="order_1", type="refund", items=items, return_items=True))

    assert [item.item_id for item in latest(given).items] == ["pot"]
    assert the(given).refund_amount == usd(2000)


def test_goodwill_is_taken_of_units_that_were_not_sent_yet_too() -> None:
    """Two mugs, one sent, 4.00 of goodwill: each is paid back for 8.00."""
    given = Given(order_of(line(quantity=2, fulfilled_quantity=1), captured=2000))
    given.when(goodwill(400))

    given.when(unsent())
    assert the(given).refund_amount == usd(800)
    assert back(given, 1).refund_amount == usd(800)


def test_a_reduction_is_of_the_unit_that_the_customer_has() -> None:
    """One of two was sent, and is reduced: it comes back for 8.00, the other is paid back for 10.00."""
    given = Given(order_of(line(quantity=2, fulfilled_quantity=1), captured=2000))
    given.when(reduce())

    assert back(given, 1).refund_amount == usd(800)
    given.when(unsent())
    assert the(given).refund_amount == usd(1000)


def test_a_unit_that_was_never_sent_is_an_untouched_one_as_long_as_there_is_one() -> None:
    """One of two was sent, and is reduced: the other is paid back for 10.00."""
    given = Given(order_of(line(quantity=2, fulfilled_quantity=1), captured=2000))
    given.when(reduce())

    given.when(unsent())

    assert the(given).refund_amount == usd(1000)


# Money and new goods in one claim


def test_two_are_replaced_and_one_is_refunded_in_one_claim() -> None:
    """Three mugs are broken; two cups are sent, and 10.00 paid for the third."""
    given = mugs(3)
    items = [ClaimItem(item_id="mug", quantity=3, reason="production_failure")]
    new = NewItem(variant_id="v_cup", quantity=2, unit_price=usd(1000))

    (event,) = given.when(
        RequestClaim(
            order_id="order_1", type="replace", items=items, new_items=[new], refund_amount=usd(1000)
        )
    )

    assert isinstance(event, ClaimRequested)
    assert event.replacement is not None
    assert (the(given).refund_amount, the(given).refunded) == (usd(1000), usd(1000))
    assert names_and_amounts(the(given)) == {"item:mug": 3000, "custom_amount": -2000}
    assert given.codes(CancelClaim(claim_id="claim_1")) == ["claim_not_cancelable"]


def test_what_is_paid_beside_new_goods_is_at_most_the_value_of_the_units() -> None:
    """10.01 for a mug at 10.00, besides a cup."""
    given = mugs()
    items = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    both: dict[str, Any] = {"order_id": "order_1", "type": "replace", "items": items, "new_items": [CUP]}

    assert given.codes(RequestClaim(**both, refund_amount=usd(1001))) == ["refund_exceeds_worth"]
    given.when(RequestClaim(**both, refund_amount=usd(1001), refund_note="a cent more"))


# Charges without goods


def with_postage(quantity: int = 2, **more: Any) -> Given:
    """Returns an order of mugs at 10.00 with postage of 20.00."""
    postage = Charge(id="post", kind="shipping", price=usd(2000), **more)
    return mugs(quantity, captured=1000 * quantity + 2000, charges=[postage])


def postage(amount: Any = None, kind: str = "refund", charge_id: Any = "post", **more: Any) -> RequestClaim:
    """Returns a claim for postage."""
    charges = [ClaimedCharge(charge_id=charge_id, amount=amount)]
    return RequestClaim(order_id="order_1", type=kind, **{"charges": charges, **more})


def test_postage_alone_is_given_back_without_a_unit() -> None:
    """20.00 are paid, both mugs stay returnable; a second time there is nothing left."""
    given = with_postage()

    (event,) = given.when(postage())

    assert isinstance(event, ClaimRequested)
    assert (the(given).refund_amount, names_and_amounts(the(given))) == (usd(2000), {"charge:post": 2000})
    assert free(given) == (2, 1000, ())
    assert back(given, 2).refund_amount == usd(2000)
    error = given.refuses(postage())
    assert (error.code, error.details["left"]) == ("refund_exceeds_charge", 0)


def test_a_part_of_the_postage_carries_its_part_of_the_tax() -> None:
    """4.76 of 23.80 incl. 3.80: price 4.00 and tax 0.76; what is left is 16.00 + 3.04."""
    given = mugs(captured=6000, charges=[Charge("post", "shipping", usd(2380), vat("19"), True)])

    given.when(postage(usd(476)))
    given.when(postage())

    first, second = given.ledger.claims
    assert parts(first) == [("charge:post", 476, {"price": 400, "tax:19": 76})]
    assert parts(second) == [("charge:post", 1904, {"price": 1600, "tax:19": 304})]


def test_postage_is_given_back_beside_units() -> None:
    """A broken mug and its postage in one claim; with a price reduction too."""
    given = with_postage()
    items = [ClaimItem(item_id="mug", quantity=1, reason="production_failure")]
    given.when(postage(usd(500), items=items))
    assert names_and_amounts(the(given)) == {"item:mug": 1000, "charge:post": 500}

    given.when(postage(usd(300), "reduce", items=reduce().items))
    assert names_and_amounts(the(given)) == {"item:mug": 200, "charge:post": 300}

    given.when(postage(usd(100), "goodwill", refund_amount=usd(80)))
    assert names_and_amounts(the(given)) == {"item:mug": 80, "charge:post": 100}
    assert the(given).refund_amount == usd(180)


def test_a_return_gives_back_what_a_claim_left_of_a_charge() -> None:
    """All comes back: 20.00 of goods and 15.00 of postage, after 5.00 by a claim."""
    given = with_postage()
    given.policy = ReturnPolicy(rules=[ReturnRule(name="all", charges_back="all_back")])
    given.when(postage(usd(500)))

    ret = back(given, 2)

    assert names_and_amounts(ret) == {"item:mug": 2000, "charge:post": 1500}


def test_postage_of_a_claim_that_is_canceled_is_not_given_back() -> None:
    """Its refund failed, the claim is canceled: the charge is whole again."""
    given = with_postage()
    given.when(postage())
    given.record_outcomes(("claim_1-refund-1", RefundDeclined("card_closed")))

    given.when(CancelClaim(claim_id="claim_1"))

    given.when(postage())
    assert the(given).refund_amount == usd(2000)


def test_a_charge_that_is_not_refundable_in_full_gives_back_what_is() -> None:
    """Express for 20.00, of which the standard 4.90 can be given back."""
    given = with_postage(refundable=usd(490))

    assert given.codes(postage(usd(491))) == ["refund_exceeds_charge"]
    given.when(postage())
    assert the(given).refund_amount == usd(490)


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (postage(charge_id="duty"), ["charge_not_found"]),
        (postage(charge_id=7), ["invalid_text"]),
        (postage(usd(2001)), ["refund_exceeds_charge"]),
        (postage(0), ["invalid_refund_amount"]),
        (postage(Money(1, "eur")), ["currency_mismatch"]),
        (postage(charges=["post"]), ["invalid_items"]),
        (postage(charges=[ClaimedCharge(charge_id="post", amount=1)] * 2), ["charge_repeated"]),
        (postage(refund_amount=100), ["refund_amount_without_items"]),
        (postage(kind="reduce"), ["no_items"]),
        (postage(kind="replace", new_items=[CUP]), ["no_items"]),
        (postage(return_items=True), ["nothing_to_return"]),
    ],
)
def test_each_impossible_charge_is_refused_with_its_code(command: Any, codes: list[str]) -> None:
    """Each with its own code, and nothing changes."""
    error = with_postage().refuses(command)

    assert [violation.code for violation in error.violations] == codes


def test_a_claim_for_an_order_that_is_not_there_is_refused() -> None:
    """Of each type, whatever else it names."""
    for command in (reduce(), goodwill(), postage(), unsent()):
        given = mugs()
        given.order = None
        assert given.codes(command) == ["order_not_found"]


def test_named_amounts_are_together_at_most_what_is_refundable() -> None:
    """10.00 of goodwill and 20.00 of postage, when 29.99 were captured."""
    given = mugs(captured=2999, charges=[Charge("post", "shipping", usd(2000))])

    assert given.codes(postage(usd(2000), "goodwill", refund_amount=usd(1000))) == [
        "refund_exceeds_refundable"
    ]


@pytest.mark.parametrize(
    "command",
    [
        reduce(idempotency_key="key"),
        goodwill(idempotency_key="key"),
        postage(idempotency_key="key"),
        unsent(idempotency_key="key"),
    ],
    ids=["reduce", "goodwill", "postage", "unsent"],
)
def test_a_command_that_is_repeated_pays_once(command: RequestClaim) -> None:
    """The same key again is the same claim; with another amount it is another command."""
    given = Given(
        order_of(line(quantity=3, fulfilled_quantity=2), charges=[Charge("post", "shipping", usd(500))])
    )
    given.when(command)

    again = answer(given.ledger, command)

    assert again is not None
    assert again == the(given).id
    with pytest.raises(IdempotencyKeyReused):
        answer(given.ledger, evolve(command, location_id="elsewhere"))


def test_goodwill_is_something() -> None:
    """An amount of 0 is none; a claim that pays nothing for goods that come back may say 0."""
    (refused,) = Given().refuses(goodwill(0)).violations

    assert (refused.code, refused.numbers["minimum"]) == ("invalid_refund_amount", 1)


def test_goodwill_says_what_its_value_is_of() -> None:
    """All units are in an open return: nothing is left of the lines."""
    given = Given()
    given.when(request(2))

    (refused,) = given.refuses(goodwill(500)).violations

    assert (refused.code, refused.numbers["value"]) == ("refund_exceeds_worth", 0)
    assert str(refused).endswith("goodwill is for what returns and claims left of all lines")


def test_a_charge_that_was_given_back_says_what_it_was() -> None:
    """Without an amount all of it is asked for."""
    post = Charge(id="post", kind="shipping", price=usd(595))
    given = Given(order_of(charges=[post]))
    back_again = RequestClaim(order_id="order_1", type="refund", charges=[ClaimedCharge(charge_id="post")])
    given.when(back_again)

    (refused,) = given.refuses(back_again).violations

    assert (refused.numbers["amount"], refused.numbers["left"]) == (595, 0)


def test_a_unit_that_was_paid_back_and_sent_after_all_is_claimed() -> None:
    """Seven were sold, six sent, one was claimed as not sent; then it is sent: six can be returned."""
    given = Given(order_of(line(quantity=7, fulfilled_quantity=6), captured=7000))
    item = ClaimItem(item_id="mug", quantity=1, reason="not_sent")
    given.when(RequestClaim(order_id="order_1", type="refund", items=[item]))
    assert given.order is not None
    (before,) = returnable_items(given.order, given.ledger, given.policy, given.now)
    put(given, items=[line(quantity=7)])

    (after,) = returnable_items(given.order, given.ledger, given.policy, given.now)

    assert (before.quantity, before.reasons) == (6, ("not_fulfilled",))
    assert (after.quantity, after.reasons) == (6, ("claimed",))
