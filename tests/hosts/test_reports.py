"""The reports over events agree with ledgers, stock and gateway, whatever happened."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from attrs import evolve

import reports
from rma import (
    Claim,
    ClaimStatus,
    Grade,
    LineItem,
    Order,
    Payment,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnStatus,
    TaxLine,
    codec,
)
from rma.adapters.memory import InMemoryEvents
from rma.testing.simulation import simulate
from rma.testing.world import World
from tests.hosts.running import ROOT
from tests.world import REASONS

RETURNS = 300
ORDER = Order(
    id="order_1",
    currency="usd",
    items=[
        LineItem(id="mug", quantity=9, fulfilled_quantity=9, unit_price=999, tax_lines=[TaxLine("7.5")]),
        LineItem(id="tea", quantity=5, fulfilled_quantity=3, unit_price=333),
    ],
    payments=[Payment(id="gift", captured=3000), Payment(id="card", captured=9000)],
)
POLICIES = (
    ReturnPolicy(),
    ReturnPolicy(inspect=True, grades=[Grade("A", 100, "restock"), Grade("C", 35), Grade("D", 0)]),
)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """A database with the tables of the reports."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(reports.SCHEMA)
        yield connection


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that simulates returns."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import simulated_returns  # noqa: PLC0415 # it is in a folder of scripts

    return simulated_returns


def rows(database: sqlite3.Connection) -> list[list[tuple[Any, ...]]]:
    """All rows of all tables, in order."""
    tables = "units", "grades", "amounts", "accounts"
    return [sorted(database.execute(f"SELECT * FROM {table}"), key=repr) for table in tables]


def kept_by_ledgers(ledgers: Iterable[ReturnLedger]) -> Counter[str]:
    """By currency: the value of what is gone, charges back and new goods, less what is entitled."""
    kept: Counter[str] = Counter()
    for ledger in ledgers:
        for ret in ledger.returns:
            if ret.received_at is None or ret.claim_id is not None:
                continue
            gone = sum([each.line.paid(each.value(each.gone_quantity)) for each in ret.items])
            back = sum([each.amount for each in ret.valuation.charges_back])
            against = sum([each.amount.amount for each in ret.charges])
            kept[ret.currency] += gone + back + against - ret.entitlement.entitled.amount + of_neither(ret)
        for claim in ledger.claims:
            if claim.status is not ClaimStatus.CANCELED and claim.breakdown:
                back = sum([each.amount for each in claim.charges_back])
                kept[claim.currency] += claim.value + back - claim.refund_amount.amount
    return kept


def of_neither(ret: Return) -> int:
    """What is in the balance of a return and is not kept: owed by its customer, a bonus, undecided."""
    names = ("difference_due", "undecided", "bonus")
    return sum([each.amount.amount for each in ret.breakdown if each.name.partition(":")[0] in names])


def of_money(ledger: ReturnLedger) -> list[Return | Claim]:
    """What money is given for: returns, but for those of claims, and claims."""
    return [*[each for each in ledger.returns if each.claim_id is None], *ledger.claims]


def open_by_ledgers(ledgers: Iterable[ReturnLedger]) -> Counter[str]:
    """By currency: what is due and not paid."""
    found: Counter[str] = Counter()
    for ledger in ledgers:
        for subject in of_money(ledger):
            found[subject.currency] += subject.amount_due.amount
    return found


def test_reports_agree_with_stock_gateway_and_ledgers(database: sqlite3.Connection, simulated: Any) -> None:
    """Of so many returns as the page has in small: units, money that moved, money kept and money due."""
    shop = simulated.Shop()
    ledgers: list[ReturnLedger] = []
    restocked = 0
    moved: Counter[str] = Counter()
    for orders in simulated.simulate(shop, database, RETURNS):
        ledgers += [shop.service.returns.load(each) for each in orders]
        moved += shop.moved()
        restocked += sum(shop.stock.on_hand.values())
    assert sum([number for _, _, number in reports.by_status(database)]) == shop.requested == RETURNS
    assert shop.refused == []

    paid = dict(database.execute("SELECT currency, SUM(paid) FROM accounts GROUP BY currency"))
    assert paid == moved
    assert len(paid) == 3

    units = [item for ledger in ledgers for ret in ledger.returns for item in ret.items if not ret.claim_id]
    assert sum([each[1] for each in reports.by_reason(database)]) == sum([each.quantity for each in units])
    arrived = sum([each.arrived_quantity for each in units])
    assert sum([each[1] for each in reports.by_item(database, shop.sold)]) == arrived > 200
    assert sum([each[2] for each in reports.by_grade(database) if each[0] == "A"]) == restocked

    kept: Counter[str] = Counter()
    for currency, _, amount in reports.money_kept(database):
        kept[currency] += amount
    assert kept == kept_by_ledgers(ledgers)

    due: Counter[str] = Counter()
    for (currency, _), (amount, _, _) in reports.open_liability(database, simulated.TODAY).items():
        due[currency] += amount
    assert +due == +open_by_ledgers(ledgers)
    assert due


