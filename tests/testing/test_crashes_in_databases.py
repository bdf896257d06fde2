"""
What `test_crashes` shows in memory holds in a database, where a store has statements to die between.

All ends as it does in memory in peace. In the test command chapter by chapter, on a SQLite file, recovered
by repeats and by timers in turn. With `RMA_TEST_PROFILE=long` by both, the whole script at more points, all
pairs on SQLite, and PostgreSQL: some minutes.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from rma import CancelReturn
from rma.testing.faults import AnswerLost, Away, Faults
from tests.databases import LONG, Databases
from tests.testing.crashes import Recovery, Survey, every_moment, what_differs
from tests.testing.environment import CHAPTERS, SCRIPT, Action, Archive, Environment, redacted, request
from tests.testing.stores import Database

#: Where ledgers are kept.
KINDS = ["sqlite", "postgresql"] if LONG else ["sqlite"]

#: How many runs are drawn where not all are made.
DRAWN = 3

chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda steps: steps[0].idempotency_key)
recoveries = pytest.mark.parametrize("recovery", Recovery)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Everything here is tried on each kind of database."""
    return str(request.param)


@pytest.fixture(scope="module")
def database(kind: str, databases: Databases) -> Iterator[Database]:
    """Tables to die in."""
    with databases.new(kind) as url, closing(Database(url)) as opened:
        yield opened


@pytest.fixture(scope="module")
def environment(database: Database) -> Callable[[], Environment]:
    """For each run: an environment in which nothing has happened yet."""
    return lambda: Environment(database.emptied())


@chapters
def test_a_crash_at_any_statement_is_recovered_from(
    environment: Callable[[], Environment], chapter: tuple[Action, ...]
) -> None:
    """Before each, commits included; of what was begun nothing is left, of what was committed all."""
    survey = Survey(environment, script=chapter, at=every_moment, in_peace=Environment)

    asked = {call.method for call in survey.calls}
    assert "returns.commit" in asked
    assert any(method in asked for method in ("sql.COMMIT", "sql.WITH"))
    assert what_differs(survey.crashes(in_turn=not LONG)) == {}


def test_a_crash_while_a_history_is_archived_is_recovered_from(
    environment: Callable[[], Environment],
) -> None:
    """At each of its statements, and of those of what follows."""
    canceled = (request(50, 1), CancelReturn(return_id="ret_50", idempotency_key="key_51"))
    script = (*CHAPTERS[0], Archive.ARCHIVE, *canceled, Archive.ARCHIVE)
    survey = Survey(environment, script=script, at=every_moment, in_peace=Environment)

    assert what_differs(survey.crashes(in_turn=not LONG)) == {}


def test_a_crash_while_an_order_is_redacted_is_recovered_from(environment: Callable[[], Environment]) -> None:
    """At each of its statements, and of those of what follows: all of it is, or none."""
    canceled = (request(50, 1), CancelReturn(return_id="ret_50", idempotency_key="key_51"))
    script = (*redacted(CHAPTERS[0]), *redacted(canceled))
    survey = Survey(environment, script=script, at=every_moment, in_peace=Environment)

    assert "returns.redact" in {call.method for call in survey.calls}
    assert what_differs(survey.crashes(in_turn=not LONG)) == {}


@chapters
@recoveries
def test_a_second_crash_while_recovering_is_recovered_from(
    kind: str, environment: Callable[[], Environment], recovery: Recovery, chapter: tuple[Action, ...]
) -> None:
    """In a repeated command, in resuming, in the next command; between their statements too."""
    survey = Survey(environment, script=chapter, at=every_moment, in_peace=Environment)

    assert what_differs(survey.pairs(recovery, None if LONG and kind == "sqlite" else DRAWN)) == {}


@chapters
def test_a_failure_of_any_statement_is_recovered_from(
    environment: Callable[[], Environment], chapter: tuple[Action, ...]
) -> None:
    """Refused, or done without an answer; a commit too."""
    survey = Survey(environment, script=chapter, in_peace=Environment)

    assert what_differs(survey.failures([Away(), AnswerLost()], None if LONG else DRAWN)) == {}


def test_a_crash_anywhere_in_the_whole_script_is_recovered_from(
    environment: Callable[[], Environment],
) -> None:
    """Before and after each call and statement, whatever chapters came before."""
    survey = Survey(environment, in_peace=Environment)

    assert len(survey.points) > 500
    assert what_differs(survey.crashes(count=300 if LONG else 5)) == {}


def test_a_crash_while_tables_are_made_is_recovered_from(kind: str, databases: Databases) -> None:
    """The next process makes them."""
    with ExitStack() as until_the_end:

        def environment() -> Environment:
            url = until_the_end.enter_context(databases.new(kind))
            return Environment(until_the_end.enter_context(closing(Database(url))))

        survey = Survey(environment, script=SCRIPT[:1], at=every_moment, in_peace=Environment)

        assert [call.method for call in survey.calls].count("sql.CREATE") >= 7
        assert what_differs(survey.crashes(in_turn=not LONG)) == {}


def test_a_store_without_transactions_is_caught(databases: Databases) -> None:
    """Half a commit is found where a process dies between them."""

    class Torn(Database):
        """Begins no transactions."""

        def asked(self, statement: str, ask: Callable[[], Any]) -> Any:
            """All but BEGIN."""
            return None if statement == "BEGIN IMMEDIATE" else super().asked(statement, ask)

    with databases.new("sqlite") as url, closing(Torn(url)) as torn:
        survey = Survey(lambda: Environment(torn.emptied()), script=SCRIPT[:2], at=every_moment)

        assert survey.differences(Faults(), Recovery.REPEAT) == []
        assert any(found for _, found in survey.crashes())
