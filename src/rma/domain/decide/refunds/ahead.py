"""Returns that are paid before their goods arrive, because their terms say so."""

from datetime import datetime

from attrs import evolve, frozen

from rma.domain.decide.refunds.entitlement import pay_what_is_due, report_blocked
from rma.domain.events import Event, PaidAhead, header_for
from rma.domain.sale.order import Order
from rma.domain.sale.paying import PayOn
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Return


@frozen
class Ahead:
    """A return once it was paid ahead, or as it was, and the events that say so."""

    target: Return
    events: tuple[Event, ...] = ()


def is_paid_on(target: Return, ledger: ReturnLedger, moment: PayOn) -> bool:
    """
    True if the return is to be paid at this moment, and was not paid ahead before.

    Exchanges and claims pay by themselves, goods that the customer keeps are paid for at once, and without an
    amount there is nothing to pay. Once another return of the order was paid ahead and its goods never
    arrived, this one is paid for its goods.
    """
    if any(each.lacks_goods_paid_for for each in ledger.returns):
        return False
    is_alone = target.exchange_id is None and target.claim_id is None
    is_due = target.terms.pay_on is moment and target.paid_ahead is None
    is_expected = any(not target.terms.is_kept(item.rule) for item in target.items)
    return is_alone and is_due and is_expected and target.refund_amount.amount > 0


def pay_ahead(
    order: Order, ledger: ReturnLedger, target: Return, moment: PayOn, *, at: datetime, by: str | None
) -> Ahead:
    """The return entitled to its quote, and paid, if it is to be paid at this moment."""
    if not is_paid_on(target, ledger, moment):
        return Ahead(target)
    refundable = ledger.refundable(order).amount
    before = target.entitlement
    quote = max(target.refund_amount.amount, before.entitled.amount)
    account = pay_what_is_due(
        order,
        ledger,
        target,
        quote,
        agreed=before.agreed_refund,
        refund_note=before.refund_note,
        refundable=refundable,
        at=at,
        is_promised=True,
    )
    paid = PaidAhead(
        header=header_for(target, ledger, at, by=by, order=order),
        entitlement=account.change_since(before),
        charges_back=target.quoted_charges,
    )
    after = evolve(
        target, entitlement=account, charges_back=target.quoted_charges, paid_ahead=account.entitled
    )
    return Ahead(after, (paid, *report_blocked(account, target, ledger, refundable, at, by)))
