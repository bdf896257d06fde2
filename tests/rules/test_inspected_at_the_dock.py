"""The dock meets inspections: corrections of what waits, lost units beside graded ones, foreign goods."""

from collections import Counter
from typing import Any

import pytest

from rma import (
    CancelReturn,
    CorrectedItem,
    CorrectReceipt,
    ForeignDecision,
    ForeignItem,
    MissingItem,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RequestedItem,
    RequestReturn,
    ResolveReturn,
    ReturnPolicy,
    ReturnRule,
    ReturnStatus,
)
from rma.domain.change import replay
from rma.domain.messages.effects import StockLine, WithdrawRequest
from rma.domain.react import react
from tests.rules.given import Given, effect_kinds, receive, request, usd
from tests.rules.inspected import FAULTS, INSPECT, SCALE, five, graded, inspect, waiting


def stock(given: Given) -> dict[str | None, int]:
    """Returns what is in stock for the first return, by place."""
    found = Counter[str | None]()
    for restock in given.the().in_stock:
        found[restock.location_id] += sum([line.quantity for line in restock.lines])
    return dict(found)


def correct(quantity: int, damaged: int = 0, grade: str | None = None) -> CorrectReceipt:
    """Corrects the shirts of the first return."""
    items = [CorrectedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged, grade=grade)]
    return CorrectReceipt(return_id="ret_1", items=items, reason="counted again")


def lost(quantity: int, **more: Any) -> ResolveReturn:
    """Says that units of the first return were lost, and are paid for."""
    missing = [MissingItem(item_id="mug", quantity=quantity, pay=True)]
    return ResolveReturn(return_id="ret_1", missing=missing, **more)


def some(arrived: int, wanted: int, **more: Any) -> Given:
    """Returns five shirts for 90.00, of which fewer arrived and wait than were requested."""
    given = Given(five(), INSPECT)
    given.when(request(wanted))
    given.when(receive(arrived, **more))
    return given


def test_what_waits_is_corrected_without_stock() -> None:
    """It is not in stock yet: neither fewer units, nor more, nor others move any."""
    given = waiting(3)
    given.all_delivered()
    for said in ((2, 0), (1, 2), (0, 1), (3, 0)):
        given.when(correct(*said))
        (item,) = given.the().items
        assert (item.received_quantity, item.damaged_quantity) == said
        assert item.waiting_quantity == sum(said)
        assert effect_kinds(given.ledger) == []
        assert given.ledger == replay("order_1", given.history)


def test_a_unit_that_is_not_there_is_not_waited_for() -> None:
    """
    The inspector finds one of two: as if it had been counted right, a person decides, and the other is paid.
    """
    given = waiting(2)
    given.when(inspect("A"))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.IN_INSPECTION, usd(0))

    given.when(correct(1))

    assert (given.the().status, given.the().refunded) == (ReturnStatus.REQUIRES_ACTION, usd(0))
    assert given.the().items[0].waiting_quantity == 0
    given.when(ResolveReturn(return_id="ret_1"))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(1800))


@pytest.mark.parametrize("said", [0, 1])
def test_a_count_is_corrected_while_its_goods_wait(said: int) -> None:
    """0 or 1 of 2 arrived: not closed without a word, as it is not where that is counted at once."""
    given, right = waiting(2), some(said, 2)

    given.when(correct(said))

    assert given.the().status is right.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(correct(2))
    assert given.the().status is ReturnStatus.IN_INSPECTION


def test_what_was_accepted_in_part_stays_accepted() -> None:
    """A person closed it with 2 of 3: corrected to 1, it waits for that one's grade and for nothing else."""
    given = some(2, 3)
    given.when(ResolveReturn(return_id="ret_1"))

    given.when(correct(1))

    assert given.the().status is ReturnStatus.IN_INSPECTION
    given.when(inspect("A"))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(1800))


