"""What a command stores and delivers in blocks of `transaction.atomic`."""

import unittest
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

import pytest
from attrs import evolve, frozen
from django.db import connections, transaction
from django.test import TestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rma import (
    CancelExchange,
    InvalidValue,
    NewItem,
    RefundOutcome,
    RefundRequest,
    Rejected,
    RequestExchange,
    ReturnLedger,
)
from rma.adapters.django import DjangoReturns
from rma.testing.contracts.threads import at_once
from rma.testing.core_harness import START
from tests.databases import LONG
from tests.django.aliases import Aliases, in_threads
from tests.django.shop import Shop, label_for, order
from tests.rules.given import receive, request


@pytest.fixture
def shop(aliases: Aliases, alias: str) -> Shop:
    """Returns a shop over a database of each kind."""
    return Shop(alias, aliases.again(alias))


class Undone(Exception):
    """What ends a block that is rolled back."""


def undo() -> None:
    """Ends a block."""
    raise Undone


@frozen
class Block:
    """A block of `atomic`, in which commands and blocks follow each other; None is a command."""

    steps: Sequence["Block | None"]
    has_savepoint: bool
    fails: bool

    def run(self, shop: Shop, order_id: str, *, is_outermost: bool) -> list[str]:
        """Runs it and returns the ids of those returns that it leaves to what is around it."""
        kept: list[str] = []
        try:
            with transaction.atomic(using=shop.using, savepoint=self.has_savepoint):
                for each in self.steps:
                    if each is None:
                        kept.append(shop.service.handle(label_for(order_id)).id)
                    else:
                        kept += each.run(shop, order_id, is_outermost=False)
                    assert not set(shop.labels) & set(kept)
                if self.fails:
                    undo()
        except Undone:
            if not is_outermost and not self.has_savepoint:
                raise
            return []
        return kept


blocks = st.recursive(
    st.builds(Block, st.lists(st.none(), max_size=2), st.booleans(), st.booleans()),
    lambda inner: st.builds(
        Block, st.lists(st.none() | inner, min_size=1, max_size=3), st.booleans(), st.booleans()
    ),
    max_leaves=5,
)


