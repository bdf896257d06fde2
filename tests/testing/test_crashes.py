"""
Whatever call or commit a process dies before or after, everything ends as if it had not died.

In memory here; in `test_crashes_in_databases`, where stores have statements to die between. In the test
command each chapter of the script by itself, at every point and at drawn pairs of them, and the whole
script at drawn points. With `RMA_TEST_PROFILE=long` at all of them: some minutes.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import takewhile

import pytest

from rma import NotIdempotent, RecordSending, RetryRefund, Searchable, SettleAdvance
from rma.testing.commands import MAKERS
from rma.testing.faults import Faults, points
from tests.databases import LONG
from tests.testing import designs
from tests.testing.crashes import (
    Design,
    End,
    Recovery,
    Survey,
    every_point,
    resume_until_quiet,
    simulate,
    what_differs,
)
from tests.testing.environment import (
    ARCHIVED,
    CHAPTERS,
    REDACTED,
    SCRIPT,
    Action,
    Archive,
    Environment,
    Resume,
    first,
    redacted,
)

#: How many are drawn where not all are tried.
DRAWN = None if LONG else 15


chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda steps: steps[0].idempotency_key)


@cache
def survey() -> Survey:
    """Of the library as it is, in memory, and of the whole script."""
    return Survey()


def test_the_script_does_all_that_can_be_done() -> None:
    """Every command is given, every port that acts is called; money is declined, pends and comes back."""
    end = survey().ends[-1]

    assert {call.method for call in survey().calls} == {
        "credits.give",
        "events.publish",
        "fulfillment.book_return",
        "fulfillment.cancel_return",
        "fulfillment.send_back",
        "fulfillment.ship_replacement",
        "holds.charge",
        "holds.release",
        "inventory.dispose",
        "inventory.release_reservation",
        "inventory.reserve",
        "inventory.restock",
        "inventory.withdraw",
        "orders.get",
        "payments.refund",
        "payouts.pay",
        "return_reasons.list",
        "returns.commit",
        "returns.find",
        "returns.history",
        "returns.load",
        "returns.load_by_return",
        "returns.outstanding",
        "shipping_options.get",
    }
    assert len(survey().points) == points(lambda faults: simulate(Environment(), faults)) > 200
    assert not end.open_effects
    assert {type(step) for step in SCRIPT} == {*MAKERS, Resume}


@chapters
@pytest.mark.parametrize("recovery", Recovery)
def test_a_crash_at_any_point_is_recovered_from(recovery: Recovery, chapter: tuple[Action, ...]) -> None:
    """By repeating the command alone, or by resuming alone: each effect once, nothing missing."""
    assert what_differs(Survey(script=chapter).crashes([recovery])) == {}


def test_a_crash_anywhere_in_the_whole_script_is_recovered_from() -> None:
    """Whatever happened before, and happens afterwards."""
    assert what_differs(survey().crashes(count=None if LONG else 40)) == {}


def test_a_crash_anywhere_is_recovered_from_on_an_order_that_is_archived() -> None:
    """After each story: what follows ends as it does with all of the history."""
    archived = Survey(script=ARCHIVED)

    assert archived.ends[-1].differs(survey().ends[-1]) == []
    assert what_differs(archived.crashes(count=None if LONG else 12)) == {}
    assert what_differs(archived.failures(count=None if LONG else 12)) == {}


@chapters
def test_a_crash_while_a_history_is_archived_is_recovered_from(chapter: tuple[Action, ...]) -> None:
    """It is archived by then, or not: before and after each of the last calls."""
    survey = Survey(script=(*chapter, Archive.ARCHIVE))
    last = [call for call in survey.calls if call.number > len(survey.calls) - 3]
    assert [call.method for call in last] == ["returns.load", "returns.history", "returns.commit"]

    survey.points = every_point(last)

    assert what_differs(survey.crashes()) == {}


def test_a_crash_anywhere_is_recovered_from_on_an_order_that_is_redacted() -> None:
    """After each story: what follows ends as it does with every word."""
    forgotten = Survey(script=REDACTED)

    assert forgotten.ends[-1].differs(survey().ends[-1]) == []
    assert what_differs(forgotten.crashes(count=None if LONG else 8)) == {}
    assert what_differs(forgotten.failures(count=None if LONG else 8)) == {}


@chapters
def test_a_crash_while_an_order_is_redacted_is_recovered_from(chapter: tuple[Action, ...]) -> None:
    """It is redacted by then, or not: before and after each of the last calls."""
    survey = Survey(script=redacted(chapter))
    last = [call for call in survey.calls if call.number > len(survey.calls) - 3]
    assert [call.method for call in last] == ["returns.load", "returns.history", "returns.redact"]

    survey.points = every_point(last)

    assert what_differs(survey.crashes()) == {}


@chapters
def test_a_failure_of_any_call_is_recovered_from(chapter: tuple[Action, ...]) -> None:
    """Not reached, answer lost, or sent twice; store, catalogues, publisher and ports alike."""
    assert what_differs(Survey(script=chapter).failures()) == {}


@chapters
@pytest.mark.parametrize("recovery", Recovery)
def test_a_second_crash_while_recovering_is_recovered_from(
    recovery: Recovery, chapter: tuple[Action, ...]
) -> None:
    """At any point of what follows the first: in a repeated command, in resuming, in the next command."""
    assert what_differs(Survey(script=chapter).pairs(recovery, DRAWN)) == {}


@pytest.mark.parametrize("recovery", Recovery)
def test_a_second_crash_anywhere_in_the_whole_script_is_recovered_from(recovery: Recovery) -> None:
    """However much later it happens."""
    assert what_differs(survey().pairs(recovery, 5000 if LONG else 20)) == {}


@chapters
def test_a_refund_that_can_be_looked_up_is_made_once(chapter: tuple[Action, ...]) -> None:
    """Whatever point the process dies at: what was sent is looked for before it is sent again."""
    looked_up = Survey(partial(Environment, gateway=Searchable()), script=chapter)

    assert what_differs(looked_up.crashes([Recovery.RESUME])) == {}


#: Stories up to where what follows needs a person, who has to look at what is unknown first.
UNKNOWN = {
    "refunds": tuple(takewhile(lambda step: not isinstance(step, RetryRefund), SCRIPT)),
    "credit": CHAPTERS[21],
    "a payout": CHAPTERS[22],
    "a charge": (
        first(91),
        RecordSending(return_id="ret_91", idempotency_key="key_92"),  # so that no timer charges it
        SettleAdvance(exchange_id="exc_91", idempotency_key="key_93"),
    ),
}


@pytest.mark.parametrize("script", UNKNOWN.values(), ids=list(UNKNOWN))
def test_money_of_unknown_outcome_is_not_moved_again(script: tuple[Action, ...]) -> None:
    """Where the gateway knows nothing, at most once: a person must look."""
    unkeyed = Survey(partial(Environment, gateway=NotIdempotent()), script=script)
    stopped = 0

    for point in unkeyed.points:
        environment, faults = Environment(gateway=NotIdempotent()), Faults(crash_at=[point])
        simulate(environment, faults, recovery=Recovery.RESUME, script=script)
        resume_until_quiet(environment, faults)
        assert set(environment.refunds_made.values()) <= {1}, faults.where(point)
        ledger = environment.returns.load("order_1")
        statuses = [str(refund.status) for refund in ledger.refunds]
        statuses += [str(charge.status) for each in ledger.exchanges for charge in each.hold_charges]
        stopped += "needs_attention" in statuses
        assert not ledger.open_effects

    assert stopped


def surveys_of(design: Design, make: Callable[[], Environment] = Environment) -> Iterator[Survey]:
    """Yields a survey of each chapter, which ends as it should as long as nothing fails."""
    for chapter in CHAPTERS:
        wrong = Survey(make, script=chapter, design=design)
        assert wrong.differences(Faults(), Recovery.REPEAT) == []
        yield wrong


@pytest.mark.parametrize(
    "design",
    [
        designs.pays_before_it_commits,
        designs.writes_the_journal_in_a_later_commit,
        designs.draws_a_fresh_key_for_each_attempt,
    ],
)
def test_a_design_that_does_not_survive_a_crash_is_caught(design: Design) -> None:
    """Though it ends as it should as long as nothing fails."""
    assert any(found for wrong in surveys_of(design) for _, found in wrong.crashes())


@pytest.mark.parametrize(
    "design",
    [
        designs.takes_a_time_out_for_a_refusal,
        designs.forgets_refunds_that_fail,
        designs.forgets_restocks_that_fail,
    ],
)
def test_a_design_that_does_not_survive_a_failure_is_caught(design: Design) -> None:
    """Though it ends as it should as long as nothing fails."""
    assert any(found for wrong in surveys_of(design) for _, found in wrong.failures())


def test_a_design_without_leases_pays_twice() -> None:
    """Where the gateway does not know its keys."""
    keyless = partial(Environment, gateway=NotIdempotent())

    assert any(found for wrong in surveys_of(designs.leases_nothing, keyless) for _, found in wrong.crashes())


def test_ends_are_compared_by_what_counts() -> None:
    """Moments and revisions may differ, money and goods may not."""
    late, twice = Environment(), Environment()
    for environment in (late, twice):
        simulate(environment, Faults())
    late.now = late.now.replace(year=2030)
    twice.inventory.on_hand["loc_1", "mug"] += 1

    assert End.of(late).differs(survey().ends[-1]) == []
    assert End.of(twice).differs(survey().ends[-1]) == ["stock"]
    assert len(set(map(str, survey().ends))) == len(SCRIPT) - 1, (
        "all but resuming and expiring, which resuming does, change something"
    )
