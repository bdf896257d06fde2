"""
Hypothesis strategies: orders of every shape, commands about them, and everything that is committed.

Everything is built through constructors, so that a strategy draws only what a host can build.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from rma.domain.messages.advance import (
    ChargeDeclined,
    ChargePending,
    ChargeRequest,
    OutOfStock,
    ReserveRequest,
)
from rma.domain.messages.commands import (
    Command,
)
from rma.domain.messages.effects import (
    Effect,
    MoneyRequest,
    RefundDeclined,
    RefundPending,
    ReplacementRequest,
    Unknown,
)
from rma.domain.sale.bonus import Bonus
from rma.domain.sale.catalogue import ShippingOption
from rma.domain.sale.charges import Charge, ChargesBack, refundable_part
from rma.domain.sale.fees import Fee
from rma.domain.sale.grades import Grade
from rma.domain.sale.means import Split, WhenClosed
from rma.domain.sale.order import Adjustment, LineItem, Order, Payment
from rma.domain.sale.paying import PayOn
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.rules import Goods, Outcome, ReturnRule, WayBack
from rma.domain.sale.windows import Calendar, Window, WindowEnd, WindowStart
from rma.domain.sale.withdrawal import Withdrawal
from rma.domain.values.errors import InvalidValue, Rejected
from rma.domain.values.money import Money
from rma.domain.values.tax import TaxLine
from rma.testing.command_strategies import next_command
from rma.testing.commands.choices import TAGS
from rma.testing.core_harness import START, CoreHarness, Flow, Result, counting, good_end
from rma.testing.edits import total_paid

#: Rates that divide badly, that are usual, and that are nothing.
RATES = [Decimal(rate) for rate in ("0", "5", "7.5", "10", "12.5", "19", "20", "25", "8.875", "33.3")]

#: Minor units: small ones, usual ones, and those at which rounding goes wrong.
amounts = st.one_of(st.integers(0, 30), st.integers(0, 5000), st.sampled_from([99, 100, 199, 333, 999, 1000]))


@st.composite
def tax_lines(draw: st.DrawFn, at_most: int = 3) -> tuple[TaxLine, ...]:
    """Up to so many taxes."""
    rates = draw(st.lists(st.sampled_from(RATES), max_size=at_most))
    return tuple([TaxLine(rate, code=f"t{number}") for number, rate in enumerate(rates, start=1)])


@st.composite
def line_items(
    draw: st.DrawFn, item_id: str = "a", *, most_units: int = 7, currency: str = "usd"
) -> LineItem:
    """A line with discounts and taxes, on top or contained, of which some was fulfilled and returned."""
    quantity = draw(st.integers(1, most_units))
    unit_price = draw(amounts)
    fulfilled = draw(st.one_of(st.just(quantity), st.integers(0, quantity)))
    return LineItem(
        id=item_id,
        quantity=quantity,
        unit_price=Money(unit_price, currency),
        fulfilled_quantity=fulfilled,
        returned_quantity=draw(st.one_of(st.just(0), st.integers(0, fulfilled))),
        variant_id=f"v_{item_id}",
        adjustments=draw(discounts(unit_price * quantity, currency)),
        tax_lines=draw(tax_lines()),
        is_tax_inclusive=draw(st.booleans()),
    )


@st.composite
def discounts(draw: st.DrawFn, value: int, currency: str = "usd") -> tuple[Adjustment, ...]:
    """Up to two discounts, together at most this value."""
    found: list[Adjustment] = []
    for _ in range(draw(st.integers(0, 2))):
        amount = draw(st.integers(0, value))
        found.append(Adjustment(Money(amount, currency)))
        value -= amount
    return tuple(found)


@st.composite
def orders(
    draw: st.DrawFn,
    *,
    order_id: str = "order_1",
    currency: str = "usd",
    most_lines: int = 4,
    most_units: int = 7,
) -> Order:
    """An order, its discounts, and payments that captured exactly its total, in up to three parts."""
    items = [
        draw(line_items(f"i{number}", most_units=most_units, currency=currency))
        for number in range(1, draw(st.integers(1, most_lines)) + 1)
    ]
    value = sum(item.discounted_price.amount for item in items)
    adjustments = draw(discounts(value, currency))
    order = Order(id=order_id, currency=currency, items=items, adjustments=adjustments)
    return evolve(order, payments=draw(payments(total_paid(order), currency)))


@st.composite
def payments(draw: st.DrawFn, captured: int, currency: str = "usd") -> tuple[Payment, ...]:
    """One to three payments that captured exactly so much."""
    parts = []
    for _ in range(draw(st.integers(0, 2))):
        parts.append(draw(st.integers(0, captured)))
        captured -= parts[-1]
    return tuple(
        [
            Payment(id=f"pay_{number}", captured=Money(part, currency))
            for number, part in enumerate([*parts, captured], start=1)
        ]
    )


def refunding() -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a policy: in which order payments give back, and what is given where they do not."""
    return st.fixed_dictionaries(
        {
            "means": st.sampled_from(
                [("*",), ("*",), ("gift_card", "*"), ("*", "card"), ("gift_card", "card"), ("card",)]
            ),
            "split": st.sampled_from(Split),
            "when_closed": st.sampled_from(WhenClosed),
        }
    )


