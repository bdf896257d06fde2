"""Where inspected units go: what ports are asked for, once, and what where a clerk changes their mind."""

from collections import Counter

from rma import (
    DisposeRequest,
    Effect,
    Grade,
    ReceiveReturn,
    RequestedItem,
    RequestReturn,
    RestockRequest,
    ReturnPolicy,
    ReturnRule,
    SendBackRequest,
    StockLine,
    WithdrawRequest,
)
from tests.rules.given import Given, receive, request, usd
from tests.rules.inspected import FAULTS, INSPECT, SCALE, five, graded, inspect, mug, waiting


def asked(given: Given) -> list[Effect]:
    """Returns the open effects that are about goods, and records that they are done."""
    found = [each.request for each in given.ledger.open_effects.values()]
    given.all_delivered()
    return [each for each in found if "refund" not in each.key]


def test_each_disposition_is_asked_of_its_port() -> None:
    """Stock, elsewhere by the merchant's word, the customer; nothing for what is held."""
    given = waiting(4)

    given.when(inspect("A", "B", graded("D", disposition="send_back"), graded("D", disposition="hold")))

    mugs = (StockLine("mug", "v_mug", 1),)
    assert asked(given) == [
        RestockRequest("ret_1-restock-1", "order_1", "ret_1", None, mugs),
        DisposeRequest("ret_1-dispose-1", "order_1", "ret_1", None, mugs, "refurbish"),
        SendBackRequest("ret_1-sendback-1", "order_1", "ret_1", None, mugs),
    ]


def test_places_are_asked_for_by_location() -> None:
    """The entry's own, else that of the return."""
    given = Given(five(), INSPECT)
    given.when(request(4))
    given.when(receive(4, location_id="loc_1"))

    given.when(inspect("A", graded("A", 2, location_id="loc_2"), graded("B", location_id="loc_3")))

    assert [(each.key, getattr(each, "location_id", None)) for each in asked(given)] == [
        ("ret_1-restock-1", "loc_1"),
        ("ret_1-restock-2", "loc_2"),
        ("ret_1-dispose-1", "loc_3"),
    ]


def test_from_refurbish_to_stock_asks_the_stock_once_for_one_unit() -> None:
    """And nothing of the money that was paid changes."""
    given = waiting()
    given.when(inspect("A", "B", "B"))
    asked(given)

    given.when(inspect(graded("B", disposition="restock", previous_grade="B")))

    (restock,) = asked(given)
    assert restock == RestockRequest(
        "ret_1-restock-2", "order_1", "ret_1", None, (StockLine("mug", "v_mug", 1),)
    )
    assert given.the().refunded == usd(1800 + 2880)


def test_out_of_stock_again() -> None:
    """What an inspection put there is withdrawn from where it is, under the key that put it there."""
    given = waiting()
    given.when(inspect(graded("A", location_id="loc_1")))
    given.when(inspect(graded("A", 2, location_id="loc_1")))
    asked(given)

    given.when(inspect(graded("B", 3, location_id="loc_1", previous_grade="A")))

    assert asked(given) == [
        WithdrawRequest(
            "ret_1-recall-1", "order_1", "ret_1", "loc_1", (StockLine("mug", "v_mug", 2),), "ret_1-restock-2"
        ),
        WithdrawRequest(
            "ret_1-recall-2", "order_1", "ret_1", "loc_1", (StockLine("mug", "v_mug", 1),), "ret_1-restock-1"
        ),
        DisposeRequest(
            "ret_1-dispose-1", "order_1", "ret_1", "loc_1", (StockLine("mug", "v_mug", 3),), "refurbish"
        ),
    ]


def test_in_and_out_and_in_again() -> None:
    """Each withdrawal is of what is left of a restock."""
    given = waiting(2)
    given.when(inspect("A", "A"))
    for _ in range(2):
        given.when(inspect(graded("B", previous_grade="A")))
    given.when(inspect(graded("A", previous_grade="B")))
    given.when(inspect(graded("D", previous_grade="A")))

    moves = asked(given)
    stock = Counter[str]()
    for move in moves:
        match move:
            case RestockRequest(lines=lines):
                stock["mug"] += sum(each.quantity for each in lines)
            case WithdrawRequest(lines=lines):
                stock["mug"] -= sum(each.quantity for each in lines)
            case _:
                pass
    assert stock["mug"] == 0
    assert [each.restock_key for each in moves if isinstance(each, WithdrawRequest)] == [
        "ret_1-restock-1",
        "ret_1-restock-1",
        "ret_1-restock-2",
    ]


def test_each_request_has_a_key_of_its_own() -> None:
    """They count within the return, over all of its inspections."""
    given = waiting(4)
    for _ in range(2):
        given.when(inspect("B", graded("D", disposition="send_back")))

    assert [each.key for each in asked(given)] == [
        "ret_1-dispose-1",
        "ret_1-sendback-1",
        "ret_1-dispose-2",
        "ret_1-sendback-2",
    ]


