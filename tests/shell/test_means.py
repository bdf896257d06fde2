"""Ports for store credit and payouts, and gateways by provider: each is asked as its class allows."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from rma import (
    Bonus,
    CreditRequest,
    Gateway,
    Idempotent,
    Invalid,
    Money,
    NotFound,
    NotIdempotent,
    Order,
    Payment,
    PayoutRequest,
    RecordPayout,
    RefundDeclined,
    RefundNotSent,
    RefundOutcome,
    RefundPending,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    RequestClaim,
    RetryRefund,
    Return,
    ReturnPolicy,
    ReturnRule,
    ReturnService,
    Searchable,
)
from rma.adapters.memory import (
    InMemoryCredits,
    InMemoryOrders,
    InMemoryPayments,
    InMemoryPayouts,
    in_memory_service,
)
from tests.aio.hosts import awaited_service
from tests.rules.given import line, order_of, receive, request, usd
from tests.shell.test_gateways import Clock

HOUR = timedelta(hours=1)
CREDIT = ReturnPolicy(
    rules=[ReturnRule(name="credit", outcomes=["refund", "store_credit"], bonus=Bonus("thanks", percent=10))]
)
CLOSED = ReturnPolicy(when_closed="payout")


class Port:
    """Credit and payouts at a gateway that knows no keys; what it does can be searched."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.done: list[str] = []
        self.searched: list[object] = []
        self.error: Exception | None = None
        self.acts = True

    def _do(self, key: str) -> RefundOutcome:
        if self.acts:
            self.done.append(key)
        if self.error:
            raise self.error
        return RefundSucceeded(f"re_{key}")

    def give(self, request: CreditRequest) -> RefundOutcome:
        """Gives the credit once more."""
        self.given = request
        return self._do(request.key)

    def pay(self, request: PayoutRequest) -> RefundOutcome:
        """Pays once more."""
        self.paid = request
        return self._do(request.key)

    def find_credit(self, request: CreditRequest) -> RefundOutcome | None:
        """What was given under its key."""
        self.searched.append(request)
        return RefundSucceeded("found") if request.key in self.done else None

    def find_payout(self, request: PayoutRequest) -> RefundOutcome | None:
        """What was paid under its key."""
        self.searched.append(request)
        return RefundSucceeded("found") if request.key in self.done else None


def sold(**more: Any) -> Order:
    """Returns an order of two mugs at 10.00 by a customer who is known."""
    return order_of(line(), customer_id="cus_1", **more)


def shop(port: Port, policy: ReturnPolicy) -> tuple[ReturnService, Clock]:
    """Returns a service whose store credit and payouts go to this port, and whose cards are closed."""
    clock = Clock()
    closed = InMemoryPayments(lambda _: RefundDeclined("card_closed"))
    service = in_memory_service(
        [sold()], payments=closed, credits=port, payouts=port, policies=policy, clock=clock
    )
    return service, clock


def returned(service: ReturnService, **more: Any) -> Return:
    """Requests a mug and receives it."""
    opened = service.handle(request(1, **more))
    return service.handle(receive(1, return_id=opened.id))


@pytest.mark.parametrize("means", ["store_credit", "payout"])
@pytest.mark.parametrize("acts", [True, False])
def test_a_port_that_can_be_searched_acts_once(means: str, *, acts: bool) -> None:
    """Its answer was lost, or it was away: what was done is looked for before it is sent again."""
    port = Port(Searchable(HOUR))
    port.error, port.acts = TimeoutError("30 s"), acts
    service, clock = shop(port, CREDIT if means == "store_credit" else CLOSED)
    target = returned(service, **({"outcome": "store_credit"} if means == "store_credit" else {}))
    key = target.refunds[-1].key
    asked = port.given if means == "store_credit" else port.paid
    assert asked.deadline is not None
    port.error, port.acts = None, True
    clock.now += 3 * HOUR

    service.resume()

    refund = service.get(target.id).refunds[-1]
    assert (refund.status, refund.means, port.done) == (RefundStatus.SUCCEEDED, means, [key])
    assert port.searched == [asked]
    assert service.resume().orders == ()


