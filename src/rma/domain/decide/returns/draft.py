"""A return before it is opened: what requests, exchanges and claims have in common when they open one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from rma.domain.decide.facts import Facts
from rma.domain.decide.refunds.charges import charges_requested
from rma.domain.decide.refunds.split import rounding_of
from rma.domain.decide.returns.shipments import any_travels, book_shipment
from rma.domain.events import ReturnRequested, header_for
from rma.domain.messages.commands import OpeningCommand
from rma.domain.sale.catalogue import ShippingMethod, ShippingOption
from rma.domain.sale.charges import RefundedCharge
from rma.domain.sale.order import Order, in_currency
from rma.domain.sale.policy import ReturnPolicy, Terms
from rma.domain.sale.pricing import AmountPart
from rma.domain.sale.rules import Outcome
from rma.domain.sale.withdrawal import ReturnBasis
from rma.domain.state.deadlines import return_by
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.state.lots import Lot
from rma.domain.state.remainder import Remainder
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.state.valuation import value_requested
from rma.domain.values.errors import InvalidValue
from rma.domain.values.frozenmap import FrozenMap
from rma.domain.values.money import Money, zero


@frozen(kw_only=True)
class ReturnDraft:
    """
    Everything that a new return is made of.

    Attributes:
        items: with the value that their units took from their lines.
        shipping_price: instead of the shipping option's.
        requested_refund, refund_note: instead of the computed refund, and why it is above that.
        exchange_id, claim_id: what the return belongs to, if it does not stand alone.
        charges: what an exchange sets against the goods.
        command: if this return is what the command asked for; None if an exchange or claim opens it.
        overrule: why a person took items that no rule takes.
        basis, declared_at: by which right it comes back, and when a withdrawal was declared.
        is_pending: it waits for a person's approval.
        outcome, payee: what the customer chose, and who is to have store credit.
        is_advance: the new goods of its exchange are sent first.
    """

    order: Order
    items: tuple[ReturnItem, ...]
    shipping_price: Money | None = None
    requested_refund: Money | None = None
    refund_note: str | None = None
    location_id: str | None = None
    no_notification: bool = False
    created_by: str | None = None
    exchange_id: str | None = None
    claim_id: str | None = None
    charges: tuple[AmountPart, ...] = ()
    command: OpeningCommand | None = None
    overrule: str | None = None
    basis: ReturnBasis = ReturnBasis.POLICY
    declared_at: datetime | None = None
    is_pending: bool = False
    is_advance: bool = False
    metadata: FrozenMap[str, object] = field(factory=FrozenMap)
    outcome: Outcome = Outcome.REFUND
    payee: str | None = None


def open_return(facts: Facts, ledger: ReturnLedger, draft: ReturnDraft) -> ReturnRequested:
    """
    The event that the return was opened: its units reserved, its value quoted, and its shipment requested
    unless it waits for approval.

    Raises:
        InvalidValue: `id_not_fresh`, the host's `ids` gave an id that is taken.
    """
    return_id = facts.new_id("ret")
    if ledger.find(return_id):
        raise InvalidValue("id_not_fresh", {"return_id": return_id})
    order = draft.order
    terms = terms_of(facts.policy, draft.items, draft.basis)
    option = facts.shipping_option if any_travels(draft.items, terms) else None
    method = None
    if option:
        method = method_for(option, draft.shipping_price, order.currency, facts.new_id("sm"))
    can_expire = draft.claim_id is None and not draft.is_pending
    quote = Quote(zero(order.currency))
    if draft.claim_id is None:
        quote = quote_return(
            order,
            ledger,
            draft.items,
            terms,
            shipping=method.total.amount if method else 0,
            requested_refund=draft.requested_refund,
            charges=draft.charges,
        )
    opened = Return(
        id=return_id,
        order_id=order.id,
        display_id=len(ledger.returns) + 1,
        order_version=order.version + ledger.changes + 1,
        status=ReturnStatus.PENDING_APPROVAL if draft.is_pending else ReturnStatus.REQUESTED,
        items=draft.items,
        quoted_refund=quote.refund,
        entitlement=Entitlement(
            zero(order.currency), requested_refund=draft.requested_refund, refund_note=draft.refund_note
        ),
        terms=terms,
        requested_at=facts.at,
        updated_at=facts.at,
        shipping_method=method,
        location_id=first_given(draft.location_id, option.location_id if option else None),
        no_notification=draft.no_notification,
        created_by=draft.created_by,
        idempotency_key=draft.command.idempotency_key if draft.command else None,
        exchange_id=draft.exchange_id,
        claim_id=draft.claim_id,
        charges=draft.charges,
        metadata=draft.metadata,
        quoted_charges=quote.charges_back,
        overrule=draft.overrule,
        provider_id=option.provider_id if option else None,
        is_unbooked=draft.is_pending and method is not None,
        needs_approval=draft.is_pending,
        basis=draft.basis,
        declared_at=draft.declared_at,
        return_by=return_by(terms, facts.at, draft.declared_at) if can_expire else None,
        outcome=draft.outcome,
        payee=draft.payee,
        customer_id=order.customer_id,
        is_advance=draft.is_advance,
        awaits_new_goods=draft.is_advance,
    )
    return ReturnRequested(
        header=header_for(opened, ledger, facts.at, by=draft.created_by, command=draft.command, order=order),
        opened=opened,
        shipment_request=book_shipment(opened),
    )


def terms_of(policy: ReturnPolicy, items: Iterable[ReturnItem], basis: ReturnBasis) -> Terms:
    """What a return of these items keeps of the policy: of its rules, those that spoke for one of them."""
    items = tuple(items)
    others = {name for item in items if item.ruling for name in item.ruling.other_rules}
    terms = policy.terms_with({item.rule for item in items if item.rule is not None}, others)
    if basis is ReturnBasis.WITHDRAWAL:
        return evolve(policy.withdrawal_terms, rules=terms.rules, other_rules=terms.other_rules)
    return terms


def revised_terms(policy: ReturnPolicy, target: Return, items: tuple[ReturnItem, ...]) -> Terms:
    """A return's own terms, with these items; of rules that it does not have yet, the policy's."""
    own = {rule.name: rule for rule in target.terms.rules}
    names = {item.rule for item in items if item.rule is not None}
    of_policy = terms_of(policy, items, target.basis)
    rules = [own.pop(rule.name, rule) for rule in of_policy.rules]
    others = {name for item in items if item.ruling for name in item.ruling.other_rules}
    kept = (*rules, *[rule for rule in own.values() if rule.name in names])
    known = {rule.name: rule for rule in (*of_policy.other_rules, *target.terms.other_rules, *own.values())}
    has = {rule.name for rule in kept}
    return evolve(
        target.terms,
        rules=kept,
        other_rules=tuple([rule for name, rule in known.items() if name in others and name not in has]),
    )


@frozen
class Quote:
    """The refund if exactly the requested units arrive, and what it gives back of the order's charges."""

    refund: Money
    charges_back: tuple[RefundedCharge, ...] = ()


