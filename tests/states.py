"""
Where returns, refunds, exchanges and claims can go, found by trying everything on a small order.

One return, exchange or claim of an order of two units is tried in every way: each state is visited once,
breadth first, and in each every command that could change it is handled. Moves are read off the events, so
the diagrams of `docs/states.md` show what the code does and nothing else.

`python -m tests.states > docs/states.md` draws them again.
"""

import sys
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TypeVar, assert_never

from attrs import evolve as with_
from attrs import frozen

from rma import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Change,
    ChargeSucceeded,
    Claim,
    ClaimStatus,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExchangeStatus,
    ExpireReturn,
    InspectReturn,
    LineItem,
    Order,
    Payment,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    Refund,
    RefundDeclined,
    RefundPending,
    RefundReversed,
    RefundStatus,
    RefundSucceeded,
    Rejected,
    RenewShipment,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    Return,
    ReturnLedger,
    ReturnPolicy,
    ReturnStatus,
    SettleAdvance,
    ShippingOption,
    UpdateExchange,
    UpdateReturn,
)
from rma.domain.change import apply_command, apply_outcomes
from rma.domain.decide.facts import Facts
from rma.domain.events import ClaimEvent, CommandEvent, ExchangeEvent, ReturnEvent
from rma.domain.evolve import evolve
from rma.domain.messages.commands import subject_of
from rma.domain.messages.effects import GivenUp, Outcome, RefundRequest
from rma.domain.state.lifecycle import claim_refusal, exchange_refusal, return_refusal
from rma.domain.state.refunds import after
from rma.testing.commands import MAKERS, Situation, every
from rma.testing.core_harness import START

T = TypeVar("T")

#: What is drawn, and its statuses.
KINDS: dict[str, type[StrEnum]] = {
    "return": ReturnStatus,
    "refund": RefundStatus,
    "exchange": ExchangeStatus,
    "claim": ClaimStatus,
}
#: The events that are its own: they are drawn even where the status stays.
OWN: dict[str, type[CommandEvent]] = {"return": ReturnEvent, "exchange": ExchangeEvent, "claim": ClaimEvent}

#: Two mugs at 10.00. At first hardly anything is captured, so that what is due can be too much.
RICH = Order(
    id="order_1",
    currency="usd",
    items=[LineItem(id="mug", quantity=2, fulfilled_quantity=2, unit_price=1000)],
    payments=[Payment(id="pay_1", captured=9000)],
)
POOR = with_(RICH, payments=[Payment(id="pay_1", captured=500)])

#: What is waited for: a parcel, but not for ever; before that, a person's approval; then, an inspection.
POLICIES = (
    ReturnPolicy(return_within_days=1),
    ReturnPolicy(return_within_days=1, review=True),
    ReturnPolicy(inspect=True),
)
LATER = START + timedelta(days=2)
POST = ShippingOption(id="post", price=100)

#: How many parcels come, and how often money is asked for, at most.
MOST_RECEIPTS = 2
MOST_REFUNDS = 2
MOST_CORRECTIONS = 1
MOST_PAYMENTS = 1
MOST_INSPECTIONS = 2
#: Sellable and damaged units of a parcel.
PARCELS = {(0, 0), (1, 0), (0, 1), (2, 0)}
LATE_PARCELS = {(1, 0)}
#: What a correction says of them.
CORRECTED = {(0, 0), (1, 0), (2, 0)}
#: What begins something; in the exploration, only where there is nothing yet.
REQUESTS = {RequestReturn, RequestExchange, RequestClaim, ReceiveUnannounced}

#: What may be reported of any refund.
REPORTED = (RefundSucceeded("re"), RefundPending("re"), RefundDeclined("no"), RefundReversed())

#: Everything that can become known of a refund.
KNOWN = (*REPORTED, GivenUp("away"))


@frozen(order=True)
class Move:
    """Something went from one status to another because of this; `before` is empty for what is new."""

    kind: str
    before: str
    after: str
    because: str


