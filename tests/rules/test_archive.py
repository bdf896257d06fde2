"""The history of an order that is over is archived; of one that is not, with every reason why not."""

from datetime import timedelta

import pytest
from attrs import evolve

from rma import (
    CancelExchange,
    CancelReturn,
    Change,
    ClaimItem,
    GoodsReceived,
    HistoryArchived,
    NewItem,
    NotAllowed,
    RecordRefundOutcome,
    RefundDeclined,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RetryRefund,
    replay,
)
from rma.domain.change import apply_archive, apply_publication, unchanged
from rma.domain.events import Opening
from rma.domain.evolve import evolve as after
from rma.domain.messages.effects import Done
from rma.domain.react import react
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.views.differences import with_archived
from rma.domain.views.timeline import timeline
from rma.shell.deliver import is_news
from tests.rules.given import Given, line, order_of, receive, request

DAY = timedelta(days=1)


class Order(Given):
    """Nine mugs, and a history from which events are removed as a store does it."""

    def __init__(self) -> None:
        super().__init__(order_of(line(quantity=9)))

    def archive(self, *, has_publisher: bool = False) -> Change:
        """Archives the history, and checks what must stay as it is."""
        before = self.ledger
        change = apply_archive(before, self.history, self.now, has_publisher=has_publisher)
        gone = frozenset(change.superseded)
        self.history = [each for each in self.history if (each.revision, each.number) not in gone]
        self.history += change.events
        self.ledger = change.ledger
        same = evolve(
            self.ledger, revision=before.revision, published=before.published, archived=before.archived
        )
        assert same == before
        return change

    def publish(self) -> None:
        """A publisher took everything."""
        change = apply_publication(self.ledger, self.ledger.revision, self.now)
        self.ledger, self.history = change.ledger, [*self.history, *change.events]

    def reasons(self, *, has_publisher: bool = False) -> list[str]:
        """The codes with which archiving is refused."""
        with pytest.raises(NotAllowed) as error:
            apply_archive(self.ledger, self.history, self.now, has_publisher=has_publisher)
        return [each.code for each in error.value.violations]


def over() -> Order:
    """A return that was received and refunded."""
    order = Order()
    order.when(request(2, idempotency_key="a", shipping_option_id="so_return"))
    order.all_delivered()
    order.when(receive(2, idempotency_key="b"))
    order.all_delivered()
    return order


def test_what_opened_something_stays_and_the_rest_goes() -> None:
    """One event says so; nothing is asked of a port."""
    order = over()
    before = order.history

    change = order.archive()

    (event,) = change.events
    assert isinstance(event, HistoryArchived)
    assert (event.removed, event.revision, event.number, event.subject_id) == (3, 5, 1, None)
    assert (change.expected_revision, change.effects, change.subject_id) == (4, (), None)
    assert change.superseded == tuple([(each.revision, each.number) for each in before[1:]])
    assert order.history == [before[0], event]
    assert order.ledger.archived == order.ledger.published == 5
    assert react(event) == ()
    assert not is_news(event)


def test_with_what_was_removed_the_history_rebuilds_the_ledger() -> None:
    """Events carry their places, so that both parts can be put together; also after a second archive."""
    order = over()
    removed = [*order.history[1:]]
    order.archive()
    order.when(request(1))
    order.when(CancelReturn(return_id="ret_2"))
    removed += [each for each in order.history if not isinstance(each, Opening)]
    order.archive()

    whole = sorted([*removed, *order.history], key=lambda event: (event.revision, event.number))

    assert replay("order_1", whole) == order.ledger
    assert [type(each).__name__ for each in order.history] == ["ReturnRequested"] * 2 + ["HistoryArchived"]
    assert [each.status for each in order.ledger.returns] == ["received", "canceled"]


