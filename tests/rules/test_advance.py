"""Exchange before the goods are back: a hold, its charge or its release."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    AdvanceCharged,
    AdvanceShipped,
    ApproveReturn,
    CancelExchange,
    ChargeDeclined,
    ChargePending,
    ChargeStatus,
    ChargeSucceeded,
    DeclineReturn,
    ExchangeStatus,
    ExpireReturn,
    Hold,
    HoldNeeded,
    HoldReleased,
    InspectedItem,
    InspectReturn,
    KnownOutcomeReported,
    MissingItem,
    NewItem,
    OutOfStock,
    RecordChargeOutcome,
    RecordSending,
    ReleaseRequest,
    ResolveReturn,
    ReturnExpired,
    ReturnPolicy,
    ReturnStatus,
    SettleAdvance,
    UpdateExchange,
)
from rma.domain.decide import answer
from rma.domain.decide.holds import close_hold
from rma.domain.messages.effects import GivenUp, Overdue, Unknown
from rma.domain.react import react
from rma.testing.core_harness import START
from tests.rules.advance import (
    NOT_GRADED,
    POLICY,
    UNTIL,
    after_last_day,
    customer_paid,
    first,
    hold,
    pay,
    quoted,
    shipped,
    shoes,
    the,
)
from tests.rules.given import Given, effect_kinds, receive, usd


def grade(name: str, quantity: int = 1) -> InspectReturn:
    """Grades shoes of the first return."""
    return InspectReturn(
        return_id="ret_1", items=[InspectedItem(item_id="mug", quantity=quantity, grade=name)]
    )


SETTLE = SettleAdvance(exchange_id="exc_1", created_by="ann")


def test_new_goods_are_sent_first_once_the_difference_is_paid() -> None:
    """59.95 for 64.95: 5.00 are due before the new goods leave, and those are sent with the payment."""
    given = Given(shoes(), POLICY)
    given.when(first())
    assert (the(given).status, the(given).owed) == (ExchangeStatus.AWAITING_PAYMENT, usd(500))
    assert effect_kinds(given.ledger) == []

    given.when(pay(500))

    assert (the(given).status, the(given).is_sent) == (ExchangeStatus.REQUESTED, True)
    assert effect_kinds(given.ledger) == ["replacement-1"]
    assert given.the().status is ReturnStatus.REQUESTED


def test_new_goods_that_cost_no_more_are_sent_at_once() -> None:
    """Nothing is due: they leave with the request."""
    given = Given(shoes(), POLICY)
    *_, sent = given.when(first(5995, created_by="ann"))
    assert isinstance(sent, AdvanceShipped)
    assert (sent.by, [each.key for each in react(sent)]) == ("ann", ["exc_1-replacement-1"])
    assert the(given).status is ExchangeStatus.REQUESTED


def test_the_hold_is_released_when_everything_comes_back_as_it_was() -> None:
    """Grade A: released, nothing charged; the customer paid for the new goods."""
    given = shipped()
    given.when(receive(1))
    assert the(given).status is ExchangeStatus.REQUESTED

    *_, released = given.when(grade("A"))

    assert isinstance(released, HoldReleased)
    assert react(released) == (ReleaseRequest("exc_1-release-1", "order_1", "exc_1", hold()),)
    assert the(given).status is ExchangeStatus.COMPLETED
    assert (the(given).hold_charges, the(given).is_hold_closed) == ((), True)
    given.all_delivered()
    assert customer_paid(given) == 6495
    assert given.codes(SETTLE) == ["advance_already_settled", "exchange_completed"]


def test_goods_that_are_back_and_have_less_value_are_charged() -> None:
    """Grade B at 80 % of 59.95: 11.99 are charged, and nothing is released."""
    given = shipped()
    given.when(receive(1))
    *_, charged = given.when(grade("B"))

    assert isinstance(charged, AdvanceCharged)
    assert [(each.key, each.amount) for each in [charged.charge_request]] == [("exc_1-charge-1", usd(1199))]
    assert (the(given).status, the(given).owed) == (ExchangeStatus.COMPLETED, usd(0))
    assert the(given).hold_released_at is None
    given.all_delivered()
    assert the(given).hold_charges[0].status is ChargeStatus.SUCCEEDED
    assert the(given).paid == usd(500 + 1199)
    assert customer_paid(given) == 6495 + 5995 - 4796


def test_goods_that_never_come_back_are_charged() -> None:
    """59.95 are charged; the customer paid 59.95 + 5.00 + 59.95 = 124.90, which is both items."""
    given = shipped()
    assert given.codes(SETTLE) == ["not_expired_yet"]
    after_last_day(given)

    expired, charged = given.when(SETTLE)

    assert isinstance(expired, ReturnExpired)
    assert isinstance(charged, AdvanceCharged)
    assert (charged.charge.amount, charged.by) == (usd(5995), "ann")
    assert (the(given).status, given.the().status) == (ExchangeStatus.COMPLETED, ReturnStatus.EXPIRED)
    given.all_delivered()
    assert customer_paid(given) == 12490 == 5995 + 6495
    assert given.codes(SETTLE) == ["advance_already_settled", "exchange_completed"]


def test_a_return_that_expires_charges_the_hold_of_its_exchange() -> None:
    """A timer expires it, and that charges."""
    given = shipped()
    assert given.the().expires_at == given.the().return_by
    after_last_day(given)
    _, charged = given.when(ExpireReturn(return_id="ret_1"))
    assert isinstance(charged, AdvanceCharged)
    assert the(given).status is ExchangeStatus.COMPLETED
    assert given.when(ExpireReturn(return_id="ret_1")) == ()


def test_what_was_paid_for_and_not_sent_waits_for_a_person() -> None:
    """A timer does not end it: the payment is given back by a person, who cancels."""
    given = Given(shoes(), POLICY)
    given.when(first())
    assert (given.the().awaits_new_goods, given.the().expires_at) == (True, given.the().return_by)
    given.when(pay(1))
    assert given.the().expires_at is None
    after_last_day(given)
    given.now += timedelta(minutes=1)
    assert given.codes(ExpireReturn(return_id="ret_1")) == ["exchange_paid"]


def test_what_is_sent_first_ends_by_itself_and_waits_again_when_it_is_out_of_stock() -> None:
    """Until other new goods are sent in their place."""
    given = Given(shoes(), POLICY)
    given.when(first())
    until = given.the().return_by
    given.when(pay(500))
    assert (given.the().awaits_new_goods, given.the().expires_at) == (False, until)
    given.record_outcomes(("exc_1-replacement-1", OutOfStock("sold out")))
    assert (given.the().awaits_new_goods, given.the().expires_at) == (True, None)
    new = [NewItem(variant_id="v_other", quantity=1, unit_price=6495)]
    given.when(UpdateExchange(exchange_id="exc_1", new_items=new))
    assert (given.the().awaits_new_goods, given.the().expires_at) == (False, until)


def test_late_goods_after_a_charge_are_given_back_as_is_due() -> None:
    """The parcel comes after all: a person decides, and what was charged for it is due again."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    given.all_delivered()
    given.when(receive(1))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().entitlement.entitled == usd(5995)
    assert customer_paid(given) == 6495
    assert the(given).status is ExchangeStatus.COMPLETED


