"""RequestReturn: who may send what back, and its value."""

from datetime import datetime

from attrs import frozen

from rma.domain.decide.checks import (
    check_amount,
    check_currency,
    check_flags,
    check_items,
    check_metadata,
    check_order_currency,
    check_refund,
    check_refund_value,
    check_strings,
    report_unknown,
)
from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.ahead import pay_ahead
from rma.domain.decide.refunds.charges import charges_requested
from rma.domain.decide.returns.basis import check_basis
from rma.domain.decide.returns.draft import (
    ReturnDraft,
    Wanted,
    allocate,
    open_return,
    revised_terms,
    terms_of,
)
from rma.domain.decide.returns.eligibility import Judge, Replaced
from rma.domain.decide.returns.item_checks import ItemChecks, check_reduced, worth_of
from rma.domain.decide.returns.kept import pay_for_kept
from rma.domain.decide.returns.reasons import faults_of
from rma.domain.decide.returns.review import waits_for_approval
from rma.domain.decide.returns.rule_checks import (
    check_outcome,
    check_overrule,
    check_payee,
    require_amounts_in,
    require_means,
)
from rma.domain.decide.violations import Violations
from rma.domain.events import Event
from rma.domain.messages.command_items import RequestedItem
from rma.domain.messages.commands import Request, RequestExchange, RequestReturn
from rma.domain.sale.catalogue import Fault
from rma.domain.sale.order import Order, OrderStatus
from rma.domain.sale.paying import PayOn
from rma.domain.sale.rules import Outcome
from rma.domain.sale.ruling import Ruling
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem
from rma.domain.values.errors import Violation
from rma.domain.values.money import Money
from rma.domain.values.validators import is_whole


def request_return(facts: Facts, ledger: ReturnLedger, command: RequestReturn) -> tuple[Event, ...]:
    """
    A return opened: its units reserved, its value quoted, its shipment requested.

    Where a rule leaves goods with the customer, they are paid for at once, and so is everything where the
    policy says so.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is taken; `currency_mismatch`, a fee
            of the policy is not in the order's currency.
    """
    draft = draft_request(Violations(), facts, ledger, command)
    request = open_return(facts, ledger, draft)
    if draft.is_pending:  # what the customer is to keep is paid for once it is approved
        return (request,)
    at, by = facts.at, draft.created_by
    ahead = pay_ahead(draft.order, ledger, request.opened, PayOn.REQUEST, at=at, by=by)
    return (request, *ahead.events, *pay_for_kept(facts, ledger, draft.order, ahead.target, by=by))


def draft_request(
    wrong: Violations,
    facts: Facts,
    ledger: ReturnLedger,
    command: RequestReturn,
    replaced: Replaced | None = None,
) -> ReturnDraft:
    """
    The return that a request asks for; `wrong` is what is wrong already, `replaced` what it updates.

    Raises:
        Rejected: with everything that is wrong.
        InvalidValue: `currency_mismatch`, as `request_return`.
    """
    basis, declared_at = check_basis(wrong, facts, command)
    outcome = check_outcome(wrong, command.outcome, gives_credit=facts.gives_credit)
    overrule = check_overrule(wrong, command.overrule)
    valid = validate_request(
        wrong,
        facts,
        ledger,
        command,
        outcome,
        overrule=overrule,
        declared_at=declared_at,
        replaced=replaced,
    )
    refund = check_requested_refund(wrong, command.refund_amount, valid.order, ledger)
    check_request_options(wrong, command)
    check_payee(wrong, command.payee, outcome, valid.order)
    check_strings(wrong, command, "location_id", "refund_note")
    order = wrong.require(valid.order, besides="refund_exceeds_refundable")
    items = allocate_items(command.items, valid)
    if refund is not None:
        value = sum([item.line.paid(item.allocated) for item in items])
        terms = (
            revised_terms(facts.policy, replaced.target, items)
            if replaced is not None
            else terms_of(facts.policy, items, basis)
        )
        charges_back = charges_requested(order, ledger, items, terms)
        check_refund_value(wrong, refund, command.refund_note, value, charges_back)
    wrong.require(order)
    return ReturnDraft(
        order=order,
        items=items,
        shipping_price=valid.shipping_price,
        requested_refund=refund,
        refund_note=command.refund_note if refund else None,
        location_id=command.location_id,
        no_notification=no_notification(command, order),
        created_by=command.created_by,
        command=command,
        outcome=outcome or Outcome.REFUND,
        payee=command.payee,
        overrule=overrule if any(item.is_overruled for item in items) else None,
        basis=basis,
        declared_at=declared_at,
        is_pending=waits_for_approval(facts.policy, basis, items),
        metadata=command.metadata,
    )


@frozen
class ValidRequest:
    """
    What the checks of a request found, of use once nothing is wrong.

    Attributes:
        remainders: what remains of its lines.
        shipping_price: if the request named one.
        rulings: by which rule each item is taken, in the order of the request.
        faults: whose fault it is, by reason.
    """

    order: Order | None
    remainders: dict[str, Remainder]
    shipping_price: Money | None
    rulings: tuple[Ruling | None, ...]
    faults: dict[str | None, Fault | None]


