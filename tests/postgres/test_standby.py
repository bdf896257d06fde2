"""
A primary is killed and its standby is promoted: what is lost, and what a repeated command then does.

The application's URL names both servers and `target_session_attrs=read-write`; it does not know which of them
is the primary.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from attrs import evolve

from rma import (
    Command,
    NotFound,
    RecordRefundOutcome,
    RefundSucceeded,
    ReturnLedger,
    ReturnStatus,
    Unavailable,
)
from rma.testing.core_harness import START
from tests.killed.deployment import start_process
from tests.postgres.replication import Pair, running_pair, wait_until
from tests.postgres.standby_shop import ORDERS, Shop, claim_of, commands, order_id

#: What a process returns whose store failed.
STORE_FAILED = 3


@pytest.fixture(scope="module")
def running() -> Iterator[Pair]:
    """Yields the pair of all tests."""
    with running_pair() as pair:
        yield pair


@pytest.fixture
def pair(running: Pair) -> Iterator[Pair]:
    """Yields a primary and its standby, of which the test kills the first and promotes the second."""
    yield running
    running.replace()


def shop_of(pair: Pair, folder: Path) -> Shop:
    """Returns a shop whose tables are made, and empty."""
    pair.primary.asked("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    shop = Shop(pair.url, folder)
    with shop.process() as service:
        service.returns.load(order_id(1))
    return shop


def has_ended(pid: int) -> bool:
    """Returns True if this child has ended; what it returned can still be asked for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def run_commands(shop: Shop) -> None:
    """Sends all commands, as a client that notes which of them were acknowledged."""
    with shop.process() as service:
        for number in ORDERS:
            for command in commands(number):
                try:
                    service.handle(command)
                except Unavailable:
                    os._exit(STORE_FAILED)
                shop.acknowledge(command)


def assert_nothing_acknowledged_is_lost(shop: Shop) -> None:
    """The server that took over has each command to which the client has an answer."""
    with shop.process() as service:
        for number in ORDERS:
            answered = service.returns.load(order_id(number)).answered
            missing = {each.idempotency_key for each in commands(number)} - answered.keys()
            assert not missing & set(shop.acknowledged())


def assert_everything_is_done_once(shop: Shop) -> None:
    """Each order has one return, which is paid by one refund that the gateway made; nothing is open."""
    with shop.process(at=START + timedelta(hours=1)) as service:
        for number in ORDERS:
            ledger = service.returns.load(order_id(number))
            (ret,) = ledger.returns
            assert (ret.status, [each.status for each in ret.refunds]) == ("received", ["succeeded"])
            assert not ledger.open_effects
            assert service.verify(order_id(number)) == ()
    assert len(shop.refunds()) == len(ORDERS)


def test_nothing_acknowledged_is_lost_with_a_synchronous_standby(pair: Pair, tmp_path: Path) -> None:
    """
    The primary is killed while a process sends commands; the commands are repeated, and all is done once.
    """
    pair.synchronize()
    shop = shop_of(pair, tmp_path)
    client = start_process(lambda: run_commands(shop))
    wait_until(lambda: len(shop.acknowledged()) > len(ORDERS) or has_ended(client))  # it is half way
    pair.primary.kill()

    assert os.waitstatus_to_exitcode(os.waitpid(client, 0)[1]) == STORE_FAILED
    pair.fail_over()

    assert len(shop.acknowledged()) < 2 * len(ORDERS)
    assert_nothing_acknowledged_is_lost(shop)
    run_commands(shop)
    assert_everything_is_done_once(shop)


def test_what_was_open_is_sent_under_the_same_key(pair: Pair, tmp_path: Path) -> None:
    """
    The primary is killed after the gateway moved the money; `resume` on the standby asks for the same refund.
    """
    pair.synchronize()
    shop = shop_of(pair, tmp_path)
    requested, received = commands(1)
    with shop.process(while_paying=pair.primary.kill) as service:
        service.handle(requested)
        (refund,) = service.handle(received).refunds  # it is committed; its outcome could not be recorded
    key = f"{received.return_id}-refund-1"
    assert (refund.key, refund.status) == (key, "pending")
    assert shop.refunds() == {key: 1}
    pair.fail_over()

    with shop.process(at=START + timedelta(hours=1)) as service:
        (refund,) = service.get(received.return_id).refunds
        assert (refund.key, refund.status) == (key, "pending")
        assert service.resume().still_open == ()
        (refund,) = service.get(received.return_id).refunds
        assert (refund.key, refund.status) == (key, "succeeded")
        assert service.handle(received).refunds == (refund,)
    assert shop.refunds() == {key: 2}  # asked twice under one key, so made once