def test_goods_that_were_sent_are_not_charged_by_a_timer() -> None:
    """Nothing that was sent expires; a person may charge it all the same, after the last day."""
    given = shipped(NOT_GRADED)
    given.when(RecordSending(return_id="ret_1"))
    assert given.the().expires_at is None
    after_last_day(given)
    given.now += timedelta(seconds=1)
    assert given.codes(ExpireReturn(return_id="ret_1")) == ["return_already_sent"]
    _, charged = given.when(SETTLE)
    assert given.the().status is ReturnStatus.RECEIVED
    assert isinstance(charged, AdvanceCharged)
    assert charged.charge.amount == usd(5995)
    given.all_delivered()
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))
    assert customer_paid(given) == 6495


def test_some_of_the_goods_are_charged() -> None:
    """Two of three arrived: the third is charged after the last day, or once a person says it is missing."""
    for command in (
        SETTLE,
        ResolveReturn(return_id="ret_1", missing=[MissingItem(item_id="mug", quantity=1, pay=False)]),
    ):
        given = shipped(NOT_GRADED, shoes(3, 1000), price=3000, quantity=3, hold=hold(3000))
        given.when(receive(2, more_expected=True))
        after_last_day(given)
        *_, charged = given.when(command)
        assert isinstance(charged, AdvanceCharged)
        assert charged.charge.amount == usd(1000)
        given.all_delivered()
        assert customer_paid(given) == 3000 + 1000


