"""A lease is for one call: nothing waits behind it, and none is used when it is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from rma import (
    Change,
    DeliveryChanged,
    EffectsAttempted,
    Gateway,
    NotIdempotent,
    RefundStatus,
    Searchable,
    Unavailable,
)
from rma.adapters.memory import InMemoryReturns
from rma.domain.messages.gateways import lease_of
from rma.testing.faults import Crashed
from tests.rules.given import receive, request
from tests.shell.adapters import SearchedPayments
from tests.shell.shop import HOUR, MINUTE, Shop, two_payments

unkeyed = pytest.mark.parametrize("gateway", [Searchable(HOUR), NotIdempotent(HOUR)])
FIRST, SECOND = "ret_1-refund-1", "ret_1-refund-2"


class Watched(InMemoryReturns):
    """
    A store that keeps its commits.

    Attributes:
        before: called with each change before it is stored.
    """

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[Change] = []
        self.before: Callable[[Change], object] = lambda change: None

    def commit(self, change: Change) -> None:
        """Stores the change and keeps it."""
        self.before(change)
        super().commit(change)
        self.commits.append(change)


def leased(change: Change) -> list[str]:
    """The keys of effects that this change leases."""
    return [
        each.key
        for each in change.events
        if isinstance(each, DeliveryChanged) and each.delivery.leased_until is not None
    ]


def answered(change: Change) -> list[str]:
    """The keys of effects whose outcome this change records."""
    outcomes = [each.outcomes for each in change.events if isinstance(each, EffectsAttempted)]
    return [outcome.key for each in outcomes for outcome in each]


def shop_of(gateway: Gateway, returns: Watched) -> Shop:
    """A shop in which a return of two mugs comes to two refunds, from two payments; and one restock."""
    shop = Shop([two_payments()], returns=returns, payments=SearchedPayments(gateway))
    shop.handle_all(request(2))
    returns.commits.clear()
    return shop


@unkeyed
def test_each_lease_is_for_one_call_and_records_what_was_answered_before(gateway: Gateway) -> None:
    """Restock, then the first lease; the first refund's outcome with the second lease; then the rest."""
    returns = Watched()
    shop = shop_of(gateway, returns)

    shop.handle_all(receive(2))

    assert [(answered(each), leased(each)) for each in returns.commits[1:]] == [
        (["ret_1-restock-1"], [FIRST]),
        ([FIRST], [SECOND]),
        ([SECOND], []),
    ]
    assert [refund.status for refund in shop.ledger.refunds] == [RefundStatus.SUCCEEDED] * 2


@unkeyed
def test_an_answer_does_not_wait_for_the_call_after_it(gateway: Gateway) -> None:
    """A process that dies during the second call has the first refund on record."""
    returns = Watched()
    shop = shop_of(gateway, returns)

    def die(key: str) -> None:
        if key == SECOND:
            raise Crashed("during the second call")

    shop.payments.before = die
    with pytest.raises(Crashed):
        shop.handle_all(receive(2))

    first, second = shop.ledger.refunds
    assert (first.status, second.status) == (RefundStatus.SUCCEEDED, RefundStatus.PENDING)
    assert list(shop.ledger.open_effects) == [SECOND]


@unkeyed
def test_an_effect_that_was_not_called_has_no_lease(gateway: Gateway) -> None:
    """During the first call, another process may send the second refund; it is sent once."""
    returns = Watched()
    shop = shop_of(gateway, returns)
    shop.payments.during(lambda: shop.timer.resume("ret_1"))

    shop.handle_all(receive(2))

    assert sorted(shop.payments.done) == [FIRST, SECOND]
    assert [refund.status for refund in shop.ledger.refunds] == [RefundStatus.SUCCEEDED] * 2
    assert not shop.ledger.open_effects


@unkeyed
@pytest.mark.parametrize(("before_its_end", "is_sent"), [(timedelta(seconds=1), True), (timedelta(0), False)])
def test_a_lease_whose_commit_took_as_long_is_not_used(
    gateway: Gateway, before_its_end: timedelta, is_sent: bool
) -> None:
    """Another process may have taken over meanwhile: nothing is sent under a lease that is over."""
    returns = Watched()
    shop = shop_of(gateway, returns)

    def be_slow(change: Change) -> None:
        if FIRST in leased(change):
            shop.pass_time(lease_of(gateway) - before_its_end)

    returns.before = be_slow
    shop.handle_all(receive(2))

    assert (FIRST in shop.payments.asked) == is_sent
    assert (FIRST not in shop.ledger.open_effects) == is_sent
    assert SECOND in shop.payments.done


@unkeyed
def test_a_process_that_loses_the_race_for_a_lease_sends_nothing(gateway: Gateway) -> None:
    """Its other outcomes are recorded all the same, and the next effect is tried."""
    returns = Watched()
    shop = shop_of(gateway, returns)

    def another_is_faster(change: Change) -> None:
        if FIRST in leased(change):
            returns.before = lambda change: None
            shop.timer.resume("ret_1")

    returns.before = another_is_faster
    shop.handle_all(receive(2))

    assert sorted(shop.payments.asked) == [FIRST, SECOND]
    assert not shop.ledger.open_effects


@unkeyed
def test_without_a_lease_on_record_nothing_is_sent(gateway: Gateway) -> None:
    """A store that refuses the lease: the refund is sent by the next timer, once."""
    returns = Watched()
    shop = shop_of(gateway, returns)

    def refuse(change: Change) -> None:
        if leased(change):
            raise Unavailable("database_locked")

    returns.before = refuse
    shop.handle_all(receive(2))
    asked = list(shop.payments.asked)
    returns.before = lambda change: None
    shop.pass_time(MINUTE)
    shop.service.resume()

    assert asked == []
    assert shop.payments.asked == [FIRST, SECOND]
    assert shop.stock.asked == ["ret_1-restock-1"] * 2  # its outcome was in the commit that was refused


def test_keyed_effects_need_no_lease() -> None:
    """All outcomes are one commit."""
    returns = Watched()
    shop = Shop([two_payments()], returns=returns)
    shop.handle_all(request(2))
    returns.commits.clear()

    shop.handle_all(receive(2))

    assert [(answered(each), leased(each)) for each in returns.commits] == [
        ([], []),
        (["ret_1-restock-1", FIRST, SECOND], []),
    ]