@st.composite
def paid_by_many_means(draw: st.DrawFn, order: Order) -> Order:
    """The order with payments of several kinds and gateways, some of which end soon or move steps only."""
    soon = START + timedelta(hours=2)
    payments = [
        evolve(
            payment,
            kind=draw(st.sampled_from(["card", "card", "gift_card", "paypal"])),
            provider_id=draw(st.sampled_from([None, "stripe"])),
            refundable_until=draw(st.sampled_from([None, None, None, soon])),
            refund_step=draw(st.sampled_from([1, 1, 10, 100])),
        )
        for payment in order.payments
    ]
    return evolve(order, payments=payments, customer_id=draw(st.sampled_from([None, "cus_1", "cus_1"])))


@st.composite
def policies(draw: st.DrawFn, currency: str = "usd") -> ReturnPolicy:
    """Policies that differ in what they pay for damage, in what they keep, and in what they wait for."""
    amount = st.integers(0, 50).map(lambda units: Fee(name="restocking", amount=Money(units, currency)))
    percent = st.integers(0, 100).map(lambda rate: Fee(name="restocking", percent=rate))
    return ReturnPolicy(
        refund_damaged=draw(st.booleans()),
        fees=draw(st.lists(st.one_of(amount, percent), max_size=1)),
        **draw(waiting()),
    )


#: What a return can be paid on in a shop that inspects or not.
EARLY = (PayOn.REQUEST, PayOn.SENDING, PayOn.RECEIPT)


