"""The reports over events agree with ledgers, stock and gateway, whatever happened."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from attrs import evolve

import reports
from rma import (
    Account,
    CancelClaim,
    Claim,
    ClaimItem,
    ClaimStatus,
    Event,
    Grade,
    LineItem,
    Money,
    Order,
    Payment,
    ReceivedItem,
    ReceiveReturn,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundRequest,
    RefundReversed,
    RefundSucceeded,
    RequestClaim,
    RequestedItem,
    RequestReturn,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnService,
    ReturnStatus,
    TaxLine,
    codec,
    postings,
)
from rma.adapters.memory import InMemoryEvents, InMemoryPayments, in_memory_service
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


def test_what_is_open_is_what_the_books_say(database: sqlite3.Connection, simulated: Any) -> None:
    """The customer's account of the postings, but for exchanges, whose new goods are on it as well."""
    shop = simulated.Shop()
    (orders,) = simulated.simulate(shop, database, RETURNS)
    exchanged = {each for each in orders if shop.service.returns.load(each).exchanges}
    books: Counter[str] = Counter()
    for each in orders - exchanged:
        for event in shop.service.history(each):
            for posting in postings(event):
                if posting.account is Account.CUSTOMER:
                    books[posting.credit.currency] += posting.credit.amount - posting.debit.amount

    query = "SELECT order_id, currency, entitled - paid FROM accounts"
    found: Counter[str] = Counter()
    for order_id, currency, amount in database.execute(query):
        found[currency] += 0 if order_id in exchanged else amount
    assert found == books
    assert any(found.values())
    assert len(exchanged) > 10


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


def shop_of(database: sqlite3.Connection, answer: Callable[[RefundRequest], RefundOutcome]) -> ReturnService:
    """A shop with one order, whose events are stored as they are published."""

    class Outbox:
        def publish(self, event_id: str, event: Event) -> None:
            reports.store(database, codec.encode(codec.PublishedEvent(event_id, event)))

    return in_memory_service([ORDER], payments=InMemoryPayments(answer), events=Outbox())


def mugs_received(service: ReturnService, requested: int, arrived: int) -> Return:
    """A return of so many mugs, of which so many arrived, which is accepted."""
    items = [RequestedItem(item_id="mug", quantity=requested)]
    ret = service.handle(RequestReturn(order_id="order_1", items=items))
    parcel = [ReceivedItem(item_id="mug", quantity=arrived)]
    return service.handle(ReceiveReturn(return_id=ret.id, items=parcel, allow_mismatch=True))


def account(database: sqlite3.Connection, columns: str) -> tuple[Any, ...]:
    """Columns of the only account, as it is now."""
    reports.refresh(database, ["order_1"])
    (row,) = database.execute(f"SELECT {columns} FROM accounts").fetchall()
    return tuple(row)


def test_what_moved_counts_and_not_what_was_asked_for(database: sqlite3.Connection) -> None:
    """A gateway that paid less says so; the rest is due."""
    service = shop_of(database, lambda request: RefundSucceeded("re_1", amount=Money(1000, "usd")))
    mugs_received(service, 1, 1)

    assert account(database, "entitled, paid, due") == (1074, 1000, 74)


def test_days_end_when_nothing_is_due_any_more(database: sqlite3.Connection) -> None:
    """Of two refunds one was reversed later: the other is not the end."""
    service = shop_of(database, lambda request: RefundSucceeded(f"re_{request.key}"))
    ret = mugs_received(service, 4, 4)
    gift, card = ret.refunds
    (days,) = account(database, "days_to_refund")
    assert days is not None

    service.handle(RecordRefundOutcome(key=card.key, outcome=RefundReversed()))
    found = account(database, "paid, due, days_to_refund")
    assert found == (gift.amount.amount, card.amount.amount, None)


def test_goods_that_arrive_late_are_expected_to_be_paid(database: sqlite3.Connection) -> None:
    """Until a person decides about them, they are neither due nor kept."""
    service = shop_of(database, lambda request: RefundSucceeded(f"re_{request.key}"))
    ret = mugs_received(service, 2, 1)
    late = [ReceivedItem(item_id="mug", quantity=1)]
    ret = service.handle(ReceiveReturn(return_id=ret.id, items=late))
    assert ret.status == "requires_action"

    assert account(database, "entitled, paid, due, expected") == (1074, 1074, 0, 1074)
    assert reports.money_kept(database) == []


def test_a_canceled_claim_keeps_nothing(database: sqlite3.Connection) -> None:
    """Its customer has the units, and the merchant no money for them."""
    service = shop_of(database, lambda request: RefundDeclined("card_closed"))
    broken = [ClaimItem(item_id="mug", quantity=1, reason="other")]
    claim = service.handle(RequestClaim(order_id="order_1", type="refund", items=broken))
    service.handle(CancelClaim(claim_id=claim.id))

    assert account(database, "kind, status, entitled, due") == ("refund", "canceled", 0, 0)
    assert reports.money_kept(database) == []


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