def test_what_is_simulated_has_what_goes_wrong(database: sqlite3.Connection, simulated: Any) -> None:
    """Of each kind some, or the reports would be right about too little."""
    shop = simulated.Shop()
    seen: Counter[str] = Counter()
    for orders in simulated.simulate(shop, database, RETURNS):
        for each in orders:
            seen.update([type(event).__name__ for event in shop.service.history(each)])
    assert not {
        *("ReturnDeclined", "ReturnExpired", "ReturnCanceled", "ReceiptCorrected", "ReturnResolved"),
        *("RefundRetried", "RefundOutcomeRecorded", "ExchangePaid", "ClaimRequested", "PriceReduced"),
    } - set(seen)
    query = "SELECT COUNT(*) FROM (SELECT order_id FROM events GROUP BY order_id HAVING COUNT(*) > 3)"
    assert database.execute(query).fetchone()[0] > RETURNS / 3


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", range(6))
def test_rows_are_those_of_the_ledger_whatever_happens(
    database: sqlite3.Connection, policy: ReturnPolicy, seed: int
) -> None:
    """In a world of crashes and late failures, over events that arrive repeatedly and in any order."""
    published = InMemoryEvents()
    other = evolve(ORDER, id="order_2", payments=[Payment(id="card", captured=4000)])
    world = World([ORDER, other], seed, policy=policy, events=published, reasons=REASONS)
    simulate(world, 60)
    world.quiesce()
    documents = [
        codec.encode(codec.PublishedEvent(event_id, event)) for event_id, event in published.published.items()
    ] * 2
    Random(seed).shuffle(documents)
    reports.refresh(database, {reports.store(database, each) for each in documents})
    first = rows(database)

    ledgers = [world.ledger_of(each) for each in world.order_ids]
    accounts = database.execute("SELECT subject_id, status, entitled, due, overpaid FROM accounts").fetchall()
    assert sorted(accounts) == sorted(
        (each.id, each.status, each.entitlement.entitled.amount, each.amount_due.amount, overpaid)
        for ledger in ledgers
        for each in of_money(ledger)
        for overpaid in [each.entitlement.overpaid.amount]
    )
    wrong = "SELECT * FROM accounts WHERE entitled <> paid + on_its_way + carried + due - overpaid"
    assert database.execute(wrong).fetchall() == []
    differs = """
        SELECT amounts.subject_id FROM amounts JOIN accounts USING (subject_id)
        GROUP BY amounts.subject_id, entitled HAVING SUM(amount) <> entitled
    """
    assert database.execute(differs).fetchall() == []
    kept = sum([amount for _, _, amount in reports.money_kept(database)])
    assert kept == sum(kept_by_ledgers(ledgers).values())

    reports.refresh(database, world.order_ids)
    assert rows(database) == first


def test_what_happened_later_is_left_out(database: sqlite3.Connection, simulated: Any) -> None:
    """As it was at some moment: the rows are those of the events until then."""
    shop = simulated.Shop()
    orders = next(simulated.simulate(shop, database, 60))
    until = simulated.START + timedelta(days=90)

    reports.refresh(database, orders, until)

    (latest,) = database.execute("SELECT MAX(requested_at) FROM accounts").fetchone()
    assert latest < until.isoformat()
    open_then = sum([due + way + new for due, way, new in reports.open_liability(database, until).values()])
    assert open_then > 0
    states = {status for _, status, _ in reports.by_status(database)}
    assert ReturnStatus.REQUESTED in states


def test_the_page_prints_the_example() -> None:
    """What it defines of the same name as the example does is the same, word for word."""
    source = (ROOT / "examples" / "reports.py").read_text("utf-8")
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"\n{3,}", block.strip())]
    named = {found[1]: part for part in parts if (found := re.match(r"def (\w+)\(", part))}
    of_example = named.keys() & set(re.findall(r"^def (\w+)\(", source, re.MULTILINE))

    assert len(of_example) == 10
    assert not [name for name in of_example if named[name] not in source]


def test_the_page_has_the_figures_of_the_simulation(database: sqlite3.Connection, simulated: Any) -> None:
    """Of as many returns as it says, with the same tables as a smaller run has."""
    import report_figures  # noqa: PLC0415 # as above

    shop = simulated.Shop()
    assert list(simulated.simulate(shop, database, 40))
    small = report_figures.figures(database, shop)
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    found = re.search(r"<!-- simulated -->\n(.*)<!-- end of simulated -->", page, re.DOTALL)

    assert found
    assert f"{simulated.RETURNS:,} returns, exchanges and claims, seed {simulated.SEED}, " in found[1]
    assert [line for line in small.splitlines() if line.endswith(":")][1:] == [
        line for line in found[1].splitlines() if line.endswith(":")
    ][1:]
    assert all(f"`{name}`" in text for name in report_figures.REPORTS for text in (small, found[1]))
