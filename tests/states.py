"""
Where returns, refunds, exchanges and claims can go, found by trying everything on small orders.

One return, exchange or claim is tried in every way: each state is visited once, breadth first, and in each
every command that could change it is handled (`tests.explored`). Moves are read off the events, so the
diagrams of `docs/states.md` show what the code does and nothing else.

`python -m tests.states > docs/states.md` draws them again.
"""

import sys
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from enum import StrEnum
from functools import cache

from attrs import frozen

from rma import (
    Change,
    ChargeDeclined,
    ChargePending,
    ChargeStatus,
    ChargeSucceeded,
    Claim,
    ClaimStatus,
    Exchange,
    ExchangeStatus,
    HoldCharge,
    Means,
    Refund,
    RefundStatus,
    Return,
    ReturnLedger,
    ReturnStatus,
)
from rma.domain.events import ClaimEvent, CommandEvent, ExchangeEvent, ReturnEvent
from rma.domain.evolve import evolve
from rma.domain.messages.effects import GivenUp
from rma.domain.state.refunds import after
from rma.domain.values.money import Money
from rma.testing.core_harness import START
from tests.databases import LONG
from tests.explored.advance import ADVANCE
from tests.explored.engine import REPORTED, Shop, Snapshot, Trial, explore, seen_by_makers, standing_of
from tests.explored.means import MEANS
from tests.explored.returns import RETURNS


class HoldStatus(StrEnum):
    """What became of a hold."""

    HELD = "held"
    CHARGED = "charged"
    RELEASED = "released"


#: What is drawn, and its statuses.
KINDS: dict[str, type[StrEnum]] = {
    "return": ReturnStatus,
    "refund": RefundStatus,
    "means": Means,
    "exchange": ExchangeStatus,
    "hold": HoldStatus,
    "charge": ChargeStatus,
    "claim": ClaimStatus,
}
#: The events that are its own: they are drawn even where the status stays.
OWN: dict[str, type[CommandEvent]] = {"return": ReturnEvent, "exchange": ExchangeEvent, "claim": ClaimEvent}
#: Where everything is tried.
SHOPS = (RETURNS, ADVANCE, MEANS)

#: Everything that can become known of a refund.
KNOWN = (*REPORTED, GivenUp("away"))
#: And of a charge.
KNOWN_OF_CHARGES = (ChargeSucceeded("ch"), ChargePending("ch"), ChargeDeclined("no"), GivenUp("away"))


@frozen(order=True)
class Move:
    """Something went from one status to another because of this; `before` is empty for what is new."""

    kind: str
    before: str
    after: str
    because: str


@frozen
class Explored:
    """What explorations found."""

    moves: frozenset[Move]
    trials: frozenset[Trial]


def moves() -> frozenset[Move]:
    """Every move there is: of refunds and charges by what became known of them, of all else by its event."""
    by_events = [move for move in moves_of_ledgers() if move.kind not in BY_OUTCOME or not move.before]
    return moves_of_refunds().union(moves_of_charges(), by_events)


#: What moves by what became known of it.
BY_OUTCOME = ("refund", "charge")


def moves_of_refunds() -> frozenset[Move]:
    """Every move of a refund that was just asked for, whatever becomes known of it, in whatever order."""
    found: set[Move] = set()

    def then(refund: Refund) -> Iterator[Refund]:
        for known in KNOWN:
            there = after(refund, known, START)
            if there.status is not refund.status:
                found.add(Move("refund", refund.status, there.status, type(known).__name__))
            yield there

    asked = Refund("ret_1-refund-1", "pay_1", Money(1, "usd"), RefundStatus.PENDING, START)
    deque(explore(asked, then, lambda refund: (refund.status, refund.reference)), maxlen=0)
    return frozenset(found)


def moves_of_charges() -> frozenset[Move]:
    """The same of a charge to a hold."""
    found: set[Move] = set()

    def then(charge: HoldCharge) -> Iterator[HoldCharge]:
        for known in KNOWN_OF_CHARGES:
            there = charge.after(known, START)
            if there.status is not charge.status:
                found.add(Move("charge", charge.status, there.status, type(known).__name__))
            yield there

    asked = HoldCharge("exc_1-charge-1", Money(1, "usd"), ChargeStatus.PENDING, START)
    deque(explore(asked, then, lambda charge: (charge.status, charge.reference)), maxlen=0)
    return frozenset(found)


