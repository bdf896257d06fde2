"""Rules, charges and kept goods meet approval, updates and withdrawals."""

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve

from rma import (
    ApprovedItem,
    ApproveReturn,
    Calendar,
    CancelExchange,
    Charge,
    Command,
    Fee,
    GoodsReceived,
    HostRule,
    LineItem,
    NewItem,
    ReceivedItem,
    ReceiveReturn,
    RecordExchangePayment,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    Return,
    ReturnableItem,
    ReturnApproved,
    ReturnBasis,
    ReturnPolicy,
    ReturnRule,
    ReturnShipment,
    ReturnStatus,
    ReturnUpdated,
    Review,
    UpdateReturn,
    Violation,
    Window,
    Withdrawal,
)
from rma.domain.decide.facts import Facts
from rma.domain.views.returnable import returnable_items
from tests.rules.before import DECLINE, EXPIRE, RENEW, SENT, approve, berlin
from tests.rules.given import Given, effect_kinds, line, off, order_of, receive, request, update, usd
from tests.rules.test_rules import policy_of
from tests.world import REASONS

#: Damage is kept without asking, up to 15.00; the rest keeps 10 %, and a person approves it.
RULES = policy_of(
    ReturnRule(name="keep", when={"reason:damaged"}, goods="kept", worth_at_most=1500),
    ReturnRule(name="rest", fees=[Fee("restocking", percent=10)], review=True),
)


def asked(quantity: int = 1, item_id: str = "mug", **more: Any) -> RequestedItem:
    """Returns so many units of a line."""
    return RequestedItem(item_id=item_id, quantity=quantity, **more)


def damaged(item_id: str = "mug") -> RequestedItem:
    """Returns one unit that is damaged."""
    return asked(1, item_id, reason_id="rr_damaged")


def requested(*items: RequestedItem, **more: Any) -> RequestReturn:
    """Requests a return of these items."""
    return RequestReturn(order_id="order_1", items=items, **more)


def updated(*items: RequestedItem, **more: Any) -> UpdateReturn:
    """Updates the first return to these items."""
    return UpdateReturn(return_id="ret_1", items=items, **more)


def shop(policy: ReturnPolicy = RULES, **more: Any) -> Given:
    """Returns two mugs at 10.00 and two teas at 5.00."""
    return Given(order_of(line("mug", 2, 1000), line("tea", 2, 500), **more), policy)


def delivered(on: datetime, policy: ReturnPolicy) -> Given:
    """Returns the same, delivered then, a day later."""
    items = [line("mug", 2, 1000, delivered_at=on), line("tea", 2, 500, delivered_at=on)]
    given = Given(order_of(*items, created_at=on), policy)
    given.now = on + timedelta(days=1)
    return given


# -- approval -------------------------------------------------------------------------------------


def test_one_line_under_review_makes_the_whole_return_wait() -> None:
    """Number 1: a rule without a review opens at once; one line under another makes the return wait."""
    calm = policy_of(ReturnRule(name="tea", when={"reason:damaged"}), ReturnRule(name="rest", review=True))
    given = shop(calm)

    given.when(requested(damaged("tea")))
    given.when(requested(damaged("tea"), asked(1)))

    assert given.the("ret_1").status == "requested"
    assert given.the("ret_2").status == "pending_approval"


def test_what_a_rule_keeps_is_kept_of_what_is_approved() -> None:
    """Two at 10.00 less 10 %: 18.00; one of them: 9.00. The item keeps the rule that spoke."""
    given = shop()
    given.when(request(2))
    ruling = given.the().items[0].ruling
    assert given.the().refund_amount == usd(1800)

    given.when(approve(1))

    assert given.the().refund_amount == usd(900)
    assert given.the().items[0].ruling == ruling
    given.when(receive(1))
    assert given.the().refund_amount == usd(900)


def test_a_host_that_asks_for_a_review_makes_the_return_wait() -> None:
    """As a rule of the policy would."""

    class Asked(Given):
        def facts(self, command: Any) -> Facts:
            return evolve(super().facts(command), host_rules=(HostRule("risk", lambda *_: Review("often")),))

    given = Asked(order_of(line("mug", 2, 1000)), ReturnPolicy())
    given.when(request(1))

    assert given.the().status == "pending_approval"
    given.when(approve())
    given.when(update(1))
    assert given.the().status == "requested"
    given.when(update(2))
    assert given.the().status == "pending_approval"