def test_a_commit_that_waits_for_its_standby_is_not_seen_and_moves_no_money(
    pair: Pair, tmp_path: Path
) -> None:
    """
    The standby answers no more: the commit waits. Then the primary is killed, and the command repeated on
    the standby is done once, whether it has the commit or not.
    """
    pair.synchronize()
    shop = shop_of(pair, tmp_path)
    requested, received = commands(1)
    ends: list[Exception] = []
    with shop.process() as service, shop.process() as other:
        service.handle(requested)
        other.get(received.return_id)
        pair.standby.freeze()

        def wait_for_the_standby() -> None:
            try:
                service.handle(received)
            except Unavailable as error:
                ends.append(error)

        waiting = Thread(target=wait_for_the_standby)
        waiting.start()
        in_wait = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_until(lambda: pair.primary.asked(in_wait) == [(1,)])
        assert other.get(received.return_id).status is ReturnStatus.REQUESTED
        pair.primary.kill()
        pair.standby.thaw()
        waiting.join()
    assert len(ends) == 1
    assert shop.refunds() == {}
    pair.fail_over()

    with shop.process() as service:
        for _ in range(2):
            service.handle(received)
        ledger = service.returns.load(order_id(1))
    assert [each.received_at is not None for each in ledger.returns] == [True]
    assert shop.refunds() == {f"{received.return_id}-refund-1": 1}


def test_a_commit_that_was_lost_is_repeated_under_its_key(pair: Pair, tmp_path: Path) -> None:
    """
    Without a synchronous standby, commits that were acknowledged are lost; the gateway has their refunds.

    A command with an idempotency key asks for the refund that the gateway has made, as does a receipt without
    one for a return that was not lost. A claim without an idempotency key is paid twice.
    """
    shop = shop_of(pair, tmp_path)
    kept, lost, unkeyed = commands(1), commands(2), evolve(commands(1)[1], idempotency_key=None)
    with shop.process() as service:
        service.handle(kept[0])
        received_everything = (
            "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"
        )
        wait_until(lambda: pair.primary.asked(received_everything) == [(1,)])
        pair.standby.kill()

        service.handle(unkeyed)
        for command in lost:
            service.handle(command)
        commands_lost = [claim_of(3, key="claim"), claim_of(4, key=None), claim_of(5, key=None)]
        claims = [service.handle(command) for command in commands_lost]
    before = shop.refunds()
    assert len(before) == 5
    pair.primary.kill()
    pair.standby.start()
    pair.fail_over()

    with shop.process() as service:
        assert service.get(unkeyed.return_id).status is ReturnStatus.REQUESTED
        for number in (2, 3, 4, 5):
            assert service.returns.load(order_id(number)) == ReturnLedger(order_id(number))
        for subject_id in (lost[1].return_id, *[claim.id for claim in claims]):
            with pytest.raises(NotFound):
                service.get(subject_id)
        late = RecordRefundOutcome(key=claims[0].refunds[0].key, outcome=RefundSucceeded("re_1"))
        of_the_receipt = evolve(late, key=f"{unkeyed.return_id}-refund-1")
        for notification, code in ((late, "return_not_found"), (of_the_receipt, "refund_not_found")):
            with pytest.raises(NotFound) as error:
                service.handle(notification)
            assert error.value.code == code

        repeated: list[Command] = [unkeyed, *lost, claim_of(3, key="claim")]
        for each in repeated:
            service.handle(each)
        assert service.handle(late).refunds[0].status == "succeeded"
        unkeyed_claims = tuple([claim.id for claim in claims[1:]])
        asked_again = {key for key in before if not key.startswith(unkeyed_claims)}
        assert shop.refunds() == before | dict.fromkeys(asked_again, 2)  # each was made once

        by_hand = service.handle(commands_lost[1], deliver=False)  # with the timer stopped
        (refund,) = by_hand.refunds
        assert refund.key not in before
        found = RecordRefundOutcome(key=refund.key, outcome=RefundSucceeded("re_lost"), created_by="Ada")
        service.handle(found)
        assert service.resume(by_hand.id).still_open == ()
        assert shop.refunds().keys() == before.keys()  # recorded, not sent

        (refund,) = service.handle(commands_lost[2]).refunds
        assert shop.refunds().keys() == before.keys() | {refund.key}  # the customer has the money twice
