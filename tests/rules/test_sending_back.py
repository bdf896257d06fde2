"""What goes to the customer by a resolution: the carrier is asked for it, once, if it can be asked."""

from rma import (
    ForeignDecision,
    ForeignItem,
    ReceiveReturn,
    RejectedItem,
    ResolveReturn,
    SendBackRequest,
    StockLine,
)
from tests.rules.given import Given, effect_kinds, receive, request
from tests.rules.inspected import five, graded, inspect, mug, waiting


def asked(given: Given) -> list[SendBackRequest]:
    """Returns what the carrier is asked to bring back, and records that everything is done."""
    found = [each.request for each in given.ledger.open_effects.values()]
    given.all_delivered()
    return [each for each in found if isinstance(each, SendBackRequest)]


def rejects(quantity: int = 1, damaged: int = 0, *, send_back: bool = True) -> RejectedItem:
    """Rejects so many mugs."""
    return RejectedItem(item_id="mug", quantity=quantity, damaged_quantity=damaged, send_back=send_back)


def mismatch(quantity: int = 1, damaged: int = 0) -> Given:
    """Returns a return of three mugs of which fewer arrived."""
    given = Given(five())
    given.when(request(3))
    given.when(receive(quantity, damaged, location_id="berlin"))
    given.all_delivered()
    return given


def test_rejected_units_are_brought_back() -> None:
    """Sellable and damaged ones together, out of stock first; those that are kept stay."""
    given = mismatch(1, 1)

    given.when(ResolveReturn(return_id="ret_1", rejected=[rejects(1, 1)]))

    assert effect_kinds(given.ledger) == ["withdraw-1", "sendback-1"]
    mugs = (StockLine("mug", "v_mug", 2),)
    assert asked(given) == [SendBackRequest("ret_1-sendback-1", "order_1", "ret_1", "berlin", mugs)]


def test_rejected_units_that_are_kept_stay() -> None:
    """Nothing is asked for."""
    given = mismatch()

    given.when(ResolveReturn(return_id="ret_1", rejected=[rejects(send_back=False)]))

    assert asked(given) == []


def test_foreign_goods_are_brought_back() -> None:
    """As they were described; those that are kept stay."""
    given = Given(five())
    given.when(request(1))
    sock = ForeignItem(description="a sock", quantity=2, sku="SOCK", note="grey", images=["img/1"])
    hat = ForeignItem(description="a hat")
    given.when(ReceiveReturn(return_id="ret_1", items=[mug(1)], foreign=[sock, hat]))
    decided = [ForeignDecision(number=1, send_back=True), ForeignDecision(number=2, send_back=False)]

    given.when(ResolveReturn(return_id="ret_1", foreign=decided))

    assert asked(given) == [
        SendBackRequest("ret_1-sendback-1", "order_1", "ret_1", None, (), foreign=(sock,)),
    ]


def test_a_carrier_that_cannot_be_asked_is_not() -> None:
    """It is recorded, as ever, and nothing is refused."""
    given = mismatch()
    given.sends_back = False

    given.when(ResolveReturn(return_id="ret_1", rejected=[rejects()]))

    assert asked(given) == []
    assert given.the().items[0].returned_to_customer_quantity == 1


def test_each_parcel_to_the_customer_has_its_key() -> None:
    """By an inspection, by a resolution, and by the next one."""
    given = waiting(1)
    given.when(inspect(graded("D", disposition="send_back")))
    for _ in range(2):
        given.when(ReceiveReturn(return_id="ret_1", foreign=[ForeignItem(description="a sock")]))
        numbers = [each.number for each in given.the().undecided_foreign]
        decided = [ForeignDecision(number=number, send_back=True) for number in numbers]
        given.when(ResolveReturn(return_id="ret_1", foreign=decided))
    given.when(receive(1))
    given.when(inspect(graded("D", disposition="send_back")))

    keys = [each.key for each in asked(given)]
    assert keys == [f"ret_1-sendback-{number}" for number in range(1, 5)]


def test_a_resolution_that_sends_nothing_back_forgets_no_number() -> None:
    """The next one goes on."""
    given = mismatch(2)
    given.when(ResolveReturn(return_id="ret_1", rejected=[rejects()]))
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1", rejected=[rejects()]))

    assert [each.key for each in asked(given)] == ["ret_1-sendback-1", "ret_1-sendback-2"]
