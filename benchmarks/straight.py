"""
The straight program: the least code that keeps the whole promise over the tables of this library.

It reads the order's rows, prices, writes event and rows in one commit that compares the revision, asks the
ports after the commit, and writes their answers in a second one: what a careful engineer would write by hand
for one kind of return. It knows no rules and refuses nothing: every command is taken for valid, every order
for one without discounts of its own, every port for one that answers. Documents are made with `json`,
statements go to the driver. `floor.py` times the library beside it.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg

from rma import (
    LineItem,
    Money,
    Order,
    ReceiveReturn,
    RefundRequest,
    RefundSucceeded,
    RequestReturn,
    RestockRequest,
    StockLine,
)
from rma.adapters.memory import InMemoryInventory, InMemoryPayments

#: For how long timers leave alone what is delivered at once.
GRACE = timedelta(minutes=1)

#: An object of JSON.
Json = dict[str, Any]

encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Tables(Protocol):
    """The tables of a database, over a connection of its own."""

    def read(self, order_id: str) -> list[Any]:
        """Returns the rows of the order: its ledger, then its returns with the event that opened each."""
        ...

    def read_by_return(self, return_id: str) -> list[Any]:
        """Returns the same by the id of a return."""
        ...

    def write(self, ledger: Json, opened: Json | None, changed: Json | None, event: Json) -> None:
        """Commits these rows, if the ledger's revision is the one before."""
        ...

    def timestamp(self, at: datetime) -> object:
        """Returns the moment as the driver takes it."""
        ...