def test_what_the_customer_keeps_is_paid_once_it_is_approved() -> None:
    """Not before; what comes back beside it travels alone."""
    given = shop()
    given.when(requested(damaged(), asked(1, "tea"), shipping_option_id="so_return"))
    assert given.the().status == "pending_approval"
    assert given.ledger.open_effects == {}

    approved, received = given.when(ApproveReturn(return_id="ret_1", created_by="clerk"))

    assert isinstance(approved, ReturnApproved)
    assert isinstance(received, GoodsReceived)
    assert (received.by, received.receipt.number, received.receipt.items) == ("clerk", 1, ())
    assert approved.shipment_request is not None
    assert [(each.item_id, each.quantity) for each in approved.shipment_request.lines] == [("tea", 1)]
    assert given.the().status is ReturnStatus.PARTIALLY_RECEIVED
    # The way back of 2.00 and the fee of 10 % are off the 5.00 of the tea, which may never come.
    assert given.the().refunded == usd(1000)
    given.when(ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="tea", quantity=1)]))
    assert (given.the().status, given.the().refunded) == ("received", usd(1250))


def test_where_everything_that_is_approved_is_kept_nothing_travels() -> None:
    """No label is booked, and none is paid for."""
    given = shop()
    given.when(requested(damaged(), asked(1, "tea"), shipping_option_id="so_return"))

    given.when(ApproveReturn(return_id="ret_1", items=[ApprovedItem(item_id="mug", quantity=1)]))

    assert (given.the().status, given.the().refunded) == ("received", usd(1000))
    assert given.the().shipping_method is None
    assert effect_kinds(given.ledger) == ["refund-1"]


def express(policy: ReturnPolicy) -> Given:
    """Returns three at 20.00 less 6.00, sent by express for 12.00, of which 4.90 can be given back."""
    charge = Charge("express", "shipping", usd(1200), refundable=usd(490))
    return Given(order_of(line("mug", 3, 2000, adjustments=off(600)), charges=[charge]), policy)


REVIEWED = policy_of(ReturnRule(name="all", charges_back="all_back", review=True))


def test_the_quote_of_fewer_units_gives_back_no_charge() -> None:
    """54.00 and 4.90 for all three; 36.00 for two of them."""
    given = express(REVIEWED)
    given.when(request(3))
    assert given.the().refund_amount == usd(5890)

    (event,) = given.when(approve(2))

    assert isinstance(event, ReturnApproved)
    assert (given.the().refund_amount, event.quoted_charges) == (usd(3600), ())
    assert sum([part.amount.amount for part in given.the().breakdown]) == 3600


def test_charges_are_quoted_as_they_are_when_the_return_is_approved() -> None:
    """Two wait while the third comes back: once they are approved they are the last, and bring 4.90 back."""
    given = express(REVIEWED)
    given.when(request(2))
    given.when(request(1))
    given.when(ApproveReturn(return_id="ret_2"))
    given.when(receive(1, return_id="ret_2"))
    assert given.the().refund_amount == usd(3600)

    given.when(approve())

    assert given.the().refund_amount == usd(4090)
    given.when(receive(2))
    assert given.the().refunded.amount + given.the("ret_2").refunded.amount == 5400 + 490


def test_a_named_refund_gives_back_no_charge_when_it_is_approved() -> None:
    """It is final."""
    given = express(REVIEWED)
    given.when(request(3, refund_amount=5000))

    given.when(approve())

    assert (given.the().refund_amount, given.the().quoted_charges) == (usd(5000), ())


def test_an_approval_needs_its_order() -> None:
    """To say what it is worth."""
    given = shop()
    given.when(request(1))
    given.order = None

    assert given.codes(approve()) == ["order_not_found"]


def exchanged(*items: RequestedItem, **more: Any) -> RequestExchange:
    """Exchanges these items for a cup of 15.00."""
    cup = NewItem(variant_id="v_cup", quantity=1, unit_price=1500)
    return RequestExchange(order_id="order_1", items=items, new_items=[cup], **more)


def test_an_exchange_waits_too_where_a_rule_says_so() -> None:
    """Nothing is booked or sent; once it is approved it goes on as any exchange."""
    given = shop(policy_of(ReturnRule(name="all", review=True)))
    given.when(exchanged(asked(2), shipping_option_id="so_return"))
    assert (given.the().status, given.ledger.open_effects) == ("pending_approval", {})

    given.when(approve())
    assert effect_kinds(given.ledger) == ["shipment-1"]
    assert (given.the().return_by, given.the().refund_amount) == (None, usd(300))
    given.when(receive(2))
    assert given.ledger.exchanges[0].status == "completed"
    assert effect_kinds(given.ledger) == ["shipment-1", "restock-1", "refund-1", "replacement-1"]


