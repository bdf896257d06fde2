"""
Situations that users of other systems reported to their trackers: by which means money goes back.

Gift cards, store credit, payouts, payments that are closed or too old, orders that are not paid yet, and
gateways with rules of their own. Each has an id and the product and number of the tracker. Amounts are in
minor units.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from rma import (
    Adjustment,
    Claim,
    ClaimItem,
    LineItem,
    Money,
    Order,
    Payment,
    RecordPayout,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundSucceeded,
    RequestClaim,
    RetryRefund,
    Return,
    ReturnPolicy,
    ReturnRule,
    ReturnService,
    Searchable,
)
from rma.adapters.memory import InMemoryCredits, InMemoryPayments, in_memory_service
from rma.testing.core_harness import START

from .world import FIRST, ORDER, SECOND, World, line, payment, receive, request, sale


def moved(service: ReturnService, return_id: str = FIRST) -> list[tuple[str, int, str]]:
    """Returns means, amount and status of each refund of a return; of a payment its id."""
    return [
        (each.payment_id or str(each.means), each.amount.amount, str(each.status))
        for each in service.get(return_id).refunds
    ]


def bring_back(service: ReturnService, units: int, return_id: str = FIRST) -> Return:
    """Requests units of a, and receives exactly these."""
    service.handle(request(a=units))
    return service.handle(receive(return_id, a=units))


def closed_card(*_: RefundRequest) -> RefundOutcome:
    """A gateway whose card is closed."""
    return RefundDeclined("card_closed")


# -- which means ---------------------------------------------------------------------------------------


def test_goods_that_are_not_paid_yet_come_off_what_the_customer_owes() -> None:
    """
    RB-07: frappe/erpnext#31037, #39434, PrestaShop/PrestaShop#18286: 400.00 of 1000.00 were paid.

    Goods of 400.00 come back: 600.00 were owed, 200.00 are, and no cash moves. What the customer owes is a
    payment of its own kind, which gives back first: the host books it. The rest gives back the cash.
    """
    paid = [payment("p", 40_000), payment("invoice", 60_000, kind="on_account")]
    policy = ReturnPolicy(means=["on_account", "*"])
    world = World.of(sale(line("a", 10, 10_000), paid=paid), policy=policy)

    first = bring_back(world.service, 4)
    assert (first.status, first.needs_attention, world.refunds) == ("received", False, (("invoice", 40_000),))

    bring_back(world.service, 6, SECOND)
    assert world.refunds == (("invoice", 40_000), ("invoice", 20_000), ("p", 40_000))
    assert world.service.order_state(ORDER).refundable == Money(0, "usd")


def test_gift_cards_are_refilled_before_the_card_wherever_they_are_listed() -> None:
    """RB-43: woocommerce/woocommerce-ios: 18.00 go back to a gift card of 20.00; 10.00 are left in all."""
    cards = [
        payment("stripe", 400),
        payment("card-2", 2000, kind="gift_card"),
        payment("card-4", 400, kind="gift_card"),
    ]
    policy = ReturnPolicy(means=["gift_card", "*"])
    world = World.of(sale(line("a", 1, 1800), shipping=1000, paid=cards), policy=policy)

    bring_back(world.service, 1)

    assert world.refunds == (("card-2", 1800),)
    assert world.service.order_state(ORDER).refundable == Money(1000, "usd")


def test_a_gift_that_its_recipient_sends_back_is_their_store_credit() -> None:
    """A-22: solidusio/solidus#518: nothing goes back to the card of the buyer, who is not notified."""
    credits_given = InMemoryCredits()
    payments = InMemoryPayments()
    gifts = ReturnRule(name="gifts", outcomes=["refund", "store_credit"])
    service = in_memory_service(
        [evolve(sale(line("a", 1, 5000), paid=5000), customer_id="buyer")],
        payments=payments,
        credits=credits_given,
        policies=ReturnPolicy(rules=[gifts]),
    )

    opened = service.handle(evolve(request(a=1), outcome="store_credit", payee="recipient"))
    service.handle(receive(opened.id, a=1))

    assert (credits_given.balances, payments.refunds) == ({"recipient": 5000}, {})
    assert service.get(opened.id).no_notification