def test_goods_that_are_here_are_judged_before_anything_is_charged() -> None:
    """While a person has to decide, nothing is charged."""
    given = shipped(NOT_GRADED, shoes(3, 1000), price=3000, quantity=3, hold=hold(3000))
    given.when(receive(2))
    after_last_day(given)
    assert given.codes(SETTLE) == ["advance_undecided"]
    given = shipped()
    given.when(receive(1))
    after_last_day(given)
    assert given.codes(SETTLE) == ["advance_undecided"]


def test_goods_that_wait_to_be_graded_are_judged_before_the_others_are_charged() -> None:
    """Two of three arrived and more was expected: their grades come first."""
    given = shipped(POLICY, shoes(3, 1000), price=3000, quantity=3, hold=hold(3000))
    given.when(receive(2, more_expected=True))
    after_last_day(given)
    assert given.the().status is ReturnStatus.PARTIALLY_RECEIVED
    assert given.codes(SETTLE) == ["advance_undecided"]


def test_cheaper_new_goods_are_charged_at_their_price() -> None:
    """Goods of 59.95 against new ones of 40.00: a hold of 40.00 is enough, and all that can be charged."""
    given = Given(shoes(), NOT_GRADED)
    assert given.codes(first(4000, hold=hold(3999))) == ["hold_too_small"]
    given.when(first(4000, hold=hold(4000)))
    after_last_day(given)
    _, charged = given.when(SETTLE)
    assert isinstance(charged, AdvanceCharged)
    assert charged.charge.amount == usd(4000)
    given.all_delivered()
    assert customer_paid(given) == 5995 + 4000


def test_what_the_shop_owes_is_refunded_when_the_goods_are_here() -> None:
    """A negative difference waits for the goods; the hold is released with it."""
    given = Given(shoes(), NOT_GRADED)
    given.when(first(4000, hold=hold(5995)))
    given.when(receive(1))
    assert effect_kinds(given.ledger) == ["replacement-1", "restock-1", "refund-1", "release-1"]
    assert customer_paid(given) == 4000


def test_goods_that_come_before_the_difference_is_paid_free_the_hold() -> None:
    """Nothing new was sent, so that nothing can be charged: it goes on as any exchange."""
    given = Given(shoes(), NOT_GRADED)
    given.when(first())
    *_, released = given.when(receive(1))
    assert isinstance(released, HoldReleased)
    assert (the(given).status, the(given).owed) == (ExchangeStatus.AWAITING_PAYMENT, usd(500))
    paid = Given(given.order, given.policy)
    for command in given.commands:
        paid.when(command)
    paid.when(pay(500))
    assert the(paid).status is ExchangeStatus.COMPLETED
    assert "replacement-1" in effect_kinds(paid.ledger)
    events = given.when(CancelExchange(exchange_id="exc_1"))
    assert not any(isinstance(event, HoldReleased) for event in events)  # it was before