def test_an_exchange_is_approved_as_a_whole() -> None:
    """What it is worth was quoted with it."""
    given = shop(evolve(RULES, review=True))
    given.when(exchanged(asked(2)))

    assert given.codes(approve(1)) == ["return_of_exchange"]
    given.when(approve(2))


def test_new_goods_for_what_is_kept_are_sent_once_it_is_approved() -> None:
    """Not before."""
    given = shop(policy_of(ReturnRule(name="keep", goods="kept", review=True)))
    given.when(exchanged(asked(2)))
    assert given.ledger.open_effects == {}

    given.when(approve())

    assert (given.the().status, given.ledger.exchanges[0].status) == ("received", "completed")
    assert effect_kinds(given.ledger) == ["refund-1", "replacement-1"]


def test_declining_cancels_the_exchange() -> None:
    """A late parcel is a return by itself: what it is worth, nothing new against it."""
    given = shop(policy_of(ReturnRule(name="all", review=True)))
    given.when(exchanged(asked(2)))

    given.when(DECLINE)

    assert (given.the().status, given.ledger.exchanges[0].status) == ("declined", "canceled")
    assert given.ledger.exchanges[0].owed == usd(0)
    given.when(receive(2))
    given.when(receive(0, allow_mismatch=True))
    assert (given.the().status, given.the().refunded) == ("received", usd(2000))
    assert given.ledger.exchanges[0].status == "canceled"


def test_what_was_paid_for_is_not_declined() -> None:
    """As an exchange that was paid is not canceled before its goods are here."""
    given = shop(policy_of(ReturnRule(name="all", review=True)))
    given.when(exchanged(asked(1)))
    given.when(RecordExchangePayment(exchange_id="exc_1", amount=500, reference="ch_1"))

    assert given.codes(DECLINE) == ["exchange_paid"]


def test_a_declined_exchange_leaves_a_return_that_is_quoted_its_goods() -> None:
    """Nothing new is set against them any more, so quote and breakdown say what they are worth alone."""
    given = shop(policy_of(ReturnRule(name="all", review=True)))
    given.when(exchanged(asked(1)))
    assert given.the().refund_amount == usd(0)
    given.when(DECLINE)
    parts = [part.amount.amount for part in given.the().breakdown]
    assert given.the().refund_amount == usd(sum(parts))


def test_a_pending_exchange_can_be_canceled() -> None:
    """There is no label to cancel."""
    given = shop(policy_of(ReturnRule(name="all", review=True)))
    given.when(exchanged(asked(1), shipping_option_id="so_return"))

    given.when(CancelExchange(exchange_id="exc_1"))

    assert (given.the().status, given.ledger.open_effects) == ("canceled", {})


# -- updates --------------------------------------------------------------------------------------


def test_units_that_stay_keep_the_rule_that_spoke_for_them() -> None:
    """Whatever the policy says by now: neither a new fee nor a closed window is asked about."""
    given = shop(policy_of(ReturnRule(name="old", fees=[Fee("restocking", percent=10)])))
    given.when(requested(asked(2), asked(1, "tea")))
    given.policy = policy_of(ReturnRule(name="new", when={"vip"}, fees=[Fee("more", percent=50)]))

    (event,) = given.when(update(1))

    assert isinstance(event, ReturnUpdated)
    assert [rule.name for rule in event.rules] == ["old"]
    assert (given.the().refund_amount, given.the().items[0].rule) == (usd(900), "old")
    assert given.codes(update(2)) == ["no_rule_applies"]


def test_another_reason_is_judged_as_of_the_request() -> None:
    """By the policy now, in the window of then: the customer says that it was damaged after all."""
    rules = policy_of(
        ReturnRule(name="damaged", when={"reason:damaged"}, window=Window(14, "ordered")),
        ReturnRule(name="rest", window=Window(14, "ordered"), fees=[Fee("restocking", percent=10)]),
    )
    given = delivered(datetime(2026, 1, 1, tzinfo=UTC), rules)
    given.when(request(2))
    given.now += timedelta(days=30)

    given.when(updated(damaged(), asked(1)))

    assert [item.rule for item in given.the().items] == ["damaged", "rest"]
    assert [rule.name for rule in given.the().terms.rules] == ["damaged", "rest"]
    assert given.the().refund_amount == usd(1900)
    given.when(update(2))
    assert [item.rule for item in given.the().items] == ["rest"]
    assert given.codes(updated(asked(2), asked(1, "tea"))) == ["return_window_closed"]