def test_what_is_committed_is_delivered_after_it_and_nothing_else(shop: Shop) -> None:
    """However blocks and savepoints nest, and whichever of them are rolled back."""
    numbers = count(1)

    @settings(
        max_examples=150 if LONG else 30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(blocks)
    def law(block: Block) -> None:
        order_id = f"order_of_law_{next(numbers)}"
        shop.orders.put(order(order_id))
        before = set(shop.labels)

        kept = block.run(shop, order_id, is_outermost=True)

        ledger = shop.stored.load(order_id)
        assert [each.id for each in ledger.returns] == kept
        assert set(shop.labels) - before == set(kept)
        assert not ledger.open_effects
        assert ledger.published == ledger.revision
        assert shop.early == []

    law()


class Deaf:
    """A gateway that never answers, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Times out."""
        self.asked.append(request.key)
        raise TimeoutError


def test_commands_of_a_block_about_one_return_are_delivered_together(shop: Shop) -> None:
    """A gateway that does not answer is asked once; the next time is the timer's."""
    opened = shop.service.handle(evolve(request(2), idempotency_key="k"))
    gateway = Deaf()
    service = evolve(shop.service, payments=gateway)

    with transaction.atomic(using=shop.using):
        for _ in range(2):
            service.handle(receive(1, return_id=opened.id, more_expected=True))

    assert gateway.asked == [f"{opened.id}-refund-1", f"{opened.id}-refund-2"]
    assert {each.attempts for each in service.outstanding()} == {1}


def test_commands_of_a_block_about_an_exchange_and_its_return_are_delivered_together(shop: Shop) -> None:
    """They belong together: what delivers one delivers the other."""
    mug = request(1).items
    new = [NewItem(variant_id="v_2", quantity=1, unit_price=100_000)]
    exchange = shop.service.handle(RequestExchange(order_id="order_1", items=mug, new_items=new))
    gateway = Deaf()
    service = evolve(shop.service, payments=gateway)

    with transaction.atomic(using=shop.using):
        service.handle(receive(1, return_id=exchange.return_id))
        service.handle(CancelExchange(exchange_id=exchange.id))

    assert gateway.asked == [f"{exchange.return_id}-refund-1"]


def test_a_savepoint_that_is_rolled_back_takes_no_delivery_of_others_with_it(shop: Shop) -> None:
    """Whether the command that stays was given before it or after."""
    for is_first in (True, False):
        opened = shop.service.handle(evolve(request(2), idempotency_key=f"k{is_first}"))
        with transaction.atomic(using=shop.using):
            if is_first:
                shop.service.handle(receive(1, return_id=opened.id, more_expected=True))
            with suppress(Undone), transaction.atomic(using=shop.using):
                shop.service.handle(receive(1, return_id=opened.id, more_expected=True))
                undo()
            if not is_first:
                shop.service.handle(receive(1, return_id=opened.id, more_expected=True))

        assert list(shop.payments.refunds)[-1] == f"{opened.id}-refund-1"
        assert shop.service.get(opened.id).refunds[0].status == "succeeded"


def test_outside_of_a_block_a_command_is_delivered_at_once(shop: Shop) -> None:
    """As by every other service."""
    opened = shop.service.handle(label_for("order_1"))

    assert opened.shipping_data
    assert shop.labels == [opened.id]
    assert not shop.stored.load("order_1").open_effects
    assert shop.early == []


def test_the_answer_in_a_block_is_as_before_any_delivery(shop: Shop) -> None:
    """It has no label yet; after the block it is there."""
    with transaction.atomic(using=shop.using):
        opened = shop.service.handle(label_for("order_1"))
        assert not opened.shipping_data
        assert shop.service.get(opened.id) == opened
        assert shop.stored.load("order_1") == ReturnLedger("order_1")

    assert shop.service.get(opened.id).shipping_data


def test_money_moves_after_the_commit_and_once(shop: Shop) -> None:
    """A receipt that is repeated in another block is answered, and pays nothing more."""
    opened = shop.service.handle(label_for("order_1"))
    arrival = receive(1, return_id=opened.id, idempotency_key="k")

    for _ in range(2):
        with transaction.atomic(using=shop.using):
            shop.service.handle(arrival)
            shop.service.handle(arrival)

    assert list(shop.payments.refunds) == [f"{opened.id}-refund-1"]
    assert shop.service.get(opened.id).refunds[0].status == "succeeded"
    assert shop.early == []


def test_rolled_back_nothing_moved_and_nothing_is_left(shop: Shop) -> None:
    """Neither now nor by a later pass of the timer; the command can be given again."""
    opened = shop.service.handle(label_for("order_1"))
    arrival = receive(1, return_id=opened.id, idempotency_key="k")

    with pytest.raises(Undone), transaction.atomic(using=shop.using):  # noqa: PT012 # the block ends with it
        shop.service.handle(arrival)
        raise Undone

    assert shop.service.resume().orders == ()
    assert not shop.payments.refunds
    assert shop.stored.load("order_1").returns == (shop.service.get(opened.id),)
    shop.service.handle(arrival)
    assert list(shop.payments.refunds) == [f"{opened.id}-refund-1"]


def test_a_refusal_leaves_the_block_usable(shop: Shop) -> None:
    """What was stored before and is stored afterwards is committed."""
    with transaction.atomic(using=shop.using):
        first = shop.service.handle(label_for("order_1"))
        with pytest.raises(Rejected):
            shop.service.handle(request(51))
        second = shop.service.handle(label_for("order_1"))

    assert shop.labels == sorted([first.id, second.id])


def test_without_delivery_nothing_is_delivered_after_the_commit(shop: Shop) -> None:
    """`deliver=False` leaves it to the timer."""
    with transaction.atomic(using=shop.using):
        opened = shop.service.handle(label_for("order_1"), deliver=False)

    assert shop.labels == []
    assert shop.service.resume().still_open == ()
    assert shop.labels == [opened.id]


def test_a_process_that_dies_between_commit_and_delivery_loses_nothing(shop: Shop) -> None:
    """The effect is open, and the timer delivers it."""

    def die() -> None:
        raise SystemExit

    with pytest.raises(SystemExit), transaction.atomic(using=shop.using):  # noqa: PT012 # the block ends with it
        transaction.on_commit(die, using=shop.using)
        opened = shop.service.handle(label_for("order_1"))

    assert shop.labels == []
    assert shop.service.resume().orders == ("order_1",)
    assert shop.labels == [opened.id]


def test_a_delivery_that_fails_does_not_hold_up_what_else_waits_for_the_commit(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """Django logs it and calls the others; the timer delivers."""
    table, away = "ALTER TABLE rma_ledgers RENAME TO away", "ALTER TABLE away RENAME TO rma_ledgers"
    with transaction.atomic(using=shop.using):
        transaction.on_commit(lambda: run(shop, table), using=shop.using)
        opened = shop.service.handle(label_for("order_1"))
        transaction.on_commit(lambda: run(shop, away), using=shop.using)

    assert shop.labels == []
    assert "Error calling" in caplog.text
    assert "deliver_now" in caplog.text
    assert shop.service.resume().still_open == ()
    assert shop.labels == [opened.id]


def run(shop: Shop, statement: str) -> None:
    """Executes a statement of the host."""
    with connections[shop.using].cursor() as cursor:
        cursor.execute(statement)


def test_in_a_block_nothing_can_be_delivered_by_hand(shop: Shop) -> None:
    """`resume` refuses, with the code of every host's transaction."""
    with transaction.atomic(using=shop.using), pytest.raises(InvalidValue) as error:
        shop.service.resume()

    assert error.value.code == "in_host_transaction"


def test_what_is_named_in_a_block_is_leased_to_no_one(shop: Shop) -> None:
    """A page of the host that looks at what is outstanding takes nothing from the timer."""
    shop.service.handle(label_for("order_1"), deliver=False)

    with transaction.atomic(using=shop.using):
        assert list(DjangoReturns(shop.using).outstanding(START, 9, unpublished=True)) == ["order_1"]

    (named,) = at_once(in_threads([lambda: tuple(shop.stored.outstanding(START, 9))]))
    assert named == ("order_1",)


def test_a_block_of_another_database_is_not_ours(shop: Shop) -> None:
    """The command is committed and delivered at once, whatever becomes of the block."""
    with pytest.raises(Undone), transaction.atomic(using="default"):  # noqa: PT012 # the block ends with it
        opened = shop.service.handle(label_for("order_1"))
        assert shop.labels == [opened.id]
        raise Undone

    assert shop.stored.load("order_1").returns


def test_where_autocommit_is_off_the_timer_delivers(shop: Shop) -> None:
    """Django calls nothing after such a commit."""
    shop.service.resume()
    transaction.set_autocommit(False, using=shop.using)
    opened = shop.service.handle(label_for("order_1"))
    assert shop.stored.load("order_1") == ReturnLedger("order_1")
    transaction.commit(using=shop.using)
    transaction.set_autocommit(True, using=shop.using)

    assert shop.labels == []
    assert shop.service.resume().orders == ("order_1",)
    assert shop.labels == [opened.id]


def test_a_service_in_a_block_of_another_connection_delivers_after_that(shop: Shop) -> None:
    """`in_transaction` of the service takes a connection of Django."""
    with transaction.atomic(using=shop.other):
        joined = shop.service.in_transaction(connections[shop.other])
        opened = joined.handle(label_for("order_1"))
        assert shop.service.list() == ()
        assert shop.labels == []

    assert shop.labels == [opened.id]
    assert shop.service.get(opened.id).shipping_data


@pytest.mark.parametrize("is_engine", [False, True])
def test_only_a_connection_in_a_block_is_taken(shop: Shop, is_engine: bool) -> None:
    """The error says what to give."""
    with pytest.raises(InvalidValue) as error:
        shop.service.in_transaction(object() if is_engine else connections[shop.other])

    assert error.value.details["expected"] == (
        "one of django.db.connections" if is_engine else "inside transaction.atomic"
    )


def test_an_id_of_another_order_undoes_the_command_and_no_more_than_the_block(shop: Shop, kind: str) -> None:
    """SQLite goes on; PostgreSQL cannot, so that Django rolls the block back, and calls nothing after it."""
    service = evolve(shop.service, ids=lambda: "same")
    service.handle(label_for("order_1"))
    shop.orders.put(order("order_2"))
    called = []

    with transaction.atomic(using=shop.using):
        shop.service.handle(label_for("order_1"))
        transaction.on_commit(lambda: called.append(1), using=shop.using)
        with pytest.raises(InvalidValue) as error:
            service.handle(label_for("order_2"))

    assert error.value.code == "id_not_fresh"
    assert shop.stored.load("order_2") == ReturnLedger("order_2")
    is_committed = kind == "sqlite"
    assert called == [1] * is_committed
    assert len(shop.stored.load("order_1").returns) == 1 + is_committed
    assert len(shop.labels) == 1 + is_committed


def test_a_test_case_of_django_sees_what_a_request_does(aliases: Aliases, alias: str) -> None:
    """Its own transaction does not count: outside of a block effects are delivered, in one after its end."""

    class OfTheHost(TestCase):
        databases = {alias}  # noqa: RUF012 # as Django's test cases have it

        def test_outside(self) -> None:
            shop = Shop(alias, alias)
            opened = shop.service.handle(label_for("order_1"))
            assert shop.labels == [opened.id]
            assert shop.service.resume().orders == ()

        def test_inside(self) -> None:
            shop = Shop(alias, alias)
            with self.captureOnCommitCallbacks(using=alias, execute=True), transaction.atomic(using=alias):
                opened = shop.service.handle(label_for("order_1"))
                assert shop.labels == []
            assert shop.labels == [opened.id]

        def test_blocks_that_follow_each_other(self) -> None:
            shop = Shop(alias, alias)
            opened = shop.service.handle(evolve(request(3), idempotency_key="k"))
            arrival = receive(1, return_id=opened.id, more_expected=True)
            for _ in range(2):
                with transaction.atomic(using=alias):
                    shop.service.handle(arrival)
            assert not shop.payments.refunds  # no callback was asked for
            with self.captureOnCommitCallbacks(using=alias, execute=True), transaction.atomic(using=alias):
                shop.service.handle(arrival)
            assert len(shop.payments.refunds) == 3
            for number in (1, 2):
                opened = shop.service.handle(evolve(request(2), idempotency_key=f"k{number}"))
                for _ in range(2):
                    with (
                        self.captureOnCommitCallbacks(using=alias, execute=True),
                        transaction.atomic(using=alias),
                    ):
                        shop.service.handle(receive(1, return_id=opened.id, more_expected=True))
                assert len(shop.payments.refunds) == 3 + 2 * number

    result = unittest.TestResult()
    unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(OfTheHost)).run(result)

    assert result.testsRun == 3
    assert [*result.errors, *result.failures] == []
    assert DjangoReturns(alias).load("order_1") == ReturnLedger("order_1")
