"""
What a return gives back of the order's charges: shipping, duties, wrapping, cash rounding.

A charge is a pool of the order: what other returns gave back of it is gone. All amounts are minor units.
"""

from collections.abc import Iterable, Sequence

from attrs import evolve, frozen

from rma.domain.sale.charges import Charge, ChargesBack, RefundedCharge, refundable_part
from rma.domain.sale.order import Order
from rma.domain.sale.policy import Terms
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ReturnStatus, claim_rules
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.money import round_half_up


@frozen
class _Goods:
    """Units of an item that are gone from the customer, and those of them that are paid for."""

    item: ReturnItem
    gone: int
    counted: int
    charges_back: ChargesBack

    @property
    def value(self) -> int:
        """Of the units that are paid for."""
        return self.item.line.paid(self.item.value(self.counted))

    @property
    def forfeited(self) -> int:
        """The value of those that give back no charges: their share of a charge stays with the merchant."""
        gone = self.item.line.paid(self.item.value(self.gone))
        return gone if self.charges_back is ChargesBack.NEVER else gone - self.value


def charges_requested(
    order: Order,
    ledger: ReturnLedger,
    items: Sequence[ReturnItem],
    terms: Terms,
    target: Return | None = None,
) -> tuple[RefundedCharge, ...]:
    """
    What a return gives back of the charges if exactly the requested units arrive, and no others.

    A new one, unless `target` is it.
    """
    if not terms.gives_charges_back:
        return ()
    goods = [
        _Goods(item, item.quantity, item.quantity, terms.charges_back(item.rule))
        for item in items
        if item.is_requested
    ]
    return _charges_back(order, ledger, goods, target)


def charges_arrived(
    order: Order, ledger: ReturnLedger, target: Return, items: Sequence[ReturnItem]
) -> tuple[RefundedCharge, ...]:
    """What the return gives back of the charges, all in all, for these items as they have arrived."""
    if target.is_exchanged or not target.terms.gives_charges_back:
        return ()
    return _charges_back(order, ledger, _goods_gone(target, items), target)


def _charges_back(
    order: Order, ledger: ReturnLedger, goods: list[_Goods], target: Return | None
) -> tuple[RefundedCharge, ...]:
    modes = {each.charges_back for each in goods if each.counted}
    if modes <= {ChargesBack.NEVER}:
        return ()
    others = [each for each in ledger.returns if not target or each.id != target.id]
    goods_of_others = [
        each for other in others if _is_accepted(other) for each in _goods_gone(other, other.items)
    ]
    is_complete = _are_all_gone(order, ledger, [*goods_of_others, *goods])
    before = target.charges_back if target else ()
    shares = _shares(order, ledger, goods, goods_of_others) if ChargesBack.SHARE in modes else None
    found = []
    for charge in order.all_charges:
        pool = refundable_part(charge)
        given = [each for other in others for each in other.charges_back if each.id == charge.id]
        given += _claimed(ledger, charge)
        had = next((each for each in before if each.id == charge.id), None)
        left = pool.less(given)
        amount = 0
        if is_complete and ChargesBack.ALL_BACK in modes:
            amount = left.amount
        elif shares is not None:
            amount = shares.of(pool.amount, left.amount, given, had, is_complete=is_complete)
        if amount or (shares is not None and pool.amount):
            found.append(evolve(left.part(amount), share_of=shares.now if shares else 0))
    return _limited(found, sum([each.value for each in goods]))


def left_of_charge(ledger: ReturnLedger, charge: Charge) -> RefundedCharge:
    """What returns and claims left of a charge, as far as it can be given back."""
    given = [each for target in ledger.returns for each in target.charges_back if each.id == charge.id]
    return refundable_part(charge).less([*given, *_claimed(ledger, charge)])


def _claimed(ledger: ReturnLedger, charge: Charge) -> list[RefundedCharge]:
    """What claims gave back of a charge."""
    return [
        each
        for claim in ledger.claims
        for each in (claim.charges_back if claim_rules(claim.status).reserves else ())
        if each.id == charge.id
    ]