@pytest.mark.parametrize("means", ["store_credit", "payout"])
def test_a_port_that_knows_nothing_is_left_to_a_person(means: str) -> None:
    """It is never asked twice; a person says what became of it."""
    port = Port(NotIdempotent())
    port.error = TimeoutError("30 s")
    service, clock = shop(port, CREDIT if means == "store_credit" else CLOSED)
    target = returned(service, **({"outcome": "store_credit"} if means == "store_credit" else {}))
    clock.now += 3 * HOUR
    service.resume()

    refund = service.get(target.id).refunds[-1]

    assert (refund.status, len(port.done)) == (RefundStatus.NEEDS_ATTENTION, 1)
    assert service.list(needs_attention=True) == (service.get(target.id),)


def test_a_port_that_knows_its_keys_is_asked_again() -> None:
    """A time-out is harmless; nothing is leased."""
    tries: list[str] = []

    def answer(request: CreditRequest) -> RefundOutcome:
        tries.append(request.key)
        if len(tries) == 1:
            raise TimeoutError("30 s")
        return RefundSucceeded("credit_1")

    clock, credit = Clock(), InMemoryCredits(answer)
    service = in_memory_service([sold()], credits=credit, policies=CREDIT, clock=clock)
    target = returned(service, outcome="store_credit")
    clock.now += HOUR

    service.resume()

    assert service.get(target.id).refunds[0].status is RefundStatus.SUCCEEDED
    assert tries == [target.refunds[0].key] * 2
    assert credit.balances == {"cus_1": 1100}


def test_a_closed_card_is_paid_out_within_the_same_command() -> None:
    """The gateway declines, the same commit opens the payout, and it is made."""
    payouts = InMemoryPayouts()
    closed = InMemoryPayments(lambda _: RefundDeclined("card_closed"))
    service = in_memory_service([sold()], payments=closed, payouts=payouts, policies=CLOSED)

    target = returned(service)

    assert [(each.means, each.status) for each in target.refunds] == [
        ("payment", "failed"), ("payout", "succeeded"),
    ]  # fmt: skip
    assert list(payouts.paid) == [target.refunds[1].key]
    assert target.amount_due == usd(0)


@pytest.mark.parametrize(
    "answer", [RefundNotSent("refused"), RefundPending("po_1"), RefundDeclined("no_account")]
)
def test_a_payout_answers_as_a_gateway_does(answer: Any) -> None:
    """Not sent, pending, declined."""
    payouts = InMemoryPayouts(lambda _: answer)
    closed = InMemoryPayments(lambda _: RefundDeclined("card_closed"))
    service = in_memory_service([sold()], payments=closed, payouts=payouts, policies=CLOSED)

    status = returned(service).refunds[1].status

    assert status == ("failed" if isinstance(answer, RefundDeclined) else "pending")


def test_a_port_that_answers_anything_else_has_an_unknown_outcome() -> None:
    """`True` is not an outcome, and another currency is not what was asked for."""
    for wrong in (True, RefundSucceeded(amount=Money(1000, "eur"))):
        credit = InMemoryCredits(lambda _, wrong=wrong: wrong)  # type: ignore[misc] # the point
        service = in_memory_service([sold()], credits=credit, policies=CREDIT)
        returned(service, outcome="store_credit")

        (effect,) = service.outstanding()
        assert str(effect.last_error).startswith("TypeError")


class AwayAtFirst:
    """A gateway that takes nothing until it is back."""

    def __init__(self) -> None:
        self.is_away = True
        self.moved: list[int] = []

    def refund(self, request: RefundRequest) -> RefundOutcome | RefundNotSent:
        """Moves the amount, unless it is away."""
        if self.is_away:
            return RefundNotSent("away")
        self.moved.append(request.amount.amount)
        return RefundSucceeded(request.key)


