"""When money moves: a return is paid on being requested or sent, on receipt, or on inspection."""

from datetime import timedelta

import pytest
from attrs import evolve

from rma import (
    ApproveReturn,
    Bonus,
    Calendar,
    CancelReturn,
    Charge,
    ClaimedCharge,
    Command,
    CorrectedItem,
    CorrectReceipt,
    ExpireReturn,
    GoodsReceived,
    Grade,
    InspectedItem,
    InspectReturn,
    InvalidValue,
    MissingItem,
    NewItem,
    PaidAhead,
    PayOn,
    PlannedRefund,
    ReceivedItem,
    ReceiveReturn,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RejectedItem,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRequested,
    ReturnRule,
    ReturnSent,
    ReturnStatus,
    Withdrawal,
)
from rma.domain.react import react
from rma.domain.views.quotes import planned_refunds
from tests.rules.given import Given, line, order_of, put, receive, request, update, usd

SCALE = (
    Grade("A", 100, "stock"),
    Grade("B", 80, "refurbish"),
    Grade("D", 0, "scrap"),
)


def paid_on(pay_on: str, *, price: int = 5995, quantity: int = 1, **more: object) -> Given:
    """Returns an order of shoes whose returns are paid at this moment, and nothing requested yet."""
    inspect = bool(more.pop("inspect", True))
    policy = ReturnPolicy(pay_on=pay_on, inspect=inspect, grades=SCALE if inspect else (), **more)  # type: ignore[arg-type] # drawn
    return Given(order_of(line(quantity=quantity, price=price), captured=price * quantity), policy)


def graded(grade: str, quantity: int = 1) -> InspectReturn:
    """Grades mugs of the first return."""
    return InspectReturn(
        return_id="ret_1", items=[InspectedItem(item_id="mug", quantity=quantity, grade=grade)]
    )


def amounts(given: Given) -> tuple[int, int, int]:
    """Returns what the first return was paid, what is due, and what it was overpaid."""
    account = given.the().entitlement
    return account.paid.amount, account.due.amount, account.overpaid.amount


def test_what_is_paid_on_sending_and_turns_out_to_be_worth_less_is_shown() -> None:
    """59.95 paid on sending, grade B at 80 %: due is 47.96, overpaid 11.99, and no customer is charged."""
    given = paid_on("sending")
    given.when(request(1))
    assert amounts(given) == (0, 0, 0)

    _, paid = given.when(RecordSending(return_id="ret_1", created_by="ann"))

    assert isinstance(paid, PaidAhead)
    assert (paid.by, [each.key for each in react(paid)]) == ("ann", ["ret_1-refund-1"])
    assert given.the().paid_ahead == usd(5995)
    assert amounts(given) == (5995, 0, 0)
    given.when(receive(1))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert amounts(given) == (5995, 0, 0)
    given.when(graded("B"))
    assert given.the().entitlement.entitled == usd(4796)
    assert amounts(given) == (5995, 0, 1199)
    assert [each.name for each in given.the().breakdown] == ["item:mug", "grade:B"]
    assert not given.the().needs_attention


@pytest.mark.parametrize("pay_on", ["request", "sending", "receipt", "inspection"])
def test_goods_that_are_as_good_as_new_are_paid_once(pay_on: str) -> None:
    """Whenever it is paid, a return of grade A comes to the quote, and is paid once."""
    given = paid_on(pay_on)
    at: dict[str, int] = {}
    steps: list[tuple[str, Command]] = [
        ("request", request(1)),
        ("sending", RecordSending(return_id="ret_1")),
        ("receipt", receive(1)),
        ("inspection", graded("A")),
    ]
    for name, command in steps:
        given.when(command)
        at[name] = amounts(given)[0]

    moments = list(at)
    due = moments.index(pay_on)
    assert [at[each] for each in moments] == [0] * due + [5995] * (4 - due)
    assert amounts(given) == (5995, 0, 0)
    assert len(given.the().refunds) == 1


