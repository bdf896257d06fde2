"""UpdateExchange with another hold: it takes the place of the one before, which is released once."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    ApproveReturn,
    ChargeDeclined,
    ExchangeStatus,
    ExchangeUpdated,
    Hold,
    OutOfStock,
    ReleaseRequest,
    ReturnPolicy,
    SettleAdvance,
    UpdateExchange,
)
from rma.domain.react import react
from rma.domain.views.timeline import timeline
from rma.testing.core_harness import START
from tests.rules.advance import NOT_GRADED, UNTIL, after_last_day, first, hold, pay, quoted, shoes, the
from tests.rules.given import Given, effect_kinds, receive, usd
from tests.rules.test_exchange_ends import CANCEL, NONE_LEFT, instead

OTHER = hold(5995, "auth_2")


def out_of_stock(policy: ReturnPolicy = NOT_GRADED, **more: Any) -> Given:
    """Returns an exchange of shoes for others at 40.00, on a hold of that, which are out of stock."""
    given = Given(shoes(), policy)
    given.when(first(4000, **{"hold": hold(4000), **more}))
    if given.ledger.open_effects:
        given.record_outcomes(("exc_1-replacement-1", NONE_LEFT))
    return given


def other(price: int = 5995, **more: Any) -> UpdateExchange:
    """Asks for others at this price, on another hold."""
    return instead(price, **{"hold": OTHER, **more})


def test_dearer_goods_are_sent_on_another_hold() -> None:
    """40.00 were held, 59.95 are needed: the first is released, once, and the goods are sent."""
    given = out_of_stock()
    assert given.codes(instead(5995)) == ["hold_too_small"]

    (updated,) = given.when(other())

    assert isinstance(updated, ExchangeUpdated)
    released = ReleaseRequest(key="exc_1-release-1", order_id="order_1", exchange_id="exc_1", hold=hold(4000))
    assert (updated.hold, updated.release_request) == (OTHER, released)
    assert [each.key for each in react(updated)] == ["exc_1-replacement-2", "exc_1-release-1"]
    exchange = the(given)
    assert (exchange.hold, exchange.replaced_holds) == (OTHER, (hold(4000),))
    assert (exchange.status, exchange.sent_first) == (ExchangeStatus.REQUESTED, True)
    assert not exchange.is_hold_closed
    entry = timeline("order_1", given.history)[-1]
    assert entry.details[-2:] == ("money: 59.95 USD held at auth_2", "money: 40.00 USD free at auth_1")


def test_what_does_not_come_back_is_charged_to_the_hold_that_took_the_place() -> None:
    """And if it comes back, that one is released under the next key."""
    given = out_of_stock()
    given.when(other())
    after_last_day(given)
    given.when(SettleAdvance(exchange_id="exc_1"))
    (charge,) = [each for event in given.history for each in react(event) if each.key == "exc_1-charge-1"]
    assert getattr(charge, "hold", None) == OTHER

    given = out_of_stock()
    given.when(other())
    given.when(receive(1))
    assert [each for each in effect_kinds(given.ledger) if "release" in each] == ["release-1", "release-2"]
    assert given.ledger.open_effects["exc_1-release-2"].request.hold == OTHER  # type: ignore[union-attr] # a release
    assert the(given).hold_released_at is not None


def test_a_hold_that_ends_too_early_is_replaced_before_the_approval() -> None:
    """The last day counts from the approval: the hold was long enough when it was asked for."""
    given = Given(shoes(), ReturnPolicy(return_within_days=14, review=True))
    given.when(first(5995))
    given.now = UNTIL - timedelta(days=13)
    assert given.codes(ApproveReturn(return_id="ret_1")) == ["hold_ends_before_return_by"]
    assert given.codes(other(hold=hold(5995, "auth_2", until=given.now + timedelta(days=13)))) == [
        "hold_ends_before_return_by"
    ]

    given.when(other(hold=hold(5995, "auth_2", until=given.now + timedelta(days=20))))

    assert (the(given).sent_first, effect_kinds(given.ledger)) == (False, ["release-1"])
    given.when(ApproveReturn(return_id="ret_1"))
    assert the(given).sent_first


def test_the_hold_that_is_quoted_for_the_goods_is_enough() -> None:
    """Of an order like it, as long as its last day is not later."""
    given = out_of_stock()
    needed = quoted(Given(shoes(), NOT_GRADED), first(5000, ship="last", hold=None)).hold_needed
    assert needed is not None
    until = given.the().return_by
    assert until is not None

    assert given.codes(other(5000, hold=Hold("auth_2", usd(4999), until))) == ["hold_too_small"]
    given.when(other(5000, hold=Hold("auth_2", needed.amount, until)))


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({"hold": "auth"}, ["invalid_hold"]),
        ({"hold": Hold("auth_2", usd(0), UNTIL)}, ["invalid_hold_amount"]),
        ({"hold": hold(5994, "auth_2")}, ["hold_too_small"]),
        ({"hold": hold(5995, "auth_2", until=START + timedelta(days=7))}, ["hold_ends_before_return_by"]),
        ({"hold": hold(5995, "auth_1")}, ["hold_reference_reused"]),
        ({"hold": hold(5995, "auth_1"), "new_items": []}, ["no_new_items", "hold_reference_reused"]),
    ],
)
def test_a_hold_that_cannot_take_the_place_is_refused(more: dict[str, Any], codes: list[str]) -> None:
    """By the checks of the request."""
    assert out_of_stock().codes(evolve(other(), **more)) == codes


def test_another_hold_needs_an_exchange_that_was_not_sent_and_a_port() -> None:
    """A hold is for new goods that are sent first."""
    given = out_of_stock()
    given.has_holds = False
    assert given.codes(other()) == ["no_holds"]
    given = out_of_stock(ship="last", hold=None)
    assert given.codes(other()) == ["hold_without_advance"]
    assert given.codes(evolve(other(), exchange_id="exc_9")) == ["exchange_not_found"]
    given = Given(shoes(), NOT_GRADED)
    given.when(first(5995))
    assert given.codes(other()) == ["new_goods_sent"]
    given = out_of_stock()
    given.when(CANCEL)
    assert given.codes(other()) == ["exchange_canceled", "advance_already_settled"]


def test_no_hold_takes_the_place_of_one_that_was_released_or_charged() -> None:
    """What it was for is here, or was charged: even where the charge was declined."""
    given = out_of_stock()
    given.when(receive(1))
    assert the(given).hold_released_at is not None
    assert given.codes(other()) == ["advance_already_settled"]
    given.when(instead(4000))
    assert the(given).status is ExchangeStatus.COMPLETED

    given = Given(shoes(), NOT_GRADED)
    given.when(first(5995))
    after_last_day(given)
    given.when(SettleAdvance(exchange_id="exc_1"))
    given.record_outcomes(("exc_1-charge-1", ChargeDeclined("no")), ("exc_1-replacement-1", OutOfStock()))
    assert not the(given).is_hold_closed
    assert given.codes(other()) == ["advance_already_settled"]


def test_the_references_of_all_holds_are_taken() -> None:
    """No payment and no other hold is called as one that was replaced."""
    given = out_of_stock()
    given.when(other(7000, hold=hold(5995, "auth_2")))
    assert given.codes(pay(1005, "auth_1")) == ["hold_reference_reused"]
    assert given.codes(pay(1005, "auth_2")) == ["hold_reference_reused"]
    assert given.codes(other(5995, hold=hold(5995, "auth_1"))) == ["hold_reference_reused"]
    given.when(other(5995, hold=hold(5995, "auth_3")))
    assert the(given).hold_references == ("auth_1", "auth_2", "auth_3")
    assert [each for each in effect_kinds(given.ledger) if "release" in each] == ["release-1", "release-2"]