@frozen
class Trial:
    """
    A command that was tried on something of this status.

    Attributes:
        kind: what the command is about: return, exchange or claim.
        by_table: the code with which the table of states refuses it; None where the status allows it.
        codes: of what it was refused with; empty where it was accepted.
    """

    kind: str
    status: str
    command: type[Command]
    by_table: str | None
    codes: frozenset[str]


@frozen
class Explored:
    """What an exploration found."""

    moves: frozenset[Move]
    trials: frozenset[Trial]


@frozen
class Snapshot:
    """An order as the host has it, and its ledger."""

    order: Order
    ledger: ReturnLedger


#: Where the exploration begins.
FIRST = Snapshot(POOR, ReturnLedger("order_1"))


def moves() -> frozenset[Move]:
    """Every move there is: of refunds by what became known of them, of everything else by its event."""
    by_events = [move for move in moves_of_ledgers() if move.kind != "refund" or not move.before]
    return moves_of_refunds().union(by_events)


def moves_of_refunds() -> frozenset[Move]:
    """Every move of a refund that was just asked for, whatever becomes known of it, in whatever order."""
    found: set[Move] = set()

    def then(refund: Refund) -> Iterator[Refund]:
        for known in KNOWN:
            there = after(refund, known, START)
            if there.status is not refund.status:
                found.add(Move("refund", refund.status, there.status, type(known).__name__))
            yield there

    asked = Refund("ret_1-refund-1", "pay_1", RICH.payments[0].captured, RefundStatus.PENDING, START)
    deque(explore(asked, then, lambda refund: (refund.status, refund.reference)), maxlen=0)
    return frozenset(found)


def moves_of_ledgers() -> frozenset[Move]:
    """Every move of whatever a ledger holds, by its event."""
    return explored().moves


def trials() -> frozenset[Trial]:
    """Every command of every kind, tried on every status of whatever it is about."""
    return explored().trials


@cache
def explored() -> Explored:
    """What an exploration of everything that one small order can come to found."""
    found, tried, seen = set[Move](), set[Trial](), set[Hashable]()

    def then(snapshot: Snapshot) -> Iterator[Snapshot]:
        yield Snapshot(RICH, snapshot.ledger)
        known = _seen_by_makers(snapshot.ledger)
        if snapshot.order is RICH and known not in seen:  # each is visited with that order, too
            seen.add(known)
            tried.update(_tried(snapshot))
        for made in _changes(snapshot):
            found.update(_moves(snapshot.ledger, made))
            yield Snapshot(snapshot.order, made.ledger)

    deque(explore(FIRST, then, _shape), maxlen=0)
    return Explored(frozenset(found), frozenset(tried))


def explore(first: T, then: Callable[[T], Iterable[T]], shape: Callable[[T], Hashable]) -> Iterator[T]:
    """Everything that can be reached, breadth first, once for each shape."""
    seen, waiting = {shape(first)}, deque([first])
    while waiting:
        here = waiting.popleft()
        yield here
        for there in then(here):
            known = shape(there)
            if known not in seen:
                seen.add(known)
                waiting.append(there)


def snapshots() -> Iterator[Snapshot]:
    """Every state of the order and its ledger that can be reached."""

    def then(snapshot: Snapshot) -> Iterator[Snapshot]:
        yield Snapshot(RICH, snapshot.ledger)
        for made in _changes(snapshot):
            yield Snapshot(snapshot.order, made.ledger)

    return explore(FIRST, then, _shape)


