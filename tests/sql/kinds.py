"""
A document of every kind that is stored, by scripts that are the same in every run.

    python -m tests.sql.kinds > tests/sql/golden/kinds/v2.json
    python -m tests.sql.kinds tests/sql/golden/format-2.sqlite

write what the present code stores: the rows of each script, and a database in which each script has an order
of its own. Do that as long as the format was not released; after that its files are left alone for ever, and
the next format, `FORMAT` counted up, gets files of its own.
"""

import json
import logging
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import text

from rma import (
    ApprovedItem,
    ApproveReturn,
    Bonus,
    Calendar,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Charge,
    ChargeDeclined,
    ChargePending,
    ChargeSucceeded,
    ClaimedCharge,
    ClaimItem,
    Command,
    CorrectedForeign,
    CorrectedItem,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    Fee,
    ForeignDecision,
    ForeignItem,
    Gateway,
    Grade,
    Hold,
    HostRule,
    InspectedItem,
    InspectReturn,
    LineItem,
    MissingItem,
    Money,
    NewItem,
    Order,
    PersonalField,
    ReceivedItem,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
    RejectedItem,
    RenewShipment,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRepository,
    ReturnRule,
    Review,
    Searchable,
    SettleAdvance,
    ShippingMethod,
    UpdateExchange,
    UpdateReturn,
    Window,
    Withdrawal,
)
from rma.adapters.memory import InMemoryReservingInventory, InMemoryReturns
from rma.adapters.sql import SqlReturns
from rma.adapters.sql.schema import FORMAT
from rma.codec.conversion import decode, encode
from rma.testing.core_harness import START, counting
from rma.testing.faults import AnswerLost, Away, Declines, Pends
from tests.rules.given import line, off, order_of, receive, request, vat
from tests.sql.formats import insert, make_format_1
from tests.world import World

#: How many orders with a single return `fill` makes.
SHORT = 6

PORTS = ("payments", "inventory", "fulfillment", "credits", "payouts")
TABLES = ("rma_ledgers", "rma_returns", "rma_events")
#: The columns that are JSON.
DOCUMENTS = ("document", "record")

#: By table, rows by column; documents as what they hold.
Rows = dict[str, list[dict[str, object]]]


@frozen
class Archive:
    """What a script does with an order that is over, besides commands."""


@frozen
class Redact:
    """What a script does with an order whose customer asks for it."""

    fields: tuple[str, ...] = tuple(PersonalField)


@frozen
class Resume:
    """That a timer runs."""


Action = Command | Archive | Redact | Resume
#: Does things in a world by a function that does them over the ledgers in question.
Script = Callable[[World, Callable[[Action], object]], None]


def everything_ends(world: World, handle: Callable[[Action], object]) -> None:
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
    world.faults.refunds.append(Declines(message="the card is closed"))
    tea = ReceivedItem(item_id="tea", quantity=1)
    mug = ReceivedItem(item_id="mug", quantity=0, damaged_quantity=1)
    handle(ReceiveReturn(return_id="ret_1", items=[mug, tea], created_by="clerk", idempotency_key="parcel 2"))
    world.faults.refunds.append(Pends())
    handle(RetryRefund(return_id="ret_1", amount=10, idempotency_key="retry"))
    world.faults.breaks("payments", Away())
    handle(RetryRefund(return_id="ret_1", amount=Money(20, "usd")))
    news: tuple[tuple[str, RefundOutcome | RefundReversed], ...] = (
        ("ret_1-refund-4", RefundPending("re_4")),
        ("ret_1-refund-4", RefundSucceeded()),
        ("ret_1-refund-1", RefundReversed("returned", "account closed")),
    )
    for number, (key, outcome) in enumerate(news, start=1):
        render = RecordRefundOutcome(key=key, outcome=outcome, notification_id=f"evt_{number}")
        handle(evolve(render, idempotency_key=f"notification {number}", created_by="gateway"))
    late = RecordRefundOutcome(
        return_id="ret_1", reference="re_ret_1-refund-3", outcome=RefundDeclined("late")
    )
    handle(evolve(late, idempotency_key="late notification"))
    world.faults.calm()
    handle(request(1, refund_amount=700))
    handle(receive(2, 1, return_id="ret_2"))
    handle(CancelReturn(return_id="ret_2", idempotency_key="cancel", created_by="clerk"))
    handle(request(1, "tea"))
    order = world.order
    spent = [evolve(each, refunded=each.captured) for each in order.payments]
    world.orders.put(evolve(order, payments=spent))
    handle(ReceiveReturn(return_id="ret_3", items=[tea]))