def test_units_that_are_added_are_taken_by_the_rule_that_the_return_has() -> None:
    """Of a rule that both know by name, the return keeps what it has."""
    given = shop(policy_of(ReturnRule(name="all", fees=[Fee("restocking", percent=10)])))
    given.when(request(1))
    given.policy = policy_of(ReturnRule(name="all", fees=[Fee("restocking", percent=50)]))

    given.when(updated(asked(1), asked(1, "tea")))

    assert given.the().refund_amount == usd(1350)


def test_an_update_without_rules_forgets_them() -> None:
    """A line that is judged by a policy without rules has no rule."""
    given = shop(policy_of(ReturnRule(name="all", fees=[Fee("restocking", percent=10)])))
    given.when(request(1))
    given.policy = ReturnPolicy()

    given.when(update(2))

    assert (given.the().refund_amount, given.the().items[0].ruling) == (usd(2000), None)
    assert given.the().terms.rules == ()


def test_units_under_a_rule_with_a_review_wait_when_they_are_added() -> None:
    """Fewer of them do not, nor do others."""
    given = shop(
        policy_of(ReturnRule(name="tea", when={"reason:damaged"}), ReturnRule(name="r", review=True))
    )
    given.when(requested(asked(2)))
    given.when(approve())

    given.when(updated(asked(1), damaged("tea")))
    assert given.the().status == "requested"
    given.when(updated(asked(2), damaged("tea")))
    assert given.the().status == "pending_approval"


def test_another_reason_that_needs_a_review_waits() -> None:
    """Though no unit was added."""
    given = shop(
        policy_of(ReturnRule(name="tea", when={"reason:damaged"}), ReturnRule(name="r", review=True))
    )
    given.when(requested(damaged()))
    assert given.the().status == "requested"

    given.when(update(1))

    assert given.the().status == "pending_approval"


def test_goods_that_are_kept_after_an_update_are_paid_at_once() -> None:
    """As a request for them would be; the label of what does not travel any more is canceled."""
    given = shop(evolve(RULES, rules=[RULES.rules[0], evolve(RULES.rules[1], review=False)]))
    given.when(request(1, shipping_option_id="so_return"))
    given.record_outcomes(("ret_1-shipment-1", ReturnShipment({"label": 1})))

    updated_event, received = given.when(updated(damaged(), shipping_option_id="so_return"))

    assert isinstance(updated_event, ReturnUpdated)
    assert isinstance(received, GoodsReceived)
    assert (given.the().status, given.the().refunded) == ("received", usd(1000))
    assert effect_kinds(given.ledger) == ["cancel_shipment-1", "refund-1"]


def test_a_person_overrules_in_an_update_too() -> None:
    """Its reason is the return's; what was overruled before stays so."""
    given = shop(policy_of(ReturnRule(name="vip", when={"vip"})))
    given.when(requested(asked(2), overrule="ill"))

    given.when(update(1))
    assert (given.the().overrule, given.the().items[0].is_overruled) == ("ill", True)
    assert given.codes(updated(asked(1), asked(1, "tea"))) == ["no_rule_applies"]
    given.when(updated(asked(1), asked(1, "tea"), overrule="still ill"))
    assert given.the().overrule == "still ill"
    assert all(item.is_overruled for item in given.the().items)


def test_an_update_has_the_outcomes_of_a_request() -> None:
    """Store credit is refused by a code of its own, and new goods are another command."""
    given = shop()
    given.gives_credit = False
    given.when(request(1))

    assert given.codes(update(1, outcome="store_credit", payee="cus_2"))[0] == "store_credit_unsupported"
    assert given.codes(update(1, outcome="exchange")) == ["invalid_return_outcome"]


def test_an_update_quotes_charges() -> None:
    """All three bring 4.90 back, two of them nothing."""
    given = express(policy_of(ReturnRule(name="all", charges_back="all_back")))
    given.when(request(2))

    (event,) = given.when(update(3))
    assert isinstance(event, ReturnUpdated)
    assert given.the().refund_amount == usd(5890)
    assert [each.amount for each in event.quoted_charges] == [490]
    given.when(update(2))
    assert (given.the().refund_amount, given.the().quoted_charges) == (usd(3600), ())


