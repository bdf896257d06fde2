"""A service holds what is stored of an order against its history, and puts it right from there."""

import asyncio
from typing import cast

import pytest
from attrs import evolve

from rma import Change, Event, InvalidValue, ReturnLedger, ReturnService, StaleLedger
from rma.adapters.memory import InMemoryReturns
from rma.domain.state.ledger import IdempotencyRecord
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.views.differences import ledger_differences
from tests.aio.hosts import awaited_service
from tests.rules.given import line, order_of, receive, request
from tests.world import World


class Damaged(InMemoryReturns):
    """Ledgers that can be put in the place of what was committed."""

    def put(self, ledger: ReturnLedger) -> None:
        """Stores it, whatever history says."""
        self._ledgers[ledger.order_id] = ledger


class Plain:
    """A repository that cannot replace a ledger."""

    def __init__(self, returns: InMemoryReturns) -> None:
        self.load, self.history = returns.load, returns.history


def shop() -> tuple[Damaged, ReturnService]:
    """Returns ledgers with two returns of an order, of which one is paid, and a service over them."""
    returns = Damaged()
    service = evolve(World(order_of(line(quantity=9))).service, returns=returns)
    first = service.handle(request(2, idempotency_key="a"))
    service.handle(receive(2, return_id=first.id))
    service.handle(request(1, idempotency_key="b", shipping_option_id="so_return"), deliver=False)
    return returns, service


def damaged(ledger: ReturnLedger) -> ReturnLedger:
    """Returns a ledger that is wrong in every part of it that can be put right."""
    first, second = ledger.returns
    answered = {**ledger.answered, "b": IdempotencyRecord(ledger.answered["a"].command, second.id)}
    return evolve(
        ledger,
        revision=2,
        published=0,
        returns=(evolve(first, location_id="loc_9"), second),
        open_effects=FrozenMap(),
        answered=FrozenMap(answered),
    )


def test_a_ledger_is_put_right_from_its_history() -> None:
    """All that differs is named with both values; afterwards nothing does, and events are as they were."""
    returns, service = shop()
    right, history = returns.load("order_1"), returns.history("order_1")
    assert service.verify("order_1") == service.rebuild("order_1") == ()
    returns.put(damaged(right))

    found = service.verify("order_1")

    assert [(each.where, each.field) for each in found] == [
        ("ledger", "revision"),
        ("ledger", "published"),
        (f"return {right.returns[0].id}", "location_id"),
        (f"effect {next(iter(right.open_effects))}", None),
        ("idempotency key b", "command"),
    ]
    assert [str(each) for each in found][:4] == [
        f"order order_1, ledger: revision is 2 and should be {right.revision}",
        f"order order_1, ledger: published is 0 and should be {right.published}",
        f"order order_1, return {right.returns[0].id}: location_id is 'loc_9' and should be None",
        f"order order_1, effect {next(iter(right.open_effects))}: is not stored",
    ]
    assert service.rebuild("order_1") == found
    assert (returns.load("order_1"), returns.history("order_1")) == (right, history)
    assert service.verify("order_1") == ()


def test_an_awaited_service_does_the_same() -> None:
    """Over the same ledgers."""
    returns, service = shop()
    right = returns.load("order_1")
    returns.put(damaged(right))
    awaited = awaited_service(service)

    async def simulate() -> None:
        found = await awaited.verify("order_1")
        assert len(found) == 5
        assert await awaited.rebuild("order_1") == found
        assert await awaited.verify("order_1") == ()

    asyncio.run(simulate())
    assert returns.load("order_1") == right


def test_the_order_of_returns_is_compared_too() -> None:
    """Pages and numbers of display follow it."""
    returns, _ = shop()
    ledger = returns.load("order_1")

    (found,) = ledger_differences(evolve(ledger, returns=ledger.returns[::-1]), ledger)

    assert (found.where, found.field) == ("ledger", "order of returns")