def everything_waits(world: World, handle: Callable[[Action], object]) -> None:
    """An open effect of every kind, with what was said last."""
    for port in PORTS:
        world.faults.breaks(port, AnswerLost())
    handle(request(1, shipping_option_id="so_return"))
    handle(CancelReturn(return_id="ret_1"))
    handle(request(2))
    handle(receive(1, return_id="ret_2"))
    handle(CancelReturn(return_id="ret_2"))
    handle(request(1))
    handle(receive(1, return_id="ret_3"))


def a_process_is_sending(world: World, handle: Callable[[Action], object]) -> None:
    """A refund under a lease."""
    handle(request(1))
    world.faults.breaks("payments", AnswerLost())
    handle(receive(1))


def goods_are_exchanged_and_claimed(world: World, handle: Callable[[Action], object]) -> None:
    """Exchanges and claims, paid, sent, blocked, canceled; a clerk who rejects; a replacement that waits."""
    mugs = [RequestedItem(item_id="mug", quantity=1)]
    cup = NewItem(variant_id="v_cup", quantity=2, unit_price=700, title="Cup", tax_lines=vat("7.25"))
    post = ShippingMethod(id="sm_out", option_id="so_out", name="Post", price=400)
    handle(
        RequestExchange(
            order_id="order_1",
            items=mugs,
            new_items=[cup],
            outbound_shipping=post,
            shipping_option_id="so_return",
            idempotency_key="exchange",
            created_by="customer",
            metadata={"channel": "web"},
        )
    )
    pay = RecordExchangePayment(exchange_id="exc_1", amount=100, reference="ch_1", idempotency_key="pay")
    handle(pay)
    handle(receive(2))
    rejected = [RejectedItem(item_id="mug", quantity=1, reason="worn")]
    handle(ResolveReturn(return_id="ret_1", rejected=rejected, idempotency_key="resolve", created_by="clerk"))
    world.faults.breaks("fulfillment", AnswerLost())
    handle(RecordExchangePayment(exchange_id="exc_1", amount=945, reference="ch_2", created_by="till"))
    world.faults.calm()
    handle(RequestExchange(order_id="order_1", items=mugs, new_items=[evolve(cup, quantity=1)]))
    handle(CancelExchange(exchange_id="exc_2", idempotency_key="cancel exchange"))
    broken = ClaimItem(item_id="mug", quantity=1, reason="production_failure", note="cracked", images=["a"])
    world.faults.refunds.append(Declines())
    handle(
        RequestClaim(
            order_id="order_1", type="refund", items=[broken], return_items=True, idempotency_key="claim"
        )
    )
    handle(RetryRefund(claim_id="claim_3", amount=1, idempotency_key="retry claim"))
    handle(
        RecordRefundOutcome(key="claim_3-refund-2", outcome=RefundReversed(), idempotency_key="notification")
    )
    handle(receive(1, return_id="ret_3"))
    replace = RequestClaim(order_id="order_1", type="replace", items=[broken], new_items=[cup])
    handle(evolve(replace, shipping_option_id="so_return"))
    handle(RequestClaim(order_id="order_1", type="refund", items=[broken], refund_amount=0))
    handle(CancelClaim(claim_id="claim_5", idempotency_key="cancel claim", created_by="clerk"))


def prices_are_reduced(world: World, handle: Callable[[Action], object]) -> None:
    """A scratched mug, goodwill, a return of both lots, postage, and units that were never sent."""
    order = world.orders.get("order_1")
    (mugs,) = [line for line in order.items if line.id == "mug"]
    short = evolve(mugs, quantity=mugs.quantity + 1)
    others = [line for line in order.items if line.id != "mug"]
    wrapping = Charge("wrap", "wrapping", 119, vat("19"), is_tax_inclusive=True)
    world.orders.put(evolve(order, items=[short, *others], charges=[wrapping]))
    scratched = ClaimItem(item_id="mug", quantity=1, reason="other", amount=200, note="scratched")
    handle(RequestClaim(order_id="order_1", type="reduce", items=[scratched], idempotency_key="reduce"))
    again = evolve(scratched, amount=100, claim_id="claim_1")
    handle(RequestClaim(order_id="order_1", type="reduce", items=[again]))
    goodwill = RequestClaim(order_id="order_1", type="goodwill", refund_amount=150)
    handle(evolve(goodwill, idempotency_key="goodwill"))
    reduced = RequestedItem(item_id="mug", quantity=1, claim_id="claim_2")
    handle(RequestReturn(order_id="order_1", items=[reduced, RequestedItem(item_id="mug", quantity=1)]))
    handle(receive(3, return_id="ret_4"))
    handle(
        RequestClaim(
            order_id="order_1",
            type="refund",
            items=[ClaimItem(item_id="mug", quantity=1, reason="not_sent")],
            charges=[ClaimedCharge(charge_id="wrap", amount=19)],
            idempotency_key="not sent",
        )
    )


