"""Timers leave alone for a while what a command is sending; clients and people do not wait."""

from datetime import timedelta

import pytest
from attrs import evolve

from rma import Gateway, NotIdempotent, Searchable, Timing
from rma.adapters.memory import InMemoryReturns
from rma.testing.faults import Crashed
from tests.rules.given import receive, request
from tests.shell.adapters import SearchedCarrier, SearchedPayments
from tests.shell.shop import HOUR, KINDS, Shop, port_of

kinds = pytest.mark.parametrize("kind", KINDS)


def die() -> None:
    """Ends the process."""
    raise Crashed("during a call")


def died_during_the_call(shop: Shop, kind: str) -> None:
    """Handles the commands of this kind; the process dies during the last call."""
    _, before, last = KINDS[kind]
    shop.handle_all(*before)
    port_of(shop, kind).during(die)
    with pytest.raises(Crashed):
        shop.service.handle(evolve(last, idempotency_key="k"))


@kinds
@pytest.mark.parametrize(("seconds", "times"), [(0, 1), (59.9, 1), (60, 2)])
def test_a_timer_leaves_alone_what_a_command_is_sending(kind: str, seconds: float, times: int) -> None:
    """A timer that comes during the call sends nothing for a minute; after it, the key makes it harmless."""
    shop = Shop()
    key, before, last = KINDS[kind]
    shop.handle_all(*before)

    def a_timer_comes() -> None:
        shop.pass_time(timedelta(seconds=seconds))
        shop.timer.resume()

    port_of(shop, kind).during(a_timer_comes)
    shop.service.handle(last)

    assert port_of(shop, kind).asked.count(key) == times
    assert not shop.ledger.open_effects


@kinds
def test_what_a_dead_process_was_sending_is_sent_by_a_timer_after_the_grace(kind: str) -> None:
    """Its order is not even named before, and the grace is what the host says."""
    shop = Shop(timing=Timing(grace=timedelta(seconds=90)))
    died_during_the_call(shop, kind)
    key = KINDS[kind][0]

    shop.pass_time(timedelta(seconds=89))
    early = shop.timer.resume()
    shop.pass_time(timedelta(seconds=1))
    late = shop.timer.resume()

    assert (early.orders, late.orders, late.still_open) == ((), ("order_1",), ())
    assert port_of(shop, kind).done.count(key) == 1
    assert not shop.ledger.open_effects


@kinds
def test_a_client_that_repeats_its_command_does_not_wait(kind: str) -> None:
    """What the process that died was sending is sent at once."""
    shop = Shop()
    died_during_the_call(shop, kind)

    shop.service.handle(evolve(KINDS[kind][2], idempotency_key="k"))

    assert not shop.ledger.open_effects


@kinds
def test_resuming_by_id_does_not_wait(kind: str) -> None:
    """A person who asks for one return, exchange or claim has its effects sent at once."""
    shop = Shop()
    died_during_the_call(shop, kind)
    key = KINDS[kind][0]

    shop.timer.resume(key.split("-", maxsplit=1)[0])

    assert port_of(shop, kind).done.count(key) == 1


@pytest.mark.parametrize("kind", ["refund", "shipment", "exchange", "claim"])
@pytest.mark.parametrize("gateway", [Searchable(HOUR), NotIdempotent(HOUR)])
def test_a_lease_is_not_taken_over(kind: str, gateway: Gateway) -> None:
    """Neither a timer nor a repeated command nor a person sends what another process leased."""
    shop = Shop(payments=SearchedPayments(gateway), carrier=SearchedCarrier(gateway))
    died_during_the_call(shop, kind)
    key, _, last = KINDS[kind]

    shop.pass_time(HOUR - timedelta(seconds=1))
    shop.timer.resume()
    shop.timer.resume(key.split("-", maxsplit=1)[0])
    shop.service.handle(evolve(last, idempotency_key="k"))

    assert port_of(shop, kind).asked.count(key) == 1
    assert key in shop.ledger.open_effects


@kinds
def test_what_is_left_to_timers_has_no_grace(kind: str) -> None:
    """`deliver=False` asks no port, and a timer of the same moment sends it."""
    shop = Shop()
    key, before, last = KINDS[kind]
    shop.handle_all(*before)

    shop.service.handle(last, deliver=False)
    asked = port_of(shop, kind).asked.count(key)
    shop.timer.resume()

    assert (asked, port_of(shop, kind).asked.count(key)) == (0, 1)
    assert all(event.header.effects_due_at is None for event in shop.history[len(before) :])


def test_a_transaction_of_the_host_sets_no_grace() -> None:
    """What it committed is sent by a timer of the same moment."""

    class Declaring(InMemoryReturns):
        """Ledgers that say when a transaction of the host is open."""

        is_open = True

        def in_host_transaction(self) -> bool:
            """Returns what is set."""
            return self.is_open

    returns = Declaring()
    shop = Shop(returns=returns)
    shop.handle_all(request(2), receive(2))
    asked = list(shop.payments.asked)

    returns.is_open = False
    shop.timer.resume()

    assert (asked, shop.payments.asked) == ([], ["ret_1-refund-1"])