def test_history_alone_says_what_is_open_and_how_far_it_is() -> None:
    """A return from before is as it began, and its effects are not asked for again."""
    order = over()
    order.archive()

    rebuilt = replay("order_1", order.history)

    assert rebuilt.returns[0].status == "requested"
    assert not rebuilt.open_effects
    order.when(request(1, shipping_option_id="so_return"))
    again, ledger = replay("order_1", order.history), order.ledger
    assert again.open_effects == ledger.open_effects
    assert len(again.open_effects) == 1
    assert (again.revision, again.published, again.archived) == (6, 5, 5)
    assert (ledger.revision, ledger.published, ledger.archived) == (6, 5, 5)
    assert again.returns[1] == ledger.returns[1]


def test_nothing_is_removed_twice() -> None:
    """An order without anything, or of which nothing happened since: no event."""
    order = Order()
    assert order.archive() == unchanged(order.ledger)
    order = over()
    order.archive()

    assert order.archive() == unchanged(order.ledger)
    assert order.archive(has_publisher=True).events == ()


def test_a_history_of_openings_alone_stays_as_it_is() -> None:
    """There is nothing to remove of a claim that was over when it was made."""
    order = Order()
    broken = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    order.when(RequestClaim(order_id="order_1", type="refund", items=broken, refund_amount=0))

    assert order.archive() == unchanged(order.ledger)


def test_the_record_of_an_earlier_archive_goes_too() -> None:
    """It is removed with what happened after it."""
    order = over()
    order.archive()
    order.when(request(1))
    order.when(CancelReturn(return_id="ret_2"))

    (event,) = order.archive().events

    assert isinstance(event, HistoryArchived)
    assert event.removed == 2
    assert order.ledger.archived == event.revision == 8


def test_what_came_after_the_ledger_was_read_is_not_removed() -> None:
    """The commit will be refused as stale, and is computed again."""
    order = over()
    before = order.ledger
    order.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundReversed()))

    change = apply_archive(before, order.history, order.now, has_publisher=False)

    assert max(change.superseded) == (4, 1)


def test_an_order_with_an_open_return_is_not_over() -> None:
    """Its status is said; what is open of its effects too, with how often it was tried."""
    order = Order()
    order.when(request(2, shipping_option_id="so_return"))
    order.when(request(1))
    order.when(CancelReturn(return_id="ret_2"))

    with pytest.raises(NotAllowed) as error:
        order.archive()

    assert str(error.value) == "ret_1-shipment-1 has no outcome yet, after 0 attempts; ret_1 is requested"
    assert [(each.code, dict(each.numbers)) for each in error.value.violations] == [
        ("effect_open", {"key": "ret_1-shipment-1", "attempts": 0}),
        ("not_over", {"subject_id": "ret_1", "status": "requested"}),
    ]
    assert error.value.code == "effect_open"


def test_money_on_its_way_or_due_keeps_the_history() -> None:
    """Pending, failed and not retried, reversed, of unknown outcome."""
    order = Order()
    order.when(request(2))
    order.when(receive(2))
    order.record_outcomes(("ret_1-restock-1", Done()), ("ret_1-refund-1", RefundPending("re_1")))
    assert order.reasons() == ["effect_open", "refund_not_ended"]
    order.record_outcomes(("ret_1-refund-1", RefundDeclined("card_closed")))
    assert order.reasons() == ["amount_due"]
    order.when(RetryRefund(return_id="ret_1"))
    order.record_outcomes(("ret_1-refund-2", RefundSucceeded("re_2")))
    order.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundSucceeded("re_1")))
    assert order.reasons() == ["refund_not_ended"]
    order.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundReversed(), created_by="clerk"))

    assert order.archive().events


def test_a_claim_is_over_once_nothing_is_expected() -> None:
    """Its goods, or its refund."""
    order = Order()
    broken = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    order.when(RequestClaim(order_id="order_1", type="refund", items=broken, return_items=True))
    order.all_delivered()
    assert order.reasons() == ["not_over", "not_over"]
    order.when(receive(1))
    order.all_delivered()
    claim, target = order.ledger.claims[0], order.ledger.returns[0]
    assert (claim.is_open, target.is_open) == (False, False)
    assert order.archive().events
    order.when(RecordRefundOutcome(key="claim_1-refund-1", outcome=RefundReversed()))
    assert order.reasons() == ["amount_due"]