def a_claim_is_written_off(world: World, handle: Callable[[Action], object]) -> None:
    """Its refund was declined, and a clerk gives up."""
    world.faults.refunds.append(Declines())
    broken = ClaimItem(item_id="mug", quantity=1, reason="other")
    handle(RequestClaim(order_id="order_1", type="refund", items=[broken]))
    handle(
        ResolveClaim(
            claim_id="claim_1", refund_amount=100, refund_note="half", idempotency_key="resolve claim"
        )
    )


def an_order_is_archived(world: World, handle: Callable[[Action], object]) -> None:
    """Its return was refunded; another one follows, and a reversal that is late."""
    handle(request(2, shipping_option_id="so_return", idempotency_key="request"))
    handle(receive(2, idempotency_key="parcel", created_by="clerk"))
    handle(Archive())
    handle(RecordRefundOutcome(key="ret_1-refund-1", outcome=RefundReversed(), idempotency_key="late"))
    handle(request(1))


def an_order_is_redacted(world: World, handle: Callable[[Action], object]) -> None:
    """First notes and actors of what is open, then all that its carrier does not need any more."""
    item = RequestedItem(item_id="mug", quantity=2, note="too big", images=["a.jpg"], metadata={"said": "no"})
    handle(
        RequestReturn(
            order_id="order_1",
            items=[item],
            shipping_option_id="so_return",
            idempotency_key="request",
            created_by="jane@example.com",
            metadata={"ticket": 7},
        )
    )
    handle(Redact(("notes", "actors")))
    handle(receive(2, idempotency_key="parcel", created_by="clerk"))
    handle(Redact())
    handle(request(1, idempotency_key="later", created_by="jane@example.com"))


def rules_decide(world: World, handle: Callable[[Action], object]) -> None:
    """Rules, fees with their taxes, charges back, goods that are kept, a person who overrules."""
    restocking = Fee("restocking", percent="12.5", tax_lines=vat("19", code="vat"))
    handling = Fee(
        "handling", amount=Money(30, "usd"), per="unit", is_tax_inclusive=False, tax_lines=vat("7")
    )
    express = {"price": 1200, "tax_lines": vat("19"), "is_tax_inclusive": True, "refundable": 490}
    charge = Charge("express", "shipping", **express)  # type: ignore[arg-type] # converted
    world.orders.put(evolve(world.order, charges=[charge], tags=["member"]))
    world.policy = ReturnPolicy(
        name="rules",
        rules=[
            ReturnRule(
                name="keep",
                when={"reason:damaged"},
                goods="kept",
                way_back="merchant",
                worth_at_most=1500,
                charges_back="share",
            ),
            ReturnRule(
                name="members",
                when={"member"},
                window=Window(14, "ordered", grace_days=1, ends="day"),
                fees=[restocking, handling],
                review=True,
                charges_back="share",
            ),
        ],
        calendar=Calendar("Europe/Berlin"),
    )
    broken = RequestedItem(item_id="mug", quantity=1, reason_id="rr_damaged", tags=["worn"])
    handle(RequestReturn(order_id="order_1", items=[broken], idempotency_key="keep", created_by="customer"))
    handle(request(2, idempotency_key="members"))
    handle(receive(1, return_id="ret_2", more_expected=True))
    handle(receive(1, return_id="ret_2"))
    world.orders.put(evolve(world.order, items=[evolve(world.order.items[0], is_returnable=False)]))
    handle(request(1, overrule="the customer was ill", outcome="refund", idempotency_key="overrule"))
    handle(receive(1, return_id="ret_3"))


