"""InspectReturn: how units that arrived are, where they go, and what is paid once all were graded."""

from attrs import frozen

from rma.domain.decide.checks import check_order, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.linked import change_linked
from rma.domain.decide.refunds.entitlement import (
    agree_to_what_stays,
    charges_now,
    check_claimed,
    entitle,
    pays_now,
    report_blocked,
)
from rma.domain.decide.returns.inspected_items import check_inspected
from rma.domain.decide.returns.judging import Judge, Judging, judge_items
from rma.domain.decide.returns.placing import requests_between
from rma.domain.decide.violations import Violations
from rma.domain.events import Event, GoodsInspected, header_for
from rma.domain.messages.commands import InspectReturn
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.order import Order
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.inspection import Inspection
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, return_refusal
from rma.domain.state.return_item import ReturnItem, changes_between, once_judged
from rma.domain.state.returns import Return


def inspect_return(facts: Facts, ledger: ReturnLedger, command: InspectReturn) -> tuple[Event, ...]:
    """
    The units graded and where they go; paid for, if everything that arrived was graded.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    order = facts.order
    target = ledger.find(command.return_id)
    _check_state(wrong, command, target)
    check_order(wrong, order, ledger, target)
    judge = Judge(target.terms, facts.reasons) if target else None
    judgings = check_inspected(wrong, facts, command, target, judge)
    check_strings(wrong, command)
    target, order, judge = wrong.require(target), wrong.require(order), wrong.require(judge)

    items = judge_items(target.items, judgings, judge)
    status = _status(target, items)
    check_claimed(wrong, target, items, status)
    _check_exchanged(wrong, ledger, target, items)
    _check_refunded(wrong, order, ledger, target, items, judgings)
    wrong.require(target)
    at, by = facts.at, command.created_by
    account = _account(facts, order, ledger, target, items, status)
    event = GoodsInspected(
        header=header_for(target, ledger, at, by=by, command=command, order=order),
        inspection=Inspection(
            number=len(target.inspections) + 1,
            at=at,
            by=by,
            items=command.items,
            status=status,
            requests=requests_between(target, items),
        ),
        items=changes_between(target.items, items),
        entitlement=account.entitlement.change_since(target.entitlement),
        charges_back=account.charges_back,
    )
    if account.entitlement is target.entitlement or not pays_now(target, status):
        return (event, *change_linked(ledger, target, items, status, at, by))
    refundable = ledger.refundable(order).amount
    return (
        event,
        *report_blocked(account.entitlement, target, ledger, refundable, at, by),
        *change_linked(ledger, target, items, status, at, by),
    )


def _check_state(wrong: Violations, command: InspectReturn, target: Return | None) -> None:
    if target is None:
        report_unknown(wrong, "return_not_found", "return_id", command.return_id)
        return
    refusal = return_refusal(target.status, command)
    if refusal is None and not (target.awaits_inspection or target.is_inspected):
        refusal = "nothing_to_inspect"
    if refusal is not None:
        wrong.add(refusal, return_id=target.id)


def _status(target: Return, items: tuple[ReturnItem, ...]) -> ReturnStatus:
    """A return of which more is expected, or that waits for a clerk's decision, goes on doing so."""
    if target.status in (ReturnStatus.IN_INSPECTION, ReturnStatus.RECEIVED):
        return once_judged(ReturnStatus.RECEIVED, items)
    return target.status


def _check_exchanged(
    wrong: Violations, ledger: ReturnLedger, target: Return, items: tuple[ReturnItem, ...]
) -> None:
    """The value of the goods of an exchange was fixed with it, once they were here and it is over."""
    if not target.is_exchanged or target.status is not ReturnStatus.RECEIVED:
        return
    exchange = ledger.find_exchange(target.exchange_id)
    if exchange is not None and exchange.is_open:
        return
    before, after = _value(target, target.items), _value(target, items)
    if before != after:
        exchange_id = target.exchange_id
        wrong.add("value_fixed_by_exchange", exchange_id=exchange_id, value=after, fixed=before)


def _value(target: Return, items: tuple[ReturnItem, ...]) -> int:
    arrived = target.value_arrived(items, target.entitlement.agreed_refund)
    return arrived.total - arrived.owed


def _check_refunded(
    wrong: Violations,
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    judgings: dict[str, list[Judging]],
) -> None:
    """A unit that was refunded does not go back to the customer: it could be returned and paid for again."""
    if not any(_were_refunded(target, item_id, of_line) for item_id, of_line in judgings.items()):
        return
    charges_back = charges_now(order, ledger, target, items, ReturnStatus.RECEIVED, None)
    accepted = target.value_arrived(items, None, charges_back).total
    refunded = target.refunded.amount
    if accepted < refunded:
        wrong.add("rejected_already_refunded", return_id=target.id, entitled=refunded, accepted=accepted)


def _were_refunded(target: Return, item_id: str, of_line: list[Judging]) -> bool:
    """True if some units that go back may have been paid for: they were graded before, or lost and found."""
    back = [each for each in of_line if each.units.is_returned]
    found = any(item.found_quantity for item in target.items if item.item_id == item_id)
    return any(each.previous is not None or found for each in back)


@frozen
class _Account:
    """The return's account, and what it gives back of charges."""

    entitlement: Entitlement
    charges_back: tuple[RefundedCharge, ...]


def _account(
    facts: Facts,
    order: Order,
    ledger: ReturnLedger,
    target: Return,
    items: tuple[ReturnItem, ...],
    status: ReturnStatus,
) -> _Account:
    """Afterwards, with refunds for what is due now; as it was, if a closed return is worth the same."""
    before, target = target, agree_to_what_stays(order, ledger, target, items)
    charges_back = charges_now(order, ledger, target, items, status, None)
    if target.status is ReturnStatus.RECEIVED:
        value = target.value_arrived(items, target.entitlement.agreed_refund, charges_back).total
        if (
            value
            == before.value_arrived(before.items, before.entitlement.agreed_refund, before.charges_back).total
        ):
            return _Account(target.entitlement, target.charges_back)
    account = entitle(
        order,
        ledger,
        target,
        items,
        status=status,
        agreed=None,
        refund_note=None,
        refundable=ledger.refundable(order).amount,
        at=facts.at,
        charges_back=charges_back,
    )
    return _Account(account, charges_back)
