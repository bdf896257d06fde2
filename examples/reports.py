"""
Reports over published events: rates, days to refund, money kept, open liability.

A consumer stores each event once, by its id. The events of an order are folded into its ledger, and what the
ledger says is written as rows of four tables, which queries add up. Only the standard library is used besides
`rma.codec`; the statements run on PostgreSQL as well, with its placeholders.

`benchmarks/report_figures.py` runs it over 100,000 simulated returns.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import takewhile
from math import ceil

from rma import Claim, ClaimStatus, Event, Refund, RefundStatus, Return, ReturnLedger, codec, replay

SCHEMA = """
CREATE TABLE events (
    event_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, revision INTEGER NOT NULL, number INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX events_by_order ON events (order_id, revision, number);

-- A line of a return or claim. Units: whole ones.
CREATE TABLE units (
    order_id TEXT, subject_id TEXT, kind TEXT, status TEXT, item_id TEXT, reason TEXT,
    requested INTEGER, received INTEGER, damaged INTEGER, missing INTEGER, stays INTEGER
);
-- Units that were inspected, by grade.
CREATE TABLE grades (
    order_id TEXT, subject_id TEXT, item_id TEXT, reason TEXT, grade TEXT, units INTEGER
);
-- What the entitled amount of a received return, or of a claim, is made of. Money: minor units, as below.
CREATE TABLE amounts (
    order_id TEXT, subject_id TEXT, kind TEXT, currency TEXT, name TEXT, amount INTEGER
);
-- The account of a return or claim: entitled = paid + on_its_way + carried + due - overpaid.
-- Expected: what may become due besides, for goods that are to come, to be inspected or decided about.
CREATE TABLE accounts (
    order_id TEXT, subject_id TEXT, kind TEXT, status TEXT, currency TEXT, requested_at TEXT,
    entitled INTEGER, paid INTEGER, on_its_way INTEGER, carried INTEGER, due INTEGER, overpaid INTEGER,
    expected INTEGER, days_to_refund REAL
);
CREATE INDEX units_by_order ON units (order_id);
CREATE INDEX grades_by_order ON grades (order_id);
CREATE INDEX amounts_by_order ON amounts (order_id);
CREATE INDEX accounts_by_order ON accounts (order_id);
"""


# From events to rows


def read(document: str) -> Event:
    """The event of a document; fields of later releases are left out, as this only looks."""
    return codec.decode(document, codec.PublishedEvent, unknown="ignore").event


def store(database: sqlite3.Connection, document: str) -> str:
    """Stores a published event, unless its id is there; returns the id of its order."""
    event = read(document)
    row = event.event_id, event.order_id, event.revision, event.number, document
    database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
    return event.order_id


def fold(database: sqlite3.Connection, order_id: str, until: datetime | None = None) -> ReturnLedger:
    """The ledger of an order from its events, in their order, up to and with this moment."""
    query = "SELECT document FROM events WHERE order_id = ? ORDER BY revision, number"
    stored = database.execute(query, [order_id])
    events = [read(document) for (document,) in stored]
    return replay(order_id, takewhile(lambda event: until is None or event.at <= until, events))


def refresh(database: sqlite3.Connection, order_ids: Iterable[str], until: datetime | None = None) -> None:
    """Writes the rows of these orders in the place of those that are there."""
    for order_id in set(order_ids):
        for table in ("units", "grades", "amounts", "accounts"):
            database.execute(f"DELETE FROM {table} WHERE order_id = ?", [order_id])
        ledger = fold(database, order_id, until)
        for ret in ledger.returns:
            write_return(database, ret)
        for claim in ledger.claims:
            write_claim(database, claim)


def write_return(database: sqlite3.Connection, ret: Return) -> None:
    """The rows of a return. What a claim's return is worth, its claim says."""
    subject = ret.order_id, ret.id
    kind = "claim goods" if ret.claim_id else "exchange" if ret.exchange_id else "return"
    for item in ret.items:
        counts = item.received_quantity, item.damaged_quantity, item.missing_quantity
        stays = item.kept_quantity + item.still_lost_quantity
        row = *subject, kind, ret.status, item.item_id, item.reason_id, item.quantity, *counts, stays
        database.execute("INSERT INTO units VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        for graded in item.graded:
            reason = graded.reason_id or item.reason_id
            seen = *subject, item.item_id, reason, graded.grade, graded.quantity
            database.execute("INSERT INTO grades VALUES (?, ?, ?, ?, ?, ?)", seen)
    if ret.claim_id is not None:
        return
    expected = max(0, ret.refund_amount.amount - ret.entitlement.entitled.amount) if ret.is_open else 0
    if ret.received_at is not None:
        gone = sum([item.line.paid(item.value(item.gone_quantity)) for item in ret.items])
        amounts = write_amounts(database, ret, kind, gone)
        expected -= amounts.get("undecided", 0)
    write_account(database, ret, kind, expected)


def write_claim(database: sqlite3.Connection, claim: Claim) -> None:
    """The rows of a claim, a price reduction or goodwill. Its units stay, or return as its return says."""
    for item in claim.items:
        units = item.item_id, item.reason, item.quantity, 0, 0, 0, item.quantity
        row = claim.order_id, claim.id, claim.type, claim.status, *units
        database.execute("INSERT INTO units VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    if claim.status is not ClaimStatus.CANCELED and claim.breakdown:
        write_amounts(database, claim, claim.type, claim.value)
    write_account(database, claim, claim.type, expected=0)


def write_amounts(
    database: sqlite3.Connection, subject: Return | Claim, kind: str, value: int
) -> dict[str, int]:
    """
    Writes the parts of an amount, and returns them by name.

    The goods count with their whole value; what of it is not paid for at all, as for rejected units, is a
    part of its own.
    """
    goods = sum([each.amount.amount for each in subject.breakdown if each.name.startswith("item:")])
    amounts = {"goods": value, "unpaid units": goods - value}
    for part in subject.breakdown:
        if not part.name.startswith("item:"):
            amounts[part.name] = amounts.get(part.name, 0) + part.amount.amount
    rows = [
        (subject.order_id, subject.id, kind, subject.currency, name, amount)
        for name, amount in amounts.items()
    ]
    database.executemany("INSERT INTO amounts VALUES (?, ?, ?, ?, ?, ?)", rows)
    return amounts


def write_account(database: sqlite3.Connection, subject: Return | Claim, kind: str, expected: int) -> None:
    """The row of what is entitled, paid and open."""
    account = subject.entitlement
    succeeded = [each for each in account.refunds if each.status is RefundStatus.SUCCEEDED]
    paid = sum([each.amount_in_force for each in succeeded])
    on_its_way = account.paid.amount - paid
    is_over = not account.due.amount and not on_its_way
    row = (
        *(subject.order_id, subject.id, kind, subject.status, subject.currency),
        *(subject.requested_at.isoformat(), account.entitled.amount, paid, on_its_way, account.carried),
        *(account.due.amount, account.overpaid.amount, expected),
        days_between(subject.requested_at, succeeded) if is_over else None,
    )
    database.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def days_between(start: datetime, refunds: Iterable[Refund]) -> float | None:
    """Days of 24 hours until the last of these refunds succeeded; None without any."""
    ends = [refund.settled_at for refund in refunds if refund.settled_at is not None]
    return (max(ends) - start).total_seconds() / 86_400 if ends else None


# Reports


def by_reason(database: sqlite3.Connection) -> list[tuple[str | None, int, int, int]]:
    """Reasons with the units requested, those that arrived, and of these the damaged ones; most first."""
    return database.execute("""
        SELECT reason, SUM(requested) AS units, SUM(received + damaged), SUM(damaged)
        FROM units WHERE kind IN ('return', 'exchange') GROUP BY reason ORDER BY units DESC, reason
    """).fetchall()


def by_item(database: sqlite3.Connection, sold: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """Items with the units that returned, and these as a part of the units sold; the largest part first."""
    found = database.execute("""
        SELECT item_id, SUM(received + damaged)
        FROM units WHERE kind IN ('return', 'exchange') GROUP BY item_id
    """)
    rates = [(item, units, units / sold[item]) for item, units in found]
    return sorted(rates, key=lambda row: (-row[2], row[0]))


def by_grade(database: sqlite3.Connection) -> list[tuple[str, str | None, int]]:
    """Grades and reasons, as the inspector saw them, with the units."""
    return database.execute("""
        SELECT grade, reason, SUM(units) FROM grades GROUP BY grade, reason ORDER BY grade, reason
    """).fetchall()


def by_status(database: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """How many returns and claims there are, by kind and status."""
    return database.execute("""
        SELECT kind, status, COUNT(*) FROM accounts GROUP BY kind, status ORDER BY kind, status
    """).fetchall()


def days_to_refund(database: sqlite3.Connection, *percents: int) -> list[float]:
    """Within how many days so many percent of what is paid was paid, from the request to the last refund."""
    query = "SELECT days_to_refund FROM accounts WHERE days_to_refund IS NOT NULL ORDER BY 1"
    days = [each for (each,) in database.execute(query)]
    return [days[ceil(len(days) * percent / 100) - 1] for percent in percents] if days else []


def money_kept(database: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """
    By currency and cause, what of the value of goods was not given back: minor units.

    Below 0 if more was given. What new goods took is not kept, and what is undecided is not kept yet.
    """
    return database.execute("""
        SELECT currency, name, -SUM(amount) AS kept FROM amounts
        WHERE name IN ('unpaid units', 'return_shipping', 'custom_amount', 'already_paid', 'rounding')
            OR name LIKE 'fee:%' OR name LIKE 'grade:%' OR name LIKE 'deduction:%'
        GROUP BY currency, name HAVING SUM(amount) <> 0 ORDER BY currency, name
    """).fetchall()


def open_liability(
    database: sqlite3.Connection, today: datetime, ages: Iterable[int] = (7, 14, 30)
) -> dict[tuple[str, int | None], tuple[int, int, int]]:
    """
    By currency and age, what is due and not paid, on its way, and expected for goods that are to come.

    The age is the first of these numbers of days since the request that is not exceeded; None for older ones.
    """
    found: dict[tuple[str, int | None], tuple[int, int, int]] = {}
    query = """
        SELECT currency, requested_at, due, on_its_way, expected FROM accounts
        WHERE due + on_its_way + expected > 0 ORDER BY currency, requested_at DESC
    """
    limits = sorted(ages)
    for currency, requested_at, *amounts in database.execute(query):
        days = (today - datetime.fromisoformat(requested_at)).total_seconds() / 86_400
        age = next((limit for limit in limits if days <= limit), None)
        before = found.get((currency, age), (0, 0, 0))
        due, on_its_way, expected = [a + b for a, b in zip(before, amounts, strict=True)]
        found[currency, age] = due, on_its_way, expected
    return found