def test_what_is_paid_on_receipt_is_paid_before_it_is_inspected() -> None:
    """Said in as many words, receipt is before the inspection; not said, money waits for it."""
    given = paid_on("receipt")
    given.when(request(1))
    given.when(receive(1))
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert amounts(given) == (5995, 0, 0)
    given.when(graded("D"))
    assert amounts(given) == (5995, 0, 5995)
    given.when(
        InspectReturn(
            return_id="ret_1", items=[InspectedItem(item_id="mug", quantity=1, grade="B", previous_grade="D")]
        )
    )
    assert amounts(given) == (5995, 0, 1199)

    other = Given(given.order, ReturnPolicy(inspect=True, grades=SCALE))
    other.when(request(1))
    other.when(receive(1))
    assert amounts(other) == (0, 0, 0)


def test_what_is_paid_on_request_is_promised_until_it_is_closed() -> None:
    """While units are expected, what was paid is due; once it is closed short, the rest is overpaid."""
    given = paid_on("request", quantity=3, price=1000, inspect=False)
    given.when(request(3))
    assert amounts(given) == (3000, 0, 0)
    given.when(receive(1, more_expected=True))
    assert amounts(given) == (3000, 0, 0)
    assert given.the().entitlement.entitled == usd(3000)
    given.when(receive(1, allow_mismatch=True))
    assert amounts(given) == (3000, 0, 1000)
    assert given.the().refund_amount == usd(2000)
    assert len(given.the().refunds) == 1


def test_rejected_units_that_were_paid_ahead_are_overpaid() -> None:
    """A person may reject what was paid before it was seen."""
    given = paid_on("request", quantity=3, price=1000, inspect=False)
    given.when(request(2))
    given.when(receive(3))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    given.when(ResolveReturn(return_id="ret_1", rejected=[RejectedItem(item_id="mug", quantity=2)]))
    assert amounts(given) == (2000, 0, 1000)


def test_a_return_is_paid_once_it_is_approved() -> None:
    """A return that waits for approval is not paid; what was not approved is not paid either."""
    given = paid_on("request", review=True, inspect=False)
    given.when(request(1))
    assert amounts(given) == (0, 0, 0)
    _, paid = given.when(ApproveReturn(return_id="ret_1"))
    assert isinstance(paid, PaidAhead)
    assert amounts(given) == (5995, 0, 0)


def test_a_return_that_was_paid_ahead_is_neither_updated_nor_canceled() -> None:
    """Its money is out: it is resolved, and what was paid is shown."""
    given = paid_on("request", quantity=2, price=1000, inspect=False)
    given.when(request(2))
    assert given.codes(update(1)) == ["return_already_paid"]
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_not_cancelable"]
    given.when(ResolveReturn(return_id="ret_1", missing=[MissingItem(item_id="mug", quantity=2, pay=False)]))
    assert amounts(given) == (2000, 0, 2000)


def test_a_return_that_was_paid_ahead_and_expires_is_overpaid() -> None:
    """Nothing is due for goods that were never sent; the outcome of the refund is recorded all the same."""
    given = paid_on("request", inspect=False, return_within_days=7)
    given.when(request(1))
    until = given.the().return_by
    assert until is not None
    given.now = until
    given.when(ExpireReturn(return_id="ret_1"))
    assert given.the().status is ReturnStatus.EXPIRED
    assert amounts(given) == (5995, 0, 5995)
    assert given.the().needs_attention
    given.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundDeclined("card_closed")))
    assert amounts(given) == (0, 0, 0)
    assert not given.the().needs_attention


def test_a_refund_that_was_paid_ahead_and_failed_is_asked_for_again() -> None:
    """It is due, whatever the status."""
    given = paid_on("request", inspect=False)
    given.when(request(1))
    given.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundDeclined("away")))
    assert amounts(given) == (0, 5995, 0)
    given.when(RetryRefund(return_id="ret_1"))
    assert amounts(given) == (5995, 0, 0)
    assert given.the().refunds[-1].key == "ret_1-refund-2"


def test_a_quote_that_exceeds_the_payments_is_blocked() -> None:
    """Nothing is paid, not even a part, and what is due is shown."""
    given = paid_on("sending", inspect=False)
    put(given, payments=order_of(captured=100).payments)
    given.when(request(1))
    events = given.when(RecordSending(return_id="ret_1"))
    assert [type(each).__name__ for each in events] == ["ReturnSent", "PaidAhead", "RefundBlocked"]
    assert amounts(given) == (0, 5995, 0)
    given.order = None
    assert given.codes(RetryRefund(return_id="ret_1")) == ["order_not_found"]