def goods_are_waited_for(world: World, handle: Callable[[Action], object]) -> None:
    """Approved, updated, sent, renewed, declined, expired, withdrawn from; one waits for approval."""
    calendar = Calendar("Europe/Berlin", holidays=[date(2026, 1, 1)])
    right = Withdrawal(calendar=calendar, refund_days=15, grace_days=3, return_days=13, due_from="goods")
    world.policy = ReturnPolicy(review=True, return_within_days=14, pay_within_days=7, withdrawal=right)
    handle(request(3, shipping_option_id="so_return", refund_amount=900, idempotency_key="waits"))
    approved = [ApprovedItem(item_id="mug", quantity=2)]
    handle(
        ApproveReturn(
            return_id="ret_1", items=approved, note="ok", idempotency_key="approve", created_by="clerk"
        )
    )
    tea = [RequestedItem(item_id=item_id, quantity=1, note="also") for item_id in ("tea", "mug")]
    handle(
        UpdateReturn(
            return_id="ret_1",
            items=tea,
            shipping_option_id="so_return",
            shipping_price=100,
            refund_amount=5000,
            refund_note="agreed",
            location_id="loc_7",
            idempotency_key="update",
            created_by="customer",
        )
    )
    handle(ApproveReturn(return_id="ret_1"))
    handle(RenewShipment(return_id="ret_1", idempotency_key="renew", created_by="customer"))
    handle(
        RecordSending(
            return_id="ret_1",
            tracking_number="1Z",
            proof="receipt.jpg",
            idempotency_key="sent",
            created_by="customer",
        )
    )
    handle(ReceiveReturn(return_id="ret_1", items=[ReceivedItem(item_id="tea", quantity=1)]))
    handle(request(1, shipping_option_id="so_return"))
    handle(
        DeclineReturn(
            return_id="ret_2", reason="worn", note="sorry", idempotency_key="decline", created_by="clerk"
        )
    )
    handle(receive(1, return_id="ret_2"))
    withdrawal = request(1, basis="withdrawal", declared_at=world.now, shipping_option_id="so_return")
    handle(withdrawal)
    handle(RecordSending(return_id="ret_3", proof="receipt.jpg"))
    handle(withdrawal)
    world.now += timedelta(days=30)
    handle(ExpireReturn(return_id="ret_4", idempotency_key="expire", created_by="clerk"))
    handle(request(1))
    world.faults.breaks("fulfillment", AnswerLost())
    world.policy = ReturnPolicy(return_within_days=0)
    handle(request(1, shipping_option_id="so_return"))
    handle(RenewShipment(return_id="ret_6"))
    handle(ExpireReturn(return_id="ret_6"))


def goods_are_inspected(world: World, handle: Callable[[Action], object]) -> None:
    """By a scale, in steps and again, with every disposition; corrected reasons; a return was updated."""
    world.policy = ReturnPolicy(
        grades=[Grade("A", 100, "shelf", restock=True), Grade("B", "80.5", "refurbish"), Grade("D", 0)],
        rules=[
            ReturnRule(name="damaged", when={"reason:damaged"}, inspect=True),
            ReturnRule(name="rest", fees=[Fee("handling", amount=50)], inspect=True),
        ],
    )
    handle(request(1))
    items = [RequestedItem(item_id="mug", quantity=5, reason_id="rr_damaged")]
    handle(UpdateReturn(return_id="ret_1", items=items))
    handle(receive(5, 1, location_id="loc_1", allow_mismatch=True))
    looked_at = [
        InspectedItem(item_id="mug", quantity=1, grade="A", reason_id="rr_big", note="as new"),
        InspectedItem(
            item_id="mug", quantity=2, grade="B", location_id="loc_2", images=["https://i.example/1"]
        ),
    ]
    handle(
        InspectReturn(return_id="ret_1", items=looked_at, idempotency_key="looked", created_by="inspector")
    )
    world.faults.breaks("inventory", Away())
    rest = [
        InspectedItem(item_id="mug", quantity=1, grade="D", disposition="send_back"),
        InspectedItem(item_id="mug", quantity=1, grade="A", deduction=Money(120, "usd"), note="a chip"),
        InspectedItem(item_id="mug", quantity=1, grade="D"),
        InspectedItem(
            item_id="mug",
            quantity=1,
            grade="B",
            disposition="outlet",
            previous_grade="A",
            previous_disposition="shelf",
        ),
    ]
    handle(InspectReturn(return_id="ret_1", items=rest))
    handle(request(1))
    handle(receive(1, return_id="ret_2"))


