"""Rules of return: the worked numbers, which rule speaks, and what contradicts itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from rma import (
    Calendar,
    Charge,
    Fee,
    HostRule,
    InvalidValue,
    LineItem,
    Money,
    NewItem,
    Order,
    RequestedItem,
    RequestExchange,
    RequestReturn,
    ReturnPolicy,
    ReturnReason,
    ReturnRule,
    Review,
    TaxLine,
    Window,
    Withdrawal,
)
from rma.domain.sale.eligibility import facts_of, facts_of_reason, find_rule
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.values.errors import Violation
from rma.domain.views.returnable import ReturnableItem, returnable_items
from tests.rules.given import Given, line, names_and_amounts, order_of, receive, request, update, usd, vat
from tests.world import REASONS

BERLIN = Calendar("Europe/Berlin", holidays=[date(2026, 4, 3), date(2026, 4, 6)])
#: By law, in days.
LEGAL = Window(14, "last_delivered", ends="day")


def berlin(month: int, day: int, hour: int = 0) -> datetime:
    """Returns the moment by the clocks of Berlin, in 2026."""
    return datetime(2026, month, day, hour, tzinfo=ZoneInfo("Europe/Berlin"))


def policy_of(*rules: ReturnRule, **more: Any) -> ReturnPolicy:
    """Returns a policy of these rules."""
    return ReturnPolicy(rules=rules, **more)


def asked(item_id: str = "mug", quantity: int = 1, **more: Any) -> RequestedItem:
    """Returns units that are requested."""
    return RequestedItem(item_id=item_id, quantity=quantity, **more)


def requested(*items: RequestedItem, **more: Any) -> RequestReturn:
    """Returns a request for these."""
    return RequestReturn(order_id="order_1", items=items, **more)


def offered(given: Given, **more: Any) -> ReturnableItem:
    """Returns what can be returned of the first line now."""
    assert given.order is not None
    return returnable_items(given.order, given.ledger, given.policy, given.now, reasons=REASONS, **more)[0]


# -- windows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "ends"),
    [
        ((3, 2), (3, 17)),
        ((3, 7), (3, 24)),
        ((3, 20), (4, 8)),
    ],
)
def test_number_1_a_window_by_law_ends_with_a_working_day(
    delivered: tuple[int, int], ends: tuple[int, int]
) -> None:
    """Number 1: the last day counts to its end, and runs on over weekends and holidays."""
    mug = line(delivered_at=berlin(*delivered, 12))

    assert LEGAL.until(order_of(mug), mug, BERLIN) == berlin(*ends)
    assert Window(14).until(order_of(mug), mug, None) == berlin(*delivered, 12).astimezone(UTC) + timedelta(
        days=14
    )


def test_a_window_begins_with_what_it_says() -> None:
    """A delivery, the last one of the order, the fulfillment, or the order's date; none that is not known."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    mug = line(delivered_at=day + timedelta(days=2), fulfilled_at=day + timedelta(days=1))
    tea = line("tea", delivered_at=day + timedelta(days=5))
    order = order_of(mug, tea, created_at=day)
    late = order_of(mug, line("tea"), created_at=day)

    def began(since: str, of: Order = order, item: LineItem = mug) -> datetime | None:
        return Window(0, since).until(of, item, None)

    assert began("delivered") == mug.delivered_at
    assert began("delivered", late, late.items[1]) == day
    assert began("last_delivered") == tea.delivered_at
    assert began("last_delivered", late) is None
    assert began("last_delivered", order_of(mug, line("tea", quantity=0))) == mug.delivered_at
    assert began("last_delivered", order_of(line(quantity=0))) is None
    assert began("fulfilled") == mug.fulfilled_at
    assert began("fulfilled", order, tea) is None
    assert began("ordered") == day