def quote_return(
    order: Order,
    ledger: ReturnLedger,
    items: tuple[ReturnItem, ...],
    terms: Terms,
    *,
    shipping: int,
    requested_refund: Money | None,
    charges: tuple[AmountPart, ...] = (),
) -> Quote:
    """
    What a return of these items is quoted.

    `shipping` is what the way back costs the customer, minor units; `requested_refund` the amount named
    instead; `charges` what an exchange sets against the goods. A computed refund is quoted without what the
    host's rounding makes unpayable now.
    """
    charges_back = () if charges else charges_requested(order, ledger, items, terms)
    value = value_requested(
        items,
        shipping=shipping,
        terms=terms,
        requested_refund=requested_refund,
        charges=charges,
        charges_back=charges_back,
    )
    total = value.total
    if requested_refund is None and not charges:
        total -= rounding_of(total, order, ledger)
    return Quote(Money(total, order.currency), value.charges_back)


@frozen
class Wanted:
    """
    Units that a request or claim takes of a line.

    Attributes:
        claim_id: the price reduction whose units they are, if it was named.
        is_sent: False for units that were never sent.
    """

    item_id: str
    quantity: int
    claim_id: str | None = None
    is_sent: bool = True


def allocate(units: Sequence[Wanted], remainders: Mapping[str, Remainder]) -> tuple[tuple[Lot, ...], ...]:
    """
    For each of these, in their order: the units that it takes of what its line has left, with their value.

    They are of one lot, unless the prices of some were reduced. A line may repeat: it then has the less left;
    those that name a price reduction take theirs first.
    """
    if len(remainders) == len(units):  # no line repeats
        return tuple(
            [
                remainders[each.item_id].take(each.quantity, claim_id=each.claim_id, is_sent=each.is_sent)
                for each in units
            ]
        )
    left = dict(remainders)
    found: list[tuple[Lot, ...]] = [()] * len(units)
    for index in sorted(range(len(units)), key=lambda index: units[index].claim_id is None):
        each = units[index]
        remainder = left[each.item_id]
        found[index] = remainder.take(each.quantity, claim_id=each.claim_id, is_sent=each.is_sent)
        left[each.item_id] = remainder.less(found[index], is_sent=each.is_sent)
    return tuple(found)


def method_for(option: ShippingOption, price: Money | None, currency: str, method_id: str) -> ShippingMethod:
    """How goods travel by this option, at a price of its own if one is given."""
    taxes = option.tax_lines
    if price is not None:  # the tax amount of the option's price does not apply to another price
        taxes = tuple([evolve(tax, amount=None) for tax in taxes])
    method = ShippingMethod(
        id=method_id,
        option_id=option.id,
        name=option.name,
        price=option.price if price is None else price,
        tax_lines=taxes,
        is_tax_inclusive=option.is_tax_inclusive,
    )
    return in_currency(method, currency)


def first_given(*values: str | None) -> str | None:
    """The first of them that is not None."""
    return next((value for value in values if value is not None), None)