def test_an_order_that_is_gone_cannot_be_paid_on_sending() -> None:
    """The payments are the order's."""
    given = paid_on("sending", inspect=False)
    given.when(request(1))
    given.order = None
    assert given.codes(RecordSending(return_id="ret_1")) == ["order_not_found"]


def test_goods_that_arrive_without_a_sending_are_paid_on_receipt() -> None:
    """No one recorded that they were sent: they are paid as any return is."""
    given = paid_on("sending", inspect=False)
    given.when(request(1))
    (received,) = given.when(receive(1))
    assert isinstance(received, GoodsReceived)
    assert amounts(given) == (5995, 0, 0)
    assert given.the().paid_ahead is None


@pytest.mark.parametrize("review", [False, True])
def test_goods_that_the_customer_keeps_are_paid_for_and_not_ahead(review: bool) -> None:
    """Nothing is expected, so nothing is promised: 10.00, and the return is over."""
    rule = ReturnRule(name="kept", goods="kept", review=review)
    given = Given(policy=ReturnPolicy(rules=[rule], pay_on="request"))
    events = given.when(request(1))
    if review:
        events = given.when(ApproveReturn(return_id="ret_1"))

    opened = "ReturnApproved" if review else "ReturnRequested"
    assert [type(each).__name__ for each in events] == [opened, "GoodsReceived"]
    assert (given.the().status, given.the().paid_ahead) == (ReturnStatus.RECEIVED, None)
    assert amounts(given) == (1000, 0, 0)


def test_that_goods_which_the_customer_keeps_cannot_be_paid_for_is_said_once() -> None:
    """9.00 are left, and the mug is worth 10.00."""
    policy = ReturnPolicy(rules=[ReturnRule(name="kept", goods="kept")], pay_on="request")
    given = Given(order_of(captured=900), policy)
    events = given.when(request(1))

    assert [type(each).__name__ for each in events] == ["ReturnRequested", "GoodsReceived", "RefundBlocked"]
    assert amounts(given) == (0, 1000, 0)


def test_goods_that_come_beside_those_that_the_customer_keeps_are_paid_ahead() -> None:
    """A broken mug stays and a whole one comes back: 20.00 are paid at once, and nothing is paid again."""
    rules = [ReturnRule(name="kept", goods="kept", when={"reason:damaged"}), ReturnRule(name="back")]
    given = Given(policy=ReturnPolicy(rules=rules, pay_on="request"))
    broken = RequestedItem(item_id="mug", quantity=1, reason_id="rr_damaged")
    whole = RequestedItem(item_id="mug", quantity=1)
    events = given.when(RequestReturn(order_id="order_1", items=[broken, whole]))

    assert [type(each).__name__ for each in events] == ["ReturnRequested", "PaidAhead", "GoodsReceived"]
    assert (given.the().status, amounts(given)) == (ReturnStatus.PARTIALLY_RECEIVED, (2000, 0, 0))
    given.when(receive(1))
    assert (given.the().status, amounts(given)) == (ReturnStatus.RECEIVED, (2000, 0, 0))


def test_charges_that_are_paid_ahead_are_not_given_back_again() -> None:
    """All is to come back, so 20.00 and the 5.00 of its postage are paid; a claim finds nothing left."""
    policy = ReturnPolicy(rules=[ReturnRule(name="all", charges_back="all_back")], pay_on="request")
    given = Given(order_of(charges=[Charge("post", "shipping", usd(500))]), policy)
    given.when(request(2))

    assert amounts(given) == (2500, 0, 0)
    assert [(each.id, each.amount) for each in given.the().charges_back] == [("post", 500)]
    post = ClaimedCharge(charge_id="post")
    claim = RequestClaim(order_id="order_1", type="refund", charges=[post])
    assert given.codes(claim) == ["refund_exceeds_charge"]


def test_what_is_worth_nothing_is_not_paid_ahead() -> None:
    """No event says that 0.00 was paid."""
    given = paid_on("request", price=0, inspect=False)
    (requested,) = given.when(request(1))
    assert isinstance(requested, ReturnRequested)
    assert (given.the().paid_ahead, amounts(given)) == (None, (0, 0, 0))


def test_what_is_worth_nothing_is_sent_though_its_order_is_gone() -> None:
    """Nothing would be paid, so no payments have to be known."""
    given = paid_on("sending", price=0, inspect=False)
    given.when(request(1))
    given.order = None
    (sent,) = given.when(RecordSending(return_id="ret_1"))
    assert isinstance(sent, ReturnSent)