def money_goes_back_by_every_means(world: World, handle: Callable[[Action], object]) -> None:
    """To payments of kinds, in steps; as credit with a bonus to a payee; paid out, by a port and persons."""
    until = world.now + timedelta(days=180)
    payments = [
        evolve(each, kind="gift_card", provider_id="psp", refundable_until=until, refund_step=10)
        for each in world.order.payments
    ]
    world.orders.put(evolve(world.order, payments=payments, customer_id="cus_1"))
    credit = ReturnRule(
        name="credit", outcomes=["refund", "store_credit"], bonus=Bonus("thanks", percent="12.5")
    )
    flat = ReturnRule(name="flat", outcomes=["exchange"], bonus=Bonus("flat", amount=Money(75, "usd")))
    world.policy = ReturnPolicy(
        rules=[credit, flat], means=["gift_card", "*"], split="proportional", when_closed="payout"
    )
    handle(request(1, outcome="store_credit", payee="cus_2", idempotency_key="credit"))
    handle(UpdateReturn(return_id="ret_1", items=[RequestedItem(item_id="mug", quantity=2)],
                        outcome="store_credit", payee="cus_3", idempotency_key="update"))  # fmt: skip
    handle(receive(2))
    handle(request(1))
    world.faults.refunds.append(Declines())
    handle(receive(1, return_id="ret_2"))
    broken = ClaimItem(item_id="mug", quantity=1, reason="other")
    for _ in range(2):
        world.faults.refunds.extend([Declines()] * 4)
        handle(RequestClaim(order_id="order_1", type="refund", items=[broken]))
        world.faults.calm()
    handle(
        RecordPayout(
            claim_id="claim_3", amount=Money(100, "usd"), reference="cash", idempotency_key="paid",
            created_by="till",
        )
    )  # fmt: skip
    world.policy = ReturnPolicy()
    world.faults.refunds.extend([Declines()] * 2)
    handle(request(1))
    handle(receive(1, return_id="ret_5"))
    world.faults.calm()
    handle(RecordPayout(return_id="ret_5", amount=100, reference="bank_1"))
    world.faults.breaks("credits", AnswerLost())
    world.faults.breaks("payouts", AnswerLost())
    handle(RetryRefund(return_id="ret_5", means="store_credit", amount=200, idempotency_key="as credit"))
    handle(RetryRefund(return_id="ret_5", means="payout", payment_id=world.order.payments[0].id, amount=100))


def goods_are_at_the_dock(world: World, handle: Callable[[Action], object]) -> None:
    """Parcels that no one expected, foreign goods, corrections, lost units; one correction stays open."""
    sock = ForeignItem(description="a sock", quantity=2, sku="sock", note="worn", images=["sock.jpg"])
    seen = ReceivedItem(item_id="mug", quantity=2, serials=["A", "X"], note="fine", images=["mug.jpg"])
    handle(
        ReceiveUnannounced(
            order_id="order_1",
            items=[seen, ReceivedItem(item_id="tea", quantity=3), ReceivedItem(item_id="pot", quantity=1)],
            foreign=[sock],
            location_id="loc_7",
            no_notification=True,
            metadata={"gate": 4},
            idempotency_key="unexpected",
            created_by="clerk",
        )
    )
    decided = [ForeignDecision(number=number, send_back=number > 2, note="seen") for number in (1, 2, 3, 4)]
    handle(ResolveReturn(return_id="ret_1", foreign=decided, idempotency_key="decide", created_by="clerk"))
    handle(
        CorrectReceipt(
            return_id="ret_1",
            items=[
                CorrectedItem(item_id="mug", quantity=0, damaged_quantity=1),
                CorrectedItem(item_id="tea", quantity=1),
            ],
            reason="counted again",
            idempotency_key="correct",
            created_by="clerk",
        )
    )
    images = RequestedItem(item_id="mug", quantity=3, images=["crack.jpg"])
    handle(RequestReturn(order_id="order_1", items=[images]))
    handle(ReceiveReturn(return_id="ret_2", foreign=[sock], idempotency_key="foreign"))
    lost = [
        MissingItem(item_id="mug", quantity=2, pay=True, reason="stolen"),
        MissingItem(item_id="mug", quantity=1, pay=False),
    ]
    kept = [ForeignDecision(number=1, send_back=False)]
    handle(ResolveReturn(return_id="ret_2", missing=lost, foreign=kept, idempotency_key="lost"))
    handle(receive(1, return_id="ret_2"))
    handle(ReceiveReturn(return_id="ret_2", foreign=[sock, sock]))
    fewer = [CorrectedForeign(number=2, quantity=0), CorrectedForeign(number=3, quantity=0)]
    handle(CorrectReceipt(return_id="ret_2", foreign=fewer, reason="no socks", idempotency_key="no socks"))
    world.faults.breaks("inventory", Away())
    corrected = [CorrectedItem(item_id="mug", quantity=3)]
    handle(CorrectReceipt(return_id="ret_2", items=corrected, reason="all arrived"))
    handle(CorrectReceipt(return_id="ret_2", items=[CorrectedItem(item_id="mug", quantity=1)], reason="not"))


