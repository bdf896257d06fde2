"""A merchant's rules of return: which units come back how, until when, for what, and at whose cost."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import combinations
from typing import Any, cast

from attrs import Attribute, evolve, field, frozen
from attrs.validators import optional

from rma.domain.sale.bonus import Bonus
from rma.domain.sale.catalogue import Fault
from rma.domain.sale.charges import ChargesBack, as_charges_back
from rma.domain.sale.fees import Fee, FeePer, as_fees, check_fee_names
from rma.domain.sale.tags import as_set
from rma.domain.sale.windows import Calendar, Window, WindowEnd
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.values.errors import InvalidValue
from rma.domain.values.json_data import is_unicode
from rma.domain.values.money import Money
from rma.domain.values.tax import not_negative, optional_money
from rma.domain.values.validators import (
    MAX_SHORT_TEXT,
    as_member,
    as_tuple,
    flag,
    invalid,
    member_of,
    optional_of,
    short_text,
    tuple_of,
)


class Outcome(StrEnum):
    """What a customer gets for what comes back: money, new goods, or credit at the shop."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    STORE_CREDIT = "store_credit"


class WayBack(StrEnum):
    """Who pays for the way back."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"


class Goods(StrEnum):
    """Where the goods go: `back` to the merchant, or they are `kept` by the customer, who is paid at once."""

    BACK = "back"
    KEPT = "kept"


#: The fact of a withdrawal. Only rules that name it speak for one.
OF_WITHDRAWAL = f"basis:{ReturnBasis.WITHDRAWAL}"
#: The fact of every other return.
OF_POLICY = f"basis:{ReturnBasis.POLICY}"


def _outcomes(values: Iterable[Outcome | str]) -> frozenset[Outcome]:
    given: object = as_set(values)
    if not isinstance(given, frozenset):
        return cast("frozenset[Outcome]", given)
    return frozenset([as_member(Outcome, each) for each in given])


def _are_outcomes(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, frozenset) or not value or not all(isinstance(each, Outcome) for each in value):
        expected = f"at least one of {', '.join(Outcome)}"
        raise invalid(instance, attribute.name, value, expected)


def _facts(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if not isinstance(value, frozenset) or not all(isinstance(each, str) and each for each in value):
        raise invalid(instance, attribute.name, value, "strings that are not empty")
    if not all(
        is_unicode(each) and (len(each) <= MAX_SHORT_TEXT or each.startswith("reason:")) for each in value
    ):
        expected = f"strings of Unicode, tags of at most {MAX_SHORT_TEXT} characters"
        raise invalid(instance, attribute.name, value, expected)
    for prefix, kind in (("fault:", Fault), ("basis:", ReturnBasis)):
        named = [each.removeprefix(prefix) for each in value if each.startswith(prefix)]
        if len(named) > 1 or any(each not in list(kind) for each in named):
            raise invalid(instance, attribute.name, value, f"at most one {prefix}, of {', '.join(kind)}")


def _way_back(value: WayBack | str) -> WayBack:
    return as_member(WayBack, value)


def _goods(value: Goods | str) -> Goods:
    return as_member(Goods, value)


@frozen
class RuleTerms:
    """
    What a return keeps of a rule that spoke for some of its units, or may speak.

    Attributes:
        when: the facts that it names, of a policy that inspects: a clerk may correct a reason.
    """

    name: str
    fees: tuple[Fee, ...] = ()
    way_back: WayBack = WayBack.CUSTOMER
    goods: Goods = Goods.BACK
    charges_back: ChargesBack = ChargesBack.NEVER
    review: bool = False
    inspect: bool = False
    when: frozenset[str] = frozenset()
    bonus: Bonus | None = None


@frozen(kw_only=True)
class ReturnRule:
    """
    One rule of return. The first that fits speaks for a unit: its facts are all there, the outcome is one
    that it offers, its window is open, and the units are worth at most what it says.

    Args:
        name: which one it is; returns remember it.
        when: the facts that must all be there: tags of the order, the line and the requested unit,
            `reason:<value>` of the reason and of its categories, `fault:customer`, `fault:merchant` or
            `fault:carrier`, `basis:policy` or `basis:withdrawal`. None of them: always, but for withdrawals,
            for which only rules speak that name `basis:withdrawal`.
        window: how long; None for always.
        outcomes: what the customer may choose.
        fees: kept of the refund, in this order.
        way_back: who pays for it. If one line of a return is the merchant's, the whole parcel is.
        goods: `kept`: the customer keeps them, and is paid at once.
        worth_at_most: the rule speaks for units of a line that are together worth at most this.
        review: True if a person approves each return before it goes on.
        charges_back: which of the order's charges the refund gives back.
        inspect: True if its units wait for an inspection when they arrive.
        bonus: what a customer gets on top who chooses store credit or an exchange.

    Raises:
        InvalidValue: `withdrawal_restricted`, the rule is for withdrawals, and keeps a fee, asks for a review
            or does not offer a refund.
    """

    name: str = field(validator=short_text)
    when: frozenset[str] = field(default=frozenset(), converter=as_set, validator=_facts)
    window: Window | None = field(default=None, validator=optional_of(Window))
    outcomes: frozenset[Outcome] = field(
        default=frozenset({Outcome.REFUND, Outcome.EXCHANGE}), converter=_outcomes, validator=_are_outcomes
    )
    fees: tuple[Fee, ...] = field(default=(), converter=as_fees, validator=tuple_of(Fee))
    way_back: WayBack = field(default=WayBack.CUSTOMER, converter=_way_back, validator=member_of(WayBack))
    goods: Goods = field(default=Goods.BACK, converter=_goods, validator=member_of(Goods))
    worth_at_most: Money | None = field(
        default=None, converter=optional_money, validator=optional(not_negative)
    )
    review: bool = field(default=False, validator=flag)
    charges_back: ChargesBack = field(
        default=ChargesBack.NEVER, converter=as_charges_back, validator=member_of(ChargesBack)
    )
    inspect: bool = field(default=False, validator=flag)
    bonus: Bonus | None = field(default=None, validator=optional_of(Bonus))

    def __attrs_post_init__(self) -> None:
        check_fee_names(self, self.fees)
        if self.bonus is not None and self.outcomes <= {Outcome.REFUND}:
            raise invalid(self, "bonus", self.bonus, "None, as the rule offers only money")
        if self.inspect and self.goods is Goods.KEPT:
            raise invalid(self, "inspect", self.inspect, "False, as the customer keeps the goods")
        if self.is_for_withdrawals and (self.fees or self.review or Outcome.REFUND not in self.outcomes):
            raise InvalidValue("withdrawal_restricted", {"rule": self.name})

    @property
    def is_for_withdrawals(self) -> bool:
        """True if it speaks for withdrawals, and for nothing else."""
        return OF_WITHDRAWAL in self.when

    @property
    def terms(self) -> RuleTerms:
        """What a return keeps of it."""
        return RuleTerms(
            self.name,
            self.fees,
            self.way_back,
            self.goods,
            self.charges_back,
            review=self.review,
            inspect=self.inspect,
            bonus=self.bonus,
        )

    def terms_for(self, inspects: bool) -> RuleTerms:  # noqa: FBT001 # of the policy, passed on
        """The same, with the facts that it names if the policy `inspects`."""
        return evolve(self.terms, when=self.when) if inspects else self.terms

    def covers(self, other: "ReturnRule", outcome: Outcome) -> bool:
        """True if it speaks for all that the other one could speak for with this outcome."""
        if outcome not in self.outcomes or not self.when - {OF_POLICY} <= other.when:
            return False
        if self.is_for_withdrawals != other.is_for_withdrawals:
            return False
        if self.window is not None and not self.window.covers(other.window):
            return False
        most = self.worth_at_most
        if most is None:
            return True
        of_other = other.worth_at_most
        return of_other is not None and of_other.currency == most.currency and of_other.amount <= most.amount


def as_rules(values: Iterable[ReturnRule]) -> tuple[ReturnRule, ...]:
    """A converter from any iterable of rules to a tuple."""
    return as_tuple(values)


def check_rules(instance: object, rules: tuple[ReturnRule, ...], calendar: Calendar | None) -> None:
    """
    Rules that do not contradict each other, and each of which can speak.

    Raises:
        InvalidValue: names that repeat; a window that ends with a day, without a calendar; one amount to keep
            of each return under two amounts; `rule_never_applies`, earlier rules speak wherever this one
            could.
    """
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        raise invalid(instance, "rules", names, "rules of names that do not repeat")
    for number, rule in enumerate(rules):
        if rule.window is not None and rule.window.ends is WindowEnd.DAY and calendar is None:
            raise invalid(instance, "calendar", calendar, f"a Calendar: rule {rule.name} ends with a day")
        earlier = [
            next((each.name for each in rules[:number] if each.covers(rule, outcome)), None)
            for outcome in sorted(rule.outcomes)
        ]
        if all(earlier):
            details = {"rule": rule.name, "earlier": list(dict.fromkeys(earlier))}
            raise InvalidValue("rule_never_applies", cast("dict[str, object]", details))
    _check_fees(instance, rules)


def _check_fees(instance: object, rules: tuple[ReturnRule, ...]) -> None:
    """An amount that is kept once of each return is the same in all rules."""
    fees = [fee for rule in rules for fee in rule.fees]
    for one, other in combinations(fees, 2):
        is_once = any(fee.per is FeePer.RETURN and fee.amount is not None for fee in (one, other))
        if is_once and one.name == other.name and one != other:
            expected = f"fee {one.name} the same in all rules: it is kept once of each return"
            raise invalid(instance, "rules", one.name, expected)