def _tried(snapshot: Snapshot) -> Iterator[Trial]:
    payees: list[Return | Claim] = [*snapshot.ledger.returns, *snapshot.ledger.claims]
    unknown = [f"{each.id}-refund-9" for each in payees]
    notices = [RecordRefundOutcome(key=key, outcome=outcome) for key in unknown for outcome in REPORTED]
    keys = [f"{each.id}-charge-9" for each in snapshot.ledger.exchanges]
    charges = [RecordChargeOutcome(key=key, outcome=ChargeSucceeded()) for key in keys]
    for command in (*commands_in(snapshot), *notices, *charges):
        if (asked := _by_table(snapshot.ledger, command)) is None:
            continue
        codes = set[str]()
        try:
            apply_command(facts_for(snapshot, command, "2", POLICIES[0]), snapshot.ledger, command)
        except Rejected as refused:
            codes = {violation.code for violation in refused.violations} or {refused.code}
        yield Trial(*asked[:2], type(command), asked[2], frozenset(codes))


def _by_table(ledger: ReturnLedger, command: Command) -> tuple[str, str, str | None] | None:
    """What the command is about, its status, and what the table says; None for what begins something."""
    match command:
        case RequestReturn() | RequestExchange() | RequestClaim() | ReceiveUnannounced():
            return None
        case (
            ApproveReturn()
            | DeclineReturn()
            | UpdateReturn()
            | RecordSending()
            | ExpireReturn()
            | RenewShipment()
            | ReceiveReturn()
            | InspectReturn()
            | CorrectReceipt()
            | ResolveReturn()
            | CancelReturn()
        ):
            target = ledger.get(command.return_id)
            return "return", target.status, return_refusal(target.status, command)
        case (
            RecordExchangePayment()
            | UpdateExchange()
            | SettleAdvance()
            | RecordChargeOutcome()
            | CancelExchange()
        ):
            exchange = ledger.find_exchange(command.exchange_id)
            assert exchange is not None
            return "exchange", exchange.status, exchange_refusal(exchange.status, command)
        case ResolveClaim() | CancelClaim():
            claim = ledger.find_claim(command.claim_id)
            assert claim is not None
            return "claim", claim.status, claim_refusal(claim.status, command)
        case RetryRefund() | RecordPayout() | RecordRefundOutcome():
            subject_id = subject_of(command)
            claim = ledger.find_claim(subject_id)
            if claim is not None:
                return "claim", claim.status, claim_refusal(claim.status, command)
            target = ledger.get(subject_id)
            return "return", target.status, return_refusal(target.status, command)
        case _:
            assert_never(command)


def _changes(snapshot: Snapshot) -> Iterator[Change]:
    """Everything that can happen next."""
    is_new = not snapshot.ledger.returns and not snapshot.ledger.claims
    for command in commands_in(snapshot, REQUESTS if is_new else MAKERS.keys() - REQUESTS):
        if not _is_within_bounds(snapshot.ledger, command):
            continue
        for policy in POLICIES if isinstance(command, RequestReturn | UpdateReturn) else POLICIES[:1]:
            try:
                yield apply_command(facts_for(snapshot, command, "1", policy), snapshot.ledger, command)
            except Rejected:
                continue
    for key, effect in snapshot.ledger.open_effects.items():
        if isinstance(effect.request, RefundRequest):
            for known in (RefundSucceeded(), RefundDeclined("no")):
                yield apply_outcomes(snapshot.ledger, [Outcome(key, known)], START)


def facts_for(snapshot: Snapshot, command: Command, fresh_id: str, policy: ReturnPolicy) -> Facts:
    """What there is to know; goods have always been waited for too long."""
    has_way = isinstance(command, RequestReturn | UpdateReturn) and command.shipping_option_id is not None
    return Facts(
        at=LATER if isinstance(command, ExpireReturn) else START,
        order=snapshot.order,
        fresh_id=fresh_id,
        policy=policy,
        shipping_option=POST if has_way else None,
    )


def _moves(ledger: ReturnLedger, made: Change) -> Iterator[Move]:
    for event in made.events:
        before, ledger = _standing(ledger), evolve(ledger, event)
        for name, (kind, status) in _standing(ledger).items():
            _, was = before.get(name, ("", ""))
            own = OWN.get(kind)
            is_own = own is not None and isinstance(event, own) and event.subject_id == name
            if status != was or is_own:
                yield Move(kind, was, status, type(event).__name__)