def new_goods_are_sent_first(world: World, handle: Callable[[Action], object]) -> None:
    """Holds that are charged or released, reservations, goods that cannot be had; some effects stay open."""
    world.policy = ReturnPolicy(return_within_days=1, pay_on="sending")
    handle(request(1))
    handle(RecordSending(return_id="ret_1"))
    mug = [RequestedItem(item_id="mug", quantity=1)]

    def first(number: int, variant_id: str, price: int) -> RequestExchange:
        hold = Hold(f"auth_{number}", Money(5000, "usd"), START + timedelta(days=90))
        new = [NewItem(variant_id=variant_id, quantity=1, unit_price=price)]
        return RequestExchange(order_id=world.order_id, items=mug, new_items=new, ship="first", hold=hold)

    handle(first(1, "v_cup", 100))
    world.now += timedelta(days=2)
    world.holds.answer = lambda _: ChargePending()
    handle(SettleAdvance(exchange_id="exc_2", idempotency_key="settled", created_by="timer"))
    for outcome in (ChargePending("p_1"), ChargeDeclined("expired", "too late"), ChargeSucceeded("ch_1")):
        reported = type(outcome).__name__
        handle(RecordChargeOutcome(key="exc_2-charge-1", outcome=outcome, idempotency_key=reported))
    world.holds.answer = lambda charge: ChargeSucceeded(f"ch_{charge.key}")
    handle(first(2, "v_gone", 100))
    post = ShippingMethod(id="sm", option_id=None, name="Post", price=Money(50, "usd"))
    other = [NewItem(variant_id="v_pot", quantity=1, unit_price=5000)]
    handle(
        UpdateExchange(exchange_id="exc_3", new_items=other, outbound_shipping=post, idempotency_key="other")
    )
    other = [NewItem(variant_id="v_pot", quantity=1, unit_price=5100)]
    hold = Hold("auth_2_dearer", Money(5100, "usd"), START + timedelta(days=90))
    handle(UpdateExchange(exchange_id="exc_3", new_items=other, hold=hold))
    handle(RecordExchangePayment(exchange_id="exc_3", amount=700, reference="ch_2"))
    world.faults.breaks("inventory", Away())
    world.faults.breaks("holds", Away())
    handle(CancelExchange(exchange_id="exc_3", keep_return=True, idempotency_key="kept"))
    handle(first(3, "v_cup", 100))
    world.now += timedelta(days=2)
    world.faults.calm()
    handle(first(4, "v_cup", 100))
    handle(SettleAdvance(exchange_id="exc_4"))
    world.faults.breaks("inventory", Away())
    world.faults.breaks("holds", Away())
    world.now += timedelta(days=2)
    handle(SettleAdvance(exchange_id="exc_5"))
    handle(first(5, "v_cup", 100))
    handle(RecordSending(return_id="ret_6"))
    world.now += timedelta(days=2)
    handle(Resume())


def clerks_end_what_cannot_go_on(world: World, handle: Callable[[Action], object]) -> None:
    """Claims whose new goods cannot be had: others, then money; and an exchange that is never paid."""
    broken = ClaimItem(item_id="mug", quantity=1, reason="other")
    cup = NewItem(variant_id="v_gone", quantity=1, unit_price=900)
    world.fulfillment.out_of_stock = {"v_gone"}
    replace = RequestClaim(order_id=world.order_id, type="replace", items=[broken], new_items=[cup])
    for _ in range(3):
        handle(replace)
    other = evolve(cup, variant_id="v_pot")
    handle(ResolveClaim(claim_id="claim_1", new_items=[other], idempotency_key="other"))
    handle(ResolveClaim(claim_id="claim_2", idempotency_key="money", created_by="Cy"))

    world.policy = ReturnPolicy(return_within_days=1)
    world.holds.answer = lambda _: ChargeDeclined("expired")
    pot = NewItem(variant_id="v_pot", quantity=1, unit_price=100)
    mug = [RequestedItem(item_id="mug", quantity=1)]
    hold = Hold("auth_1", Money(5000, "usd"), START + timedelta(days=90))
    handle(RequestExchange(order_id=world.order_id, items=mug, new_items=[pot], ship="first", hold=hold))
    world.now += timedelta(days=2)
    handle(Resume())
    gone = SettleAdvance(exchange_id="exc_4", write_off=40, note="gone", created_by="Cy")
    handle(evolve(gone, idempotency_key="gone"))
    handle(evolve(gone, write_off=60))


