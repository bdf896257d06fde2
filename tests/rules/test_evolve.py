"""Folding events refuses none of which nothing is known; `replay`, of a whole history, does."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from rma import (
    CancelClaim,
    ClaimItem,
    ClaimRequested,
    Delivery,
    EffectOutcome,
    EffectsAttempted,
    Event,
    EventHeader,
    ExchangePaid,
    ExchangeRequested,
    KnownOutcomeReported,
    NewItem,
    PriceReduced,
    RecordExchangePayment,
    RecordRefundOutcome,
    RefundSucceeded,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    ReturnLedger,
    ReturnRequested,
    SubjectKind,
    replay,
)
from rma.domain.evolve import evolve
from rma.testing.core_harness import START, Flow
from rma.testing.strategies import flows
from tests.rules.given import Given

Opening = ReturnRequested | ExchangeRequested | ClaimRequested | PriceReduced


def folded(events: Iterable[Event]) -> ReturnLedger:
    """The ledger after these events; `replay` refuses those that nothing has opened."""
    ledger = ReturnLedger("order_1")
    for event in events:
        ledger = evolve(ledger, event)
    return ledger


@given(flows(), st.data())
def test_a_history_with_holes_is_folded_too(flow: Flow, data: st.DataObject) -> None:
    """What opened nothing that is known changes nothing but the revision; a store may have lost its event."""
    history: list[Event] = [event for change in flow for event in change.events]
    kept = [event for event in history if data.draw(st.booleans(), label=event.event_id)]

    ledger = folded(kept)

    opened = {event.opened.id for event in kept if isinstance(event, Opening)}
    assert {each.id for kind in SubjectKind for each in ledger.subjects(kind)} == opened
    assert ledger.revision == (kept[-1].revision if kept else 0)


@given(flows())
def test_events_folded_together_are_events_folded_one_by_one(flow: Flow) -> None:
    """`evolve` after each event of a commit is where the fold of all of them leads."""
    for change in flow:
        order_id = change.order_id
        before = replay(order_id, [each for earlier in flow[: flow.index(change)] for each in earlier.events])
        after = before
        for event in change.events:
            after = evolve(after, event)

        assert (after.returns, after.exchanges, after.claims) == (
            change.ledger.returns,
            change.ledger.exchanges,
            change.ledger.claims,
        )
        assert (after.revision, after.answered) == (change.ledger.revision, change.ledger.answered)


def test_a_delivery_of_an_effect_that_is_not_open_opens_nothing() -> None:
    """The event that asked for it is lost."""
    header = EventHeader(order_id="order_1", at=START, subject_id="ret_1", revision=4, number=1)
    outcome = EffectOutcome(key="ret_1-refund-1", delivery=Delivery(attempts=1))

    ledger = evolve(ReturnLedger("order_1"), EffectsAttempted(header=header, outcomes=(outcome,)))

    assert ledger == ReturnLedger("order_1", revision=4)


def test_an_exchange_is_paid_whose_return_is_lost() -> None:
    """The payment is known, and nothing else."""
    given = Given()
    item = NewItem(variant_id="v", quantity=1, unit_price=5000)
    items = [RequestedItem(item_id="mug", quantity=1)]
    given.when(RequestExchange(order_id="order_1", items=items, new_items=[item]))
    given.when(RecordExchangePayment(exchange_id="exc_1", reference="pay_9", amount=100))
    kept = [event for event in given.history if not isinstance(event, ReturnRequested)]

    ledger = folded(kept)

    assert isinstance(kept[-1], ExchangePaid)
    assert (ledger.returns, ledger.exchanges[0].paid.amount) == ((), 100)


def test_a_claim_is_canceled_that_is_lost() -> None:
    """Nothing is known of it."""
    given = Given()
    items = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    given.when(RequestClaim(order_id="order_1", type="refund", items=items, refund_amount=0))
    given.when(CancelClaim(claim_id="claim_1"))

    ledger = folded(given.history[-1:])

    assert (ledger.claims, ledger.revision) == ((), 2)


def test_a_known_outcome_is_reported_of_a_claim_that_is_lost() -> None:
    """Nothing but the revision changes."""
    given_ = Given()
    given_.when(
        RequestClaim(
            order_id="order_1", type="refund", items=[ClaimItem(item_id="mug", quantity=1, reason="other")]
        )
    )
    (refund,) = given_.ledger.claims[0].refunds
    given_.record_outcomes((refund.key, RefundSucceeded("re_1")))
    (event,) = given_.when(
        RecordRefundOutcome(key=refund.key, outcome=RefundSucceeded("re_1"), notification_id="evt_1")
    )

    assert isinstance(event, KnownOutcomeReported)
    assert folded([event]) == ReturnLedger("order_1", revision=event.revision)
