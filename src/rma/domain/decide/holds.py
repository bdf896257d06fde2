"""The hold of an exchange whose new goods are sent first: what it must cover, and how it ends."""

from datetime import datetime

from attrs import evolve

from rma.domain.decide.checks import check_amount, check_string, check_text
from rma.domain.decide.facts import Facts
from rma.domain.decide.violations import Violations, error_value
from rma.domain.events import AdvanceCharged, HoldReleased, header_for
from rma.domain.messages.advance import ChargeRequest, ReleaseRequest
from rma.domain.messages.effects import effect_key
from rma.domain.sale.hold import Hold, Ship
from rma.domain.state.deadlines import return_by
from rma.domain.state.deductions import is_bonus
from rma.domain.state.exchanges import Exchange, HoldCharge
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ChargeStatus, ExchangeStatus
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.money import Money

#: The smallest amount of a hold, minor units.
_LEAST = 1


def check_ship(wrong: Violations, ship: object) -> Ship | None:
    """When the new goods are sent, if it is one of the two."""
    if isinstance(ship, str) and ship in tuple(Ship):
        return Ship(ship)
    wrong.add("invalid_ship", ship=error_value(ship), choices=", ".join(Ship))
    return None


def check_hold(
    wrong: Violations,
    hold: object,
    ship: Ship | None,
    currency: str | None,
    ledger: ReturnLedger,
    *,
    has_holds: bool,
) -> Hold | None:
    """The hold in the order's currency, if it is needed and can be one."""
    if hold is None:
        if ship is Ship.FIRST:
            wrong.add("hold_missing", hint="its quote with ship='last' says which (hold_needed)")
        return None
    if ship is Ship.LAST:
        wrong.add("hold_without_advance")
    if not has_holds:
        wrong.add("no_holds")
    if not isinstance(hold, Hold):
        wrong.add("invalid_hold", field="hold", expected="a Hold", value=error_value(hold))
        return None
    before = len(wrong)
    reference: object = hold.reference
    if not isinstance(reference, str) or not reference:
        expected = "a string that is not empty"
        wrong.add("invalid_hold", field="hold.reference", expected=expected, value=error_value(reference))
    else:
        check_string(wrong, "hold.reference", reference)
        if any(reference in references_of(each) for each in ledger.exchanges):
            wrong.add("hold_reference_reused", reference=reference)
    check_text(wrong, "hold.kind", hold.kind)
    check_text(wrong, "hold.provider_id", hold.provider_id)
    until: object = hold.until
    if not isinstance(until, datetime) or until.utcoffset() is None:
        expected = "a datetime with a time zone"
        wrong.add("invalid_hold", field="hold.until", expected=expected, value=error_value(until))
    amount = check_amount(
        wrong, hold.amount, currency, "invalid_hold_amount", field="hold.amount", minimum=_LEAST
    )
    return evolve(hold, amount=amount) if amount is not None and len(wrong) == before else None


def check_other_hold(
    wrong: Violations, hold: object, exchange: Exchange | None, facts: Facts, ledger: ReturnLedger
) -> Hold | None:
    """The hold that is to take the place of an exchange's, if one is given and its own was not closed."""
    if hold is None:
        return None
    ship, currency = (exchange.ship, exchange.currency) if exchange else (None, None)
    if exchange is not None and (exchange.hold_released_at is not None or exchange.hold_charges):
        wrong.add("advance_already_settled", exchange_id=exchange.id)
    return check_hold(wrong, hold, ship, currency, ledger, has_holds=facts.has_holds)


def references_of(exchange: Exchange) -> set[str]:
    """What the host calls its payments and its holds."""
    return {*exchange.hold_references, *[payment.reference for payment in exchange.payments]}


def check_hold_covers(wrong: Violations, hold: Hold, target: Return) -> None:
    """The hold is as much as can be owed for goods that do not come back, and ends after their last day."""
    needed = least_hold(target)
    if hold.amount.amount < needed.amount:
        wrong.add("hold_too_small", amount=hold.amount.amount, needed=needed.amount, currency=needed.currency)
    until = target.return_by
    if until is None:
        wrong.add("advance_without_return_by")
    elif hold.until < until:
        wrong.add("hold_ends_before_return_by", until=hold.until.isoformat(), return_by=until.isoformat())


def once_approved(facts: Facts, opened: Return) -> Return:
    """The return with the last day that it has, or had if it was approved now."""
    return evolve(opened, return_by=opened.return_by or return_by(opened.terms, facts.at))