# -- withdrawals ----------------------------------------------------------------------------------

RIGHT = Withdrawal(calendar=berlin())


def withdraw(quantity: int, **more: Any) -> RequestReturn:
    """Withdraws from so many mugs."""
    return request(quantity, basis="withdrawal", **more)


def test_a_withdrawal_from_everything_gives_the_delivery_back() -> None:
    """Up to what the merchant says can be given back; from a part, nothing of it."""
    given = express(ReturnPolicy(window_days=0, withdrawal=RIGHT))
    given.when(withdraw(1))
    given.when(receive(1))
    given.when(withdraw(2))
    given.when(receive(2, return_id="ret_2"))

    assert given.the("ret_1").refunded == usd(1800)
    assert given.the("ret_2").refunded == usd(3600 + 490)


def test_a_right_may_give_back_the_delivery_by_share_or_not_at_all() -> None:
    """Where no law demands it."""
    shared = express(ReturnPolicy(withdrawal=evolve(RIGHT, charges_back="share")))
    shared.when(withdraw(1))
    never = express(ReturnPolicy(withdrawal=evolve(RIGHT, charges_back="never")))
    never.when(withdraw(3))

    assert shared.the().refund_amount == usd(1800 + 163)
    assert never.the().refund_amount == usd(5400)


def test_a_rule_for_withdrawals_says_what_the_right_does_not() -> None:
    """Who pays the way back, and the charges; the window is the law's, and no other rule speaks."""
    policy = policy_of(
        ReturnRule(name="shop", fees=[Fee("restocking", percent=50)], review=True),
        ReturnRule(
            name="law", when={"basis:withdrawal"}, window=Window(0), way_back="merchant", charges_back="share"
        ),
        withdrawal=RIGHT,
    )
    given = express(policy)
    given.when(withdraw(1, shipping_option_id="so_return"))
    without = express(evolve(policy, rules=policy.rules[:1]))
    without.when(withdraw(1, shipping_option_id="so_return"))

    assert (given.the().status, given.the().items[0].rule) == ("requested", "law")
    assert given.the().refund_amount == usd(1800 + 163)
    assert (without.the().status, without.the().items[0].rule) == ("requested", None)
    assert without.the().refund_amount == usd(1800 - 200)


def test_a_rule_for_withdrawals_speaks_for_a_final_sale() -> None:
    """As the right itself does; other rules do not."""
    law = ReturnRule(name="law", when={"basis:withdrawal"}, way_back="merchant")
    policy = policy_of(ReturnRule(name="shop"), law, withdrawal=RIGHT)
    given = Given(order_of(line("mug", 3, 1000, is_returnable=False)), policy)
    given.when(withdraw(1, shipping_option_id="so_return"))

    assert (given.the().items[0].rule, given.the().refund_amount) == ("law", usd(1000))
    assert [(each.rule, each.code) for each in offered(given).options[0].failed] == [
        ("shop", "item_not_returnable")
    ]
    assert given.codes(request(1)) == ["item_not_returnable"]


def test_the_days_of_a_right_are_those_of_the_policys_calendar() -> None:
    """Unless it has its own."""
    on = datetime(2026, 3, 20, 12, tzinfo=UTC)
    policy = ReturnPolicy(window_days=0, calendar=berlin("2026-04-03", "2026-04-06"), withdrawal=Withdrawal())
    given = delivered(on, policy)
    given.now = datetime(2026, 4, 7, 20, tzinfo=UTC)
    given.when(withdraw(1))

    terms = given.the().terms
    assert terms.withdrawal is not None
    assert terms.withdrawal.calendar == policy.calendar
    own = evolve(policy, withdrawal=Withdrawal(calendar=Calendar("UTC")))
    assert own.right_of_withdrawal == own.withdrawal


def offered(given: Given) -> ReturnableItem:
    """Returns what can be withdrawn from of the first line now."""
    assert given.order is not None
    found = returnable_items(
        given.order, given.ledger, given.policy, given.now, reasons=REASONS, basis=ReturnBasis.WITHDRAWAL
    )
    return found[0]