def test_refunds_of_steps_are_sent_in_their_order() -> None:
    """The gateway was away for the first: the last waits for it, and the next pass sends both."""
    clock, gateway = Clock(), AwayAtFirst()
    order = order_of(line(price=387), payments=[Payment(id="p", captured=774, refund_step=10)])
    service = in_memory_service([order], payments=gateway, clock=clock)
    first = returned(service)
    gateway.is_away = False
    last = returned(service)
    (waiting,) = [each for each in service.outstanding() if each.subject_id == last.id]
    assert (waiting.waits_for, waiting.next_attempt) == (first.refunds[0].key, None)
    assert gateway.moved == []
    clock.now += HOUR
    service.resume()

    assert gateway.moved == [390, 384]
    assert service.outstanding() == ()


def test_credit_that_leaves_late_is_held_against_what_is_left() -> None:
    """The card was charged back meanwhile: a person must decide."""
    port = Port(Idempotent())
    port.error, port.acts = ConnectionError("away"), False
    service, clock = shop(port, CREDIT)
    orders = service.orders
    assert isinstance(orders, InMemoryOrders)
    target = returned(service, outcome="store_credit")
    orders.put(evolve(sold(captured=500)))
    port.error, port.acts = None, True
    clock.now += HOUR

    service.resume()

    (refund,) = service.get(target.id).refunds
    assert (refund.status, port.done) == (RefundStatus.NEEDS_ATTENTION, [])
    assert "payment_has_no_room: 10.00 USD asked for, 5.00 USD left" in str(refund.failure)


def test_goodwill_that_leaves_late_is_credited_whatever_is_left() -> None:
    """It counts against no payment, so that none must have room for it."""
    port = Port(Idempotent())
    port.error, port.acts = ConnectionError("away"), False
    service, clock = shop(port, CREDIT)
    orders = service.orders
    assert isinstance(orders, InMemoryOrders)
    goodwill = RequestClaim(order_id="order_1", type="goodwill", refund_amount=1000, outcome="store_credit")
    claim = service.handle(goodwill)
    orders.put(evolve(sold(captured=500)))
    port.error, port.acts = None, True
    clock.now += HOUR

    service.resume()

    (refund,) = service.get_claim(claim.id).refunds
    assert (refund.status, port.done) == (RefundStatus.SUCCEEDED, [refund.key])
    assert service.order_state("order_1").refunded == usd(0)


@pytest.mark.parametrize("name", ["credits", "payouts"])
def test_a_port_that_is_gone_keeps_its_effects_open(name: str) -> None:
    """What it was asked for waits until there is one again."""
    port = Port(Idempotent())
    port.error, port.acts = ConnectionError("away"), False
    service, clock = shop(port, CREDIT if name == "credits" else CLOSED)
    returned(service, **({"outcome": "store_credit"} if name == "credits" else {}))
    without = evolve(service, credits=None) if name == "credits" else evolve(service, payouts=None)
    clock.now += HOUR

    without.resume()

    (effect,) = without.outstanding()
    assert "no port for it is configured any more" in str(effect.last_error)
    port.error, port.acts = None, True
    clock.now += 3 * HOUR
    service.resume()
    assert service.outstanding() == ()


def test_what_no_port_gives_is_refused() -> None:
    """By a code; the options say the same, and a policy that needs a port is the merchant's mistake."""
    service = evolve(in_memory_service([sold()], policies=CREDIT), credits=None, payouts=None)

    with pytest.raises(Invalid) as error:
        service.handle(request(1, outcome="store_credit"))
    assert error.value.code == "store_credit_unsupported"
    (mug,) = service.returnable_items("order_1")
    assert [option.is_offered for option in mug.options] == [True, False]
    target = returned(in_memory_service([sold()], policies=CREDIT))
    assert target.amount_due == usd(0)