def test_a_charge_that_was_declined_is_owed_and_tried_again() -> None:
    """Nothing was taken: the customer owes it, and either pays or is charged under the next key."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", ChargeDeclined("expired_hold", "too late")))
    assert (the(given).status, the(given).owed) == (ExchangeStatus.REQUIRES_ACTION, usd(5995))
    assert the(given).hold_charges[0].failure == "expired_hold: too late"
    assert the(given).needs_attention

    (charged,) = given.when(SETTLE)
    assert isinstance(charged, AdvanceCharged)
    assert charged.charge.key == "exc_1-charge-2"
    given.record_outcomes(("exc_1-charge-2", ChargeDeclined("expired_hold")))
    paid, released = given.when(pay(5995, "cash"))
    assert the(given).status is ExchangeStatus.COMPLETED
    assert react(paid) == ()  # the new goods were sent before
    assert isinstance(released, HoldReleased)
    assert customer_paid(given) == 12490


def test_a_charge_whose_outcome_is_unknown_waits_for_a_person() -> None:
    """Whether it was taken is not known: it is neither charged again nor owed, until a person says."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", GivenUp("time-out")))
    assert the(given).hold_charges[0].status is ChargeStatus.NEEDS_ATTENTION
    assert (the(given).owed, the(given).needs_attention) == (usd(0), True)
    assert given.codes(SETTLE) == ["advance_already_settled", "exchange_completed"]
    outcome = RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeSucceeded("ch_9"))
    (recorded,) = given.when(outcome)
    assert react(recorded) == ()
    assert the(given).paid == usd(6495)
    assert the(given).payments[-1].reference == "ch_9"
    assert given.when(outcome) == ()
    assert customer_paid(given) == 12490


def test_a_pending_charge_is_neither_owed_nor_paid() -> None:
    """The gateway took the request; goods that come meanwhile are due once the charge is known."""
    given = shipped(NOT_GRADED)
    given.when(RecordSending(return_id="ret_1"))
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", ChargePending("p_1")))
    assert (the(given).owed, the(given).paid) == (usd(0), usd(500))
    given.when(receive(1))
    given.when(ResolveReturn(return_id="ret_1"))
    assert given.the().amount_due == usd(0)
    given.when(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeSucceeded()))
    assert given.the().amount_due == usd(5995)
    assert given.the().needs_attention


def test_a_success_that_is_reported_after_a_refusal_counts_as_paid() -> None:
    """The money moved all the same."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", ChargeDeclined("no")))
    given.when(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeSucceeded()))
    assert (the(given).status, the(given).owed) == (ExchangeStatus.COMPLETED, usd(0))
    assert given.when(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeDeclined("no"))) == ()


def test_a_word_about_a_charge_under_a_key_is_said_once() -> None:
    """A clerk says what is known; then the charge bounces. Sent again, the clerk's word decides nothing."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", ChargeSucceeded("ch_9")))
    said = RecordChargeOutcome(
        key="exc_1-charge-1", outcome=ChargeSucceeded("ch_9"), idempotency_key="said", created_by="anna"
    )
    (event,) = given.when(said)
    assert isinstance(event, KnownOutcomeReported)
    assert (event.key, event.refund, react(event)) == ("exc_1-charge-1", None, ())
    given.when(RecordChargeOutcome(key="exc_1-charge-1", outcome=ChargeDeclined("charge_back")))
    assert answer(given.ledger, said) == "exc_1"
    assert the(given).hold_charges[0].status is ChargeStatus.FAILED


def test_new_goods_that_were_sent_cannot_be_called_back() -> None:
    """It can only be charged or released; before, it can be canceled, and its hold is released."""
    given = shipped()
    assert given.codes(CancelExchange(exchange_id="exc_1")) == ["new_goods_sent"]

    given = Given(shoes(), POLICY)
    given.when(first())
    *_, released = given.when(CancelExchange(exchange_id="exc_1"))
    assert isinstance(released, HoldReleased)
    assert (the(given).status, given.the().status) == (ExchangeStatus.CANCELED, ReturnStatus.CANCELED)
    assert effect_kinds(given.ledger) == ["release-1"]
    assert given.codes(SETTLE) == ["advance_already_settled", "exchange_canceled"]