def test_days_of_grace_are_not_given_away() -> None:
    """The customer is given the window without them, and requests are taken with them."""
    given = Given(order_of(line(delivered_at=datetime(2026, 1, 1, tzinfo=UTC))))
    given.policy = policy_of(ReturnRule(name="all", window=Window(14, grace_days=3)))
    given.now = datetime(2026, 1, 17, tzinfo=UTC)

    (option, _) = offered(given).options
    given.when(request(1))
    given.now = datetime(2026, 1, 19, tzinfo=UTC)

    assert option.until == datetime(2026, 1, 15, tzinfo=UTC)
    assert given.the().items[0].until == option.until
    assert given.refuses(request(1)).violations == (
        Violation("return_window_closed", "mug", {"until": "2026-01-15T00:00:00+00:00", "rule": "all"}),
    )


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: Window(-1), "an integer of days, from 0 to 36525"),
        (lambda: Window(36_526), "an integer of days"),
        (lambda: Window(1, grace_days=-1), "Window.grace_days must be an integer of days"),
        (lambda: Window(1, "yesterday"), "one of delivered, last_delivered, fulfilled, ordered"),
        (lambda: Window(1, ends="night"), "one of exact, day"),
        (lambda: Calendar("Mars/Olympus"), "the name of a time zone"),
        (lambda: Calendar("../etc/passwd"), "the name of a time zone"),
        (lambda: Calendar(UTC), "the name of a time zone"),
        (lambda: Calendar(7), "the name of a time zone"),  # type: ignore[arg-type] # what is refused
        (lambda: Calendar("UTC", free_weekdays=range(7)), "not all of them"),
        (lambda: Calendar("UTC", free_weekdays=[7]), "days of the week"),
        (lambda: Calendar("UTC", free_weekdays=5), "days of the week"),  # type: ignore[arg-type] # what is refused
        (lambda: Calendar("UTC", holidays=["2026-01-01"]), "dates"),
        (lambda: Calendar("UTC", holidays=[datetime(2026, 1, 1, tzinfo=UTC)]), "dates"),
    ],
)
def test_a_window_that_cannot_be_is_refused(build: Any, expected: str) -> None:
    """Zones that are not known, days that are none."""
    with pytest.raises(InvalidValue, match=expected):
        build()


# -- which rule speaks ----------------------------------------------------------------------------


def days(number: int) -> datetime:
    """Returns noon, so many days after the first of January."""
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number)


MONEY_THEN_CREDIT = policy_of(
    ReturnRule(name="money", window=Window(14), outcomes=["refund", "store_credit", "exchange"]),
    ReturnRule(name="credit", window=Window(30), outcomes=["store_credit", "exchange"]),
)


def test_number_2_outcomes_end_at_different_times() -> None:
    """
    Number 2: money for 14 days, credit for 30, then nothing; the options say what `RequestReturn` says.

    Credit that no port gives is refused for that alone while a rule speaks for it, and for nothing with one.
    """
    given = Given(order_of(line(delivered_at=days(0)), customer_id="cus_1"), MONEY_THEN_CREDIT)
    given.gives_credit = False

    def options() -> dict[str, str | None]:
        found = {each.outcome.value: each for each in offered(given, gives_credit=False).options}
        credit = request(1, outcome="store_credit")
        assert given.refuses(credit).violations == found["store_credit"].violations
        with_port = {each.outcome.value: each for each in offered(given).options}["store_credit"]
        assert with_port.violations == found["store_credit"].violations[1:]
        return {name: each.rule for name, each in found.items() if each.rule is not None}

    given.now = days(10)
    assert options() == {"refund": "money", "exchange": "money", "store_credit": "money"}
    given.now = days(20)
    assert options() == {"exchange": "credit", "store_credit": "credit"}
    (refusal,) = given.refuses(request(1)).violations
    assert refusal == Violation(
        "return_window_closed", "mug", {"until": days(14).isoformat(), "rule": "money"}
    )
    assert offered(given).options[0].violations == (refusal,)
    assert [(each.rule, each.code) for each in offered(given).options[0].failed] == [
        ("money", "return_window_closed"), ("credit", "outcome_not_offered"),
    ]  # fmt: skip
    assert (offered(given).quantity, offered(given).reasons) == (2, ())
    given.now = days(31)
    assert options() == {}
    assert (offered(given).quantity, offered(given).reasons) == (0, ("return_window_closed",))
    exchange = RequestExchange(
        order_id="order_1", items=[asked()], new_items=[NewItem(variant_id="v", quantity=1, unit_price=1)]
    )
    assert given.refuses(exchange).violations[0].numbers["rule"] == "credit"