def notices_come_again(world: World, handle: Callable[[Action], object]) -> None:
    """Of refunds and of a charge; most say nothing new, and are remembered."""
    handle(request(1))
    handle(receive(1))
    said: tuple[RefundOutcome, ...] = (RefundSucceeded(), RefundSucceeded(), RefundDeclined("late"))
    for number, outcome in enumerate(said):
        notice = RecordRefundOutcome(key="ret_1-refund-1", outcome=outcome, notification_id=f"evt_{number}")
        handle(evolve(notice, idempotency_key=f"notice {number}"))
    pot = NewItem(variant_id="v_pot", quantity=1, unit_price=100)
    mug = [RequestedItem(item_id="mug", quantity=1)]
    hold = Hold("auth_1", Money(5000, "usd"), START + timedelta(days=90))
    world.policy = ReturnPolicy(return_within_days=1)
    handle(RequestExchange(order_id=world.order_id, items=mug, new_items=[pot], ship="first", hold=hold))
    world.now += timedelta(days=2)
    handle(Resume())
    known = RecordChargeOutcome(key="exc_2-charge-1", outcome=ChargeSucceeded("ch_1"))
    handle(evolve(known, idempotency_key="known"))


#: Asked in `rules_decide`: what it says is stored.
HOST_RULES = (HostRule("risk", lambda _, line, asked: Review("worn") if asked.tags else None),)


def worlds(prefix: str = "") -> dict[str, tuple[Script, World]]:
    """Every script and a new world for it, in which ids are numbered behind this prefix."""
    mug = line(quantity=9, tax_lines=vat("7.25", name="state") + vat("1.5"), adjustments=off(250))
    tea = line("tea", 2, 499, tax_lines=vat("19"), is_tax_inclusive=True, variant_id=None)

    def world(*lines: LineItem, gateway: Gateway | None = None, reserves: bool = False) -> World:
        order = evolve(_of_no_kind(order_of(*lines)), id=f"order_{prefix}1")
        stock = InMemoryReservingInventory({"v_gone": 0}) if reserves else None
        return World(order, gateway=gateway, ids=counting(prefix), inventory=stock)

    return {
        "everything ends": (everything_ends, world(mug, tea)),
        "everything waits": (everything_waits, world(mug)),
        "goods are exchanged and claimed": (goods_are_exchanged_and_claimed, world(mug)),
        "a claim is written off": (a_claim_is_written_off, world(mug)),
        "prices are reduced": (prices_are_reduced, world(mug)),
        "rules decide": (rules_decide, world(evolve(mug, delivered_at=START, fulfilled_at=START))),
        "a process is sending": (
            a_process_is_sending,
            world(mug, gateway=Searchable(timedelta(minutes=30))),
        ),
        "an order is archived": (an_order_is_archived, world(mug)),
        "an order is redacted": (an_order_is_redacted, world(mug)),
        "goods are waited for": (goods_are_waited_for, world(mug, tea)),
        "goods are inspected": (goods_are_inspected, world(mug)),
        "new goods are sent first": (new_goods_are_sent_first, world(mug, reserves=True)),
        "clerks end what cannot go on": (clerks_end_what_cannot_go_on, world(mug)),
        "notices come again": (notices_come_again, world(mug)),
        "money goes back by every means": (money_goes_back_by_every_means, world(mug)),
        "goods are at the dock": (goods_are_at_the_dock, world(evolve(mug, serials=["A", "B"]), tea)),
    }


def _of_no_kind(order: Order) -> Order:
    """The order with payments of no kind: format 1 did not keep it with their refunds."""
    return evolve(order, payments=[evolve(each, kind="") for each in order.payments])


#: The scripts that format 1 had commands for.
FIRST = (
    "everything ends",
    "everything waits",
    "goods are exchanged and claimed",
    "a claim is written off",
    "a process is sending",
)


