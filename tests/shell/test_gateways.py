"""Gateways of every class: at most one refund, and with retries exactly one where that can be."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from rma import (
    EffectsLeased,
    Gateway,
    Idempotent,
    NotFound,
    NotIdempotent,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundStatus,
    RefundSucceeded,
    Return,
    Searchable,
)
from rma.adapters.memory import InMemoryReturns, in_memory_service
from rma.domain.change import Change
from rma.service import ReturnService
from rma.testing.core_harness import START
from tests.rules.given import order_of, receive, request

HOUR = timedelta(hours=1)


class KeylessGateway:
    """A gateway that pays whenever it is asked; nothing is de-duplicated."""

    gateway: Gateway = NotIdempotent()

    def __init__(self) -> None:
        self.paid: list[str] = []
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Pays, each time."""
        self.before()
        self.paid.append(request.key)
        self.after()
        return RefundSucceeded(f"re_{len(self.paid)}")


class SearchableGateway(KeylessGateway):
    """One that can be asked what it paid."""

    gateway: Gateway = Searchable(HOUR)

    def __init__(self) -> None:
        super().__init__()
        self.is_searchable = True

    def find_refund(self, key: str) -> RefundOutcome | None:
        """What it paid under this key."""
        if not self.is_searchable:
            raise ConnectionError("away")
        return RefundSucceeded("re_found") if key in self.paid else None


class ForgetfulGateway(SearchableGateway):
    """One that remembers its keys for an hour, and can be searched."""

    gateway: Gateway = Idempotent(HOUR)