# -- payments that are closed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("captured", "reference"),
    [pytest.param(8000, "bank-1", id="A-25"), pytest.param(5499, "bank-77", id="RB-22")],
)
def test_a_refund_that_was_made_by_hand_is_on_record(captured: int, reference: str) -> None:
    """
    A-25: spree/spree#10108, #5904, opencollective/opencollective#7624; RB-22: Stripe, WooCommerce.

    The card is closed, and the shop pays by bank transfer: it counts as paid, and is a transaction.
    """
    payments = InMemoryPayments(closed_card)
    world = World.of(sale(line("a", 1, captured), paid=captured), payments=payments)
    failed = bring_back(world.service, 1)
    assert (moved(world.service), failed.amount_due.amount) == ([("p1", captured, "failed")], captured)

    paid = world.service.handle(RecordPayout(return_id=FIRST, amount=captured, reference=reference))

    assert isinstance(paid, Return)
    assert (paid.refund_amount.amount, paid.amount_due.amount) == (captured, 0)
    assert [(each.amount.amount, each.reference_id) for each in world.service.transactions(ORDER)] == [
        (-captured, reference)
    ]


def test_a_payment_too_old_to_refund_is_passed_by() -> None:
    """RB-54: PayPal and Adyen refuse refunds of old captures: the host says since when."""
    old = evolve(payment("c1", 5499), refundable_until=START - timedelta(days=1))
    order = sale(line("a", 1, 2000), line("b", 1, 5499), paid=[old, payment("c2", 2000)])
    service = in_memory_service([order], clock=lambda: START, ids=lambda: "1")

    returned = bring_back(service, 1)

    assert moved(service) == [("c2", 2000, "succeeded")]
    assert not returned.needs_attention


def test_a_person_names_the_payment_that_takes_a_refund_after_all() -> None:
    """RB-54, where no one knew that the first capture is too old."""

    def answer(asked: RefundRequest) -> RefundOutcome:
        too_old = asked.payment_id == "c1"
        return RefundDeclined("REFUND_TIME_LIMIT_EXCEEDED") if too_old else RefundSucceeded("re_2")

    order = sale(line("a", 1, 2000), line("b", 1, 5499), paid=[payment("c1", 5499), payment("c2", 2000)])
    world = World.of(order, payments=InMemoryPayments(answer))
    assert bring_back(world.service, 1).amount_due == Money(2000, "usd")

    (paid,) = world.do(RetryRefund(return_id=FIRST, payment_id="c2"))

    assert moved(world.service) == [("c1", 2000, "failed"), ("c2", 2000, "succeeded")]
    assert (paid.amount_due.amount, paid.needs_attention) == (0, False)


# -- gateways with rules of their own ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "discount", "step", "currency", "asked"),
    [
        pytest.param(10_000, 20_000, 10, "kwd", [3330, 3340, 3330], id="A-18"),
        pytest.param(100_000, 10_000, 100, "huf", [96_700, 96_600, 96_700], id="RB-24"),
    ],
)
def test_a_gateway_is_asked_for_multiples_of_its_step(
    price: int, discount: int, step: int, currency: str, asked: Sequence[int]
) -> None:
    """
    A-18: woocommerce/woocommerce-gateway-stripe#2991, flexprice/flexprice#2685: tens of a fils.

    RB-24: paypal/PayPal-PHP-SDK#973, antiwork/gumroad PR 7605: whole forints. Units come back one by one.
    """
    whole = 3 * price - discount
    sold = LineItem(
        id="a",
        quantity=3,
        unit_price=Money(price, currency),
        fulfilled_quantity=3,
        adjustments=[Adjustment(Money(discount, currency))],
    )
    paid = Payment(id="p", captured=Money(whole, currency), refund_step=step)
    world = World.of(Order(id=ORDER, currency=currency, items=[sold], payments=[paid]))

    returns = [bring_back(world.service, 1, f"ret_{number}") for number in (1, 2, 3)]

    assert world.refunds == tuple([("p", amount) for amount in asked])
    assert sum(asked) == whole == sum(each.refund_amount.amount for each in returns)
    assert not any(amount % step for amount in asked)
    assert not any(each.needs_attention or each.amount_due.amount for each in returns)


