"""
A document of every kind that is stored, by three lives that are the same in every run.

    python -m tests.sql.kinds > tests/sql/golden/kinds/v1.json

writes what the present code stores. Do that as long as the format was not released; after that its file is
left alone for ever, and the next format, `FORMAT` counted up, gets a file of its own.
"""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from attrs import evolve
from sqlalchemy import text

from rma import (
    CancelReturn,
    Command,
    Fee,
    LookedUp,
    Money,
    ReceivedItem,
    ReceiveReturn,
    RecordRefundOutcome,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
    RequestedItem,
    RequestReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRepository,
)
from rma.adapters.sql import SqlReturns
from tests.rules.given import line, off, order_of, receive, request, vat
from tests.world import World

TABLES = ("rma_ledgers", "rma_returns", "rma_events")

#: By table, rows by column; documents as what they hold.
Rows = dict[str, list[dict[str, object]]]

#: What is done in a world, by a function that handles commands over the ledgers in question.
Life = Callable[[World, Callable[[Command], object]], None]


def everything_ends(world: World, handle: Callable[[Command], object]) -> None:
    """Every command, most fields, every way in which a refund can end; nothing stays open."""
    world.policy = ReturnPolicy(
        name="strict",
        version="3",
        refund_damaged=False,
        fees=[Fee("restocking", percent="12.5"), Fee("handling", amount=Money(50, "usd"))],
    )
    handle(
        RequestReturn(
            order_id="order_1",
            items=[
                RequestedItem(item_id="mug", quantity=2, reason_id="rr_big", note="too big: 大きい"),
                RequestedItem(item_id="tea", quantity=1, metadata={"opened": False}),
            ],
            shipping_option_id="so_return",
            shipping_price=Money(150, "usd"),
            location_id="loc_9",
            no_notification=True,
            idempotency_key="request",
            created_by="customer",
            metadata={"channel": "web", "tags": ["a", 1, 2.5, None, {"deep": True}]},
        )
    )
    handle(receive(1, more_expected=True, idempotency_key="parcel 1", location_id="loc_8"))
    world.payments.mood = "decline"
    tea = ReceivedItem(item_id="tea", quantity=1)
    mug = ReceivedItem(item_id="mug", quantity=0, damaged_quantity=1)
    handle(ReceiveReturn(return_id="ret_1", items=[mug, tea], created_by="clerk", idempotency_key="parcel 2"))
    world.payments.mood = "pend"
    handle(RetryRefund(return_id="ret_1", amount=10, idempotency_key="retry"))
    world.payments.fails_before = True
    handle(RetryRefund(return_id="ret_1", amount=Money(20, "usd")))
    news: tuple[tuple[str, RefundOutcome | RefundReversed], ...] = (
        ("ret_1/refund/4", RefundPending("re_4")),
        ("ret_1/refund/4", RefundSucceeded()),
        ("ret_1/refund/1", RefundReversed("returned", "account closed")),
    )
    for number, (key, outcome) in enumerate(news, start=1):
        told = RecordRefundOutcome(key=key, outcome=outcome, notice_id=f"evt_{number}")
        handle(evolve(told, idempotency_key=f"told {number}", created_by="gateway"))
    late = RecordRefundOutcome(
        return_id="ret_1", reference="re_ret_1/refund/3", outcome=RefundDeclined("late")
    )
    handle(evolve(late, idempotency_key="told late"))
    world.repair()
    handle(request(1, refund_amount=700))
    handle(receive(2, 1, return_id="ret_2"))
    handle(CancelReturn(return_id="ret_2", idempotency_key="cancel", created_by="clerk"))
    handle(request(1, "tea"))
    order = world.order
    spent = [evolve(each, refunded=each.captured) for each in order.payments]
    world.orders.put(evolve(order, payments=spent))
    handle(ReceiveReturn(return_id="ret_3", items=[tea]))


def everything_waits(world: World, handle: Callable[[Command], object]) -> None:
    """An open effect of every kind, with what was said last."""
    for port in (world.payments, world.inventory, world.fulfillment):
        port.fails_after = True
    handle(request(1, shipping_option_id="so_return"))
    handle(CancelReturn(return_id="ret_1"))
    handle(request(2))
    handle(receive(1, return_id="ret_2"))
    handle(CancelReturn(return_id="ret_2"))
    handle(request(1))
    handle(receive(1, return_id="ret_3"))


def somebody_is_at_it(world: World, handle: Callable[[Command], object]) -> None:
    """A refund under a lease."""
    handle(request(1))
    world.payments.fails_after = True
    handle(receive(1))


def worlds() -> dict[str, tuple[Life, World]]:
    """Every life, and a new world for it."""
    mug = line(quantity=9, tax_lines=vat("7.25", name="state") + vat("1.5"), adjustments=off(250))
    tea = line("tea", 2, 499, tax_lines=vat("19"), is_tax_inclusive=True, variant_id=None)
    return {
        "everything ends": (everything_ends, World(order_of(mug, tea))),
        "everything waits": (everything_waits, World(order_of(mug))),
        "somebody is at it": (
            somebody_is_at_it,
            World(order_of(mug), gateway=LookedUp(timedelta(minutes=30))),
        ),
    }


def lived(life: Life, world: World, returns: ReturnRepository) -> None:
    """The life, its ledgers kept in `returns`."""
    life(world, evolve(world.service, returns=returns).handle)


def stored() -> dict[str, Rows]:
    """What the present code stores, by life."""
    found = {}
    for name, (life, world) in worlds().items():
        with closing(SqlReturns("sqlite://")) as store:
            lived(life, world, store)
            found[name] = rows_in(store)
    return found


def rows_in(store: SqlReturns) -> Rows:
    """Everything in the tables."""
    with store.engine.connect() as connection:
        return {
            table: [
                {**row, "document": json.loads(str(row["document"]))}
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3")).mappings()
            ]
            for table in TABLES
        }


def put_into(store: SqlReturns, rows: Rows) -> None:
    """The rows, as whoever wrote them left them behind."""
    store.load("")  # makes the tables
    with store.engine.begin() as connection:
        for table, of_table in rows.items():
            for row in of_table:
                values = {**row, "document": json.dumps(row["document"])}
                slots = ", ".join(f":{column}" for column in values)
                connection.execute(
                    text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({slots})"), values
                )


if __name__ == "__main__":
    json.dump(stored(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