class Clock:
    """Stands still unless moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """The moment it stands at."""
        return self.now


def away() -> None:
    """The connection is lost."""
    raise TimeoutError("30 s")


def shop(gateway: KeylessGateway) -> tuple[ReturnService, Clock, Callable[[], Return]]:
    """A requested return, a clock, and how to receive it."""
    clock = Clock()
    service = in_memory_service([order_of()], payments=gateway, clock=clock)
    opened = service.handle(request(2))
    return service, clock, lambda: service.handle(receive(2, return_id=opened.id, idempotency_key="k"))


def status(service: ReturnService) -> str:
    """Of the only refund."""
    ((refund,),) = [each.refunds for each in service.list("order_1")]
    return refund.status.value


@pytest.mark.parametrize("gateway", [KeylessGateway(), SearchableGateway(), ForgetfulGateway()])
def test_a_gateway_that_answers_is_asked_once(gateway: KeylessGateway) -> None:
    """Whatever its class, and however often the command comes."""
    service, _, arrive = shop(gateway)

    for _ in range(3):
        assert [refund.status for refund in arrive().refunds] == [RefundStatus.SUCCEEDED]

    assert len(gateway.paid) == 1
    assert service.resume().orders == ()


@pytest.mark.parametrize("fails", ["before", "after"])
def test_an_unkeyed_gateway_is_never_asked_twice(fails: str) -> None:
    """An unknown outcome stops for a person; safety is never traded for progress."""
    gateway = KeylessGateway()
    setattr(gateway, fails, away)
    service, clock, arrive = shop(gateway)

    arrive()
    gateway.before = gateway.after = lambda: None
    clock.now += 24 * HOUR
    arrive()
    resumed = service.resume()

    assert status(service) == "needs_attention"
    assert len(gateway.paid) == (1 if fails == "after" else 0)
    assert resumed.orders == ()
    key = service.list("order_1")[0].refunds[0].key
    render = service.handle(RecordRefundOutcome(key=key, outcome=RefundDeclined("no_such_refund")))
    assert render.amount_due == render.refund_amount


def test_an_unkeyed_gateway_whose_process_died_is_left_to_a_person() -> None:
    """Nobody knows whether the dead one had sent it."""

    class Death(BaseException):
        """The process is gone."""

    def die() -> None:
        raise Death

    gateway = KeylessGateway()
    gateway.after = die
    service, clock, arrive = shop(gateway)
    with pytest.raises(Death):
        arrive()
    gateway.after = lambda: None

    arrive()
    service.resume()
    at_once = status(service)
    clock.now += HOUR
    service.resume()

    assert (at_once, status(service)) == ("pending", "needs_attention")
    assert len(gateway.paid) == 1


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_searchable_gateway_is_looked_up_before_it_is_asked_again(fails: str) -> None:
    """Once the delay is over: found is settled, absent is sent again."""
    gateway = SearchableGateway()
    setattr(gateway, fails, away)
    service, clock, arrive = shop(gateway)
    arrive()
    gateway.before = gateway.after = lambda: None

    early = (service.resume(), status(service), len(gateway.paid))
    clock.now += HOUR
    service.resume()

    assert early[0].orders == ()
    assert early[1:] == ("pending", 1 if fails == "after" else 0)
    assert status(service) == "succeeded"
    assert len(gateway.paid) == 1


def test_a_look_up_that_fails_says_nothing() -> None:
    """It is tried again later."""
    gateway = SearchableGateway()
    gateway.after = away
    service, clock, arrive = shop(gateway)
    arrive()
    gateway.is_searchable = False
    clock.now += HOUR

    away_too = service.resume()
    gateway.is_searchable = True
    service.resume()

    assert away_too.still_open == ("order_1",)
    assert status(service) == "succeeded"
    assert len(gateway.paid) == 1


@pytest.mark.parametrize(("hours", "paid"), [(0.5, 2), (2, 1)])
def test_a_key_that_the_gateway_forgot_is_not_sent_again_blindly(hours: float, paid: int) -> None:
    """Inside the window it is repeated; after it the refund is looked up."""
    gateway = ForgetfulGateway()  # it does not even de-duplicate, so that a repeat shows
    gateway.after = away
    service, clock, arrive = shop(gateway)
    arrive()
    gateway.after = lambda: None

    clock.now += hours * HOUR
    service.resume()

    assert status(service) == "succeeded"
    assert len(gateway.paid) == paid


def test_a_forgotten_key_without_a_look_up_is_left_to_a_person() -> None:
    """It may have been paid."""

    class Forgetful(KeylessGateway):
        """Idempotent for an hour."""

        gateway: Gateway = Idempotent(HOUR)

    gateway = Forgetful()
    gateway.before = away
    service, clock, arrive = shop(gateway)
    arrive()
    clock.now += 2 * HOUR

    service.resume()

    assert status(service) == "needs_attention"
    assert service.list("order_1")[0].refunds[0].failure == "TimeoutError: 30 s"


def test_a_refund_that_another_process_is_sending_is_left_alone() -> None:
    """The lease is committed before the call; whoever loses that race does not send, though it repeats."""

    class Racing(InMemoryReturns):
        """Lets another process deliver just before a lease is stored."""

        rival: Callable[[], object] | None = None

        def commit(self, change: Change) -> None:
            """After the rival."""
            if self.rival and any(isinstance(event, EffectsLeased) for event in change.events):
                rival, self.rival = self.rival, None
                rival()
            super().commit(change)

    for gateway in (KeylessGateway(), SearchableGateway()):
        returns, clock = Racing(), Clock()
        service = in_memory_service([order_of()], payments=gateway, returns=returns, clock=clock)
        opened = service.handle(request(2))
        returns.rival = service.resume  # bound before the receipt, called between decision and lease

        received = service.handle(receive(2, return_id=opened.id))

        assert len(gateway.paid) == 1
        assert [refund.status for refund in received.refunds] in (
            [RefundStatus.SUCCEEDED],
            [RefundStatus.PENDING],
        )
        assert status(service) == "succeeded"


def test_one_return_can_be_resumed_by_itself() -> None:
    """And a return that nobody knows is not found."""
    gateway = KeylessGateway()
    service = in_memory_service([order_of()], payments=gateway)
    service = evolve(service, payments=gateway)
    opened = service.handle(request(2))

    resumed = service.resume(opened.id)

    assert (resumed.orders, resumed.still_open) == (("order_1",), ())
    with pytest.raises(NotFound):
        service.resume("ret_9")
