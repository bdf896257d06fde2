"""Notices of a gateway in any order: what it says moved is never counted as less, unless a person says so."""

from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from rma import (
    RecordRefundOutcome,
    Refund,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
)
from rma.domain.decide import answer
from rma.domain.messages.effects import GivenUp, Overdue
from rma.testing.core_harness import START
from tests.rules.given import Given, receive, request, usd

KEY = "ret_1-refund-1"


@frozen
class Notice:
    """What the gateway says under an id, or a person who signs."""

    outcome: RefundOutcome | RefundReversed
    id: str | None = None
    by: str | None = None

    def command(self) -> RecordRefundOutcome:
        """The command that records it."""
        return RecordRefundOutcome(key=KEY, outcome=self.outcome, notification_id=self.id, created_by=self.by)


amounts = st.one_of(st.none(), st.sampled_from([0, 1, 1500, 1999, 2000, 2001, 2500]).map(usd))
outcomes: st.SearchStrategy[RefundOutcome | RefundReversed] = st.one_of(
    st.builds(RefundSucceeded, st.sampled_from([None, "re_1"]), amounts),
    st.sampled_from([RefundPending(), RefundPending("re_1"), RefundDeclined("lost"), RefundReversed()]),
)


@st.composite
def deliveries(draw: st.DrawFn) -> list[Notice]:
    """Notices with ids, in any order and repeated; between them, some without an id, and a person's."""
    made = draw(st.lists(outcomes, min_size=1, max_size=6))
    named = [Notice(outcome, id=f"evt_{number}") for number, outcome in enumerate(made)]
    unnamed = st.builds(Notice, outcomes)
    signed = st.builds(Notice, outcomes, by=st.just("anna"))
    return draw(st.lists(st.one_of(st.sampled_from(named), unnamed, signed), min_size=1, max_size=12))


@st.composite
def beginnings(draw: st.DrawFn) -> Given:
    """A refund of 20.00 that was sent, answered, given up, or pending for too long."""
    begun = Given()
    begun.when(request(2))
    begun.when(receive(2))
    answer: object = draw(st.one_of(st.none(), outcomes, st.just(GivenUp("?"))))
    if isinstance(answer, RefundOutcome | GivenUp):
        begun.record_outcomes((KEY, answer))
    return begun


def said_to_have_moved(refund: Refund, notice: Notice) -> int | None:
    """What moved by this word, minor units; None if it says nothing of that."""
    match notice.outcome:
        case RefundSucceeded(amount=None):
            return None if refund.moved is not None else refund.amount.amount
        case RefundSucceeded(amount=moved) if moved is not None:
            return moved.amount
        case RefundDeclined() | RefundReversed():
            return 0
        case _:
            return None


@given(begun=beginnings(), notices=deliveries())
def test_what_is_in_force_is_never_less_than_the_last_word_of_the_gateway(
    begun: Given, notices: list[Notice]
) -> None:
    """
    A notice that was delivered before says nothing. After a reversal a success says nothing: it is why there
    was something to reverse. What a person signed counts until the gateway says something else.
    """
    heard: set[str] = set()
    moved = 0
    for notice in notices:
        before = begun.ledger
        (refund,) = begun.the().refunds
        is_repeated = notice.id is not None and notice.id in heard
        begun.when(notice.command())
        (after,) = begun.the().refunds
        if notice.by is not None:
            moved = 0
        elif not is_repeated and refund.status is not RefundStatus.REVERSED:
            word = said_to_have_moved(refund, notice)
            moved = moved if word is None else word
        if notice.id is not None:
            heard.add(notice.id)

        assert after.amount_in_force >= moved
        assert begun.the().refunded.amount == after.amount_in_force
        if after.is_contradicted:
            assert after.status is RefundStatus.NEEDS_ATTENTION
            assert begun.the().needs_attention
        if is_repeated:
            assert begun.ledger == before


@given(begun=beginnings(), notices=deliveries())
def test_a_notice_that_comes_again_at_once_changes_nothing(begun: Given, notices: list[Notice]) -> None:
    """Whatever was before: gateways deliver at least once."""
    for notice in notices:
        begun.when(notice.command())
        again = begun.when(notice.command())

        assert again == () or notice.by is not None  # a person who says so once more decides it


@given(begun=beginnings(), notices=deliveries())
def test_a_command_under_a_key_is_done_once(begun: Given, notices: list[Notice]) -> None:
    """Whatever it changed: delivered again, and again, it is answered, and nothing is done."""
    keyed = [evolve(notice.command(), idempotency_key=f"k{index}") for index, notice in enumerate(notices)]
    for index, command in enumerate(keyed):
        begun.when(command)
        for heard in keyed[: index + 1]:
            assert answer(begun.ledger, heard) == "ret_1"
    assert begun.the().id == "ret_1"


@given(begun=beginnings(), notices=deliveries())
def test_a_success_that_was_not_heard_before_is_never_dropped(begun: Given, notices: list[Notice]) -> None:
    """After a failure it needs attention: no one pays the amount again without knowing it."""
    for notice in notices:
        begun.when(notice.command())
    (refund,) = begun.the().refunds
    begun.when(Notice(RefundSucceeded("re_9"), id="evt_new").command())
    (after,) = begun.the().refunds

    if refund.status is RefundStatus.FAILED:
        assert after.is_contradicted
        assert after.failure == f"succeeded after: {refund.failure}"
    assert after.is_in_force or refund.status is RefundStatus.REVERSED


def test_a_refund_that_waited_too_long_takes_any_notice() -> None:
    """It succeeded or failed after all; neither contradicts anything."""
    for outcome, status in (
        (RefundSucceeded("re_1"), RefundStatus.SUCCEEDED),
        (RefundDeclined("lost"), RefundStatus.FAILED),
    ):
        begun = Given()
        begun.when(request(2))
        begun.when(receive(2))
        begun.record_outcomes((KEY, RefundPending("re_1")))
        begun.record_outcomes((KEY, Overdue(START)))
        assert begun.the().refunds[0].status is RefundStatus.NEEDS_ATTENTION

        begun.when(Notice(outcome, id="evt_1").command())

        assert begun.the().refunds[0].status is status
        assert not begun.the().refunds[0].is_contradicted