class Straight:
    """Requests and receipts of whole lines, straight ahead."""

    def __init__(self, tables: Tables, clock: Callable[[], datetime]) -> None:
        self.tables = tables
        self.clock = clock
        self.inventory = InMemoryInventory()
        self.payments = InMemoryPayments()

    def request(self, order: Order, command: RequestReturn, return_id: str) -> Json:
        """Opens a return, and returns it."""
        rows = self.tables.read(order.id)
        if rows:
            raise NotImplementedError("further returns of an order")
        at = self.clock()
        when = at.isoformat()
        lines = {line.id: line for line in order.items}
        items, total = [], 0
        for asked in command.items:
            line = lines[asked.item_id]
            priced = price(line, order.currency)
            units, quantity = asked.quantity, line.quantity
            allocated = [
                (2 * units * amount + quantity) // (2 * quantity) for amount in priced["running_sums"]
            ]
            total += allocated[len(line.tax_lines)]
            items.append({"item_id": line.id, "quantity": units, "line": priced, "allocated": allocated})
        opened = {
            "id": return_id,
            "order_id": order.id,
            "display_id": 1,
            "order_version": order.version + 1,
            "status": "requested",
            "items": items,
            "quoted_refund": {"amount": total, "currency": order.currency},
            "entitlement": {"entitled": {"amount": 0, "currency": order.currency}},
            "terms": {"name": "default", "version": "1"},
            "requested_at": when,
            "updated_at": when,
            "idempotency_key": command.idempotency_key,
        }
        asked_for = {
            "_type": "RequestReturn",
            "order_id": order.id,
            "items": [{"item_id": each.item_id, "quantity": each.quantity} for each in command.items],
            "idempotency_key": command.idempotency_key,
        }
        header = {"at": when, "subject_id": return_id, "return_id": return_id, "command": asked_for}
        self.tables.write(
            self.ledger(order.id, 1, at),
            {
                "return_id": return_id,
                "status": "requested",
                "needs_attention": False,
                "requested_at": self.tables.timestamp(at),
            },
            None,
            {"_type": "ReturnRequested", "header": header, "opened": opened},
        )
        return opened

    def receive(self, order: Order, command: ReceiveReturn) -> Json:
        """Receives everything that was requested: restocks it, refunds it, and returns the return."""
        ledger, row = self.tables.read_by_return(command.return_id)
        opened = json.loads(row[-1])["opened"]
        revision, return_id = ledger[3], opened["id"]
        at = self.clock()
        when = at.isoformat()
        due, units, arrived, stock, amounts = 0, [], [], [], []
        for index, (item, got) in enumerate(zip(opened["items"], command.items, strict=True)):
            line = item["line"]
            due += item["allocated"][len(line["taxes"])]
            taxes, before = [], item["allocated"][0]
            for label, rate, after in zip(line["taxes"], line["rates"], item["allocated"][1:], strict=False):
                taxes.append({"label": label, "amount": after - before, **rate})
                before = after
            amounts.append(
                {
                    "name": f"item:{item['item_id']}",
                    "net": item["allocated"][0],
                    "taxes": taxes,
                    "quantity": item["quantity"],
                }
            )
            units.append({"index": index, "received_quantity": got.quantity})
            arrived.append(
                {"item_id": got.item_id, "quantity": got.quantity, "variant_id": line["variant_id"]}
            )
            stock.append(StockLine(got.item_id, line["variant_id"], got.quantity))
        restock = RestockRequest(f"{return_id}-restock-1", order.id, return_id, None, tuple(stock))
        payment_id, kind = order.payments[0].id, order.payments[0].kind
        refund = RefundRequest(
            key=f"{return_id}-refund-1",
            order_id=order.id,
            return_id=return_id,
            payment_id=payment_id,
            amount=Money(due, order.currency),
            kind=kind,
        )
        amount = {"amount": due, "currency": order.currency}
        pending = {
            "key": refund.key,
            "payment_id": payment_id,
            "amount": amount,
            "status": "pending",
            "requested_at": when,
            "kind": kind,
        }
        receipt = {
            "number": 1,
            "at": when,
            "by": None,
            "items": arrived,
            "location_id": None,
            "status": "received",
            "restock_key": restock.key,
        }
        grant = {
            "number": 1,
            "subject_id": return_id,
            "at": when,
            "currency": order.currency,
            "amounts": amounts,
            "note": 1,
        }
        key = command.idempotency_key
        received = {
            "_type": "ReceiveReturn",
            "return_id": return_id,
            "items": [{"item_id": each.item_id, "quantity": each.quantity} for each in command.items],
            "idempotency_key": key,
        }
        delivery = {"due_at": (at + GRACE).isoformat()}
        ids = {"order_id": order.id, "return_id": return_id}
        requests = (
            {
                "_type": "RestockRequest",
                "key": restock.key,
                **ids,
                "location_id": None,
                "lines": [
                    {"item_id": each.item_id, "variant_id": each.variant_id, "quantity": each.quantity}
                    for each in stock
                ],
            },
            {
                "_type": "RefundRequest",
                "key": refund.key,
                **ids,
                "payment_id": payment_id,
                "amount": amount,
                "kind": kind,
            },
        )
        header = {"at": when, "subject_id": return_id, "return_id": return_id}
        changes = {
            "status": "received",
            "entitlement": {"entitled": amount, "refunds": [pending]},
            "updated_at": when,
            "received_at": when,
        }
        self.tables.write(
            self.ledger(order.id, revision + 1, at, requests, delivery),
            None,
            {
                "status": "received",
                "needs_attention": False,
                "document": encode(changes),
                "record": encode(
                    {"units": units, "receipts": [receipt], "answered": {key: received}, "grants": [grant]}
                ),
            },
            {
                "_type": "GoodsReceived",
                "header": {
                    **header,
                    "command": received,
                    "effects_due_at": delivery["due_at"],
                    "grants": [grant],
                },
                "entitlement": {"entitled": amount, "refunds": [pending]},
                "receipt": receipt,
                "items": {"units": units},
            },
        )
        self.inventory.restock(restock)
        answer = self.payments.refund(refund)
        assert isinstance(answer, RefundSucceeded)
        at = self.clock()
        when = at.isoformat()
        paid = {**pending, "status": "succeeded", "reference": answer.reference, "settled_at": when}
        changes |= {"entitlement": {"entitled": amount, "refunds": [paid]}, "updated_at": when}
        moved = {
            "key": refund.key,
            "amount": due,
            "currency": order.currency,
            "means": "payment",
            "kind": kind,
        }
        self.tables.write(
            self.ledger(order.id, revision + 2, at),
            None,
            {"status": "received", "needs_attention": False, "document": encode(changes), "record": None},
            {
                "_type": "EffectsAttempted",
                "header": {**header, "at": when, "moved": [moved]},
                "outcomes": [{"key": restock.key}, {"key": refund.key, "refund": paid}],
            },
        )
        return {**opened, **changes}

    def ledger(
        self,
        order_id: str,
        revision: int,
        at: datetime,
        requests: Iterable[Json] = (),
        delivery: Json | None = None,
    ) -> Json:
        """Returns the row of a ledger with these effects open."""
        effects = [{"request": each, "opened_at": at.isoformat(), "delivery": delivery} for each in requests]
        return {
            "order_id": order_id,
            "revision": revision,
            "waiting_since": self.tables.timestamp(at) if effects else None,
            "due_at": self.tables.timestamp(at + GRACE) if effects else None,
            "document": encode({"open_effects": effects} if effects else {}),
        }