def validate_request(
    wrong: Violations,
    facts: Facts,
    ledger: ReturnLedger,
    command: RequestReturn | RequestExchange,
    outcome: Outcome | None,
    *,
    overrule: str | None = None,
    declared_at: datetime | None = None,
    replaced: Replaced | None = None,
) -> ValidRequest:
    """
    Checks the goods that a request sends back, and their way; appends everything that is wrong.

    Its lines are judged by the outcome that was requested; not at all if it is none. `declared_at` is when a
    withdrawal was declared; None for what the policy allows. `replaced` is what the request updates.
    """
    order = check_order_of(wrong, command.order_id, facts.order, ledger)
    if order:
        require_amounts_in(order.currency, facts.policy)
        require_means(facts)
    items = check_items(wrong, command.items, RequestedItem)
    remainders = ledger.remainders(order, [asked.item_id for asked in items]) if order else {}
    judge = None
    if order and outcome:
        judge = Judge(facts, order, outcome, declared_at=declared_at, replaced=replaced)
    rulings = _check_requested(wrong, items, facts, order, judge, remainders, overrule)
    shipping_price = check_shipping(wrong, facts, command.shipping_option_id, command.shipping_price)
    return ValidRequest(
        order,
        remainders,
        shipping_price,
        rulings,
        faults_of(facts, items, replaced.target.items if replaced else ()),
    )


def allocate_items(items: tuple[RequestedItem, ...], valid: ValidRequest) -> tuple[ReturnItem, ...]:
    """
    The items with the value that their units take from their lines, in request order.

    Units whose prices were reduced are items of their own, after those of the same line that were not.
    """
    taken = allocate(
        [Wanted(asked.item_id, asked.quantity, asked.claim_id) for asked in items], valid.remainders
    )
    return tuple(
        [
            ReturnItem(
                item_id=asked.item_id,
                quantity=lot.quantity,
                line=valid.remainders[asked.item_id].line,
                allocated=lot.running_sums,
                reason_id=asked.reason_id,
                note=asked.note,
                metadata=asked.metadata,
                ruling=ruling,
                images=asked.images,
                tags=asked.tags,
                reduced_by=lot.reduced_by,
                fault=valid.faults[asked.reason_id],
            )
            for asked, lots, ruling in zip(items, taken, valid.rulings, strict=True)
            for lot in lots
        ]
    )


def no_notification(command: Request, order: Order) -> bool:
    """
    Whether the customer is not to be notified: as the command says, else as the order does.

    Who bought what another person gets store credit for is not, unless the command says so.
    """
    if command.no_notification is not None:
        return command.no_notification
    is_for_another = not isinstance(command, RequestExchange) and command.payee is not None
    return order.no_notification or is_for_another


def check_order_of(
    wrong: Violations, order_id: str, order: Order | None, ledger: ReturnLedger
) -> Order | None:
    """The order that was asked for: one that a repository finds under another id is another order."""
    if order is None or order.id != order_id:
        report_unknown(wrong, "order_not_found", "order_id", order_id)
        return None
    if order.status is OrderStatus.CANCELED:
        wrong.add("order_canceled", order_id=order.id)
    check_order_currency(wrong, order, ledger)
    return order


def _check_requested(
    wrong: Violations,
    items: tuple[RequestedItem, ...],
    facts: Facts,
    order: Order | None,
    judge: Judge | None,
    remainders: dict[str, Remainder],
    overrule: str | None,
) -> tuple[Ruling | None, ...]:
    """Each item by itself, the limits for the sum of a line's quantities, and what the rules say."""
    lines = {line.id: line for line in order.items} if order else {}
    totals: dict[str, int] = {}
    for asked in items:
        if is_whole(asked.quantity, at_least=1):
            totals[asked.item_id] = totals.get(asked.item_id, 0) + asked.quantity
    checks = ItemChecks(facts, order, remainders)
    check_reduced(wrong, items, remainders)
    seen: set[str] = set()
    rulings: list[Ruling | None] = []
    for asked in items:
        item_id = asked.item_id
        line = lines.get(item_id)
        total = totals.get(item_id, 0)
        if line and judge:
            value = worth_of(remainders[item_id], total) if judge.needs_value else None
            judgment = judge.judge(line, asked, value)
            is_overruled = overrule is not None and bool(judgment.violations)
            rulings.append(judgment.overruled if is_overruled else judgment.ruling)
            _refuse(wrong, () if is_overruled else judgment.violations, is_first=item_id not in seen)
        checks.check(wrong, asked, line, total, is_first=item_id not in seen)
        seen.add(item_id)
    return tuple(rulings)


def _refuse(wrong: Violations, violations: tuple[Violation, ...], *, is_first: bool) -> None:
    """Of a line that is asked for in several entries, each violation once."""
    wrong.extend([each for each in violations if is_first or each not in wrong])


def check_shipping(
    wrong: Violations, facts: Facts, option_id: str | None, price: Money | int | None
) -> Money | None:
    """The price that was named for the shipping, if one was and it can be."""
    currency = facts.order.currency if facts.order else None
    option = facts.shipping_option
    if option_id is not None:
        if not facts.books_shipments:
            wrong.add("no_fulfillment")
        elif option is None:
            report_unknown(wrong, "shipping_option_not_found", "shipping_option_id", option_id)
        elif not option.is_return:
            wrong.add("not_a_return_option", shipping_option_id=option.id)
        if option:
            check_currency(wrong, option.price, currency, f"price of shipping option {option.id}")
    if price is None:
        return None
    if option_id is None:
        wrong.add("shipping_price_without_option")
    return check_amount(wrong, price, currency, "invalid_shipping_price", field="shipping_price")


def check_requested_refund(
    wrong: Violations, named: Money | int | None, order: Order | None, ledger: ReturnLedger
) -> Money | None:
    """The refund that a request names, if it names one and it is valid."""
    most = ledger.refundable(order).amount if order and named is not None else None
    return check_refund(wrong, named, order, most)


def check_request_options(wrong: Violations, command: Request) -> None:
    """What a request says besides its goods and its money."""
    if command.no_notification is not None:
        check_flags(wrong, no_notification=command.no_notification)
    check_metadata(wrong, command.metadata)