def is_too_late(target: Return, at: datetime) -> bool:
    """
    True once the last day for the goods is over: new goods do not leave before them any more.

    Its hold, which ends no earlier, may be over by now; and it would be charged at once.
    """
    return target.return_by is not None and target.return_by < at


def check_in_time(wrong: Violations, target: Return, at: datetime) -> None:
    """New goods can still leave before those of the return."""
    if target.return_by is not None and is_too_late(target, at):
        wrong.add("advance_too_late", return_id=target.id, return_by=target.return_by.isoformat())


def least_hold(target: Return) -> Money:
    """
    What can be owed at most once the difference is paid, whatever comes back.

    It is the value of the goods, with the bonus for them, which goods that stay out have not. Less, if the
    new goods cost less than that, with what comes off the goods; a hold is of something.
    """
    quote = target.valuation
    goods = [
        item.line.paid(item.allocated)
        for item in target.items
        if item.is_requested and not target.terms.is_kept(item.rule)
    ]
    new = -sum([part.amount.amount for part in target.charges if part.amount.amount < 0])
    off = -sum([each.amount for each in quote.other if each.amount < 0])
    bonus = sum([each.amount for each in quote.other if is_bonus(each.name)])
    return Money(max(_LEAST, min(sum(goods) + bonus, new + off)), target.currency)


def difference_of(exchange: Exchange, target: Return, items: tuple[ReturnItem, ...]) -> Money:
    """What the new goods come to, less what these items are worth as they arrived, or what was named."""
    arrived = target.value_arrived(items, target.named_for(items, target.charges_back))
    return Money(exchange.paid.amount - arrived.total + arrived.owed, exchange.currency)


def close_hold(
    exchange: Exchange, ledger: ReturnLedger, at: datetime, by: str | None
) -> tuple[AdvanceCharged] | tuple[HoldReleased] | tuple[()]:
    """
    The hold charged with what is owed for new goods that were sent, or released where nothing is.

    `exchange` is with its difference as it is known now. What the hold does not cover stays owed; nothing
    happens where it was charged or released before.
    """
    owed = exchange.owed.amount
    if not owed:
        return release_hold(evolve(exchange, status=ExchangeStatus.COMPLETED), ledger, at, by)
    hold = exchange.hold
    assert hold is not None, "new goods are sent first on a hold only"
    if exchange.is_hold_closed:
        return ()
    amount = Money(min(owed, hold.amount.amount), exchange.currency)
    key = effect_key(exchange.id, "charge", len(exchange.hold_charges) + 1)
    is_covered = amount.amount == owed
    event = AdvanceCharged(
        header=header_for(exchange, ledger, at, by=by),
        status=ExchangeStatus.COMPLETED if is_covered else ExchangeStatus.REQUIRES_ACTION,
        difference_due=exchange.difference_due,
        charge=HoldCharge(key=key, amount=amount, status=ChargeStatus.PENDING, requested_at=at),
        charge_request=ChargeRequest(
            key=key, order_id=exchange.order_id, exchange_id=exchange.id, hold=hold, amount=amount
        ),
    )
    return (event,)


def release_hold(
    exchange: Exchange, ledger: ReturnLedger, at: datetime, by: str | None
) -> tuple[HoldReleased] | tuple[()]:
    """The event that the hold is given back; none without one, or if it ended. `exchange` is afterwards."""
    if exchange.hold is None or exchange.is_hold_closed:
        return ()
    event = HoldReleased(
        header=header_for(exchange, ledger, at, by=by),
        status=exchange.status,
        difference_due=exchange.difference_due,
        release_request=request_release(exchange, exchange.hold),
    )
    return (event,)


def request_release(exchange: Exchange, hold: Hold) -> ReleaseRequest:
    """The request that the exchange's hold is given back."""
    return ReleaseRequest(
        key=effect_key(exchange.id, "release", len(exchange.replaced_holds) + 1),
        order_id=exchange.order_id,
        exchange_id=exchange.id,
        hold=hold,
    )


def release_after(
    exchange: Exchange, charge: HoldCharge, ledger: ReturnLedger, at: datetime, by: str | None = None
) -> tuple[HoldReleased] | tuple[()]:
    """The event that the hold is given back, if this charge failed and nothing is owed without it."""
    charges = tuple([charge if each.key == charge.key else each for each in exchange.hold_charges])
    was_taken = any(each.charge_key == charge.key for each in exchange.payments)
    after = evolve(exchange, hold_charges=charges)
    if charge.status is not ChargeStatus.FAILED or was_taken or after.owed.amount:
        return ()
    return release_hold(evolve(after, status=ExchangeStatus.COMPLETED), ledger, at, by)
