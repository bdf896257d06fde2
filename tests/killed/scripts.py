"""What clients do in a deployment: commands and their times, which together have every kind of effect."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from attrs import evolve, frozen

from rma import (
    Bonus,
    CancelExchange,
    CancelReturn,
    Command,
    Hold,
    NewItem,
    Order,
    Payment,
    RecordExchangePayment,
    RecordPayout,
    RecordSending,
    RenewShipment,
    RequestClaim,
    RequestedItem,
    RequestExchange,
    ResolveReturn,
    RetryRefund,
    ReturnPolicy,
    ReturnRule,
    SettleAdvance,
    UpdateExchange,
)
from rma.testing.core_harness import START
from tests.killed.gateways import CLOSED_CARD, EMPTY_HOLD, GONE
from tests.rules.given import line, order_of, receive, request, usd


@frozen
class Script:
    """
    Commands, each with the day on which it is sent.

    Attributes:
        done: what ports do in all, by key.
        methods: those of ports that the script is for, around which the test command kills processes.
        sample: of all other points it kills at one of so many.
    """

    order: Order
    steps: tuple[tuple[int, Command], ...]
    done: Mapping[str, str]
    methods: frozenset[str]
    policy: ReturnPolicy = ReturnPolicy()
    sample: int = 12


def _on_day(day: int, *commands: Command) -> tuple[tuple[int, Command], ...]:
    """Returns the commands, each with an idempotency key of its own."""
    return tuple([(day, evolve(each, idempotency_key=f"{day}-{n}")) for n, each in enumerate(commands)])


def _labeled(**more: Any) -> Command:
    return request(2, shipping_option_id="so_return", **more)


#: One return in two parcels, and one with a new label that is canceled later.
PARCELS = Script(
    order=order_of(line(quantity=5)),
    steps=_on_day(
        0,
        _labeled(),
        receive(1, more_expected=True),
        receive(1),
        _labeled(),
        RenewShipment(return_id="ret_2"),
        receive(1, return_id="ret_2"),
        CancelReturn(return_id="ret_2"),
    ),
    done={
        "ret_1-shipment-1": "label for ret_1",
        "ret_1-restock-1": "restock [('mug', 1)]",
        "ret_1-refund-1": "refund 8.00 USD of pay_1",
        "ret_1-restock-2": "restock [('mug', 1)]",
        "ret_1-refund-2": "refund 10.00 USD of pay_1",
        "ret_2-shipment-1": "label for ret_2",
        "ret_2-cancel_shipment-1": "cancel ret_2-shipment-1",
        "ret_2-shipment-2": "label for ret_2",
        "ret_2-restock-1": "restock [('mug', 1)]",
        "ret_2-withdraw-1": "withdraw [('mug', 1)]",
        "ret_2-cancel_shipment-2": "cancel ret_2-shipment-2",
    },
    methods=frozenset(
        {
            "fulfillment.book_return",
            "fulfillment.cancel_return",
            "inventory.restock",
            "inventory.withdraw",
            "payments.refund",
        }
    ),
    sample=1,
)


def _means(*commands: Command, done: Mapping[str, str], methods: Collection[str]) -> Script:
    """Of an order that was paid with a gift card, and with a card that is closed."""
    gift = Payment(id="gift", captured=usd(500), kind="gift_card")
    card = Payment(id=CLOSED_CARD, captured=usd(4500), kind="card")
    any_reason = ReturnRule(
        name="any", outcomes=["refund", "store_credit"], bonus=Bonus("thanks", percent=10)
    )
    return Script(
        order=order_of(line(quantity=5), payments=[gift, card], customer_id="cus_1"),
        policy=ReturnPolicy(means=["gift_card", "*"], when_closed="payout", rules=[any_reason]),
        steps=_on_day(0, *commands),
        done=done,
        methods=frozenset(methods),
    )


#: Store credit with a bonus, and goodwill as store credit.
CREDIT = _means(
    request(1, outcome="store_credit"),
    receive(1),
    RequestClaim(order_id="order_1", type="goodwill", refund_amount=250, outcome="store_credit"),
    done={
        "ret_1-restock-1": "restock [('mug', 1)]",
        "ret_1-refund-1": "credit 11.00 USD for cus_1",
        "claim_2-refund-1": "credit 2.50 USD for cus_1",
    },
    methods=["credits.give"],
)
#: What the closed card does not take is paid out, in the commit that learns it.
PAYOUT = _means(
    request(2),
    receive(2),
    done={
        "ret_1-restock-1": "restock [('mug', 2)]",
        "ret_1-refund-1": "refund 5.00 USD of gift",
        "ret_1-refund-2": "refund 15.00 USD of closed_card",
        "ret_1-refund-3": "payout 15.00 USD",
    },
    methods=["payouts.pay", "payments.refund"],
)
#: The account is closed, too: a person gives store credit, and pays the rest in cash.
BY_HAND = _means(
    request(1),
    receive(1),
    RetryRefund(return_id="ret_1", means="store_credit", amount=300),
    RecordPayout(return_id="ret_1", amount=200, reference="till_1"),
    done={
        "ret_1-restock-1": "restock [('mug', 1)]",
        "ret_1-refund-1": "refund 5.00 USD of gift",
        "ret_1-refund-2": "refund 5.00 USD of closed_card",
        "ret_1-refund-3": "payout 5.00 USD",
        "ret_1-refund-4": "credit 3.00 USD for cus_1",
    },
    methods=["credits.give"],
)


def _first(reference: str = "auth_1", variant: str = "v_cup", price: int = 1000) -> RequestExchange:
    """Requests a cup for a mug, which is sent first, on this hold."""
    return RequestExchange(
        order_id="order_1",
        items=[RequestedItem(item_id="mug", quantity=1)],
        new_items=[NewItem(variant_id=variant, quantity=1, unit_price=price)],
        ship="first",
        hold=Hold(reference, usd(1000), START + timedelta(days=60)),
    )


def _advance(
    *commands: Command, later: Iterable[Command] = (), done: Mapping[str, str], methods: Collection[str]
) -> Script:
    """Of goods that have 14 days to be sent; `later` is when they are over."""
    return Script(
        order=order_of(line(quantity=5)),
        policy=ReturnPolicy(return_within_days=14),
        steps=(*_on_day(0, *commands), *_on_day(15, *later)),
        done=done,
        methods=frozenset(methods),
    )


#: New goods are reserved and sent first, the others come back, and the hold is released.
RELEASE = _advance(
    _first(),
    receive(1),
    done={
        "exc_1-reserve-1": "reserve [('v_cup', 1)]",
        "exc_1-replacement-1": "replacement for exc_1",
        "ret_1-restock-1": "restock [('mug', 1)]",
        "exc_1-release-1": "release of auth_1",
    },
    methods=["inventory.reserve", "holds.release"],
)
#: The exchange is canceled after a part of the difference was paid: neither hold nor reservation outlives it.
CANCELED = _advance(
    _first(price=1500),
    RecordExchangePayment(exchange_id="exc_1", amount=200, reference="ch_1"),
    CancelExchange(exchange_id="exc_1"),
    done={
        "exc_1-reserve-1": "reserve [('v_cup', 1)]",
        "exc_1-unreserve-1": "unreserve exc_1-reserve-1",
        "exc_1-release-1": "release of auth_1",
        "ret_1-refund-1": "refund 2.00 USD of ch_1",
    },
    methods=["inventory.release_reservation", "holds.release"],
)
#: There are none of the new goods: others are reserved, and sent.
OUT_OF_STOCK = _advance(
    _first(variant=GONE),
    UpdateExchange(exchange_id="exc_1", new_items=[NewItem(variant_id="v_pot", quantity=1, unit_price=1000)]),
    receive(1),
    done={
        "exc_1-reserve-1": "reserve [('v_gone', 1)]",
        "exc_1-reserve-2": "reserve [('v_pot', 1)]",
        "exc_1-replacement-2": "replacement for exc_1",
        "ret_1-restock-1": "restock [('mug', 1)]",
        "exc_1-release-1": "release of auth_1",
    },
    methods=["inventory.reserve"],
)
#: What did not come back is charged; then it comes after all, and is given back.
CHARGE = _advance(
    _first(),
    later=[SettleAdvance(exchange_id="exc_1"), receive(1), ResolveReturn(return_id="ret_1")],
    done={
        "exc_1-reserve-1": "reserve [('v_cup', 1)]",
        "exc_1-replacement-1": "replacement for exc_1",
        "exc_1-charge-1": "charge 10.00 USD to auth_1",
        "ret_1-restock-1": "restock [('mug', 1)]",
        "ret_1-refund-1": "refund 10.00 USD of pay_1",
    },
    methods=["holds.charge"],
)
#: The hold declines, and is charged again. What is said to be sent is charged by no timer.
CHARGE_AGAIN = _advance(
    _first(EMPTY_HOLD),
    RecordSending(return_id="ret_1"),
    later=[SettleAdvance(exchange_id="exc_1"), SettleAdvance(exchange_id="exc_1")],
    done={
        "exc_1-reserve-1": "reserve [('v_cup', 1)]",
        "exc_1-replacement-1": "replacement for exc_1",
        "exc_1-charge-1": "charge 10.00 USD to auth_empty",
        "exc_1-charge-2": "charge 10.00 USD to auth_empty",
    },
    methods=["holds.charge"],
)

SCRIPTS = {
    "parcels": PARCELS,
    "credit": CREDIT,
    "payout": PAYOUT,
    "by hand": BY_HAND,
    "release": RELEASE,
    "canceled": CANCELED,
    "out of stock": OUT_OF_STOCK,
    "charge": CHARGE,
    "charge again": CHARGE_AGAIN,
}