def test_a_request_is_judged_by_the_outcome_that_it_names() -> None:
    """In updates and quotes too: that money is over does not refuse what is asked for instead."""
    given = Given(order_of(line(delivered_at=days(0))), MONEY_THEN_CREDIT)
    given.gives_credit = False
    given.now = days(13)
    given.when(request(1))
    given.now = days(20)

    assert given.codes(request(1)) == ["return_window_closed"]
    assert given.codes(request(1, outcome="store_credit", payee="cus_2")) == ["store_credit_unsupported"]
    assert given.codes(request(1, outcome="exchange")) == ["invalid_return_outcome"]
    assert given.codes(request(3, outcome="gold")) == [
        "invalid_return_outcome",
        "quantity_exceeds_returnable",
    ]
    assert given.codes(update(2)) == ["return_window_closed"]
    assert given.codes(update(2, outcome="store_credit", payee="cus_2")) == ["store_credit_unsupported"]
    given.now = days(31)
    late = given.refuses(request(1, outcome="store_credit", payee="cus_2")).violations
    assert [(each.code, each.numbers.get("rule")) for each in late] == [
        ("store_credit_unsupported", None), ("return_window_closed", "credit"),
    ]  # fmt: skip


def test_a_rule_ends_with_a_day_of_the_shops_calendar() -> None:
    """Options and requests count days as the policy's calendar does."""
    given = Given(order_of(line(delivered_at=berlin(3, 20, 12))))
    given.policy = policy_of(ReturnRule(name="law", window=LEGAL), calendar=BERLIN)

    given.now = berlin(4, 7, 23)
    given.when(request(1))
    given.now = berlin(4, 8, 1)

    assert given.the().items[0].until == berlin(4, 8)
    assert given.codes(request(1)) == ["return_window_closed"]


def test_an_outcome_is_offered_by_rules_that_are_open() -> None:
    """A rule whose window closed offers nothing; a policy without rules offers no store credit."""
    given = Given(order_of(line(delivered_at=days(0))), MONEY_THEN_CREDIT)
    given.policy = policy_of(
        ReturnRule(name="swap", window=Window(9), outcomes=["exchange"]),
        ReturnRule(name="credit", window=Window(30), outcomes=["store_credit"]),
    )
    given.now = days(10)

    (refusal,) = given.refuses(request(1)).violations
    mug = order_of().items[0]
    alone = find_rule(ReturnPolicy(), order_of(), mug, frozenset(), Outcome.STORE_CREDIT, days(0))

    assert refusal.numbers["offered"] == ["store_credit"]
    assert [(each.code, each.numbers["offered"]) for each in alone.violations] == [
        ("outcome_not_offered", ["exchange", "refund"])
    ]


def test_facts_are_of_order_line_unit_and_reason() -> None:
    """A rule speaks if all its facts are there; a reason has those of its categories."""
    given = Given(order_of(line(tags=["outlet"]), tags=["member"]))
    given.policy = policy_of(
        ReturnRule(name="worn", when={"worn"}, outcomes=["exchange"]),
        ReturnRule(name="size", when={"reason:size", "outlet", "member"}),
        ReturnRule(name="rest", when={"vip"}),
    )
    refusals = given.refuses(requested(asked(), asked(tags=["worn"]))).violations

    given.when(requested(asked(reason_id="rr_big")))

    assert [(each.code, dict(each.numbers)) for each in refusals] == [
        ("no_rule_applies", {}), ("outcome_not_offered", {"outcome": "refund", "offered": ["exchange"]}),
    ]  # fmt: skip
    item = given.the().items[0]
    assert (item.rule, item.until) == ("size", None)
    assert item.facts == ("basis:policy", "member", "outlet", "reason:size", "reason:too_big")
    assert [rule.name for rule in given.the().terms.rules] == ["size"]
    assert offered(given).options[0].failed[-1].missing == ("vip",)
    assert offered(given, reason_id="rr_big").options[0].rule == "size"
    assert offered(given, tags=["worn"]).options[1].rule == "worn"


