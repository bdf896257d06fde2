"""The merchant's rules: asked once, when a return is requested; what is about money stays with the return."""

from collections.abc import Collection
from datetime import datetime, timedelta

from attrs import evolve, field, frozen
from attrs.validators import optional

from rma.domain.sale.charges import ChargesBack
from rma.domain.sale.fees import Fee, as_fees, check_fee_names
from rma.domain.sale.grades import Grade, as_grades, check_grades, default_grades
from rma.domain.sale.means import (
    ANY_KIND,
    RefundTerms,
    Split,
    WhenClosed,
    are_kinds,
    as_kinds,
    as_split,
    as_when_closed,
)
from rma.domain.sale.order import LineItem, Order
from rma.domain.sale.paying import PayOn, as_pay_on
from rma.domain.sale.rules import Goods, ReturnRule, RuleTerms, as_rules, check_rules
from rma.domain.sale.windows import LONGEST_WINDOW, Calendar
from rma.domain.sale.withdrawal import Withdrawal, days_within_reason, instance
from rma.domain.values.validators import flag, invalid, is_whole, member_of, optional_of, short_text, tuple_of


@frozen
class Terms:
    """
    What the policy in force at the request says about money, damage and dates; copied to the return.

    Attributes:
        fees: of a policy without rules.
        rules: those that spoke for units of the return, in the order of the policy.
        return_within_days: the return expires so many times 24 hours after it was requested or approved.
        pay_within_days: its refund is due so many times 24 hours after the goods arrived.
        withdrawal: the periods by which it was withdrawn, instead of those two; None for other returns.
        inspect: whether all that arrives waits for an inspection, whatever `rules` say.
        grades: the scale of an inspection; empty for that of policies without one: `scale` has either.
        other_rules: of a policy that inspects: those that may speak once a clerk corrects a reason.
        means, split, when_closed: how its refunds are taken from the payments of the order.
        pay_on: what it is paid on; None for its goods, once they are known: on inspection where they are
            inspected, else on receipt.
    """

    name: str
    version: str
    refund_damaged: bool = True
    fees: tuple[Fee, ...] = ()
    rules: tuple[RuleTerms, ...] = ()
    return_within_days: int | None = None
    pay_within_days: int | None = None
    withdrawal: Withdrawal | None = None
    inspect: bool = False
    grades: tuple[Grade, ...] = ()
    other_rules: tuple[RuleTerms, ...] = ()
    means: tuple[str, ...] = (ANY_KIND,)
    split: Split = Split.IN_ORDER
    when_closed: WhenClosed = WhenClosed.ASK

    @property
    def refund_terms(self) -> RefundTerms:
        """How its refunds are taken from payments."""
        return RefundTerms(self.means, self.split, self.when_closed)

    pay_on: PayOn | None = None

    def rule(self, name: str | None) -> RuleTerms | None:
        """The rule of this name, if it spoke for units of the return, or may speak for some."""
        found = next((rule for rule in self.rules if rule.name == name), None)
        return found or next((rule for rule in self.other_rules if rule.name == name), None)

    @property
    def scale(self) -> tuple[Grade, ...]:
        """Every grade that a unit can have, those of which most is paid first."""
        grades = self.grades or default_grades(refund_damaged=self.refund_damaged)
        return tuple(sorted(grades, key=lambda grade: -grade.percent))

    @property
    def inspects(self) -> bool:
        """True if some of what arrives may wait for an inspection."""
        return self.inspect or any(rule.inspect for rule in self.rules)

    def is_inspected(self, name: str | None, *, is_requested: bool = True) -> bool:
        """True if units of the rule of this name wait for an inspection; unrequested ones have none."""
        if self.inspect or not is_requested:
            return self.inspects
        rule = self.rule(name)
        return rule is not None and rule.inspect

    def is_kept(self, name: str | None) -> bool:
        """True if the customer keeps the units that the rule of this name spoke for."""
        rule = self.rule(name)
        return rule is not None and rule.goods is Goods.KEPT

    @property
    def keeps_goods(self) -> bool:
        """True if the customer keeps some units."""
        return any(rule.goods is Goods.KEPT for rule in self.rules)

    def charges_back(self, name: str | None) -> ChargesBack:
        """What units that the rule of this name spoke for give back of the order's charges."""
        if rule := self.rule(name):
            return rule.charges_back
        return ChargesBack.NEVER if self.withdrawal is None else self.withdrawal.charges_back

    @property
    def gives_charges_back(self) -> bool:
        """True if some units may give back charges."""
        modes = [rule.charges_back for rule in self.rules]
        return any(mode is not ChargesBack.NEVER for mode in (*modes, self.charges_back(None)))