def test_an_exchange_is_over_once_it_is_completed_or_canceled() -> None:
    """While its goods or a payment are expected, it is not."""
    cup = NewItem(variant_id="v_cup", quantity=1, unit_price=2500)
    mugs = [RequestedItem(item_id="mug", quantity=1)]
    order = Order()
    order.when(RequestExchange(order_id="order_1", items=mugs, new_items=[cup]))
    assert order.reasons() == ["not_over", "not_over"]
    order.when(receive(1))
    order.all_delivered()
    assert [each.is_open for each in order.ledger.exchanges] == [True]
    assert set(order.reasons()) == {"not_over", "needs_attention"}
    order.when(CancelExchange(exchange_id="exc_1"))
    order.all_delivered()
    assert [each.is_open for each in order.ledger.exchanges] == [False]

    assert order.archive().events


def test_attention_that_nothing_else_explains_is_said() -> None:
    """Whatever keeps a return in the list of what needs attention."""
    order = over()
    (target,) = order.ledger.returns
    order.ledger = evolve(order.ledger, returns=(evolve(target, stuck_effects=("ret_1-restock-1",)),))

    assert order.reasons() == ["needs_attention"]


def test_what_a_publisher_has_yet_to_take_stays() -> None:
    """Also where this process has none, but another one published before."""
    order = over()
    assert order.reasons(has_publisher=True) == ["events_unpublished"]
    order.publish()
    order.when(request(1))
    order.when(CancelReturn(return_id="ret_2"))
    assert order.reasons(has_publisher=True) == order.reasons() == ["events_unpublished"]
    order.publish()

    assert order.archive(has_publisher=True).events


def test_an_order_without_a_publisher_is_archived_again_and_again() -> None:
    """That all counts as published since does not mean that there is a publisher."""
    order = over()
    order.archive()
    order.when(request(1))
    order.when(CancelReturn(return_id="ret_2"))

    assert order.archive().events
    assert order.ledger.published == order.ledger.revision


def test_the_timeline_says_how_much_is_not_there() -> None:
    """In the place of what was removed; what was opened is still there, and so is what comes later."""
    order = over()
    order.archive()
    order.when(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundReversed()))

    summaries = [each.summary for each in timeline("order_1", order.history)]

    assert summaries == [
        "ret_1 requested",
        "history archived: 3 events removed",
        "reported: ret_1-refund-1: 18.00 USD reversed (reversed)",
    ]


def test_evolve_knows_no_rules() -> None:
    """It is total: open effects are forgotten, and what was published later stays published."""
    order = over()
    (event,) = order.archive().events
    published = evolve(order.ledger, published=99, open_effects=FrozenMap())

    assert after(published, event).published == 99


def test_only_what_history_cannot_know_is_taken_from_the_store() -> None:
    """Of a return that was opened after the archive, history knows everything."""
    order = over()
    order.archive()
    order.when(request(1, idempotency_key="c"))
    rebuilt = replay("order_1", order.history)
    wrong = evolve(
        order.ledger,
        returns=(order.ledger.returns[0], evolve(order.ledger.returns[1], location_id="loc_9")),
        order_version=7,
    )

    found = with_archived(rebuilt, wrong, ["ret_2"])

    assert found == evolve(order.ledger, order_version=7)
    assert with_archived(rebuilt, evolve(wrong, returns=()), ["ret_2"]).returns == rebuilt.returns


def test_a_receipt_is_among_what_is_removed() -> None:
    """It is what the ledger has on record."""
    order = over()
    assert any(isinstance(each, GoodsReceived) for each in order.history)
    order.archive()
    assert len(order.ledger.returns[0].receipts) == 1