def test_an_entitlement_without_other_refunds_is_put_right() -> None:
    """An amount or a note that was changed by hand loses nothing."""
    returns, service = shop()
    right = returns.load("order_1")
    first, second = right.returns
    changed = evolve(first, entitlement=evolve(first.entitlement, refund_note="by hand"))
    returns.put(evolve(right, returns=(changed, second)))

    assert [each.field for each in service.rebuild("order_1")] == ["entitlement"]
    assert returns.load("order_1") == right


def test_what_history_does_not_know_is_not_forgotten() -> None:
    """A later revision, a return, a refund: `history_incomplete`, and nothing is stored."""
    returns, service = shop()
    right = returns.load("order_1")
    first, second = right.returns
    refund = evolve(first.refunds[0], key="other-refund-1")
    more = evolve(first, entitlement=evolve(first.entitlement, refunds=(*first.refunds, refund)))
    for wrong, words in (
        (evolve(right, revision=99), "revision is 99"),
        (evolve(right, returns=(first, second, evolve(second, id="ret_lost"))), "return ret_lost"),
        (evolve(right, returns=(more, second)), "entitlement"),
    ):
        returns.put(wrong)
        with pytest.raises(InvalidValue) as error:
            service.rebuild("order_1")
        assert error.value.code == "history_incomplete"
        assert words in str(error.value)
        assert returns.load("order_1") == wrong


def test_a_repository_without_replace_is_verified_and_not_rebuilt() -> None:
    """`verify` needs `load` and `history` only; `rebuild` says what it needs."""
    returns, service = shop()
    returns.put(damaged(returns.load("order_1")))
    plain = evolve(service, returns=cast("InMemoryReturns", Plain(returns)))

    assert len(plain.verify("order_1")) == 5
    with pytest.raises(InvalidValue) as error:
        plain.rebuild("order_1")
    assert error.value.code == "repair_unsupported"
    assert "Plain" in str(error.value)


class Busy(Damaged):
    """Ledgers to which others commit whenever history is read, and before each `replace`."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.change: Change | None = None

    def history(self, order_id: str) -> tuple[Event, ...]:
        """Another commit comes first, as often as said."""
        found = super().history(order_id)
        if self.commits:
            self.commits -= 1
            ledger = self.load(order_id)
            self.put(evolve(ledger, revision=ledger.revision + 1))
            self._history[order_id].append(
                evolve(found[-1], header=evolve(found[-1].header, revision=ledger.revision + 1))
            )
        return found


def test_commits_meanwhile_do_not_count_as_differences() -> None:
    """It begins again until nothing was committed between its reads, and gives up after 100 times."""
    returns = Busy()
    service = evolve(World(order_of(line(quantity=9))).service, returns=returns, events=None)
    service.handle(request(1))
    for commits, is_busy in ((1, False), (3, False), (10**6, True)):
        returns.commits = commits
        if is_busy:
            with pytest.raises(StaleLedger):
                service.verify("order_1")
        else:
            assert all(each.field != "revision" for each in service.verify("order_1"))


class Racing(Damaged):
    """Ledgers to which another commits before they are replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.races = 0

    def replace(self, ledger: ReturnLedger, unpublished_since: object) -> None:
        """Is too late, as often as said."""
        if self.races:
            self.races -= 1
            raise StaleLedger("stale_ledger", {"order_id": "order_1", "expected": 1, "found": 2})
        super().replace(ledger, None)


def test_a_rebuild_that_is_too_late_is_computed_again() -> None:
    """From the history as it is then, 100 times at most."""
    returns = Racing()
    service = evolve(World(order_of(line(quantity=9))).service, returns=returns)
    service.handle(request(1))
    right = returns.load("order_1")
    for races in (1, 5):
        returns.put(evolve(right, published=0))
        returns.races = races
        assert service.rebuild("order_1")
        assert returns.load("order_1") == right
    returns.put(evolve(right, published=0))
    returns.races = 10**6
    with pytest.raises(StaleLedger):
        service.rebuild("order_1")