def _standing(ledger: ReturnLedger) -> dict[str, tuple[str, str]]:
    """By id or key: what it is, and its status."""
    found = {each.id: ("return", each.status.value) for each in ledger.returns}
    found |= {each.id: ("exchange", each.status.value) for each in ledger.exchanges}
    found |= {each.id: ("claim", each.status.value) for each in ledger.claims}
    return found | {each.key: ("refund", each.status.value) for each in ledger.refunds}


# What is tried


def commands_in(snapshot: Snapshot, kinds: Iterable[type[Command]] = MAKERS) -> Iterator[Command]:
    """Every command of these kinds that its maker can make here, allowed or refused."""
    seen = _seen_by_makers(snapshot.ledger)
    for kind in kinds:
        if (kind, seen) not in _MADE:
            _MADE[kind, seen] = made_in(snapshot, kind)
        yield from _MADE[kind, seen]


def made_in(snapshot: Snapshot, kind: type[Command]) -> list[Command]:
    """Every command of this kind that its maker can make here."""
    situation = Situation(
        order=snapshot.order, ledger=snapshot.ledger, now=START, outcomes=lambda _: REPORTED
    )
    return list(every(MAKERS[kind].make, situation))


#: What makers made, by kind and by what they look at: most states differ in something else.
_MADE: dict[tuple[type[Command], Hashable], list[Command]] = {}


def _seen_by_makers(ledger: ReturnLedger) -> Hashable:
    return (
        tuple(
            [
                (
                    (each.id, each.status, each.exchange_id, each.claim_id, _shape_of_items(each)),
                    (bool(each.receipts), each.amount_due.amount, each.entitlement.is_refund_blocked),
                    _shape_before_goods(each),
                    _shape_at_the_dock(each),
                    tuple([item.rejected_damaged_quantity for item in each.items]),
                )
                for each in ledger.returns
            ]
        ),
        tuple([(each.status, each.owed, len(each.payments)) for each in ledger.exchanges]),
        tuple(
            [
                (
                    each.id,
                    each.status,
                    each.amount_due.amount,
                    each.refunded,
                    tuple(each.reserved_quantities()),
                )
                for each in ledger.claims
            ]
        ),
        tuple([each.key for each in ledger.refunds]),
    )


