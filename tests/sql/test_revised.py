"""Rows of returns that were revised, by commands without keys as well."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from attrs import evolve

from rma import (
    ApprovedItem,
    ApproveReturn,
    Change,
    Charge,
    ClaimItem,
    Command,
    Fee,
    Money,
    NewItem,
    OutOfStock,
    ReceivedItem,
    ReceiveReturn,
    RecordPayout,
    RecordRefundOutcome,
    RefundDeclined,
    RefundReversed,
    RefundSucceeded,
    RequestClaim,
    RequestedItem,
    RequestReturn,
    ResolveClaim,
    RetryRefund,
    ReturnPolicy,
    ReturnRule,
    UpdateReturn,
)
from rma.adapters.sql import SqlReturns
from rma.testing.core_harness import CoreHarness
from tests.rules.advance import first, hold, pay
from tests.rules.given import line, order_of, receive, request
from tests.rules.test_exchange_ends import instead
from tests.sql.alike import assert_alike
from tests.world import REASONS


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
    stored_as_read(core, commands, file)
    assert [item.source for item in core.ledger.returns[0].items] == [None, 0]


def test_rules_and_charges_of_a_revision_are_read_as_they_were_written(file: Path) -> None:
    """Another rule for another reason, none at all, an overruled line, and what the quote gives back."""
    order = order_of(line("mug", 3), line("tea", 2, 333), charges=[Charge("post", "shipping", 490)])
    rules = [
        ReturnRule(name="damaged", when={"reason:damaged"}, charges_back="all_back"),
        ReturnRule(name="rest", review=True, charges_back="all_back", fees=[Fee("restocking", percent=10)]),
    ]
    core = CoreHarness(order, policy=ReturnPolicy(rules=rules), reasons=REASONS)
    mugs = RequestedItem(item_id="mug", quantity=3)
    teas = RequestedItem(item_id="tea", quantity=2, reason_id="rr_damaged")
    damaged = RequestedItem(item_id="mug", quantity=1, reason_id="rr_damaged")
    stored_as_read(core, [RequestReturn(order_id="order_1", items=[mugs])], file)
    stored_as_read(core, [RequestReturn(order_id="order_1", items=[teas])], file)
    received = [ReceivedItem(item_id="tea", quantity=2)]
    stored_as_read(core, [ReceiveReturn(return_id="ret_2", items=received)], file)
    stored_as_read(core, [ApproveReturn(return_id="ret_1")], file)  # it is the last by now
    assert [each.amount for each in core.ledger.get("ret_1").quoted_charges] == [490]
    assert core.ledger.get("ret_1").is_revised

    two = RequestedItem(item_id="mug", quantity=2)
    stored_as_read(core, [UpdateReturn(return_id="ret_1", items=[damaged, two])], file)
    core.policy = ReturnPolicy(window_days=0)
    core.order = evolve(order, items=[evolve(order.items[0], is_returnable=False), order.items[1]])
    stored_as_read(core, [UpdateReturn(return_id="ret_1", items=[damaged])], file)
    stored_as_read(core, [UpdateReturn(return_id="ret_1", items=[mugs], overrule="ill")], file)
    assert core.ledger.get("ret_1").overrule == "ill"


def test_another_hold_is_read_as_it_was_written(file: Path) -> None:
    """Of an exchange that waits for approval: other goods, another hold twice, other goods again."""
    core = CoreHarness(order_of(line("mug", 1, 5995)), policy=ReturnPolicy(return_within_days=9, review=True))
    commands: list[Command] = [
        first(4000),
        instead(5000),
        instead(5995, hold=hold(6000, "auth_2")),
        instead(5995, hold=hold(6100, "auth_3")),
        instead(5900),
    ]
    stored_as_read(core, commands, file)
    assert core.ledger.exchanges[0].hold_references == ("auth_1", "auth_2", "auth_3")


def test_what_waits_for_new_goods_is_read_as_it_was_written(file: Path) -> None:
    """New goods are sent first, run out, and others are sent; each changes what becomes of the return."""
    core = CoreHarness(order_of(line("mug", 1, 5995)), policy=ReturnPolicy(return_within_days=9))
    stored_as_read(core, [first(5995)], file)
    awaited = [core.ledger.returns[0].awaits_new_goods]
    gone = core.record_outcomes(lambda _: OutOfStock())
    awaited.append(core.ledger.returns[0].awaits_new_goods)
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        store.commit(gone)
        assert_alike(store.load("order_1"), core.ledger)
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        assert_alike(store.load("order_1"), core.ledger)
    stored_as_read(core, [instead(7000), pay(1005)], file)
    awaited.append(core.ledger.returns[0].awaits_new_goods)
    assert awaited == [False, True, False]


def test_goodwill_by_other_means_than_credit_is_read_as_it_was_written(file: Path) -> None:
    """3.00 by money, then 2.00 more, whose credit was reversed: both took something of the mugs."""
    order = order_of(line("mug", 3), captured=3000, customer_id="cus_1")
    core = CoreHarness(order)
    commands: list[Command] = [
        RequestClaim(order_id="order_1", type="goodwill", refund_amount=500, outcome="store_credit"),
        RecordRefundOutcome(key="claim_1-refund-1", outcome=RefundDeclined("no_account")),
        RetryRefund(claim_id="claim_1", amount=200),
        RecordRefundOutcome(key="claim_1-refund-2", outcome=RefundSucceeded("c")),
        RetryRefund(claim_id="claim_1", means="payment", amount=100),
        RecordPayout(claim_id="claim_1", amount=200, reference="cash"),
        RecordRefundOutcome(key="claim_1-refund-2", outcome=RefundReversed("closed")),
        RecordPayout(claim_id="claim_1", amount=200, reference="cash_2"),
    ]
    stored_as_read(core, commands, file)
    assert [item.line.paid(item.allocated) for item in core.ledger.claims[0].items] == [300, 200]


def stored_as_read(core: CoreHarness, commands: Sequence[Command], file: Path) -> None:
    """Handles the commands; after each of them, another process reads what the core has."""
    for command in commands:
        change_as_read(core, core.handle(command), file)


def change_as_read(core: CoreHarness, change: Change, file: Path) -> None:
    """Stores the change; another process reads what the core has."""
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        store.commit(change)
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        assert_alike(store.load("order_1"), core.ledger)
        assert store.compare(core.ledger) == ()


def test_what_a_claim_gives_instead_of_new_goods_is_read_as_it_was_written(file: Path) -> None:
    """There are none, nor any of the others; then money."""
    core = CoreHarness(order_of(line("mug", 3)))
    item = ClaimItem(item_id="mug", quantity=1, reason="other")
    new = NewItem(variant_id="v_new", quantity=1, unit_price=Money(500, "usd"))
    stored_as_read(
        core,
        [RequestClaim(order_id="order_1", type="replace", items=[item], new_items=[new])],
        file,
    )
    for command in (
        ResolveClaim(claim_id="claim_1", new_items=[evolve(new, variant_id="v_other")]),
        ResolveClaim(claim_id="claim_1"),
    ):
        change_as_read(core, core.record_outcomes(lambda _: OutOfStock("sold out")), file)
        assert core.ledger.claims[0].lacks_new_goods
        stored_as_read(core, [command], file)
    claim = core.ledger.claims[0]
    assert (claim.type, claim.declined_replacements, claim.is_revised) == ("refund", 2, True)