def test_units_that_went_back_were_there() -> None:
    """A correction below them is refused with the numbers."""
    given = waiting(3)
    given.when(inspect("A", graded("B", disposition="send_back")))

    error = given.refuses(correct(0))

    assert [each.code for each in error.violations] == ["correction_below_decided"]
    given.when(correct(1))
    assert [each.is_returned for each in given.the().items[0].graded] == [True]


# -- a miscount that was graded --------------------------------------------------------------------


def test_a_miscount_that_was_graded_is_corrected() -> None:
    """Two at 18.00 were graded A and paid, one arrived: stock -1, returnable +1, overpaid 18.00."""
    given = waiting(2)
    given.when(inspect("A", "A"))
    given.all_delivered()

    (event,) = given.when(correct(1))

    ret = given.the()
    withdraw = WithdrawRequest(
        "ret_1-withdraw-1",
        "order_1",
        "ret_1",
        None,
        (StockLine("mug", "v_mug", 1),),
        "ret_1-restock-1",
        is_correction=True,
    )
    assert react(event) == (withdraw,)
    assert (ret.status, ret.needs_attention) == (ReturnStatus.RECEIVED, True)
    assert (ret.refund_amount, ret.refunded, ret.entitlement.overpaid) == (usd(1800), usd(3600), usd(1800))
    assert [(each.grade, each.quantity) for each in ret.items[0].graded] == [("A", 1)]
    assert given.ledger == replay("order_1", given.history)


def test_what_waits_is_gone_before_what_was_graded() -> None:
    """Of A, B and one that waits, two units are left: A and B. Of those, the last graded one goes first."""
    given = waiting(3)
    given.when(inspect("B"))
    given.when(inspect("A"))

    given.when(correct(2))
    assert [each.grade for each in given.the().items[0].graded] == ["A", "B"]
    given.when(correct(1))

    (item,) = given.the().items
    assert [(each.grade, each.quantity) for each in item.graded] == [("B", 1)]
    assert (item.waiting_quantity, item.arrived_quantity) == (0, 1)


def test_a_correction_can_say_which_grade_is_gone() -> None:
    """The unit of grade B that was graded first; there is only one, which the refusal says."""
    given = waiting(3)
    given.when(inspect("B"))
    given.when(inspect("A", "A"))

    error = given.refuses(correct(1, grade="B"))
    unknown = given.refuses(correct(1, grade="Z"))
    given.when(correct(2, grade="B"))

    assert error.violations[0].code == "correction_below_graded"
    assert error.violations[0].numbers == {"quantity": 1, "least": 2}
    assert unknown.violations[0].numbers == {"grade": "Z", "grades": ["A", "B", "D"]}
    assert [(each.grade, each.quantity) for each in given.the().items[0].graded] == [("A", 2)]


@pytest.mark.parametrize("reasons", [("rr_defective", "rr_mind"), ("rr_mind", "rr_defective")])
def test_a_correction_takes_nothing_out_of_stock_that_an_inspection_owns(reasons: tuple[str, ...]) -> None:
    """One was inspected and is on the shelf, one is at the dock: the dock's is gone, the shelf's stays."""
    policy = ReturnPolicy(
        grades=SCALE,
        rules=[ReturnRule(name="d", when={"fault:merchant"}, inspect=True), ReturnRule(name="m")],
    )
    given = Given(five(), policy)
    given.catalogue = FAULTS
    items = [RequestedItem(item_id="mug", quantity=1, reason_id=reason) for reason in reasons]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(2, location_id="dock"))
    given.when(inspect(graded("A", location_id="shelf")))

    given.when(correct(1))
    assert stock(given) == {"shelf": 1}
    given.when(inspect(graded("D", previous_grade="A", location_id="shelf")))

    assert stock(given) == {}


def test_what_a_correction_took_off_the_shelf_is_not_taken_again() -> None:
    """Two were put there by two inspections, one is gone: the other is recalled from where it is."""
    given = waiting(2)
    given.when(inspect(graded("A", location_id="shelf")))
    given.when(inspect(graded("A", location_id="shelf")))

    given.when(correct(1))
    given.when(inspect(graded("D", previous_grade="A", location_id="shelf")))

    assert given.the().in_stock == ()