@pytest.mark.parametrize("pay_on", ["inspection", "never", 3])
def test_contradictory_terms_are_refused(pay_on: object) -> None:
    """What is never inspected is not paid on inspection."""
    with pytest.raises(InvalidValue) as error:
        ReturnPolicy(pay_on=pay_on)
    assert error.value.details["field"] == "ReturnPolicy.pay_on"
    assert ReturnPolicy(pay_on=PayOn.SENDING).terms.pay_on is PayOn.SENDING


def test_what_was_paid_on_sending_is_not_paid_again_with_a_proof() -> None:
    """A proof is added to what was recorded."""
    given = paid_on("sending", inspect=False)
    given.when(request(1))
    given.when(RecordSending(return_id="ret_1"))
    (sent,) = given.when(RecordSending(return_id="ret_1", proof="receipt"))
    assert isinstance(sent, ReturnSent)
    assert amounts(given) == (5995, 0, 0)


def test_a_return_that_expired_is_not_paid_on_sending() -> None:
    """Its units are free again; its goods wait for a person."""
    given = paid_on("sending", inspect=False, return_within_days=7)
    given.when(request(1))
    sent_at = given.now + timedelta(days=1)
    until = given.the().return_by
    assert until is not None
    given.now = until
    given.when(ExpireReturn(return_id="ret_1"))
    given.when(RecordSending(return_id="ret_1", sent_at=sent_at))
    assert amounts(given) == (0, 0, 0)


def test_a_withdrawal_is_paid_when_the_policy_says() -> None:
    """The terms of the law are about dates, not about this."""
    right = Withdrawal(calendar=Calendar("Europe/Berlin"))
    given = paid_on("sending", inspect=False, withdrawal=right)
    given.when(request(1, basis="withdrawal"))
    given.when(RecordSending(return_id="ret_1"))
    assert amounts(given) == (5995, 0, 0)


def never_sent(price: int = 1000, quantity: int = 1, **more: object) -> Given:
    """Returns an order whose return was paid on its request, and expired."""
    given = paid_on("request", price=price, quantity=quantity, inspect=False, return_within_days=1, **more)
    given.when(request(1))
    expire(given)
    return given


def expire(given: Given, return_id: str = "ret_1") -> None:
    """Two days later the return expires."""
    given.now += timedelta(days=2)
    given.when(ExpireReturn(return_id=return_id))


def test_a_unit_that_was_paid_ahead_and_never_sent_is_not_paid_ahead_again() -> None:
    """Asked for again and again, it is paid once; then for its goods, once they are here."""
    given = never_sent(quantity=2)
    for number in range(2, 5):
        assert given.when(request(1))[0].return_id == f"ret_{number}"
        assert len(given.history[-1:]) == 1
        assert given.the(f"ret_{number}").paid_ahead is None
        expire(given, f"ret_{number}")

    assert sum(each.refunded.amount for each in given.ledger.returns) == 1000
    assert [each.id for each in given.ledger.returns if each.needs_attention] == ["ret_1"]
    given.when(request(2))
    given.when(receive(2, return_id="ret_5", refund_amount=1000))  # a person takes off what was paid before
    assert given.the("ret_5").refunded == usd(1000)
    given.when(receive(1, return_id="ret_1"))
    assert given.the().status is ReturnStatus.REQUIRES_ACTION


def test_on_being_sent_it_is_not_paid_ahead_again_either() -> None:
    """Whatever moment the terms name; once the goods of the first come after all, it is."""
    given = never_sent(quantity=2)
    given.policy = ReturnPolicy(pay_on="sending")
    given.when(request(1))
    given.when(RecordSending(return_id="ret_2"))
    assert given.the("ret_2").refunded == usd(0)
    given.when(receive(1))
    given.when(ReceiveReturn(return_id="ret_1", items=[], allow_mismatch=True))
    assert (amounts(given), given.the().needs_attention) == ((1000, 0, 0), False)

    given.when(receive(1, return_id="ret_2"))
    assert given.the("ret_2").refunded == usd(1000)


def test_goods_that_turn_out_to_be_worth_less_end_nothing() -> None:
    """They are here: the next return of the order is paid ahead all the same."""
    given = paid_on("request", quantity=2, price=1000)
    given.when(request(1))
    given.when(receive(1))
    given.when(graded("B"))
    assert amounts(given) == (1000, 0, 200)

    given.when(request(1))

    assert given.the("ret_2").refunded == usd(1000)