def test_a_gateway_that_refunds_the_whole_capture_is_seen() -> None:
    """RB-23: angelleye/paypal-woocommerce PR 2232: 6.60 were asked for, 46.60 went back."""
    payments = InMemoryPayments(lambda asked: RefundPending("re_1"))
    order = sale(line("a", 1, 660), line("b", 1, 4000), paid=[payment("c1", 4660)])
    world = World.of(order, payments=payments)
    (asked,) = bring_back(world.service, 1).refunds
    assert asked.amount == Money(660, "usd")

    notice = RefundSucceeded("re_1", amount=Money(4660, "usd"))
    (ret,) = world.do(RecordRefundOutcome(key=asked.key, outcome=notice))

    (refund,) = ret.refunds
    assert (refund.status, refund.moved, ret.refunded) == (
        "succeeded",
        Money(4660, "usd"),
        Money(4660, "usd"),
    )
    assert ret.entitlement.overpaid == Money(4000, "usd")
    assert world.service.order_state(ORDER).refundable == Money(0, "usd")


def test_the_keys_of_returns_and_claims_are_those_that_gateways_take() -> None:
    """RB-25: Square takes 45 characters, Razorpay letters, digits, - and _ only."""
    payments = InMemoryPayments()
    service = in_memory_service([sale(line("a", 2, 1000), paid=2000)], payments=payments)
    opened = service.handle(request(a=1))
    service.handle(receive(opened.id, a=1))
    broken = [ClaimItem(item_id="a", quantity=1, reason="production_failure")]
    claim = service.handle(RequestClaim(order_id=ORDER, type="refund", items=broken))

    assert isinstance(claim, Claim)
    assert len(payments.refunds) == 2
    assert all(re.fullmatch("[A-Za-z0-9_-]{10,45}", key) for key in payments.refunds)


class Away(InMemoryPayments):
    """A gateway that cannot be reached, until it is back."""

    def __init__(self) -> None:
        super().__init__(answer=self._answer)
        self.is_back = False

    def _answer(self, request: RefundRequest) -> RefundOutcome:
        if not self.is_back:
            raise ConnectionError(request.key)
        return RefundSucceeded("re_1")


class Clock:
    """The present time, which can be moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The present time."""
        return self.now


def resume_for(service: ReturnService, clock: Clock, hours: int) -> None:
    """A timer runs each hour."""
    for _ in range(hours):
        clock.now += timedelta(hours=1)
        service.resume()


def test_a_payment_that_the_bank_took_back_meanwhile_is_not_refunded_as_well() -> None:
    """
    RB-15: juspay/hyperswitch-control-center#4109, antiwork/gumroad PR 4372: a direct debit of 100.00.

    The gateway is away when the goods arrive, and answers after the bank gave everything back.
    """
    payments, clock = Away(), Clock()
    world = World.of(sale(line("a", 1, 10_000), paid=10_000), payments=payments)
    service = evolve(world.service, clock=clock)
    assert bring_back(service, 1).status == "received"

    world.do(sale(line("a", 1, 10_000), paid=[payment("p1", 10_000, refunded=10_000)]))
    payments.is_back = True
    resume_for(service, clock, 24)

    (refund,) = service.get(FIRST).refunds
    assert (world.refunds, service.get(FIRST).needs_attention) == ((), True)
    assert (refund.status, str(refund.failure)[:19]) == ("needs_attention", "payment_has_no_room")


class Quiet(InMemoryPayments):
    """A gateway that answers that it will report, and never does; it can be asked."""

    gateway = Searchable()

    def __init__(self) -> None:
        super().__init__(answer=lambda request: RefundPending("re_1"))

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """What it did for the key."""
        return RefundSucceeded("re_1") if request.key in self.refunds else None


def test_a_refund_that_its_gateway_never_reports_is_looked_up() -> None:
    """RB-18: mollie/api-documentation#722, Automattic/woocommerce-payments#1195: within ten days."""
    payments, clock = Quiet(), Clock()
    world = World.of(sale(line("a", 1, 5000), paid=5000), payments=payments)
    service = evolve(world.service, clock=clock)
    bring_back(service, 1)
    assert moved(service) == [("p1", 5000, "pending")]

    resume_for(service, clock, 240)

    assert moved(service) == [("p1", 5000, "succeeded")]
    assert (world.refunds, service.outstanding()) == ((("p1", 5000),), ())