def test_a_fault_is_that_of_the_first_category_that_says_whose() -> None:
    """Reasons that lead in a circle have an end."""
    reasons = {
        each.id: each
        for each in (
            ReturnReason(id="a", value="a", label="A", parent_id="b"),
            ReturnReason(id="b", value="b", label="B", parent_id="a", fault="carrier"),
        )
    }

    assert facts_of_reason(reasons["a"], reasons) == {"reason:a", "reason:b", "fault:carrier"}


def test_final_sale_holds_under_any_rule() -> None:
    """A line that is not returnable is refused; a person may overrule that."""
    given = Given(order_of(line(is_returnable=False)), policy_of(ReturnRule(name="all")))

    assert given.codes(request(1)) == ["item_not_returnable"]
    given.when(request(1, overrule="the customer's dog was ill", created_by="clerk"))

    item = given.the().items[0]
    assert (item.rule, item.is_overruled, given.the().overrule) == (None, True, "the customer's dog was ill")


def test_the_worth_of_the_units_may_limit_a_rule() -> None:
    """That of all units of a line together; the violation says so if nothing else speaks."""
    given = Given(
        order_of(line(price=1000)),
        policy_of(
            ReturnRule(name="small", worth_at_most=1500),
            ReturnRule(name="other", when={"x"}),
        ),
    )

    assert given.refuses(request(2)).violations == (
        Violation("worth_exceeds_rule", "mug", {"value": 2000, "most": 1500, "rule": "small"}),
    )
    assert given.codes(request(3)) == ["quantity_exceeds_returnable"]
    given.when(request(1))
    assert given.the().items[0].rule == "small"


def test_a_withdrawal_is_judged_by_its_own_rules() -> None:
    """A rule that does not name it might keep a fee, so that it never speaks for one."""
    mug = line(delivered_at=days(0))
    order = order_of(mug)
    law = ReturnRule(name="law", when={"basis:withdrawal"}, window=Window(14))
    policy = policy_of(ReturnRule(name="all"), law, withdrawal=Withdrawal(calendar=BERLIN))
    facts = facts_of(order, mug, basis=ReturnBasis.WITHDRAWAL)

    now = find_rule(policy, order, mug, facts, Outcome.REFUND, days(14))
    late = find_rule(policy, order, mug, facts, Outcome.REFUND, days(15))

    assert now.rule is policy.rules[1]
    assert [each.code for each in late.failed] == ["not_for_withdrawals", "return_window_closed"]


# -- what is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"outcome": "exchange"}, "invalid_return_outcome"),
        ({"outcome": None}, "invalid_return_outcome"),
        ({"overrule": " "}, "overrule_without_reason"),
        ({"overrule": 1}, "invalid_text"),
        ({"overrule": "x" * 10_001}, "text_too_long"),
    ],
)
def test_a_request_that_cannot_be_is_refused(more: dict[str, Any], code: str) -> None:
    """Outcomes that there are not, and overruling without a reason."""
    assert given_codes(more) == [code]


def test_credit_is_offered_by_rules_only() -> None:
    """This policy does not offer it, and no one is known who could have it: both reasons are reported."""
    assert given_codes({"outcome": "store_credit"}) == ["outcome_not_offered", "credit_without_customer"]


def given_codes(more: dict[str, Any]) -> list[str]:
    """Returns the codes with which a request is refused."""
    return Given().codes(request(1, **more))