def test_a_person_says_what_the_customer_keeps_who_sent_nothing() -> None:
    """All of it, with a note: nothing is overpaid, and later returns are paid ahead again."""
    given = never_sent(quantity=2)
    all_of_it = ResolveReturn(return_id="ret_1", refund_amount=1000)
    assert given.codes(all_of_it) == ["refund_exceeds_worth"]

    given.when(evolve(all_of_it, refund_note="they were stolen from the doorstep"))

    assert (given.the().status, amounts(given)) == (ReturnStatus.RECEIVED, (1000, 0, 0))
    assert not given.the().needs_attention
    given.when(request(1))
    assert given.the("ret_2").refunded == usd(1000)


def test_a_person_says_that_the_customer_keeps_nothing_who_sent_nothing() -> None:
    """It stays overpaid, no list shows it any more, and later returns are paid for their goods."""
    given = never_sent(quantity=2)

    given.when(ResolveReturn(return_id="ret_1", refund_amount=0))

    assert (amounts(given), given.the().needs_attention) == ((1000, 0, 1000), False)
    given.when(request(1))
    assert given.the("ret_2").refunded == usd(0)


def test_what_expired_and_was_not_paid_is_not_resolved() -> None:
    """There is nothing to say."""
    given = paid_on("sending", inspect=False, return_within_days=1)
    given.when(request(1))
    expire(given)

    assert given.codes(ResolveReturn(return_id="ret_1", refund_amount=0)) == ["nothing_to_resolve"]
    paid = never_sent()
    assert paid.codes(ResolveReturn(return_id="ret_1")) == ["nothing_to_resolve"]


def test_what_a_person_said_is_missing_is_decided() -> None:
    """It is shown as overpaid, in no list, and no later return of the order is paid ahead."""
    given = paid_on("request", quantity=2, price=1000, inspect=False)
    given.when(request(1))
    given.when(ResolveReturn(return_id="ret_1", missing=[MissingItem(item_id="mug", quantity=1, pay=False)]))
    assert (amounts(given), given.the().needs_attention) == ((1000, 0, 1000), False)

    given.when(request(1))

    assert given.the("ret_2").refunded == usd(0)


def unpaid(reason: str, quantity: int = 3) -> Given:
    """Returns mugs at 10.00 that were to be paid on the request, and were not."""
    captured = 2000 if reason == "blocked" else 4000
    policy = ReturnPolicy(pay_on="request", return_within_days=14)
    given = Given(order_of(line(quantity=4, price=1000), captured=captured), policy)
    given.when(request(quantity))
    if reason == "declined":
        given.record_outcomes(("ret_1-refund-1", RefundDeclined("closed")))
    assert amounts(given) == (0, 3000, 0)
    return given


@pytest.mark.parametrize("reason", ["blocked", "declined"])
def test_a_promise_for_which_no_money_moved_can_be_canceled(reason: str) -> None:
    """Nothing arrived and nothing was paid: nothing is due any more, and the units are free."""
    given = unpaid(reason)

    given.when(CancelReturn(return_id="ret_1"))

    assert (given.the().status, amounts(given)) == (ReturnStatus.CANCELED, (0, 0, 0))
    assert not given.the().needs_attention
    assert given.codes(RetryRefund(return_id="ret_1")) == ["nothing_due"]
    put(given, payments=order_of(captured=4000).payments)
    given.when(request(4))
    assert given.the("ret_2").refunded == usd(4000)


@pytest.mark.parametrize("reason", ["blocked", "declined"])
def test_a_promise_for_which_no_money_moved_can_be_updated(reason: str) -> None:
    """It is promised again: one mug is, and can be paid."""
    given = unpaid(reason)

    updated, paid = given.when(update(1))

    assert [type(each).__name__ for each in (updated, paid)] == ["ReturnUpdated", "PaidAhead"]
    assert (given.the().paid_ahead, amounts(given)) == (usd(1000), (1000, 0, 0))
    (refused,) = given.refuses(update(2)).violations
    assert (refused.code, refused.numbers["paid"]) == ("return_already_paid", 1000)
    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_not_cancelable"]