def test_nothing_is_sent_before_it_is_approved() -> None:
    """A person approves it first; declined, its hold is released."""
    policy = ReturnPolicy(return_within_days=14, review=True)
    given = Given(shoes(), policy)
    given.when(first())
    given.when(pay(500))
    assert (the(given).status, effect_kinds(given.ledger)) == (ExchangeStatus.REQUESTED, [])
    assert given.codes(SETTLE) == ["advance_not_sent"]
    given.when(ApproveReturn(return_id="ret_1"))
    assert (the(given).is_sent, effect_kinds(given.ledger)) == (True, ["replacement-1"])

    given = Given(shoes(), policy)
    given.when(first())
    given.now = UNTIL - timedelta(days=13)
    assert given.codes(ApproveReturn(return_id="ret_1")) == ["hold_ends_before_return_by"]
    given.when(DeclineReturn(return_id="ret_1", reason="no"))
    assert effect_kinds(given.ledger) == ["release-1"]


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ({"hold": None}, ["hold_missing"]),
        ({"ship": "last"}, ["hold_without_advance"]),
        ({"ship": "never"}, ["invalid_ship"]),
        ({"hold": "auth"}, ["invalid_hold"]),
        ({"hold": Hold("", usd(5995), UNTIL)}, ["invalid_hold"]),
        ({"hold": Hold("a", usd(5995), START.replace(tzinfo=None))}, ["invalid_hold"]),
        ({"hold": Hold("a", usd(0), UNTIL)}, ["invalid_hold_amount"]),
        ({"hold": hold(5994)}, ["hold_too_small"]),
        ({"hold": hold(until=START + timedelta(days=7))}, ["hold_ends_before_return_by"]),
    ],
)
def test_a_hold_that_does_not_cover_the_goods_is_refused(more: dict[str, Any], codes: list[str]) -> None:
    """With everything that is wrong; the trap of seven days among it."""
    assert Given(shoes(), POLICY).codes(first(**more)) == codes


def test_a_quote_says_which_hold_is_needed() -> None:
    """59.95 for the old shoes, until their last day; the price of the new ones, if that is less."""
    given = Given(shoes(), POLICY)
    until = START + timedelta(days=14)

    assert quoted(given, first()).hold_needed == HoldNeeded(usd(5995), until)
    asked = first(3000, hold=None, ship="last")
    assert quoted(given, asked).hold_needed == HoldNeeded(usd(3000), until)
    (missing,) = given.refuses(first(hold=None)).violations
    assert str(missing).endswith("give one: its quote with ship='last' says which (hold_needed)")
    assert quoted(Given(shoes(price=0), POLICY), asked).hold_needed == HoldNeeded(usd(1), until)


def test_a_quote_of_what_cannot_be_sent_first_has_no_hold() -> None:
    """Goods without a last day are waited for without end; without a port no hold is charged."""
    asked = first(hold=None, ship="last")
    assert quoted(Given(shoes()), asked).hold_needed is None
    given = Given(shoes(), POLICY)
    given.has_holds = False
    assert quoted(given, asked).hold_needed is None


def test_what_is_missing_for_an_advance_is_refused() -> None:
    """A last day for the goods, and a port."""
    assert Given(shoes()).codes(first()) == ["advance_without_return_by"]
    given = Given(shoes(), POLICY)
    given.has_holds = False
    assert given.codes(first()) == ["no_holds"]


def test_a_hold_is_of_one_exchange_only() -> None:
    """Its reference is neither another hold's nor a payment's."""
    given = Given(shoes(3), NOT_GRADED)
    given.when(first())
    assert given.codes(first()) == ["hold_reference_reused"]
    assert given.codes(pay(500, "auth_1")) == ["hold_reference_reused"]
    given.when(pay(500))
    assert given.codes(first(hold=hold(reference="ch_1"))) == ["hold_reference_reused"]