def waiting() -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a policy: whether requests wait for approval, and how long goods and money are waited for."""
    days = st.sampled_from([None, None, 0, 1, 14])
    right = Withdrawal(calendar=Calendar("Europe/Berlin", holidays=[date(2026, 1, 1)]))
    british = Withdrawal(calendar=Calendar("Europe/London"), due_from="goods")
    return st.fixed_dictionaries(
        {
            "review": st.sampled_from([False, False, True]),
            "return_within_days": days,
            "pay_within_days": days,
            "withdrawal": st.sampled_from([None, right, british]),
            "pay_on": st.sampled_from([None, None, None, *EARLY]),
        }
    )


def inspecting() -> st.SearchStrategy[dict[str, Any]]:
    """Fields of a policy whose goods are inspected, by a scale of its own or without one."""
    scale = (
        Grade("A", 100, "restock"),
        Grade("shelf", 100, "shelf", restock=True),
        Grade("B", 80, "refurbish"),
        Grade("C", "33.3", "outlet"),
        Grade("D", 0),
    )
    return st.fixed_dictionaries({"inspect": st.sampled_from([True]), "grades": st.sampled_from([(), scale])})


windows = st.builds(
    Window,
    days=st.integers(0, 40),
    since=st.sampled_from(WindowStart),
    grace_days=st.sampled_from([0, 0, 3]),
    ends=st.sampled_from(WindowEnd),
)


@st.composite
def charges(draw: st.DrawFn, currency: str = "usd", at_most: int = 3) -> tuple[Charge, ...]:
    """Up to so many charges, with taxes on top or contained, of which all or a part can be given back."""
    found = []
    for number in range(1, draw(st.integers(0, at_most)) + 1):
        taxes, is_tax_inclusive = draw(tax_lines(2)), draw(st.booleans())
        charge = Charge(
            f"c{number}", "shipping", Money(draw(amounts), currency), taxes, is_tax_inclusive=is_tax_inclusive
        )
        if draw(st.booleans()):
            most = refundable_part(charge).amount
            charge = evolve(charge, refundable=Money(draw(st.integers(0, most)), currency))
        found.append(charge)
    return tuple(found)


@st.composite
def rule_fees(draw: st.DrawFn, currency: str = "usd") -> tuple[Fee, ...]:
    """Up to two fees; each name is that of one amount, or of a percentage."""
    taxes = draw(tax_lines(2))
    kinds = (
        Fee("percent", percent=draw(st.integers(0, 100)), tax_lines=taxes),
        Fee("return", amount=Money(50, currency)),
        Fee("line", amount=Money(draw(st.integers(0, 90)), currency), per="line"),
        Fee("unit", amount=Money(draw(st.integers(0, 90)), currency), per="unit", tax_lines=taxes,
            is_tax_inclusive=False),
    )  # fmt: skip
    return tuple(draw(st.lists(st.sampled_from(kinds), max_size=2, unique_by=lambda fee: fee.name)))


@st.composite
def rules_of_return(draw: st.DrawFn, name: str, currency: str = "usd") -> ReturnRule:
    """A rule of any kind, but for withdrawals."""
    facts = [*TAGS, "fault:merchant", "fault:customer"]
    outcomes = draw(st.sets(st.sampled_from(Outcome), min_size=1))
    return ReturnRule(
        name=name,
        when=draw(st.sets(st.sampled_from(facts), max_size=1)),
        window=draw(st.one_of(st.none(), windows)),
        outcomes=outcomes,
        fees=draw(rule_fees(currency)),
        way_back=draw(st.sampled_from(WayBack)),
        goods=draw(st.sampled_from([Goods.BACK] * 3 + [Goods.KEPT])),
        worth_at_most=draw(st.one_of(st.none(), amounts.map(lambda units: Money(units, currency)))),
        review=draw(st.booleans()),
        charges_back=draw(st.sampled_from(ChargesBack)),
        bonus=draw(bonuses(currency)) if outcomes - {Outcome.REFUND} else None,
    )


def bonuses(currency: str = "usd") -> st.SearchStrategy[Bonus | None]:
    """None, a percentage or an amount."""
    percent = st.sampled_from(["10", "33.3", "0"]).map(lambda rate: Bonus("thanks", percent=rate))
    amount = st.integers(0, 90).map(lambda units: Bonus("hello", amount=Money(units, currency)))
    return st.one_of(st.none(), percent, amount)


@st.composite
def policies_with_rules(
    draw: st.DrawFn, currency: str = "usd", most: int = 4, *, waits: bool = False
) -> ReturnPolicy:
    """Policies of one to so many rules, none of which is idle; requests wait for approval too if `waits`."""
    calendar = Calendar("Europe/Berlin", holidays=[date(2026, 1, 1)])
    refund_damaged = draw(st.booleans())
    rules: tuple[ReturnRule, ...] = ()
    policy = ReturnPolicy(calendar=calendar)
    for number in range(1, draw(st.integers(1, most)) + 1):
        more = (*rules, draw(rules_of_return(f"r{number}", currency)))
        with suppress(InvalidValue):  # one that never applies
            policy = ReturnPolicy(rules=more, calendar=calendar, refund_damaged=refund_damaged)
            rules = more
    return evolve(policy, **draw(waiting())) if waits else policy


def everything_fulfilled(order: Order) -> Order:
    """The order with every unit at the customer."""
    items = [evolve(item, fulfilled_quantity=item.quantity, returned_quantity=0) for item in order.items]
    return evolve(order, items=items)


@st.composite
def command_sequences(
    draw: st.DrawFn,
    order: Order,
    *,
    policy: ReturnPolicy = ReturnPolicy(),
    option: ShippingOption | None = None,
    most: int = 8,
) -> tuple[Command, ...]:
    """
    Commands about one order, each under a key of its own, most of which can be done; some are repeated.

    Returns, exchanges and claims are called `ret_1`, `exc_2`, … by their requests: hand them to a service
    whose `ids` count (`rma.testing.core_harness.counting`) and whose ports succeed. There is at least one
    command, at `most` so many; goods travel with the `option`, if there is one, or without.
    """
    harness = CoreHarness(order, policy=policy, options=[option] if option else ())
    return tuple(_handled(draw, harness, most, st.just(good_end)))


@st.composite
def flows(draw: st.DrawFn, *, order_id: str = "order_1", most: int = 6, with_rules: bool = False) -> Flow:
    """
    Everything that was committed about one order, from its first return on.

    Refunds fail and pend, ports answer late, events are published: what a repository really gets.
    Policies have rules, and orders charges, if `with_rules`. Ids of returns begin with `ret_{order_id}_`, so
    that several flows fit into one store.
    """
    order = draw(orders(order_id=order_id))
    if draw(st.sampled_from([True, True, True, False])):
        order = everything_fulfilled(order)
    option = ShippingOption(id="post", price=Money(200, order.currency), location_id="loc_1")
    policy = draw(policies_with_rules(most=2, waits=True) if with_rules else policies())
    if draw(st.sampled_from([False, False, True])):
        policy = evolve(policy, **draw(inspecting()))
    if with_rules:
        order = evolve(order, charges=draw(charges()))
    if draw(st.booleans()):
        order = draw(paid_by_many_means(order))
        policy = evolve(policy, **draw(refunding()))
    harness = CoreHarness(
        order,
        policy=policy,
        options=[option],
        ids=counting(f"{order_id}_"),
        reserves=draw(st.sampled_from([False, False, True])),
    )
    ends = (good_end, good_end, _unknown, _declined, _pending, _out_of_stock)
    _handled(draw, harness, most, st.sampled_from(ends))
    return Flow(harness.changes)


def _handled(
    draw: st.DrawFn,
    harness: CoreHarness,
    most: int,
    ends: st.SearchStrategy[Callable[[Effect], Result]],
) -> list[Command]:
    """The commands that were drawn, refused ones too; the harness handled them."""
    sent: list[Command] = []
    for number in range(1, draw(st.integers(1, most)) + 1):
        sent.append(next_command(draw, harness, sent, f"key_{number}"))
        with suppress(Rejected):
            harness.handle(sent[-1])
        end = draw(ends)
        harness.record_outcomes(end)
        harness.record_outcomes(end)  # what waited for another
        if draw(st.booleans()):
            harness.publish()
    return sent


def _out_of_stock(effect: Effect) -> Result:
    is_about_new_goods = isinstance(effect, ReplacementRequest | ReserveRequest)
    return OutOfStock("none left") if is_about_new_goods else good_end(effect)


def _unknown(effect: Effect) -> Result:
    return Unknown(f"TimeoutError: {effect.key}")


def _declined(effect: Effect) -> Result:
    if isinstance(effect, ChargeRequest):
        return ChargeDeclined("expired_hold")
    return RefundDeclined("card_closed", "no") if isinstance(effect, MoneyRequest) else good_end(effect)


def _pending(effect: Effect) -> Result:
    if isinstance(effect, ChargeRequest):
        return ChargePending(f"ch_{effect.key}")
    return RefundPending(f"re_{effect.key}") if isinstance(effect, MoneyRequest) else good_end(effect)