def test_a_promise_that_is_updated_may_wait_for_approval() -> None:
    """What was promised and not paid is due no more, until it is approved."""
    given = unpaid("declined")
    given.policy = evolve(given.policy, review=True)

    given.when(update(4))

    assert (given.the().status, given.the().paid_ahead) == (ReturnStatus.PENDING_APPROVAL, None)
    assert amounts(given) == (0, 0, 0)
    given.when(ApproveReturn(return_id="ret_1"))
    assert amounts(given) == (4000, 0, 0)


def test_a_promise_that_may_have_been_paid_is_not_canceled() -> None:
    """Its refund is on its way."""
    given = paid_on("request", inspect=False)
    given.when(request(1))

    assert given.codes(CancelReturn(return_id="ret_1")) == ["return_not_cancelable"]
    assert given.codes(update(1)) == ["return_already_paid"]


CREDIT = ReturnRule(name="credit", outcomes=["refund", "store_credit"], bonus=Bonus("thanks", percent=10))


@pytest.mark.parametrize("inspect", [False, True])
@pytest.mark.parametrize("pay_on", ["request", "sending", "receipt", "inspection", None])
def test_store_credit_has_its_bonus_whenever_it_is_given(pay_on: str | None, inspect: bool) -> None:
    """Number 4: 40.00 as credit are 44.00, also after it was declined once."""
    inspect = inspect or pay_on == "inspection"
    policy = ReturnPolicy(pay_on=pay_on, rules=[CREDIT], inspect=inspect, grades=SCALE if inspect else ())
    sold = order_of(line(quantity=4, price=1000), captured=4000, customer_id="cus_1")
    steps: list[Command] = [request(4, outcome="store_credit"), RecordSending(return_id="ret_1"), receive(4)]
    steps += [graded("A", 4)] if inspect else []
    at_once, again = Given(sold, policy), Given(sold, policy)
    for step in steps:
        at_once.when(step)
        again.when(step)
        if "ret_1-refund-1" in again.ledger.open_effects:
            again.record_outcomes(("ret_1-refund-1", RefundDeclined("away")))
            assert [each.bonus for each in planned(again)] == [usd(400)]
            again.when(RetryRefund(return_id="ret_1"))

    for given in (at_once, again):
        in_force = [each for each in given.the().refunds if each.is_in_force]
        assert [(each.amount, each.bonus) for each in in_force] == [(usd(4000), usd(400))]
    assert len(again.the().refunds) == 2


def planned(given: Given) -> tuple[PlannedRefund, ...]:
    """Returns how what is due of the first return would go back."""
    assert given.order is not None
    return planned_refunds(given.order, given.ledger, given.the(), given.now)


def test_the_bonus_of_a_promise_is_that_of_all_that_was_requested() -> None:
    """The credit was declined, and only what has no bonus arrived: what is promised is paid with it."""
    plain = ReturnRule(name="plain", when={"outlet"}, outcomes=["refund", "store_credit"])
    policy = ReturnPolicy(pay_on="request", rules=[plain, CREDIT])
    sold = order_of(line(quantity=1), line("cap", quantity=1, tags=["outlet"]), customer_id="cus_1")
    given = Given(sold, policy)
    both = [RequestedItem(item_id=each, quantity=1) for each in ("mug", "cap")]
    given.when(RequestReturn(order_id="order_1", items=both, outcome="store_credit"))
    given.record_outcomes(("ret_1-refund-1", RefundDeclined("away")))

    cap = [ReceivedItem(item_id="cap", quantity=1)]
    given.when(ReceiveReturn(return_id="ret_1", items=cap, more_expected=True))

    credit = given.the().refunds[-1]
    assert (credit.amount, credit.bonus) == (usd(2000), usd(100))
    given.when(receive(1))
    assert given.the().refunds[-1] == credit


def test_exchanges_and_claims_have_moments_of_their_own() -> None:
    """An exchange pays its difference once, when its goods are here."""
    given = paid_on("request", inspect=False)
    mug = [RequestedItem(item_id="mug", quantity=1)]
    new = [NewItem(variant_id="v_new", quantity=1, unit_price=1000)]
    given.when(RequestExchange(order_id="order_1", items=mug, new_items=new))
    assert amounts(given) == (0, 0, 0)
    given.when(receive(1))
    assert amounts(given) == (4995, 0, 0)