# -- gateways by provider ---------------------------------------------------------------------------


class ManyGateways:
    """One adapter for a gateway that knows keys, one that can be searched, and one that does neither."""

    gateways = {"stripe": Idempotent(), "bank": Searchable(HOUR)}  # noqa: RUF012 # as hosts declare it
    gateway = NotIdempotent()

    def __init__(self) -> None:
        self.asked: list[RefundRequest] = []
        self.searched: list[RefundRequest] = []

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """It times out the first time."""
        self.asked.append(request)
        if len([each for each in self.asked if each.key == request.key]) == 1:
            raise TimeoutError("30 s")
        return RefundSucceeded("re")

    def find_refund(self, request: RefundRequest) -> RefundOutcome | None:
        """It finds nothing."""
        self.searched.append(request)
        return None


@pytest.mark.parametrize(
    ("provider", "times", "searches", "status"),
    [
        ("stripe", 2, 0, "succeeded"),
        ("bank", 2, 1, "succeeded"),
        ("cash", 1, 0, "needs_attention"),
        (None, 1, 0, "needs_attention"),
    ],
)
def test_number_14_each_provider_has_a_class_of_its_own(
    provider: str | None, times: int, searches: int, status: str
) -> None:
    """Number 14: sent again, looked for first, or left to a person, as its own gateway promises."""
    gateways, clock = ManyGateways(), Clock()
    payments = [Payment(id="p", captured=usd(5000), kind="card", provider_id=provider)]
    service = in_memory_service([sold(payments=payments)], payments=gateways, clock=clock)
    target = returned(service)
    for _ in range(3):
        clock.now += 3 * HOUR
        service.resume()

    assert service.get(target.id).refunds[0].status == status
    assert (len(gateways.asked), len(gateways.searched)) == (times, searches)
    assert {(each.kind, each.provider_id) for each in gateways.asked} == {("card", provider)}
    assert all(each == gateways.asked[0] for each in gateways.searched)


# -- asked of a service -----------------------------------------------------------------------------


def test_a_plan_is_asked_of_a_service() -> None:
    """Of a quote, an open return, what is due and a claim; blocking and awaited alike."""
    closed = InMemoryPayments(lambda _: RefundDeclined("card_closed"))
    service = in_memory_service([sold()], payments=closed, policies=CREDIT)
    credit = request(1, outcome="store_credit")
    quote = service.quote(credit)
    opened = service.handle(credit)

    (planned,) = service.refund_plan(opened.id)
    assert (planned.means, planned.amount, planned.bonus) == ("store_credit", usd(1000), usd(100))
    assert quote.plan == (planned,)
    assert asyncio.run(awaited_service(service).refund_plan(opened.id)) == (planned,)
    for unknown in ("ret_9", "exc_1"):
        with pytest.raises(NotFound):
            service.refund_plan(unknown)


def test_persons_pay_through_a_service() -> None:
    """A payout recorded, its repeat, and a retry by credit; awaited ports answer the same."""
    closed = InMemoryPayments(lambda _: RefundDeclined("card_closed"))
    blocking = in_memory_service([sold()], payments=closed)
    target = returned(blocking)
    service = awaited_service(blocking)
    payout = RecordPayout(return_id=target.id, amount=400, reference="bank_1")

    once, twice = asyncio.run(service.handle(payout)), asyncio.run(service.handle(payout))
    done = asyncio.run(service.handle(RetryRefund(return_id=target.id, means="store_credit")))

    assert once == twice
    assert isinstance(done, Return)
    assert [(each.means, each.amount, each.status) for each in done.refunds[1:]] == [
        ("payout", usd(400), "succeeded"), ("store_credit", usd(600), "succeeded"),
    ]  # fmt: skip
    assert [each.reference for each in blocking.transactions("order_1")] == ["payout", "store_credit"]
