"""Rows of returns that were revised, by commands without keys as well."""

from contextlib import closing
from pathlib import Path

from rma import ApprovedItem, ApproveReturn, Command, RequestedItem, ReturnPolicy, UpdateReturn
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import CoreHarness
from tests.rules.given import line, order_of, receive, request
from tests.sql.alike import assert_alike


def test_what_was_revised_is_read_as_it_was_written(file: Path) -> None:
    """Approved in part, given other lines, and received: after each commit, by another process."""
    order = order_of(line("mug", 3), line("tea", 2, 333))
    core = CoreHarness(order, policy=ReturnPolicy(review=True))
    lines = [RequestedItem(item_id=item_id, quantity=1) for item_id in ("tea", "mug")]
    more = [RequestedItem(item_id="tea", quantity=2), RequestedItem(item_id="mug", quantity=1, note="both")]
    commands: list[Command] = [
        request(3),
        ApproveReturn(return_id="ret_1", items=[ApprovedItem(item_id="mug", quantity=2)]),
        UpdateReturn(return_id="ret_1", items=lines),
        UpdateReturn(return_id="ret_1", items=more),
        ApproveReturn(return_id="ret_1"),
        receive(1, more_expected=True),
    ]
    for command in commands:
        change = core.handle(command)
        with closing(SqlReturns(f"sqlite:///{file}")) as store:
            store.commit(change)
        with closing(SqlReturns(f"sqlite:///{file}")) as store:
            assert_alike(store.load("order_1"), core.ledger)
            assert store.compare(core.ledger) == ()
    assert [item.source for item in core.ledger.returns[0].items] == [None, 0]