def moves_of_ledgers() -> frozenset[Move]:
    """Every move of whatever a ledger holds, by its event."""
    return frozenset().union(*[explored(shop).moves for shop in SHOPS])


def trials() -> frozenset[Trial]:
    """Every command of every kind, tried on every status of whatever it is about."""
    return frozenset().union(*[explored(shop).trials for shop in SHOPS])


@cache
def explored(shop: Shop) -> Explored:
    """What an exploration of everything that one small order can come to found."""
    found, tried, seen = set[Move](), set[Trial](), set[Hashable]()

    def visit(snapshot: Snapshot, made: Change) -> None:
        found.update(_moves(snapshot.ledger, made))

    for snapshot in shop.snapshots(visit):
        known = seen_by_makers(snapshot.ledger) if LONG else standing_of(snapshot.ledger)
        if snapshot.order is shop.edited and known not in seen:  # each is visited with that order, too
            seen.add(known)
            tried.update(shop.trials(snapshot))
    return Explored(frozenset(found), frozenset(tried))


def _moves(ledger: ReturnLedger, made: Change) -> Iterator[Move]:
    for event in made.events:
        before, ledger = _standing(ledger), evolve(ledger, event)
        for name, (kind, status) in _standing(ledger).items():
            _, was = before.get(name, ("", ""))
            own = OWN.get(kind)
            is_own = own is not None and isinstance(event, own) and event.subject_id == name
            if status != was or is_own:
                yield Move(kind, was, status, type(event).__name__)
        payees: list[Return | Claim] = [*ledger.returns, *ledger.claims]
        for payee in payees:
            earlier = [each for each in payee.refunds if each.key in before]
            was = earlier[-1].means.value if earlier and not earlier[-1].is_in_force else ""
            for refund in payee.refunds[len(earlier) :]:
                yield Move("means", was, refund.means.value, type(event).__name__)


def _standing(ledger: ReturnLedger) -> dict[str, tuple[str, str]]:
    """By id or key: what it is, and its status."""
    found = {each.id: ("return", each.status.value) for each in ledger.returns}
    for each in ledger.exchanges:
        found[each.id] = ("exchange", each.status.value)
        found |= {name: ("hold", status.value) for name, status in _holds(each)}
        found |= {charge.key: ("charge", charge.status.value) for charge in each.hold_charges}
    found |= {each.id: ("claim", each.status.value) for each in ledger.claims}
    return found | {each.key: ("refund", each.status.value) for each in ledger.refunds}


def _holds(exchange: Exchange) -> Iterator[tuple[str, HoldStatus]]:
    """By reference, what became of the exchange's holds."""
    for hold in exchange.replaced_holds:
        yield hold.reference, HoldStatus.RELEASED
    if exchange.hold is not None:
        is_charged = any(charge.is_in_force for charge in exchange.hold_charges)
        status = HoldStatus.CHARGED if is_charged else HoldStatus.HELD
        yield exchange.hold.reference, HoldStatus.RELEASED if exchange.hold_released_at else status


# What is drawn

_INTRODUCTION = """\
# States

How returns, refunds, exchanges, holds and claims move.
Every command was tried in every state of one of them, for small orders, and ports answered in every way.
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
    "means": """\
By what an amount is given back, and by what instead once that is known to have moved nothing.
`RefundRetried` and `ClaimRefundRetried` come of `RetryRefund`, or of `when_closed`:
[refund to any means](means.md).
""",
    "exchange": """\
`ExchangeReceived`: its return was received or resolved ([exchanges](exchanges.md)).
`AdvanceShipped`, `AdvanceCharged`, `HoldReleased`: its new goods are sent
[before the others are back](advance.md).
`completed` is left only where a charge failed, or new goods could not be sent after all.
Nothing leaves `canceled`.
""",
    "hold": """\
Of an exchange whose new goods are sent first.
It is charged or released, never both; a charge that failed took nothing.
Another hold takes its place with `ExchangeUpdated`.
""",
    "charge": """\
The first arrow is the event that asks for it, the others are what became known of it, as of a refund.
`SettleAdvance` makes another where it `failed`.
""",
    "claim": """\
`ClaimCompleted`: its return was received or resolved ([claims](claims.md)).
`completed` is left only where nothing was compensated: the refund failed or was 0, or the new goods cannot be
had.
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