def test_what_can_be_withdrawn_from_is_what_a_withdrawal_takes() -> None:
    """A final sale too, until the window of the law is closed; the merchant's window does not matter."""
    on = datetime(2026, 3, 2, 12, tzinfo=UTC)
    given = delivered(on, ReturnPolicy(window_days=0, review=True, withdrawal=RIGHT))
    (option,) = offered(given).options
    assert (option.is_offered, option.needs_review) == (True, False)
    assert option.until == datetime(2026, 3, 16, 23, tzinfo=UTC)
    given.now = on + timedelta(days=20)

    assert (offered(given).quantity, offered(given).reasons) == (0, ("return_window_closed",))
    assert given.refuses(withdraw(1)).violations == offered(given).options[0].violations
    given.policy = ReturnPolicy()
    assert (offered(given).quantity, offered(given).reasons) == (0, ("no_right_of_withdrawal",))
    assert given.refuses(withdraw(1)).violations == offered(given).options[0].violations
    assert given.codes(withdraw(1)) == ["no_right_of_withdrawal"]


def test_a_rule_of_the_host_is_not_asked_about_a_withdrawal() -> None:
    """No one refuses it."""

    class Refused(Given):
        def facts(self, command: Any) -> Facts:
            rule = HostRule("never", lambda *_: Violation("never"))
            return evolve(super().facts(command), host_rules=(rule,))

    given = Refused(order_of(line("mug", 2, 1000)), ReturnPolicy(withdrawal=RIGHT))
    given.when(withdraw(1))

    assert (given.the().status, given.the().items[0].ruling) == ("requested", None)


def test_a_withdrawal_that_is_late_can_be_overruled() -> None:
    """By a person, with a reason."""
    given = delivered(datetime(2026, 1, 1, tzinfo=UTC), ReturnPolicy(window_days=0, withdrawal=RIGHT))
    given.now = datetime(2026, 3, 1, tzinfo=UTC)

    given.when(withdraw(1, overrule="the parcel was misdelivered"))

    assert given.the().items[0].is_overruled
    assert given.the().items[0].until == datetime(2026, 1, 15, 23, tzinfo=UTC)


def test_a_right_may_have_days_of_grace() -> None:
    """A refusal names the last moment that the customer was given, as with rules."""
    on = datetime(2026, 1, 1, tzinfo=UTC)
    right = evolve(RIGHT, window=Window(14, grace_days=3))
    given = delivered(on, ReturnPolicy(window_days=0, withdrawal=right))
    given.now = on + timedelta(days=16)
    given.when(withdraw(1))
    given.now = on + timedelta(days=18)

    (refusal,) = given.refuses(withdraw(1)).violations
    assert refusal == Violation("return_window_closed", "mug", {"until": "2026-01-15T00:00:00+00:00"})


def late(given: Given, *commands: Command) -> Return:
    """Returns the first return, which was declined, once these parcels arrived and were accepted."""
    given.when(DECLINE)
    for command in commands:
        given.when(command)
    given.when(receive(0, allow_mismatch=True))
    return given.the()


def test_late_goods_count_by_the_rule_that_they_were_requested_under() -> None:
    """Their fee is kept, and the reason for which they come is known."""
    given = shop()
    given.when(requested(asked(2, reason_id="rr_big", tags=["unopened"])))

    target = late(given, receive(1), receive(1))

    assert target.refund_amount == usd(1800)
    (_, item) = target.items
    assert (item.is_late, item.rule, item.reason_id, item.tags) == (True, "rest", "rr_big", ("unopened",))
    assert (item.quantity, item.received_quantity, item.line.item_id) == (0, 2, "mug")


def test_late_goods_are_distinguished_by_their_reasons() -> None:
    """In the order of the request; more than was requested was not requested, and has no rule."""
    given = shop(policy_of(ReturnRule(name="half", fees=[Fee("half", percent=50)], review=True)))
    given.when(requested(asked(1, reason_id="rr_big"), asked(1, reason_id="rr_damaged")))
    tea = ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="tea", quantity=1)])

    target = late(given, receive(1), receive(0, 1), tea)

    arrived = [(item.reason_id, item.received_quantity, item.damaged_quantity) for item in target.items[2:]]
    assert arrived == [("rr_big", 1, 0), ("rr_damaged", 0, 1), (None, 1, 0)]
    assert target.refund_amount == usd(1000 + 500)