def price(line: LineItem, currency: str) -> Json:
    """Returns what was paid for a line with taxes on top, as running sums."""
    net = line.unit_price.amount * line.quantity
    for adjustment in line.adjustments:
        net -= adjustment.amount.amount
    paid, running_sums = net, [net]
    for tax in line.tax_lines:
        numerator, denominator = tax.percent.as_integer_ratio()
        paid += (2 * net * numerator + 100 * denominator) // (200 * denominator)
        running_sums.append(paid)
    for adjustment in line.adjustments:
        net += adjustment.amount.amount
        running_sums.append(net)
    return {
        "item_id": line.id,
        "variant_id": line.variant_id,
        "currency": currency,
        "quantity": line.quantity,
        "running_sums": running_sums,
        "taxes": [tax.code for tax in line.tax_lines],
        "discounts": [adjustment.code for adjustment in line.adjustments],
        "is_tax_inclusive": False,
        "rates": [{"rate": str(tax.rate)} for tax in line.tax_lines],
    }


_READ = """
    SELECT '' AS kind, 0 AS position, order_id, revision, published, document, NULL, NULL
    FROM rma_ledgers WHERE order_id = {order_id}
    UNION ALL
    SELECT r.kind, r.position, r.order_id, r.opened_revision, r.opened_number, r.document, r.record,
        e.document
    FROM rma_returns r LEFT JOIN rma_events e
        ON e.order_id = r.order_id AND e.revision = r.opened_revision AND e.number = r.opened_number
    WHERE r.order_id = {order_id}
    ORDER BY kind, position
"""
_ORDER_OF = "(SELECT order_id FROM rma_returns WHERE return_id = {})"
_IS_WRITABLE = "NOT EXISTS (SELECT 1 FROM rma_format WHERE writable_since > 2)"


class SqliteTables:
    """SQLite, each commit on the disk when it returns."""

    _read = _READ.format(order_id=":id")
    _read_by_return = _READ.format(order_id=_ORDER_OF.format(":id"))

    def __init__(self, file: str) -> None:
        self.connection = sqlite3.connect(file, isolation_level=None)
        self.connection.execute("PRAGMA synchronous = FULL")

    def timestamp(self, at: datetime) -> str:
        """Returns ISO 8601 with microseconds."""
        return at.isoformat(timespec="microseconds")

    def read(self, order_id: str) -> list[Any]:
        """Returns the rows of the order."""
        return self.connection.execute(self._read, {"id": order_id}).fetchall()

    def read_by_return(self, return_id: str) -> list[Any]:
        """Returns the rows of its order."""
        return self.connection.execute(self._read_by_return, {"id": return_id}).fetchall()

    def write(self, ledger: Json, opened: Json | None, changed: Json | None, event: Json) -> None:
        """Commits in one transaction."""
        run, order_id, revision = self.connection.execute, ledger["order_id"], ledger["revision"]
        run("BEGIN IMMEDIATE")
        if revision == 1:
            done = run(
                "INSERT INTO rma_ledgers (order_id, revision, published, waiting_since, due_at, document)"
                " SELECT :order_id, :revision, 0, :waiting_since, :due_at, :document"
                f" WHERE {_IS_WRITABLE} ON CONFLICT DO NOTHING",
                ledger,
            )
        else:
            done = run(
                "UPDATE rma_ledgers SET revision = :revision, waiting_since = :waiting_since,"
                " due_at = :due_at, document = :document, leased_by = NULL"
                f" WHERE order_id = :order_id AND revision = :revision - 1 AND {_IS_WRITABLE}",
                ledger,
            )
        if not done.rowcount:
            run("ROLLBACK")
            raise RuntimeError("another was faster")
        run("INSERT INTO rma_events VALUES (?, ?, 1, ?)", (order_id, revision, encode(event)))
        if opened is not None:
            run(
                "INSERT INTO rma_returns (order_id, kind, position, return_id, status, needs_attention,"
                " requested_at, opened_revision, opened_number)"
                " VALUES (:order_id, 'return', 0, :return_id, :status, :needs_attention, :requested_at,"
                " :revision, 1)",
                {**opened, "order_id": order_id, "revision": revision},
            )
        if changed is not None:
            run(
                "UPDATE rma_returns SET status = :status, needs_attention = :needs_attention,"
                " document = :document, record = coalesce(:record, record)"
                " WHERE order_id = :order_id AND kind = 'return' AND position = 0",
                {**changed, "order_id": order_id},
            )
        run("COMMIT")