@pytest.mark.parametrize(
    "tags", ["worn", [""], ["reason:x"], ["fault:merchant"], ["basis:withdrawal"], [1], 5]
)
def test_tags_are_strings_that_do_not_look_like_facts(tags: Any) -> None:
    """A caller that sends tags cannot say whose fault it is."""
    assert Given().codes(requested(asked(tags=tags))) == ["invalid_tags"]
    for build in (lambda: line(tags=tags), lambda: order_of(tags=tags)):
        with pytest.raises(InvalidValue, match="tags must be strings of 1 to 255 characters"):
            build()
    with pytest.raises(InvalidValue, match="tags must be"):
        line(tags=[[]])


def test_tags_are_a_set() -> None:
    """Two requests with the same tags are the same, in whatever order."""
    assert asked(tags=["b", "a", "b"]) == asked(tags={"a", "b"})


def test_overruling_lifts_neither_quantities_nor_fees_of_other_lines() -> None:
    """Lines that a rule takes stay under it; the others are free of fees."""
    tea = line("tea", price=500, tags=["food"])
    fee = Fee("handling", percent=10)
    given = Given(order_of(line(), tea), policy_of(ReturnRule(name="food", when={"food"}, fees=[fee])))

    assert given.codes(request(3, overrule="kind")) == ["quantity_exceeds_returnable"]
    given.when(requested(asked(quantity=2), asked("tea"), overrule="kind"))

    assert names_and_amounts(given.the()) == {"item:mug": 2000, "item:tea": 500, "fee:handling": -50}
    assert [item.rule for item in given.the().items] == [None, "food"]


def test_without_rules_an_overruled_line_is_free_of_fees() -> None:
    """A window that closed is overruled; the policy's fee is kept of the other line alone."""
    late = line(delivered_at=days(-60))
    given = Given(
        order_of(late, line("tea", price=500)), ReturnPolicy(window_days=30, fees=[Fee("flat", amount=70)])
    )

    given.when(request(1, overrule="kind"))
    given.when(requested(asked(), asked("tea"), overrule="kind"))
    given.when(request(1, "tea", overrule="not needed"))

    assert names_and_amounts(given.the()) == {"item:mug": 1000}
    assert names_and_amounts(given.the("ret_2")) == {"item:mug": 1000, "item:tea": 500, "fee:flat": -70}
    assert (given.the("ret_3").overrule, names_and_amounts(given.the("ret_3"))["fee:flat"]) == (None, -70)


def test_a_policy_changed_later_changes_no_return() -> None:
    """What the rules said about money is kept with the return."""
    given = Given(policy=policy_of(ReturnRule(name="all", fees=[Fee("handling", percent=10)])))
    given.when(request(2))
    given.policy = policy_of(ReturnRule(name="all", fees=[Fee("handling", percent=90)]))

    given.when(receive(2))

    assert names_and_amounts(given.the()) == {"item:mug": 2000, "fee:handling": -200}
    assert given.the().refunded == usd(1800)


# -- what contradicts itself ----------------------------------------------------------------------

FOR_ALL = ReturnRule(name="for all", window=Window(30))
LAW = {"basis:withdrawal"}
SHOP_AND_LAW: dict[str, Any] = {"calendar": BERLIN, "withdrawal": Withdrawal()}


@pytest.mark.parametrize(
    "rules",
    [
        [FOR_ALL, ReturnRule(name="b", window=Window(30))],
        [FOR_ALL, ReturnRule(name="b", window=Window(14), when={"x"})],
        [FOR_ALL, ReturnRule(name="b", window=Window(29, grace_days=1), outcomes=["refund"])],
        [ReturnRule(name="a"), ReturnRule(name="b", window=Window(99, "ordered", ends="day"))],
        [
            ReturnRule(name="a", outcomes=["refund"]), ReturnRule(name="b", outcomes=["exchange"]),
            ReturnRule(name="c"),
        ],
        [ReturnRule(name="a", worth_at_most=10), ReturnRule(name="b", worth_at_most=9)],
        [ReturnRule(name="a", window=Window(14, ends="day")), ReturnRule(name="b", window=Window(14))],
        [ReturnRule(name="a", when=LAW), ReturnRule(name="b", when=LAW | {"x"})],
        [ReturnRule(name="a", when={"basis:policy"}), ReturnRule(name="b")],
        [ReturnRule(name="a", when={"basis:policy", "x"}), ReturnRule(name="b", when={"x", "y"})],
        [ReturnRule(name="a"), ReturnRule(name="b", when={"basis:policy"})],
    ],
)  # fmt: skip
def test_a_rule_that_never_applies_is_refused(rules: list[ReturnRule]) -> None:
    """Earlier rules speak wherever it could, for each of its outcomes."""
    with pytest.raises(InvalidValue, match=rf"rule {rules[-1].name} never applies") as error:
        policy_of(*rules, **SHOP_AND_LAW)
    assert error.value.code == "rule_never_applies"