@frozen
class ReturnPolicy:
    """
    The merchant's rules for one order.

    Args:
        name, version: which rules these are; returns remember both.
        refund_damaged: whether units that arrive damaged are paid for.
        fees: kept of every refund, in this order.
        window_days: how long after delivery a line can be returned: so many times 24 hours from
            `LineItem.delivered_at`, else from `Order.created_at`, the last moment included; None, or
            neither date known: always.
        rules: say all that `fees` and `window_days` say, and more, by what comes back and why; the first
            that fits speaks. Without any, `fees` and `window_days` hold for every line.
        calendar: for windows that end with a day; required where one does. The periods of `withdrawal` end by
            it too, unless that has its own.
        review: True if each request waits for a person's approval, exchanges too, but not withdrawals.
        return_within_days: a return for which nothing was sent or received expires so many times 24 hours
            after it was requested, or approved; None: never.
        pay_within_days: a refund is due so many times 24 hours after its goods arrived; None: no date.
        withdrawal: the right of withdrawal, where the law gives one; rules that name `basis:withdrawal` need
            it.
        inspect: True if goods that arrive wait for an inspection: they are put into stock and paid for once
            they were graded. Rules can ask for it, too.
        grades: the scale by which they are graded; unless given, `sellable` (paid, into stock) and `damaged`
            (paid if `refund_damaged`).
        means: kinds of payments, as `Payment.kind` has them, those first that give back first; `"*"` for all
            that are not named. Payments of a kind that has no place are never asked, as if they were closed;
            `"store_credit"` is a kind of payment here, not how money goes back. Unless given, the payments
            give back in their order.
        split: whether the first payment gives back all that it has left before the next is asked, or each in
            proportion to what it has left.
        when_closed: what becomes of the part of payments that take no refund any more: a person is asked, or
            it is given as store credit or as a payout at once. A withdrawal is never given store credit by
            that: its customer has to ask for it.
        pay_on: what a return is paid on: `"request"`, `"sending"`, `"receipt"` or `"inspection"`; unless
            given, on inspection where goods are inspected, else on receipt. Exchanges and claims have their
            own moments.

    Raises:
        InvalidValue: the rules contradict each other or these fields, `rule_never_applies` among it; a
            window or a right of withdrawal has no calendar; a return is paid on an inspection that there
            is none of.
    """

    name: str = field(default="default", validator=short_text)
    version: str = field(default="1", validator=short_text)
    refund_damaged: bool = field(default=True, validator=flag)
    fees: tuple[Fee, ...] = field(default=(), converter=as_fees, validator=tuple_of(Fee))
    window_days: int | None = None
    rules: tuple[ReturnRule, ...] = field(default=(), converter=as_rules, validator=tuple_of(ReturnRule))
    calendar: Calendar | None = field(default=None, validator=optional_of(Calendar))
    review: bool = field(default=False, validator=flag)
    return_within_days: int | None = field(default=None, validator=optional(days_within_reason))
    pay_within_days: int | None = field(default=None, validator=optional(days_within_reason))
    withdrawal: Withdrawal | None = field(default=None, validator=optional(instance(Withdrawal)))
    inspect: bool = field(default=False, validator=flag)
    grades: tuple[Grade, ...] = field(default=(), converter=as_grades, validator=tuple_of(Grade))
    means: tuple[str, ...] = field(default=(ANY_KIND,), converter=as_kinds, validator=are_kinds)
    split: Split = field(default=Split.IN_ORDER, converter=as_split, validator=member_of(Split))
    when_closed: WhenClosed = field(
        default=WhenClosed.ASK, converter=as_when_closed, validator=member_of(WhenClosed)
    )
    pay_on: PayOn | None = field(default=None, converter=as_pay_on)

    def __attrs_post_init__(self) -> None:
        days = self.window_days
        if days is not None and not (is_whole(days, at_least=0) and days <= LONGEST_WINDOW):
            raise invalid(self, "window_days", days, f"an integer of days, from 0 to {LONGEST_WINDOW}")
        check_fee_names(self, self.fees)
        check_grades(self, self.grades)
        if self.rules:
            if self.fees or days is not None:
                field_name, value = ("fees", self.fees) if self.fees else ("window_days", days)
                raise invalid(self, field_name, value, "left to the rules, which have their own")
            check_rules(self, self.rules, self.calendar)
        self._check_withdrawal()
        self._check_pay_on()

    def _check_pay_on(self) -> None:
        """It is one of the four, and goods are inspected if they are paid on inspection."""
        pay_on: object = self.pay_on
        if pay_on is not None and not isinstance(pay_on, PayOn):
            raise invalid(self, "pay_on", pay_on, f"one of {', '.join(PayOn)}, or None")
        if pay_on is PayOn.INSPECTION and not self.inspects:
            raise invalid(self, "pay_on", pay_on, "another one, as no goods are inspected")

    def _check_withdrawal(self) -> None:
        """The right has a calendar, by which its days end; rules for withdrawals have a right."""
        right = self.right_of_withdrawal
        if right is not None:
            if right.calendar is None:
                raise invalid(
                    self, "calendar", None, "a Calendar: the periods of `withdrawal` end with a day"
                )
            return
        for rule in self.rules:
            if rule.is_for_withdrawals:
                raise invalid(self, "withdrawal", None, f"a Withdrawal: rule {rule.name} is for withdrawals")

    @property
    def terms(self) -> Terms:
        """What a return keeps of this policy."""
        return Terms(
            self.name,
            self.version,
            self.refund_damaged,
            self.fees,
            return_within_days=self.return_within_days,
            pay_within_days=self.pay_within_days,
            inspect=self.inspect,
            grades=self.grades,
            means=self.means,
            split=self.split,
            when_closed=self.when_closed,
            pay_on=self.pay_on,
        )

    @property
    def refund_terms(self) -> RefundTerms:
        """How refunds are taken from payments."""
        return RefundTerms(self.means, self.split, self.when_closed)

    @property
    def inspects(self) -> bool:
        """True if some of what arrives may wait for an inspection."""
        return self.inspect or any(rule.inspect for rule in self.rules)

    @property
    def right_of_withdrawal(self) -> Withdrawal | None:
        """`withdrawal`, with the calendar of the policy unless it has its own."""
        right = self.withdrawal
        if right is None or right.calendar is not None:
            return right
        return evolve(right, calendar=self.calendar)

    @property
    def withdrawal_terms(self) -> Terms:
        """What a withdrawal keeps of it: no fees, what is damaged is paid, and no credit but by request."""
        is_credited = self.when_closed is WhenClosed.STORE_CREDIT
        return Terms(
            self.name,
            self.version,
            withdrawal=self.right_of_withdrawal,
            inspect=self.inspect,
            grades=self.grades,
            means=self.means,
            split=self.split,
            when_closed=WhenClosed.ASK if is_credited else self.when_closed,
            pay_on=self.pay_on,
        )

    def terms_with(self, names: Collection[str], others: Collection[str] = ()) -> Terms:
        """The same, with the rules of these names, and `others` that may speak for a corrected reason."""
        if not names and not others:
            return self.terms
        inspects = self.inspects
        rules = tuple([rule.terms_for(inspects) for rule in self.rules if rule.name in names])
        left = [rule for rule in self.rules if rule.name in others and rule.name not in names]
        return evolve(self.terms, rules=rules, other_rules=tuple([rule.terms_for(inspects) for rule in left]))

    def returnable_until(self, order: Order, item: LineItem) -> datetime | None:
        """The last moment at which this line can be returned; None for always."""
        since = item.delivered_at or order.created_at
        if self.window_days is None or since is None:
            return None
        return since + timedelta(days=self.window_days)