def _is_within_bounds(  # noqa: C901 # a row for each command
    ledger: ReturnLedger, command: Command
) -> bool:
    """False for what would only make the number of states grow: more subjects, parcels, refunds, amounts."""
    match command:
        case RequestReturn():
            return command.refund_amount is None
        case (
            ApproveReturn()
            | DeclineReturn()
            | UpdateReturn()
            | RecordSending()
            | ExpireReturn()
            | RenewShipment()
        ):
            return not ledger.get(command.return_id).receipts
        case RecordRefundOutcome():
            return not any(each.inspections for each in ledger.returns)
        case CancelExchange():
            return not command.keep_return or not any(each.receipts for each in ledger.returns)
        case UpdateExchange() | SettleAdvance() | RecordChargeOutcome():
            return False  # it is tried, and leads to nothing that was not here before
        case RequestExchange() | CancelReturn() | CancelClaim():
            return True
        case RequestClaim():
            return not command.refund_amount and all(each.amount in (None, 1) for each in command.items)
        case ReceiveReturn():
            target, units = ledger.get(command.return_id), sum(each.quantity for each in command.items)
            damaged = sum(each.damaged_quantity for each in command.items)
            is_few = len(target.receipts) < MOST_RECEIPTS and len(target.refunds) < MOST_REFUNDS
            is_over = target.status in (ReturnStatus.RECEIVED, ReturnStatus.CANCELED)
            # What an exchange leaves, once it was declined or expired, goes on as any other late return.
            is_left = target.is_released and target.exchange_id is not None
            is_late = is_over or is_left or target.corrections
            if is_late and not (_is_alone(target) and len(target.items) == 1):
                return False
            if target.terms.inspect and target.inspections:
                return False
            if target.exchange_id is not None and target.receipts:
                return is_few and (units, damaged) == (1, 0) and command.refund_amount is None
            parcels = (
                LATE_PARCELS if is_late or not any(item.is_requested for item in target.items) else PARCELS
            )
            return is_few and (units, damaged) in parcels and command.refund_amount is None
        case ReceiveUnannounced():
            units = sum(each.quantity for each in command.items)
            return units + len(command.foreign) == 1
        case CorrectReceipt():
            target = ledger.get(command.return_id)
            units = sum(each.quantity for each in command.items)
            damaged = sum(each.damaged_quantity for each in command.items)
            is_few = len(target.corrections) < MOST_CORRECTIONS and len(target.receipts) < MOST_RECEIPTS
            is_plain = len(target.items) == 1 and not target.items[0].damaged_quantity
            is_few = is_few and is_plain and len(target.refunds) < MOST_REFUNDS
            # Of what waits, or was graded, one is tried: others are tried elsewhere.
            is_first = not target.corrections and len(target.inspections) <= 1 and not target.exchange_id
            is_few = is_few and (is_first or not target.terms.inspect)
            is_few = is_few and len(target.receipts) == 1
            return is_few and _is_alone(target) and (units, damaged) in CORRECTED
        case InspectReturn():
            target = ledger.get(command.return_id)
            is_few = len(target.inspections) < MOST_INSPECTIONS and not target.refunds
            is_few = is_few or (len(target.receipts) == 1 and len(target.refunds) < MOST_REFUNDS)
            is_few = is_few and len(target.inspections) < MOST_INSPECTIONS
            (item,) = command.items if len(command.items) == 1 else (None,)
            grade = "sellable" if item and item.previous_grade is None else "damaged"
            is_plain = item is not None and item.disposition is None and item.grade == grade
            return (
                is_few and is_plain and not (target.refunds and target.status is ReturnStatus.IN_INSPECTION)
            )
        case ResolveReturn():
            is_few = len(ledger.get(command.return_id).refunds) < MOST_REFUNDS
            rejected = sum(each.quantity + each.damaged_quantity for each in command.rejected)
            missing = sum(each.quantity for each in command.missing)
            return is_few and rejected + missing <= 1 and not command.refund_amount
        case ResolveClaim():
            claim = ledger.find_claim(command.claim_id)
            return claim is not None and command.refund_amount == claim.refunded.amount
        case RetryRefund() | RecordPayout():
            subject = ledger.find_claim(command.claim_id or "") or ledger.get(command.return_id or "")
            is_whole = command.amount in (None, subject.amount_due)
            return len(subject.refunds) < MOST_REFUNDS and is_whole
        case RecordExchangePayment():
            exchange = ledger.find_exchange(command.exchange_id)
            return exchange is None or len(exchange.payments) < MOST_PAYMENTS
        case _:
            assert_never(command)


def _is_alone(target: Return) -> bool:
    return target.exchange_id is None and target.claim_id is None


# What counts of a state: whatever could matter to what is decided next


def _shape(snapshot: Snapshot) -> Hashable:
    ledger = snapshot.ledger
    return (
        snapshot.order is RICH,
        tuple([_shape_of_return(each) for each in ledger.returns]),
        tuple([(each.status, each.difference_due, each.paid) for each in ledger.exchanges]),
        tuple([_shape_of_claim(each) for each in ledger.claims]),
        tuple([(each.status, each.key in ledger.open_effects) for each in ledger.refunds]),
    )


def _shape_of_return(each: Return) -> Hashable:
    return (
        each.status,
        each.exchange_id,
        each.claim_id,
        _shape_of_items(each),
        each.entitlement.entitled.amount,
        each.refunded,
        each.entitlement.is_refund_blocked,
        each.was_partially_received,
        len(each.receipts),
        _shape_at_the_dock(each),
        len(each.inspections),
        each.terms.inspect,
        _shape_before_goods(each),
    )