@pytest.mark.parametrize(
    "later",
    [
        ReturnRule(name="b", window=Window(31)),
        ReturnRule(name="b", window=Window(30, "ordered")),
        ReturnRule(name="b", window=Window(30, ends="day")),
        ReturnRule(name="b"),
        ReturnRule(name="b", window=Window(1), outcomes=["refund", "store_credit"]),
        ReturnRule(name="b", window=Window(1), when=LAW),
    ],
)
def test_a_rule_that_may_apply_is_not_refused(later: ReturnRule) -> None:
    """Its window may be longer, its outcomes others, or it is for withdrawals."""
    cheap, dear = ReturnRule(name="a", worth_at_most=10), evolve(later, worth_at_most=11)
    narrow = ReturnRule(name="a", when={"x", "basis:policy"})

    assert policy_of(FOR_ALL, later, **SHOP_AND_LAW).rules == (FOR_ALL, later)
    assert len(policy_of(cheap, dear, **SHOP_AND_LAW).rules) == 2
    assert len(policy_of(narrow, later, **SHOP_AND_LAW).rules) == 2


@pytest.mark.parametrize(
    "more", [{"fees": [Fee("handling", amount=1)]}, {"review": True}, {"outcomes": ["store_credit"]}]
)
def test_a_withdrawal_is_not_restricted(more: dict[str, Any]) -> None:
    """No fee, no review, and money must be offered."""
    with pytest.raises(InvalidValue, match="rule law is for withdrawals") as error:
        ReturnRule(name="law", when=LAW, **more)
    assert error.value.code == "withdrawal_restricted"


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: policy_of(FOR_ALL, FOR_ALL), "names that do not repeat"),
        (lambda: policy_of(ReturnRule(name="a", window=LEGAL)), "a Calendar: rule a ends with a day"),
        (lambda: policy_of(FOR_ALL, window_days=3), "left to the rules"),
        (lambda: policy_of(FOR_ALL, fees=[Fee("x", amount=1)]), "left to the rules"),
        (lambda: ReturnPolicy(calendar="UTC"), "a Calendar"),  # type: ignore[arg-type] # what is refused
        (lambda: ReturnPolicy(rules=[1]), "a list of ReturnRule"),  # type: ignore[list-item] # what is refused
        (lambda: ReturnRule(name=""), "ReturnRule.name"),
        (lambda: ReturnRule(name="\ud800"), "ReturnRule.name must be a string of 1 to 255 characters"),
        (lambda: ReturnRule(name="x" * 256), "ReturnRule.name must be a string of 1 to 255 characters"),
        (lambda: ReturnPolicy(name="\ud800"), "ReturnPolicy.name must be a string of 1 to 255 characters"),
        (lambda: Fee("\udfff", amount=1), "Fee.name must be a string of 1 to 255 characters"),
        (lambda: Charge("\ud800", "tip", 1), "Charge.id must be a string of 1 to 255 characters"),
        (lambda: HostRule("\ud800", lambda *_: None), "HostRule.name must be a string of 1 to 255"),
        (lambda: Review("\ud800"), "Review.reason must be a string of Unicode"),
        (lambda: Review(5), "Review.reason must be a string of Unicode"),  # type: ignore[arg-type] # what is refused
        (lambda: ReturnRule(name="a", when=["\ud800"]), "strings of Unicode, tags of at most 255"),
        (lambda: ReturnRule(name="a", when=["x" * 256]), "strings of Unicode, tags of at most 255"),
        (lambda: ReturnRule(name="a", when="outlet"), "strings that are not empty"),
        (lambda: ReturnRule(name="a", when=[""]), "strings that are not empty"),
        (lambda: ReturnRule(name="a", when={"fault:mine"}), "at most one fault:"),
        (lambda: ReturnRule(name="a", when={"fault:customer", "fault:carrier"}), "at most one fault:"),
        (lambda: ReturnRule(name="a", when={"basis:whim"}), "at most one basis:"),
        (lambda: ReturnRule(name="a", window=30), "ReturnRule.window must be a Window"),  # type: ignore[arg-type] # what is refused
        (lambda: ReturnRule(name="a", outcomes=[]), "at least one of"),
        (lambda: ReturnRule(name="a", outcomes=["money"]), "at least one of"),
        (lambda: ReturnRule(name="a", outcomes="refund"), "at least one of"),
        (lambda: ReturnRule(name="a", fees=[Fee("x", amount=1), Fee("x", amount=2)]), "do not repeat"),
        (lambda: ReturnRule(name="a", way_back="dog"), "one of customer, merchant"),
        (lambda: ReturnRule(name="a", goods="burnt"), "one of back, kept"),
        (lambda: ReturnRule(name="a", worth_at_most=-1), "money of at least 0"),
        (lambda: ReturnRule(name="a", review=1), "True or False"),  # type: ignore[arg-type] # what is refused
        (lambda: ReturnRule(name="a", charges_back="some"), "one of never, all_back, share"),
        (
            lambda: policy_of(
                ReturnRule(name="a", when={"x"}, fees=[Fee("flat", amount=1)]),
                ReturnRule(name="b", fees=[Fee("flat", amount=2)]),
            ),
            "fee flat the same in all rules",
        ),
        (lambda: Fee("x", percent=1, per="unit"), "return, for a percent"),
        (lambda: Fee("x", amount=1, per="day"), "one of return, line, unit"),
        (lambda: Fee("x", amount=1, tax_lines=[TaxLine(19, amount=1)]), "without an amount"),
        (lambda: Fee("x", amount=1, tax_lines=[19]), "a list of TaxLine"),  # type: ignore[list-item] # what is refused
        (lambda: ReturnReason(id="a", value="a", label="A", fault="nobody"), "one of customer, merchant"),
        (lambda: Charge("a", "tip", -1), "money of at least 0, or cash_rounding"),
        (lambda: Charge("a", "tip", 1.5), "money of at least 0"),  # type: ignore[arg-type] # what is refused
        (lambda: Charge("a", "cash_rounding", -1, vat("19")), "none, of cash_rounding"),
        (lambda: Charge("a", "tip", 5, refundable=6), "at most what was paid, 5"),
        (lambda: Charge("a", "cash_rounding", -5, refundable=1), "at most what was paid, 0"),
        (lambda: order_of(charges=[Charge("a", "tip", 1), Charge("a", "tip", 2)]), "ids that do not repeat"),
    ],
)
def test_what_contradicts_itself_is_refused_when_it_is_built(build: Any, expected: str) -> None:
    """A mistake in a policy is found before a customer meets it."""
    with pytest.raises(InvalidValue, match=expected):
        build()


def test_amounts_of_rules_are_in_the_currency_of_the_order() -> None:
    """The merchant wrote them, so that it is not the customer's mistake."""
    for rule, named in (
        (ReturnRule(name="a", fees=[Fee("flat", amount=Money(1, "eur"))]), "fee flat"),
        (ReturnRule(name="a", worth_at_most=Money(1, "eur")), "worth_at_most of rule a"),
    ):
        given = Given(policy=policy_of(rule))
        with pytest.raises(InvalidValue, match=f"{named} of policy default is in eur, the order in usd"):
            given.when(request(1))
    mixed = ReturnRule(name="b", when={"x"}, worth_at_most=Money(1, "usd"))
    assert len(policy_of(ReturnRule(name="a", worth_at_most=Money(1, "eur")), mixed).rules) == 2
