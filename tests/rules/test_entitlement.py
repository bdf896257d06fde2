"""The account of a return or a claim: what is due, overpaid and paid."""

from hypothesis import given
from hypothesis import strategies as st

from rma import Entitlement, Refund, RefundStatus
from rma.testing.core_harness import START
from tests.rules.given import usd


def refund(number: int, amount: int, status: RefundStatus) -> Refund:
    """Returns a refund of this amount and status."""
    return Refund(
        key=f"ret_1-refund-{number}",
        payment_id="pay_1",
        amount=usd(amount),
        status=status,
        requested_at=START,
    )


NAMED = st.none() | st.integers(0, 500)
REFUNDS = st.tuples(st.integers(0, 500), st.sampled_from(RefundStatus))


@given(
    entitled=st.integers(0, 1000),
    refunds=st.lists(st.tuples(st.integers(0, 500), st.sampled_from(RefundStatus)), max_size=4),
)
def test_what_is_due_less_what_is_overpaid_is_what_is_entitled_less_what_is_paid(
    entitled: int, refunds: list[tuple[int, RefundStatus]]
) -> None:
    """Due and overpaid are never negative nor both above 0, and only refunds in force count as paid."""
    account = Entitlement(usd(entitled), refunds=tuple([refund(n, *each) for n, each in enumerate(refunds)]))
    is_over = {RefundStatus.FAILED, RefundStatus.REVERSED}

    assert account.paid == usd(sum(amount for amount, status in refunds if status not in is_over))
    assert account.due - account.overpaid == account.entitled - account.paid
    assert min(account.due, account.overpaid) == usd(0)
    assert account.due.amount >= 0


def test_an_account_needs_attention_while_an_amount_is_due_or_an_outcome_cannot_be_known() -> None:
    """A due amount and an unknown outcome need attention; a pending refund does not."""
    pending = refund(1, 100, RefundStatus.PENDING)
    unknown = refund(1, 100, RefundStatus.NEEDS_ATTENTION)

    assert not Entitlement(usd(100), refunds=(pending,)).needs_attention
    assert Entitlement(usd(101), refunds=(pending,)).needs_attention
    assert Entitlement(usd(100), refunds=(unknown,)).needs_attention


@given(NAMED, NAMED, st.booleans(), st.lists(REFUNDS, max_size=3), st.lists(REFUNDS, max_size=3))
def test_what_an_event_changed_makes_the_account_after_it_of_the_one_before(
    requested: int | None,
    agreed: int | None,
    blocked: bool,  # drawn
    earlier: list[tuple[int, RefundStatus]],
    made: list[tuple[int, RefundStatus]],
) -> None:
    """The change holds the refunds that were made for it, and none that were made before."""
    refunds = tuple([refund(number, *each) for number, each in enumerate([*earlier, *made])])
    before = Entitlement(usd(1), refunds=refunds[: len(earlier)])
    after = Entitlement(
        usd(2),
        requested_refund=None if requested is None else usd(requested),
        agreed_refund=None if agreed is None else usd(agreed),
        refund_note="kind",
        is_refund_blocked=blocked,
        refunds=refunds,
    )

    change = after.change_since(before)

    assert change.refunds == refunds[len(earlier) :]
    assert before.after(change) == after


@given(
    entitled=st.integers(0, 50),
    after=st.integers(0, 50),
    paid=st.integers(0, 50),
    carried=st.integers(-9, 9),
)
def test_what_is_over_carries_only_what_is_for_it(entitled: int, after: int, paid: int, carried: int) -> None:
    """It is neither due because of steps, nor paid too much because of them."""
    made = (refund(1, paid, RefundStatus.SUCCEEDED),)
    account = Entitlement(usd(entitled), refunds=made, carried=carried)

    reduced = account.reduced_to(usd(after))

    assert abs(reduced.carried) <= abs(carried)
    assert reduced.carried * carried >= 0
    assert reduced.overpaid.amount <= max(0, paid - after)
    assert reduced.due.amount <= max(0, after - paid)