def test_charging_and_recording_need_an_advance() -> None:
    """Nothing is charged that was not sent first, and no charge is known that was not made."""
    given = Given(shoes(), POLICY)
    assert given.codes(SETTLE) == ["exchange_not_found"]
    given.when(first(ship="last", hold=None))
    assert given.codes(SETTLE) == ["not_an_advance"]
    outcome = ChargeSucceeded()
    assert given.codes(RecordChargeOutcome(key="exc_1-charge-1", outcome=outcome)) == [
        "hold_charge_not_found"
    ]
    assert given.codes(RecordChargeOutcome(key="exc_9-charge-1", outcome=outcome)) == ["exchange_not_found"]
    assert given.codes(RecordChargeOutcome(key="exc_9-charge-1", outcome="ok")) == [  # type: ignore[arg-type] # on purpose
        "exchange_not_found",
        "invalid_outcome",
    ]


def test_a_hold_is_closed_once() -> None:
    """Whatever asks for it."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    owing = evolve(the(given), difference_due=usd(99_999))
    assert close_hold(owing, given.ledger, given.now, None) == ()


def test_new_goods_that_were_not_sent_are_not_charged() -> None:
    """The difference is not paid yet."""
    given = Given(shoes(), NOT_GRADED)
    given.when(first())
    after_last_day(given)
    assert given.codes(SETTLE) == ["advance_not_sent"]


def test_what_is_known_of_a_charge_is_recorded_once() -> None:
    """Answers that come again, late or of another charge say nothing new; what is overdue is looked at."""
    given = shipped(NOT_GRADED)
    after_last_day(given)
    given.when(SETTLE)
    given.record_outcomes(("exc_1-charge-1", ChargePending("p_1")))
    assert given.record_outcomes(("exc_1-charge-1", GivenUp("died"))) == ()
    given.record_outcomes(("exc_1-charge-1", Overdue(given.now)))
    assert the(given).hold_charges[0].status is ChargeStatus.NEEDS_ATTENTION
    given.record_outcomes(("exc_1-charge-1", ChargeSucceeded("ch_1")))
    assert given.record_outcomes(("exc_1-charge-1", ChargeSucceeded("ch_1"))) == ()
    assert given.record_outcomes(("exc_1-charge-1", Unknown("lost"))) == ()
    assert given.record_outcomes(("exc_1-charge-9", ChargeSucceeded("ch_1"))) == ()


def test_a_charge_that_is_known_while_a_person_decides_is_due_with_the_decision() -> None:
    """Late goods wait for the person, not for the gateway."""
    given = shipped(NOT_GRADED)
    given.when(RecordSending(return_id="ret_1"))
    after_last_day(given)
    given.when(SETTLE)
    given.when(receive(1))
    given.all_delivered()
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(ResolveReturn(return_id="ret_1"))
    assert customer_paid(given) == 6495


def test_new_goods_that_ran_out_before_the_approval_are_not_sent_by_it() -> None:
    """Others are to be chosen first."""
    given = Given(shoes(), ReturnPolicy(return_within_days=14, review=True))
    given.reserves = True
    given.when(first(5995))
    given.record_outcomes(("exc_1-reserve-1", OutOfStock()))
    given.when(ApproveReturn(return_id="ret_1"))
    assert (the(given).status, the(given).sent_first) == (ExchangeStatus.REQUIRES_ACTION, False)


def test_goods_that_are_graded_again_free_a_hold_whose_charge_was_declined() -> None:
    """B by mistake: 11.99 could not be charged and are owed; as A, nothing is, and the hold is released."""
    given = shipped()
    given.when(receive(1))
    given.when(grade("B"))
    given.record_outcomes(("exc_1-charge-1", ChargeDeclined("expired_hold")))
    assert the(given).owed == usd(1199)

    again = InspectedItem(item_id="mug", quantity=1, grade="A", previous_grade="B")
    events = given.when(InspectReturn(return_id="ret_1", items=[again]))

    assert [type(event).__name__ for event in events[1:]] == ["HoldReleased"]
    assert (the(given).status, the(given).owed) == (ExchangeStatus.COMPLETED, usd(0))