@pytest.mark.parametrize(
    ("pay_on", "command"),
    [("request", ApproveReturn(return_id="ret_1")), ("sending", RecordSending(return_id="ret_1"))],
)
def test_an_exchange_that_is_approved_or_sent_is_not_paid_ahead(pay_on: str, command: Command) -> None:
    """The 49.95 that are left of 59.95 wait for the goods."""
    given = paid_on(pay_on, inspect=False, review=pay_on == "request")
    mug = [RequestedItem(item_id="mug", quantity=1)]
    new = [NewItem(variant_id="v_new", quantity=1, unit_price=1000)]
    given.when(RequestExchange(order_id="order_1", items=mug, new_items=new))

    assert len(given.when(command)) == 1
    assert (given.the().paid_ahead, amounts(given)) == (None, (0, 0, 0))
    given.when(receive(1))
    assert amounts(given) == (4995, 0, 0)


def test_a_correction_leaves_what_is_promised() -> None:
    """While units are expected, what was paid ahead is due, whatever the receipts say."""
    given = paid_on("request", quantity=3, price=1000, inspect=False)
    given.when(request(3))
    given.when(receive(2, more_expected=True))
    one = [CorrectedItem(item_id="mug", quantity=1)]
    given.when(CorrectReceipt(return_id="ret_1", items=one, reason="counted again"))
    assert given.the().entitlement.entitled == usd(3000)
    given.when(receive(0, allow_mismatch=True))
    assert amounts(given) == (3000, 0, 2000)


def short_of_money(pay_on: str | None) -> Given:
    """Returns two mugs for 20.00, of which 5.00 were captured, that were requested and wait to be graded."""
    policy = ReturnPolicy(pay_on=pay_on, inspect=True, grades=SCALE)
    given = Given(order_of(line(price=1000), captured=500), policy)
    given.when(request(2))
    given.when(receive(2))
    return given


@pytest.mark.parametrize("pay_on", [None, "request", "receipt", "inspection"])
@pytest.mark.parametrize("named", [0, 500])
def test_an_amount_that_is_named_takes_the_place_of_one_that_was_blocked(pay_on: str, named: int) -> None:
    """20.00 are more than the payments have left; 0 is named, and nothing is due, whenever it is paid."""
    given = short_of_money(pay_on)
    assert amounts(given)[1] == (2000 if pay_on in ("request", "receipt") else 0)

    given.when(ReceiveReturn(return_id="ret_1", items=[], allow_mismatch=True, refund_amount=named))

    paid, due, overpaid = amounts(given)
    assert given.the().status is ReturnStatus.IN_INSPECTION
    assert (paid + due, overpaid) == (named if pay_on in ("request", "receipt") else 0, 0)
    assert given.the().refund_amount == usd(named)
    if not named:
        assert not given.the().entitlement.is_refund_blocked
        assert given.codes(RetryRefund(return_id="ret_1")) == ["nothing_due"]
    given.when(graded("A", 2))
    assert amounts(given) == (named, 0, 0)


def test_an_amount_that_is_named_for_a_mismatch_takes_the_place_of_one_that_was_blocked() -> None:
    """Three arrive, and 5.00 are named for the two: of the 20.00 that were promised 5.00 are left."""
    given = Given(order_of(line(quantity=3), captured=500), ReturnPolicy(pay_on="request"))
    given.when(request(2))
    assert amounts(given) == (0, 2000, 0)

    given.when(receive(3, refund_amount=500))

    assert given.the().status is ReturnStatus.REQUIRES_ACTION
    assert amounts(given) == (0, 500, 0)
    assert given.the().entitlement.is_refund_blocked
    given.when(RetryRefund(return_id="ret_1"))
    assert amounts(given) == (500, 0, 0)


def test_what_was_promised_and_paid_stays_while_another_amount_is_named() -> None:
    """20.00 were paid on receipt, and 5.00 are named then: 15.00 are overpaid once it is closed."""
    given = paid_on("receipt", quantity=2, price=1000)
    given.when(request(2))
    given.when(receive(2))

    given.when(ReceiveReturn(return_id="ret_1", items=[], allow_mismatch=True, refund_amount=500))

    assert amounts(given) == (2000, 0, 0)
    given.when(graded("A", 1))
    assert amounts(given) == (2000, 0, 0)
    given.when(graded("A", 1))
    assert amounts(given) == (2000, 0, 1500)
