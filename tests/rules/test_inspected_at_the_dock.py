"""The dock meets inspections: corrections of what waits, lost units beside graded ones, foreign goods."""

from typing import Any

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
    ResolveReturn,
    ReturnStatus,
)
from rma.domain.change import replay
from tests.rules.given import Given, effect_kinds, receive, request, usd
from tests.rules.inspected import INSPECT, five, graded, inspect, waiting


def correct(quantity: int, damaged: int = 0) -> CorrectReceipt:
    """Corrects the shirts of the first return."""
    items = [CorrectedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged)]
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
    """The inspector finds one of two: the receipt is corrected, and the return is paid for the other."""
    given = waiting(2)
    given.when(inspect("A"))
    assert (given.the().status, given.the().refunded) == (ReturnStatus.IN_INSPECTION, usd(0))

    given.when(correct(1))

    assert (given.the().status, given.the().refunded) == (ReturnStatus.RECEIVED, usd(1800))
    assert given.the().items[0].waiting_quantity == 0


def test_what_was_graded_was_there() -> None:
    """A correction below that is refused with the numbers; units that went back were there, too."""
    given = waiting(3)
    given.when(inspect("A", graded("B", disposition="send_back")))

    error = given.refuses(correct(1))

    assert [each.code for each in error.violations] == ["correction_below_graded"]
    assert error.violations[0].numbers == {"quantity": 1, "least": 2}
    given.when(correct(2))
    assert given.the().refunded == usd(1800)


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