class PostgresTables:
    """PostgreSQL in autocommit, each commit a single statement."""

    _read = _READ.format(order_id="%(id)s")
    _read_by_return = _READ.format(order_id=_ORDER_OF.format("%(id)s"))
    _first = f"""
        INSERT INTO rma_ledgers (order_id, revision, published, waiting_since, due_at, document)
        SELECT %(order_id)s, %(revision)s, 0, %(waiting_since)s, %(due_at)s, %(document)s
        WHERE {_IS_WRITABLE} ON CONFLICT DO NOTHING RETURNING order_id
    """
    _next = f"""
        UPDATE rma_ledgers SET revision = %(revision)s, waiting_since = %(waiting_since)s,
            due_at = %(due_at)s, document = %(document)s, leased_by = NULL
        WHERE order_id = %(order_id)s AND revision = %(revision)s - 1 AND {_IS_WRITABLE} RETURNING order_id
    """
    _event = "INSERT INTO rma_events SELECT order_id, %(revision)s, 1, %(event)s FROM ledger"
    _opened = """
        INSERT INTO rma_returns (order_id, kind, position, return_id, status, needs_attention, requested_at,
            opened_revision, opened_number)
        SELECT order_id, 'return', 0, %(return_id)s, %(status)s, %(needs_attention)s, %(requested_at)s,
            %(revision)s, 1 FROM ledger
    """
    _changed = """
        UPDATE rma_returns AS old SET status = %(status)s, needs_attention = %(needs_attention)s,
            document = %(changes)s, record = coalesce(%(record)s, record)
        FROM ledger WHERE old.order_id = ledger.order_id AND kind = 'return' AND position = 0
    """

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def timestamp(self, at: datetime) -> datetime:
        """Returns it as it is."""
        return at

    def read(self, order_id: str) -> list[Any]:
        """Returns the rows of the order."""
        return self.connection.execute(self._read, {"id": order_id}).fetchall()

    def read_by_return(self, return_id: str) -> list[Any]:
        """Returns the rows of its order."""
        return self.connection.execute(self._read_by_return, {"id": return_id}).fetchall()

    def write(self, ledger: Json, opened: Json | None, changed: Json | None, event: Json) -> None:
        """Commits by one statement."""
        parts = [
            f"ledger AS ({self._first if ledger['revision'] == 1 else self._next})",
            f"event AS ({self._event})",
        ]
        parameters = {**ledger, "event": encode(event)}
        if opened is not None:
            parts.append(f"opened AS ({self._opened})")
            parameters |= opened
        if changed is not None:
            parts.append(f"changed AS ({self._changed})")
            parameters |= {**changed, "changes": changed["document"], "document": ledger["document"]}
        statement = f"WITH {', '.join(parts)} SELECT count(*) FROM ledger"
        if self.connection.execute(statement, parameters).fetchall() != [(1,)]:
            raise RuntimeError("another was faster")
