"""What every format wrote, of every kind, is understood; the last is what is written."""

import json
from contextlib import closing, nullcontext
from pathlib import Path
from typing import get_args

import pytest

from rma import ChargeOutcome, Effect, Event, RefundOutcome, RefundReversed
from rma.adapters.memory import InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.schema import FORMAT
from rma.codec.conversion import TAG
from rma.domain.state.return_item import ItemRevision
from rma.testing.commands import MAKERS
from tests.sql.alike import assert_alike
from tests.sql.before_grants import recording_no_grants
from tests.sql.kinds import Rows, put_into, rows_in, run, stored, worlds

GOLDEN = Path(__file__).parent / "golden" / "kinds"
WRITTEN: dict[int, dict[str, Rows]] = {
    int(file.stem.removeprefix("v")): json.loads(file.read_text("utf-8")) for file in GOLDEN.glob("v*.json")
}
#: What format 2 stored before grants were recorded.
BEFORE_GRANTS: dict[str, Rows] = json.loads((GOLDEN / "before-grants.json").read_text("utf-8"))


def kinds(document: object) -> set[str]:
    """The classes that a document names."""
    match document:
        case dict():
            own = {str(document[TAG])} if TAG in document else set()
            return own.union(*[kinds(each) for each in document.values()])
        case list():
            return set().union(*[kinds(each) for each in document])
        case _:
            return set()


def test_there_is_a_document_of_every_kind() -> None:
    """Events, commands, effects, outcomes of refunds, and revised items."""
    unions = (Event, Effect, RefundOutcome | RefundReversed, ChargeOutcome, ItemRevision)
    stored_kinds = {*MAKERS}.union(*[get_args(union) for union in unions])

    assert kinds(WRITTEN[FORMAT]) == {each.__name__ for each in stored_kinds}


@pytest.mark.parametrize(
    ("version", "script", "has_grants"),
    [
        *[(FORMAT, script, True) for script in WRITTEN[FORMAT]],
        *[(FORMAT, script, False) for script in BEFORE_GRANTS],
        *[(version, script, False) for version in WRITTEN if version < FORMAT for script in WRITTEN[version]],
    ],
)
def test_every_format_that_ever_was_is_understood(
    version: int, script: str, has_grants: bool, file: Path
) -> None:
    """Ledger and history are those that the script has in memory, to the class of the last field."""
    memory = InMemoryReturns()
    with nullcontext() if has_grants else recording_no_grants():
        run_script, world = worlds()[script]
        run(run_script, world, memory)
    written = WRITTEN[version] if has_grants or version < FORMAT else BEFORE_GRANTS
    put_into(f"sqlite:///{file}", written[script], version)
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        ledger = store.load("order_1")

        assert_alike(ledger, memory.load("order_1"))
        assert list(ledger.open_effects) == list(memory.load("order_1").open_effects)
        assert_alike(store.history("order_1"), memory.history("order_1"))
        for each in ledger.returns:
            assert_alike(store.load_by_return(each.id), ledger)
        assert store.outstanding(world.now, 9) == tuple(memory.outstanding(world.now, 9))


def test_what_is_written_is_the_format_that_is_named() -> None:
    """Another format needs another number `FORMAT`: see `tests.sql.kinds`."""
    assert stored() == WRITTEN[FORMAT]


def test_what_was_read_can_be_written_again(file: Path) -> None:
    """The ruler of these tests, measured: nothing is lost between a file and the tables."""
    rows = WRITTEN[FORMAT]["everything waits"]
    put_into(f"sqlite:///{file}", rows, FORMAT)
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        assert rows_in(store) == rows