def test_late_goods_of_two_entries_alike_are_all_of_what_was_requested() -> None:
    """Both entries of the line have the same reason."""
    given = shop()
    given.when(requested(asked(1), asked(1)))
    target = late(given, receive(2))
    assert (target.refund_amount, target.items[2].received_quantity) == (usd(1800), 2)
    assert len(target.items) == 3


def test_late_goods_are_paid_the_amount_that_was_named_for_them() -> None:
    """As they would have been in time; it shrinks with what does not come."""
    given = shop(ReturnPolicy(review=True))
    given.when(request(2, refund_amount=500))
    assert late(given, receive(1)).refund_amount == usd(250)


def test_late_goods_that_are_worth_more_by_now_are_paid_no_more_than_was_named() -> None:
    """Their line was edited between."""
    given = shop(ReturnPolicy(review=True))
    given.when(request(2, refund_amount=500))
    given.order = order_of(line("mug", 2, 1500), line("tea", 2, 500))
    assert late(given, receive(2)).refund_amount == usd(500)


def test_goods_that_arrived_without_a_label_have_no_way_back_to_pay() -> None:
    """Nothing was booked for a return that waits for approval."""
    given = shop(ReturnPolicy(review=True))
    given.when(request(2, shipping_option_id="so_return"))
    assert given.the().refund_amount == usd(1800)
    given.when(receive(2))
    given.when(receive(0, allow_mismatch=True))
    assert given.the().refund_amount == usd(2000)


def test_units_with_other_tags_are_not_those_of_before() -> None:
    """Rules know the same facts of them, since the order has the tag as well; the host's own may not."""

    def judge(_facts: Facts, _line: LineItem, asked: RequestedItem) -> Review | None:
        return Review("opened") if "opened" in asked.tags else None

    class Sealed(Given):
        def facts(self, command: Any) -> Facts:
            return evolve(super().facts(command), host_rules=(HostRule("seals", judge),))

    given = Sealed(order_of(line("mug", 2, 1000), tags=["opened"]), ReturnPolicy())
    given.when(requested(asked(1)))

    given.when(updated(asked(1, tags=["opened"])))

    assert given.the().status == "pending_approval"


#: What is damaged is kept; the rest comes back within five days.
KEPT_AND_BACK = policy_of(
    ReturnRule(name="keep", when={"reason:damaged"}, goods="kept"),
    ReturnRule(name="rest"),
    return_within_days=5,
)


def kept_and_back() -> Given:
    """Returns a return of which a mug of 10.00 is kept and paid for, and a tea of 5.00 is to come."""
    given = shop(KEPT_AND_BACK)
    given.when(requested(damaged(), asked(1, "tea"), shipping_option_id="so_return"))
    assert (given.the().status, given.the().refunded) == ("partially_received", usd(1000))
    assert given.the().expires_at == given.now + timedelta(days=5)
    given.all_delivered()
    return given


def test_goods_beside_those_that_are_kept_can_be_sent_and_their_label_renewed() -> None:
    """As those of any return, until a parcel comes."""
    given = kept_and_back()
    given.when(RENEW)
    assert effect_kinds(given.ledger) == ["cancel_shipment-1", "shipment-2"]
    given.when(SENT)
    assert given.the().expires_at is None
    assert given.codes(EXPIRE) == ["return_already_sent", "not_expired_yet"]

    given.when(ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="tea", quantity=1)]))

    assert (given.the().status, given.the().refunded) == ("received", usd(1000 + 500 - 200))


def test_after_a_parcel_nothing_waits_for_the_first() -> None:
    """Beside goods that are kept, too."""
    given = shop(KEPT_AND_BACK)
    given.when(requested(damaged(), asked(2, "tea"), shipping_option_id="so_return"))
    tea = ReceivedItem(item_id="tea", quantity=1)
    given.when(ReceiveReturn(return_id="ret_1", items=[tea], more_expected=True))
    given.now += timedelta(days=9)
    assert given.the().expires_at is None
    for command in (SENT, EXPIRE, RENEW):
        assert given.codes(command) == ["return_already_received"]


def test_a_return_of_which_some_is_kept_ends_with_that() -> None:
    """What never arrived is free again, its label canceled, and nothing of it was deducted from the rest."""
    given = kept_and_back()
    given.now += timedelta(days=6)

    given.when(EXPIRE)

    target = given.the()
    assert (target.status, target.refund_amount, target.refunded) == ("received", usd(1000), usd(1000))
    assert (target.label_number, target.expires_at) == (None, None)
    assert effect_kinds(given.ledger) == ["cancel_shipment-1"]
    given.when(requested(asked(2, "tea")))
    assert given.codes(requested(asked(2))) == ["quantity_exceeds_returnable"]