def _shape_at_the_dock(each: Return) -> Hashable:
    """What matters of goods that were counted, and is not said by the items."""
    booked = tuple(each.booked_quantities().items()) if each.canceled_at else None
    return (len(each.corrections), len(each.undecided_foreign), booked, each.received_at is not None)


def _shape_before_goods(each: Return) -> Hashable:
    """What matters as long as it goes on."""
    is_over = each.status in (ReturnStatus.RECEIVED, ReturnStatus.CANCELED)
    is_sent = each.sending is not None and each.status is ReturnStatus.REQUESTED
    return not is_over and (each.needs_approval and not each.is_released, each.is_released, is_sent)


def _shape_of_items(each: Return) -> Hashable:
    return tuple(
        [
            (
                item.is_requested,
                item.quantity,
                item.received_quantity,
                item.damaged_quantity,
                item.rejected_quantity,
                item.returned_to_customer_quantity,
                item.lost_quantity,
                item.waiting_quantity,
                tuple([(units.grade, units.quantity, units.is_returned) for units in item.graded]),
            )
            for item in each.items
        ]
    )


def _shape_of_claim(each: Claim) -> Hashable:
    return (
        each.status,
        each.type,
        each.entitlement.entitled.amount,
        each.refunded,
        each.entitlement.is_refund_blocked,
        each.return_id,
    )


# What is drawn

_INTRODUCTION = """\
# States

How returns, refunds, exchanges and claims move.
Every command was tried in every state of one of them, for an order of two units.
Every move was recorded; nothing here is drawn by hand.
`python -m tests.states > docs/states.md` draws it again, and a test fails where the code does otherwise.
"""

_ABOUT = {
    "return": """\
Arrows are labelled with the [events](../src/rma/domain/events.py) that make the move.
`received`, `canceled`, `declined` and `expired` are left only by a parcel that comes all the same, or by a
correction that finds more units: a person decides ([at the dock](at_the_dock.md)).
What a clerk does about `requires_action` is in [resolving](resolving.md).
How goods are graded that are `in_inspection` is in [inspect and decide](inspecting.md).
""",
    "refund": """\
The first arrow is labelled with the events that ask for a refund, the others with what became known of it:
by the gateway's answer, by its notification, or by a person.
A status is left only for a later one, so a late or repeated notification changes nothing:
first `pending` and `needs_attention`, then `succeeded`, then `failed` and `reversed`.
After the last two, `RetryRefund` makes another refund: [money](money.md).
""",
    "exchange": """\
`ExchangeReceived`: its return was received or resolved ([exchanges](exchanges.md)).
Nothing leaves `completed` and `canceled`.
""",
    "claim": """\
`ClaimCompleted`: its return was received or resolved ([claims](claims.md)).
`completed` is left only where nothing was compensated: the refund failed, or was 0.
""",
}


def page(found: Iterable[Move]) -> str:
    """The page with a diagram for each kind of thing."""
    drawn = sorted(found)
    sections = [
        f"## {kind.capitalize()}\n\n{_ABOUT[kind]}\n```mermaid\n{diagram(kind, drawn)}\n```\n"
        for kind in KINDS
    ]
    return "\n".join([_INTRODUCTION, *sections])


def diagram(kind: str, found: Iterable[Move]) -> str:
    """The moves of one kind in Mermaid, in the order of its statuses."""
    because: dict[tuple[str, str], list[str]] = {}
    for move in found:
        if move.kind == kind:
            because.setdefault((move.before, move.after), []).append(move.because)
    places = ["", *KINDS[kind]]
    arrows = [
        f"    {before or '[*]'} --> {there}: {', '.join(because[before, there])}"
        for before in places
        for there in places
        if (before, there) in because
    ]
    left = {before for before, there in because if before != there}
    ends = [f"    {status} --> [*]" for status in KINDS[kind] if status not in left]
    return "\n".join(["stateDiagram-v2", *arrows, *ends])


if __name__ == "__main__":
    sys.stdout.write(page(moves()))
