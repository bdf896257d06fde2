"""Checks of what a request says about rules, and of what a policy says about its order."""

from rma.domain.decide.checks import check_text
from rma.domain.decide.facts import Facts
from rma.domain.decide.violations import Violations, error_value
from rma.domain.sale.means import WhenClosed
from rma.domain.sale.order import Order
from rma.domain.sale.policy import ReturnPolicy
from rma.domain.sale.rules import Outcome
from rma.domain.sale.tags import EXPECTED as EXPECTED_TAGS
from rma.domain.sale.tags import is_tag
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import NO_CURRENCY


def check_tags(wrong: Violations, item_id: str, tags: object) -> None:
    """The tags of requested units are tags."""
    if tags != () and (not isinstance(tags, tuple) or not all(map(is_tag, tags))):
        wrong.add("invalid_tags", item_id, expected=EXPECTED_TAGS, value=error_value(tags))


#: Which request is for new goods.
EXCHANGE_HINT = "request an exchange for new goods"
REPLACE_HINT = "a claim of type replace sends new goods"


def check_outcome(
    wrong: Violations, outcome: object, *, gives_credit: bool, hint: str = EXCHANGE_HINT
) -> Outcome | None:
    """
    The outcome that a request names, by which its lines are judged; None if it is none.

    It is wrong unless a return or claim can have it here: store credit needs a port, and new goods are
    requested otherwise, as the hint says.
    """
    if outcome == Outcome.STORE_CREDIT:
        if not gives_credit:
            wrong.add("store_credit_unsupported")
    elif outcome != Outcome.REFUND:
        hints = {"hint": hint} if outcome == Outcome.EXCHANGE else {}
        expected = f"{Outcome.REFUND} or {Outcome.STORE_CREDIT}"
        wrong.add("invalid_return_outcome", outcome=error_value(outcome), expected=expected, **hints)
    return next((each for each in Outcome if outcome == each), None)


def check_payee(wrong: Violations, payee: object, outcome: Outcome | None, order: Order | None) -> None:
    """Someone gets store credit: the customer, or another who is named; who gets money is not named."""
    check_text(wrong, "payee", payee)
    if outcome is not Outcome.STORE_CREDIT:
        if payee is not None:
            wrong.add("payee_without_credit")
    elif payee == "" or (payee is None and order is not None and order.customer_id is None):
        wrong.add("credit_without_customer", order_id=order.id if order else "", hint="name a payee")


def require_means(facts: Facts) -> None:
    """
    The host has the port by which its policy gives what closed payments cannot.

    Raises:
        InvalidValue: it has none: the merchant wrote the policy, so that it is not the customer's mistake.
    """
    means = facts.policy.when_closed
    has_port = {
        WhenClosed.ASK: True,
        WhenClosed.STORE_CREDIT: facts.gives_credit,
        WhenClosed.PAYOUT: facts.pays_out,
    }[means]
    if not has_port:
        field, expected = f"when_closed of policy {facts.policy.name}", "ask, without a port for it"
        raise InvalidValue("invalid_value", {"field": field, "value": means.value, "expected": expected})


def check_overrule(wrong: Violations, reason: object) -> str | None:
    """The reason, if a person overrules and says why."""
    if reason is None:
        return None
    if isinstance(reason, str) and not reason.strip():
        wrong.add("overrule_without_reason")
        return None
    check_text(wrong, "overrule", reason)
    return reason if isinstance(reason, str) else None


def require_amounts_in(currency: str, policy: ReturnPolicy) -> None:
    """
    The amounts of the policy are in the order's currency, or in none yet.

    Raises:
        InvalidValue: `currency_mismatch`: the merchant wrote the policy, so that it is not the customer's
            mistake.
    """
    amounts = [("fee", fee.name, fee.amount) for fee in policy.fees]
    for rule in policy.rules:
        if rule.fees:
            amounts += [("fee", fee.name, fee.amount) for fee in rule.fees]
        if rule.bonus is not None:
            amounts.append(("bonus", rule.bonus.name, rule.bonus.amount))
        if rule.worth_at_most is not None:
            amounts.append(("worth_at_most of rule", rule.name, rule.worth_at_most))
    for kind, name, amount in amounts:
        if amount and amount.currency not in (currency, NO_CURRENCY):
            details = {
                "field": f"{kind} {name} of policy {policy.name}",
                "currency": amount.currency,
                "order_currency": currency,
            }
            raise InvalidValue("currency_mismatch", details)
