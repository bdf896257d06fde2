"""Serial numbers at the dock: a unit that is here already cannot arrive again."""

from typing import Any

import pytest

from rma import (
    CancelReturn,
    CorrectedItem,
    CorrectReceipt,
    ForeignDecision,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RejectedItem,
    ResolveReturn,
    ReturnStatus,
)
from tests.rules.given import Given, line, order_of, request, usd


def unit(serial: str, quantity: int = 1, damaged: int = 0) -> ReceivedItem:
    """A mug with this number."""
    return ReceivedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged, serials=[serial])


def parcel(*items: ReceivedItem, return_id: str = "ret_1", **more: Any) -> ReceiveReturn:
    """Receives these for a return."""
    return ReceiveReturn(return_id=return_id, items=items, **more)


def shop(*serials: str) -> Given:
    """Returns an order of three mugs at 10.00, sold with these numbers."""
    return Given(order_of(line(quantity=3, serials=serials)))


def strange(given: Given, return_id: str = "ret_1") -> list[tuple[str, ...]]:
    """Returns the numbers of the foreign units of a return."""
    return [each.serials for each in given.the(return_id).foreign]


SOLD = pytest.mark.parametrize("serials", [("1", "2", "3"), ()])


@SOLD
def test_a_unit_arrives_once_in_two_parcels(serials: tuple[str, ...]) -> None:
    """The second one is foreign, whether the numbers that were sold are known or not; nothing is refused."""
    given = shop(*serials)
    given.when(request(2))
    given.when(parcel(unit("1"), more_expected=True))

    given.when(parcel(unit("1")))

    ret = given.the()
    assert (ret.status, ret.refunded, strange(given)) == (ReturnStatus.REQUIRES_ACTION, usd(1000), [("1",)])
    assert ret.items[0].arrived_quantity == 1


@SOLD
def test_a_unit_arrives_once_for_two_returns(serials: tuple[str, ...]) -> None:
    """Nor is it paid with a return that is opened for it."""
    given = shop(*serials)
    given.when(request(1))
    given.when(parcel(unit("1")))
    given.when(request(1))

    given.when(parcel(unit("1"), return_id="ret_2"))
    given.when(ReceiveUnannounced(order_id="order_1", items=[unit("1"), unit("2")]))

    assert (strange(given, "ret_2"), strange(given, "ret_3")) == ([("1",)], [("1",)])
    assert [item.arrived_quantity for item in given.the("ret_3").items] == [1]


def test_a_unit_that_went_back_arrives_again() -> None:
    """Returned by a clerk, or with a canceled return, it is the customer's."""
    given = shop("1", "2", "3")
    given.when(request(1))
    given.when(parcel(unit("1"), unit("2")))
    given.when(CancelReturn(return_id="ret_1"))
    given.when(parcel(unit("1")))
    assert strange(given) == []
    given.when(parcel(unit("1")))
    assert strange(given) == [("1",)]  # it is here since it arrived again
    rejected = [RejectedItem(item_id="mug", quantity=1)]
    kept = [ForeignDecision(number=1, send_back=False)]
    given.when(ResolveReturn(return_id="ret_1", rejected=rejected, foreign=kept))
    given.when(request(1))

    given.when(parcel(unit("1"), return_id="ret_2"))

    assert (strange(given, "ret_2"), given.the("ret_2").refunded) == ([], usd(1000))


def test_a_unit_that_never_arrived_arrives_later() -> None:
    """The receipt that had its number was corrected."""
    given = shop("1", "2", "3")
    given.when(request(1))
    given.when(parcel(unit("1")))
    nothing = [CorrectedItem(item_id="mug", quantity=0)]
    given.when(CorrectReceipt(return_id="ret_1", items=nothing, reason="it was the neighbour's"))

    given.when(parcel(unit("1")))

    assert (strange(given), sum([item.arrived_quantity for item in given.the().items])) == ([], 1)


def test_a_foreign_unit_among_damaged_ones_takes_no_sellable_one() -> None:
    """Number 1 is in order, X is broken and not ours: one mug for stock."""
    given = shop("1", "2", "3")
    given.when(request(1))

    given.when(parcel(unit("1"), unit("X", 0, 1)))

    (item,) = given.the().receipts[0].items
    assert (item.quantity, item.damaged_quantity, item.serials) == (1, 0, ("1",))
    assert strange(given) == [("X",)]


def test_of_one_entry_the_sellable_unit_is_foreign_first() -> None:
    """No one says which of both has the strange number; what is sold again is the one that is known."""
    given = shop("1", "2", "3")
    given.when(request(2))
    both = ReceivedItem(item_id="mug", quantity=1, damaged_quantity=2, serials=["X", "Y", "1"])

    given.when(parcel(both))

    (item,) = given.the().receipts[0].items
    assert (item.quantity, item.damaged_quantity, item.serials) == (0, 1, ("1",))
