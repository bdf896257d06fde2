"""How an amount is taken from the payments of an order, and by which means it goes back: before it does."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from attrs import evolve, frozen

from rma.domain.sale.means import Means, RefundTerms, Split
from rma.domain.state.refunds import PaymentShare
from rma.domain.values.money import Money, allocate, round_half_up


@frozen
class Source:
    """
    A payment, as far as it can give back.

    Attributes:
        left: minor units; less what was given instead of it.
        given: what this library gave back of it, or may have, by its gateway: minor units.
        most: what its gateway could give back in all; `left` with what was given, unless said otherwise.
        open_key: of its latest refund that is open, if it has a step.
        kind, provider_id, refundable_until, step: as the order has them. What a customer paid for an exchange
            has the first two, where the host named them.
    """

    payment_id: str
    left: int
    given: int = 0
    kind: str | None = None
    provider_id: str | None = None
    refundable_until: datetime | None = None
    step: int = 1
    most: int | None = None
    open_key: str | None = None

    def is_expired(self, at: datetime) -> bool:
        """True if it takes no refund any more."""
        return self.refundable_until is not None and at > self.refundable_until

    def stepped(self, amount: int) -> int:
        """
        What of an amount, at most what is left, its gateway moves: the nearest, a half goes up.

        All refunds together are a multiple, unless they are all that it could give back.
        """
        if self.given + amount == (self.given + self.left if self.most is None else self.most):
            return amount
        whole = self.step * round_half_up(self.given + amount, self.step)
        if whole > self.given + self.left:
            whole = (self.given + self.left) // self.step * self.step
        return max(0, whole - self.given)


@frozen
class PlannedRefund:
    """
    One amount by one means, as it would go back.

    Attributes:
        payment_id: which gives it back; None for store credit and payouts.
        bonus: what is given besides as store credit.
        against: of which payments store credit or a payout counts as given back.
        is_extra: store credit that counts against no payment.
        carried, after_key: as in `Refund`.
    """

    means: Means
    payment_id: str | None
    amount: Money
    bonus: Money | None = None
    kind: str | None = None
    provider_id: str | None = None
    against: tuple[PaymentShare, ...] = ()
    is_extra: bool = False
    carried: int = 0
    after_key: str | None = None


@frozen
class Plan:
    """
    How an amount goes back.

    Attributes:
        refunds: in the order in which they are made.
        carried: what the steps of gateways leave to the next refund of the order, minor units; below 0 if it
            was paid ahead.
        closed: what only payments could give back that take no refund any more, or not so little, minor
            units: a person must decide, and nothing is paid.
    """

    refunds: tuple[PlannedRefund, ...] = ()
    carried: int = 0
    closed: int = 0


def plan_refund(
    amount: int,
    sources: Iterable[Source],
    terms: RefundTerms,
    currency: str,
    at: datetime,
    *,
    carried: int = 0,
    instead: Means | None = None,
    first: Collection[str] = (),
    left_of_others: int = 0,
) -> Plan:
    """
    The plan for an amount of at most what the sources have left, minor units.

    `carried` is what steps left before. `instead` is the means of what closed payments cannot give back; None
    if a person decides about it. Payments whose ids are `first` give all that they have before the others,
    whatever the terms say. What no step of a gateway can move is carried while the payments, and the others
    of the order, have more left than that; else it is given `instead`, or due.
    """
    sources = tuple(sources)
    named = [each for each in sources if each.left and each.payment_id in first]
    others = _in_order([each for each in sources if each not in named], terms)
    ranked: list[tuple[Source, int | None]] = [*[(each, 0) for each in named], *others]
    open_sources = [each for each, rank in ranked if rank is not None and not each.is_expired(at)]
    closed_sources = [each for each, _ in ranked if each not in open_sources]
    exact = max(0, amount + carried)
    given = min(exact, sum([each.left for each in open_sources]))
    closed = min(exact - given, sum([each.left for each in closed_sources]))
    if instead is None:
        if waiting := min(closed, max(0, amount - given)):
            return Plan(closed=waiting)
        closed = 0
    refunds = [
        PlannedRefund(
            Means.PAYMENT,
            source.payment_id,
            Money(part, currency),
            kind=source.kind,
            provider_id=source.provider_id,
            carried=share - part,
            after_key=source.open_key,
        )
        for source, share, part in _parts(given, open_sources, Split.IN_ORDER if named else terms.split)
    ]
    if closed and instead is not None:
        refunds.append(plan_other(closed, closed_sources, instead, currency))
    planned = sum([each.amount.amount for each in refunds])
    left = left_of_others + sum([each.left for each in sources]) - planned
    stuck = min(left, amount) if amount + carried - planned >= left else 0
    if stuck and instead is not None:
        stuck = min(left, exact - planned)
        refunds.append(plan_other(stuck, _without(refunds, open_sources), instead, currency))
        planned, stuck = planned + stuck, 0
    elif stuck and not refunds:
        return Plan(closed=stuck)
    return _carrying(refunds, amount - stuck - planned)


def plan_other(
    amount: int, sources: Iterable[Source], means: Means, currency: str, *, bonus: int = 0
) -> PlannedRefund:
    """The amount as store credit or as a payout, instead of these sources in their order."""
    against, rest = list[PaymentShare](), amount
    for source in sources:
        if part := min(rest, source.left):
            against.append(PaymentShare(source.payment_id, Money(part, currency)))
        rest -= part
    return PlannedRefund(
        means,
        None,
        Money(amount, currency),
        bonus=Money(bonus, currency) if bonus else None,
        against=tuple(against),
    )


def plan_all_other(
    amount: int, sources: Sequence[Source], means: Means, currency: str, *, carried: int, bonus: int = 0
) -> Plan:
    """The plan for all of an amount as store credit or as a payout, with what steps left before."""
    more = min(carried, max(0, sum([each.left for each in sources]) - amount))
    given = max(0, amount + more)
    refunds = [plan_other(given, sources, means, currency, bonus=bonus)] if given else []
    return _carrying(refunds, amount - given)


def _without(refunds: Iterable[PlannedRefund], sources: Iterable[Source]) -> list[Source]:
    """The sources once they gave these."""
    given = {each.payment_id: each.amount.amount for each in refunds}
    return [evolve(each, left=each.left - given.get(each.payment_id, 0)) for each in sources]


def _carrying(refunds: Sequence[PlannedRefund], carried: int) -> Plan:
    """
    The plan that carries so much, what the refunds do not say included.

    What is taken along of earlier refunds is divided so that each of these is for something of its own, if it
    can be: should it fail, something is due, and takes it along again.
    """
    found = list(refunds)
    rest = carried - sum([each.carried for each in found])
    for least in (1, 0):
        for index, each in enumerate(found):
            part = rest if rest >= 0 else max(rest, min(0, least - each.amount.amount - each.carried))
            found[index] = evolve(each, carried=each.carried + part)
            rest -= part
    return Plan(tuple(found), carried=carried)


def sources_in_order(sources: Iterable[Source], terms: RefundTerms) -> list[Source]:
    """Those that have something left, in the order of the terms; those without a place last."""
    return [each for each, _ in _in_order(sources, terms)]


def _in_order(sources: Iterable[Source], terms: RefundTerms) -> list[tuple[Source, int | None]]:
    ranked = [(each, terms.rank(each.kind)) for each in sources if each.left]
    return sorted(ranked, key=lambda each: len(terms.means) if each[1] is None else each[1])


def _parts(amount: int, sources: Sequence[Source], split: Split) -> list[tuple[Source, int, int]]:
    """Each source with its share of an amount that they have, and what its gateway moves, in its steps."""
    lefts = [each.left for each in sources]
    is_proportional = split is Split.PROPORTIONAL and amount
    shares = allocate(amount, lefts) if is_proportional else _filled(amount, lefts)
    found, rest = list[tuple[Source, int, int]](), 0
    for source, share in zip(sources, shares, strict=True):
        if not share:
            continue
        part = source.stepped(min(share + rest, source.left) if share + rest > 0 else 0)
        rest += share - part
        if part:
            found.append((source, share, part))
    return found


def _filled(amount: int, lefts: Sequence[int]) -> tuple[int, ...]:
    """Each up to what it has left, the first one first."""
    shares = []
    for left in lefts:
        shares.append(min(amount, left))
        amount -= shares[-1]
    return tuple(shares)