def test_units_of_a_grade_are_of_several_items() -> None:
    """Three of one grade, for a line that was requested in two parts."""
    given = Given(five(), INSPECT)
    items = [RequestedItem(item_id="mug", quantity=1), RequestedItem(item_id="mug", quantity=2)]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(receive(3))

    given.when(inspect(graded("B", 2), "A"))

    assert [[(each.grade, each.quantity) for each in item.graded] for item in given.the().items] == [
        [("A", 1)],
        [("B", 2)],
    ]
    given.when(inspect(graded("B", previous_grade="A")))
    assert [item.graded[0].quantity for item in given.the().items] == [1, 2]


def test_what_left_stock_is_not_taken_out_again() -> None:
    """The second withdrawal is of the restock whose unit is still there."""
    given = waiting(2)
    for grade in ("A", "A"):
        given.when(inspect(grade))
    asked(given)

    for _ in range(2):
        given.when(inspect(graded("B", previous_grade="A")))

    withdrawals = [each for each in asked(given) if isinstance(each, WithdrawRequest)]
    assert [each.restock_key for each in withdrawals] == ["ret_1-restock-2", "ret_1-restock-1"]


def test_from_one_location_of_stock_to_another() -> None:
    """Out of the one and into the other."""
    given = waiting(1)
    given.when(inspect(graded("A", location_id="loc_1")))
    asked(given)

    given.when(inspect(graded("A", location_id="loc_2", previous_grade="A")))

    kinds = [(type(each).__name__, getattr(each, "location_id", None)) for each in asked(given)]
    assert kinds == [("WithdrawRequest", "loc_1"), ("RestockRequest", "loc_2")]


def test_sold_stock_that_goes_back_to_the_customer() -> None:
    """Out of stock, and to the customer, as long as it was not paid for."""
    given = waiting(2)
    given.when(inspect("A"))
    asked(given)

    given.when(inspect(graded("A", disposition="send_back", previous_grade="A")))

    assert [type(each).__name__ for each in asked(given)] == ["WithdrawRequest", "SendBackRequest"]
    assert given.the().items[0].arrived_quantity == 1


def test_a_word_of_the_merchants_that_means_stock() -> None:
    """A unit whose grade goes elsewhere is put into stock by it; between two such words nothing moves."""
    scale = [Grade("A", 100, "shelf", restock=True), Grade("B", 80, "outlet")]
    given = waiting(2, policy=ReturnPolicy(inspect=True, grades=scale))
    given.when(inspect("A", graded("B", disposition="shelf")))
    (restock,) = asked(given)
    assert isinstance(restock, RestockRequest)
    assert restock.lines == (StockLine("mug", "v_mug", 2),)

    given.when(inspect(graded("A", disposition="restock", previous_grade="A")))

    assert asked(given) == []


def test_units_are_found_by_their_disposition_before() -> None:
    """B is in stock and at the refurbisher: the one at the refurbisher is meant."""
    given = waiting(2)
    given.when(inspect("B", graded("B", disposition="restock")))
    asked(given)

    given.when(inspect(graded("A", previous_grade="B", previous_disposition="refurbish")))

    (restock,) = asked(given)
    assert restock.key == "ret_1-restock-2"
    assert {(each.grade, each.disposition) for each in given.the().items[0].graded} == {
        ("A", "restock"),
        ("B", "restock"),
    }


def test_the_keys_of_receipts_and_inspections_do_not_meet() -> None:
    """A return of which one line waits and the other does not, in two parcels."""
    policy = ReturnPolicy(
        grades=SCALE, rules=[ReturnRule(name="worn", when={"worn"}, inspect=True), ReturnRule(name="all")]
    )
    given = Given(five(), policy)
    given.catalogue = FAULTS
    items = [
        RequestedItem(item_id="mug", quantity=2, tags=["worn"]),
        RequestedItem(item_id="mug", quantity=2),
    ]
    given.when(RequestReturn(order_id="order_1", items=items))
    given.when(ReceiveReturn(return_id="ret_1", items=[mug(3)], more_expected=True))
    given.when(inspect("A"))
    given.when(ReceiveReturn(return_id="ret_1", items=[mug(1)]))
    given.when(inspect("A"))

    restocks = [each for each in asked(given) if isinstance(each, RestockRequest)]
    assert [(each.key, each.lines[0].quantity) for each in restocks] == [
        ("ret_1-restock-1", 1),
        ("ret_1-restock-2", 1),
        ("ret_1-restock-3", 1),
        ("ret_1-restock-4", 1),
    ]
    assert given.the().status == "received"


def test_what_arrived_besides_goes_back_first() -> None:
    """The unit that was not requested."""
    given = Given(five(), INSPECT)
    given.when(request(2))
    given.when(receive(3))

    given.when(inspect("A", "A", graded("A", disposition="send_back")))

    requested, besides = given.the().items
    assert (requested.arrived_quantity, besides.arrived_quantity) == (2, 0)
    assert besides.graded_back_quantity == 1


def test_damaged_units_go_back_before_sellable_ones() -> None:
    """As the dock counted them."""
    given = Given(five(), INSPECT)
    given.when(request(3))
    given.when(receive(2, 1))

    given.when(inspect(graded("D", 2, disposition="send_back")))

    item = given.the().items[0]
    assert (item.received_quantity, item.damaged_quantity) == (1, 0)