def fill(returns: InMemoryReturns | SqlReturns) -> list[str]:
    """
    Runs each script of format 1 on an order of its own, a few more orders besides; returns their ids.

    Two of them have events that were never published, and ids that are not of ASCII.
    """
    found: list[World] = []
    for letter, name in zip("abcde", FIRST, strict=True):
        script, world = worlds(letter)[name]
        run(script, world, returns)
        found.append(world)
    for name in ("everything waits", "a claim is written off"):
        script, world = worlds(f"silent{len(found)}_")[name]
        run(script, world, returns, is_silent=True)
        found.append(world)
    for number in range(1, SHORT + 1):
        order = evolve(_of_no_kind(order_of(line(quantity=9))), id=f"注文 {number}")
        world = World(order, ids=counting(f"short{number}_"))
        asked = evolve(request(2, idempotency_key=f"key {number}"), order_id=order.id)
        service = evolve(world.service, returns=returns)
        return_id = service.handle(asked).id
        if number % 2:
            service.handle(receive(2, return_id=return_id))
        found.append(world)
    # Format 1 noted every order with unpublished events, whether or not there was a publisher.
    returns.note_unpublished(START + timedelta(seconds=1))
    return [each.order_id for each in found]


def run(script: Script, world: World, returns: ReturnRepository, *, is_silent: bool = False) -> None:
    """Runs the script, its ledgers kept in `returns`; one that is silent publishes no events."""
    # Carriers of format 1 could not be asked to bring anything back.
    unknown = "send_back" if script is goods_are_exchanged_and_claimed else None
    terse: dict[str, Any] = {port: Terse(getattr(world.service, port), unknown) for port in PORTS}
    if is_silent:
        terse["events"] = None
    rules = HOST_RULES if script is rules_decide else ()
    service = evolve(world.service, returns=returns, host_rules=rules, **terse)
    prefix = world.order_id.removeprefix("order_").removesuffix("1")

    def handle(command: Action) -> object:
        if isinstance(command, Archive):
            return service.archive(world.order_id)
        if isinstance(command, Redact):
            return service.redact(world.order_id, command.fields)
        if isinstance(command, Resume):
            return service.resume()
        renamed = _ID.sub(rf"\g<1>{prefix}\g<2>", encode(command, Command))
        return service.handle(decode(renamed, Command))

    script(world, handle)


#: The ids that scripts name.
_ID = re.compile(r"\b((?:re_)?(?:order|ret|exc|claim)_)(\d)")


class Terse:
    """A port whose errors do not name the call: documents do not depend on how calls are counted."""

    def __init__(self, port: object, unknown: str | None = None) -> None:
        self._port, self._unknown = port, unknown

    def __getattr__(self, name: str) -> object:
        if name == self._unknown:
            raise AttributeError(name)
        found = getattr(self._port, name)
        return partial(self._asked, found) if callable(found) else found

    def _asked(self, method: Callable[..., object], *request: object) -> object:
        try:
            return method(*request)
        except OSError as error:
            raise type(error)(str(error).rsplit(": ", 1)[-1]) from error


def stored() -> dict[str, Rows]:
    """What the present code stores, by script."""
    found = {}
    for name, (script, world) in worlds().items():
        with closing(SqlReturns("sqlite://")) as store:
            run(script, world, store)
            found[name] = rows_in(store)
    return found


def rows_in(store: SqlReturns) -> Rows:
    """Everything in the tables."""
    with store.engine.connect() as connection:
        return {
            table: [
                {
                    name: json.loads(str(value)) if name in DOCUMENTS and value is not None else value
                    for name, value in row.items()
                }
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3")).mappings()
            ]
            for table in TABLES
        }


def put_into(url: str, rows: Rows, version: int) -> None:
    """Makes tables of this format in an empty database, with the rows that its release wrote."""
    documents = {table: [_dumped(row) for row in of_table] for table, of_table in rows.items()}
    if version < FORMAT:
        make_format_1(url, documents)
        return
    with closing(SqlReturns(url)) as store:
        store.load("")  # makes the tables
        insert(store.engine, documents)


def _dumped(row: dict[str, object]) -> dict[str, object]:
    return {
        name: json.dumps(value) if name in DOCUMENTS and value is not None else value
        for name, value in row.items()
    }


def write(file: Path) -> None:
    """Writes a database of SQLite with what `fill` does; a worker has leased one order, as on PostgreSQL."""
    with closing(SqlReturns(f"sqlite:///{file}")) as store:
        order_ids = fill(store)
        script, world = worlds("f")["goods are waited for"]
        run(script, world, store)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        lease = "UPDATE rma_ledgers SET leased_by = 'w', leased_until = due_at WHERE order_id = ?"
        database.execute(lease, (order_ids[1],))
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("PRAGMA page_size = 1024")
        database.execute("VACUUM")


if __name__ == "__main__":
    logging.getLogger("rma").setLevel(logging.CRITICAL)  # ports fail on purpose
    if sys.argv[1:]:
        write(Path(sys.argv[1]))
        sys.exit()
    json.dump(stored(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