def test_grades_stay_with_the_units_that_are_left() -> None:
    """The unit of the second request is gone; what was graded A is of the first one."""
    given = Given(five(), INSPECT)
    given.catalogue = FAULTS
    items = [RequestedItem(item_id="mug", quantity=1, note=note) for note in ("first", "second")]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(2))
    given.when(inspect("B", "A"))

    given.when(correct(1))

    first, second = given.the().items
    assert (len(first.graded), first.waiting_quantity) == (1, 0)
    assert (second.graded, second.waiting_quantity) == ((), 0)


def test_a_unit_that_was_forgotten_is_inspected_like_the_others() -> None:
    """It waits after the return was closed; it is a person's decision first, where it was not requested."""
    given = some(2, 3)
    given.when(receive(0, allow_mismatch=True))
    given.when(inspect("A", "A"))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(3600))

    given.when(correct(3))

    assert given.the().items[0].waiting_quantity + sum(i.waiting_quantity for i in given.the().items[1:]) == 1
    assert given.the().refunded == usd(3600)


def test_units_that_were_lost_are_paid_beside_those_that_were_graded() -> None:
    """Whole, whatever the grades of the others."""
    given = some(2, 3, more_expected=True)
    given.when(inspect("B", "D"))
    given.when(lost(1))

    assert given.the().status is ReturnStatus.RECEIVED
    assert given.the().refund_amount == usd(1800 + 1440)
    assert sum([part.amount.amount for part in given.the().breakdown]) == 1800 + 1440


def test_a_lost_unit_that_turns_up_is_graded_and_pays_nothing() -> None:
    """It was paid for."""
    given = some(2, 3, more_expected=True)
    given.when(inspect("A", "A"))
    given.when(lost(1))
    assert given.the().refunded == usd(5400)
    given.when(receive(1))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    given.when(inspect("B"))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(5400))
    assert given.the().items[0].still_lost_quantity == 0


def test_unannounced_goods_are_inspected_before_they_are_paid() -> None:
    """A person takes them, and a clerk looks at them."""
    given = Given(five(), INSPECT)
    shirts = [ReceivedItem(item_id="mug", quantity=2)]
    given.when(ReceiveUnannounced(order_id="order_1", items=shirts))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(receive(0, allow_mismatch=True))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.IN_INSPECTION, usd(0))
    given.when(inspect("A", "B"))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(1800 + 1440))


def test_foreign_goods_beside_inspected_ones_are_decided_about() -> None:
    """Nothing is judged of them, and nothing paid."""
    given = Given(five(), INSPECT)
    given.when(request(1))
    given.when(
        ReceiveReturn(
            return_id="ret_1",
            items=[ReceivedItem(item_id="mug", quantity=1)],
            foreign=[ForeignItem(description="a sock")],
        )
    )
    given.when(inspect("A"))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(ResolveReturn(return_id="ret_1", foreign=[ForeignDecision(number=1, send_back=True)]))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(1800))


def test_nothing_waits_of_a_return_that_was_canceled() -> None:
    """Its goods went back; if they arrive again, they wait."""
    given = some(1, 2)
    given.when(CancelReturn(return_id="ret_1"))
    assert not given.the().awaits_inspection
    given.when(receive(1))
    assert (given.the().status, given.the().awaits_inspection) == (ReturnStatus.REQUIRES_ACTION, True)


def test_an_amount_that_is_named_for_nothing_leaves_the_grades_explained() -> None:
    """It was for requested units, of which there are none."""
    given = Given(five(), INSPECT)
    shirts = [ReceivedItem(item_id="mug", quantity=1)]
    given.when(ReceiveUnannounced(order_id="order_1", items=shirts))
    given.when(receive(0, refund_amount=0))
    given.when(receive(0, allow_mismatch=True))
    given.when(inspect("B"))
    assert given.the().refund_amount == usd(1440)
    assert sum([part.amount.amount for part in given.the().breakdown]) == 1440