@frozen
class _Shares:
    """
    The value of the order's units, by what they do to a charge that is given back by share.

    Attributes:
        whole: of all units.
        forfeited: of those that are gone without giving back charges.
        now: of those of this return that are to have taken their share.
    """

    whole: int
    forfeited: int
    now: int

    def of(
        self,
        pool: int,
        left: int,
        given: Iterable[RefundedCharge],
        had: RefundedCharge | None,
        *,
        is_complete: bool,
    ) -> int:
        """This return's share of a charge of which so much is left by others, and this return has so much."""
        sign = -1 if pool < 0 else 1
        pool, left = sign * pool, sign * left
        amount, before = (sign * had.amount, had.share_of) if had else (0, 0)
        most = round_half_up(pool * max(0, self.whole - self.forfeited), self.whole) if self.whole else pool
        rest = max(0, most - (pool - left))
        if is_complete:
            return sign * min(left, rest)
        if self.now < before:
            return sign * min(left, _part(amount, self.now, before))
        open_value = self.whole - self.forfeited - sum([each.share_of for each in given]) - before
        more = _part(max(0, rest - amount), self.now - before, open_value)
        return sign * min(left, amount + more)


def _part(amount: int, part: int, whole: int) -> int:
    if not part:
        return 0
    return amount if part >= whole else round_half_up(amount * part, whole)


def _shares(order: Order, ledger: ReturnLedger, goods: list[_Goods], of_others: list[_Goods]) -> _Shares:
    remainders = ledger.remainders(order, [line.id for line in order.items]).values()
    pools = [(each.line, lot.running_sums) for each in remainders for lot in each.all_lots]
    pools += [(each.line, each.running_sums) for of_line in ledger.reserved().values() for each in of_line]
    claimed = [item.line.paid(item.allocated) for claim in ledger.claims for item in claim.compensated]
    return _Shares(
        whole=sum([line.paid(running_sums) for line, running_sums in pools]),
        forfeited=sum([each.forfeited for each in [*goods, *of_others]]) + sum(claimed),
        now=sum([each.value for each in goods if each.charges_back is ChargesBack.SHARE]),
    )


def _is_accepted(each: Return) -> bool:
    """True if what arrived for it was accepted: it will not go back to the customer."""
    return each.status in (ReturnStatus.RECEIVED, ReturnStatus.PARTIALLY_RECEIVED)


def _goods_gone(target: Return, items: Sequence[ReturnItem]) -> list[_Goods]:
    """What is gone of the items; what a claim's return was requested for, the claim counts."""
    refund_damaged = target.terms.refund_damaged
    return [
        _Goods(
            item,
            item.gone_quantity,
            item.refunded_quantity(refund_damaged=refund_damaged),
            ChargesBack.NEVER if target.is_exchanged else target.terms.charges_back(item.rule),
        )
        for item in items
        if item.gone_quantity and not (target.claim_id is not None and item.is_requested)
    ]


def _are_all_gone(order: Order, ledger: ReturnLedger, goods: Iterable[_Goods]) -> bool:
    """True if no unit of the order is with the customer, or still to be sent."""
    gone: dict[str, int] = {}
    for each in goods:
        gone[each.item.item_id] = gone.get(each.item.item_id, 0) + each.gone
    for claim in ledger.claims:
        for item in claim.compensated:
            gone[item.item_id] = gone.get(item.item_id, 0) + item.quantity
    return all(line.quantity - line.returned_quantity <= gone.get(line.id, 0) for line in order.items)


def _limited(found: list[RefundedCharge], value: int) -> tuple[RefundedCharge, ...]:
    """The charges, those below 0 at most as far as the goods (of this value) and the others reach."""
    left = value + sum([each.amount for each in found if each.amount > 0])
    limited = []
    for each in found:
        amount = max(each.amount, -left)
        left += min(0, amount)
        limited.append(evolve(each.part(amount), share_of=each.share_of))
    return tuple(limited)