def exchange_of_kept() -> Given:
    """Returns an exchange of a mug that is kept, and a tea that is to come, for a cup."""
    given = shop(KEPT_AND_BACK)
    given.when(exchanged(damaged(), asked(1, "tea"), shipping_option_id="so_return"))
    assert (given.the().status, given.the().refunded) == ("partially_received", usd(0))
    given.all_delivered()
    return given


def test_an_exchange_of_which_some_is_kept_can_be_canceled() -> None:
    """What is kept is paid for, and nothing more is expected."""
    given = exchange_of_kept()
    given.when(RecordExchangePayment(exchange_id="exc_1", amount=100, reference="ch_1"))

    given.when(CancelExchange(exchange_id="exc_1"))

    assert (given.the().status, given.ledger.exchanges[0].status) == ("received", "canceled")
    refunds = [(each.payment_id, each.amount) for each in given.the().refunds]
    assert refunds == [("ch_1", usd(100)), ("pay_1", usd(1000))]
    assert effect_kinds(given.ledger) == ["cancel_shipment-1", "refund-1", "refund-2"]


def test_an_exchange_of_which_some_is_kept_expires() -> None:
    """Then the money for what is kept is paid instead."""
    given = exchange_of_kept()
    given.now += timedelta(days=6)
    given.when(EXPIRE)
    assert (given.the().status, given.ledger.exchanges[0].status) == ("received", "canceled")
    assert given.the().refunded == usd(1000)


def test_an_exchange_expires_with_its_return() -> None:
    """A late parcel is then a return by itself."""
    given = shop(ReturnPolicy(return_within_days=5))
    given.when(exchanged(asked(1)))
    assert given.the().expires_at == given.now + timedelta(days=5)
    given.now += timedelta(days=6)

    given.when(EXPIRE)

    assert (given.the().status, given.ledger.exchanges[0].status) == ("expired", "canceled")
    given.when(receive(1))
    given.when(receive(0, allow_mismatch=True))
    assert (given.the().status, given.the().refunded) == ("received", usd(1000))


def test_an_exchange_that_was_paid_for_does_not_expire() -> None:
    """Its customer waits for new goods: a person looks."""
    given = shop(ReturnPolicy(return_within_days=5))
    given.when(exchanged(asked(1)))
    given.when(RecordExchangePayment(exchange_id="exc_1", amount=500, reference="ch_1"))
    given.now += timedelta(days=6)
    assert given.the().expires_at is None
    assert given.codes(EXPIRE) == ["exchange_paid"]


def test_an_exchange_that_is_approved_has_its_days_from_then() -> None:
    """As any return."""
    given = shop(evolve(ReturnPolicy(review=True), return_within_days=5))
    given.when(exchanged(asked(1)))
    assert given.the().return_by is None
    given.now += timedelta(days=6)
    given.when(approve())
    assert given.the().return_by == given.now + timedelta(days=5)


def test_nothing_is_approved_of_an_order_that_was_canceled() -> None:
    """As nothing of it can be requested."""
    given = shop(ReturnPolicy(review=True))
    given.when(request(1))
    assert given.order is not None
    given.order = evolve(given.order, status="canceled")
    assert given.codes(approve()) == ["order_canceled"]
    given.when(DECLINE)


def test_an_update_to_what_needs_no_review_opens_the_return() -> None:
    """As the request for that would have been open; its days begin, and its label is booked."""
    given = shop(evolve(RULES, return_within_days=5))
    given.when(requested(asked(1, "tea"), shipping_option_id="so_return"))
    assert (given.the().status, given.the().return_by) == ("pending_approval", None)
    given.now += timedelta(days=1)

    given.when(updated(damaged()))

    assert (given.the().status, given.the().refunded) == ("received", usd(1000))
    assert given.the().return_by == given.now + timedelta(days=5)


def test_what_has_to_be_approved_again_was_not_decided() -> None:
    """An approval is for what it approved."""
    given = shop()
    given.when(requested(asked(1)))
    given.when(approve())
    assert given.the().decision is not None
    given.when(updated(asked(2)))
    assert (given.the().status, given.the().decision) == ("pending_approval", None)
    assert given.the().return_by is None
