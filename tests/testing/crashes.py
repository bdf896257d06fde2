"""
Every point at which a process can die, and whether the recovery leaves everything as without the crash.

`simulate` runs the script with a plan of failures and recovers; a `Survey` does so for all plans of a kind
and yields what differs from a run without failures.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from enum import Enum, auto
from itertools import cycle, pairwise, product
from random import Random
from typing import TypeVar

from attrs import fields, frozen

from rma import (
    RefundBlocked,
    ReturnService,
    Unavailable,
)
from rma.domain.events import CommandEvent
from rma.testing.faults import AnswerLost, Away, Call, Crashed, Fault, Faults, Twice
from tests.testing.environment import ORDER, SCRIPT, Action, Archive, Environment, Redact, Resume

T = TypeVar("T")


@frozen
class End:
    """Everything that counts, without timestamps, revisions, attempts and messages, which may differ."""

    returns: tuple[object, ...]
    exchanges: tuple[object, ...]
    claims: tuple[object, ...]
    refunds: tuple[object, ...]
    order: object
    open_effects: tuple[str, ...]
    moved: tuple[object, ...]
    stock: dict[tuple[str | None, str], int]
    render: tuple[str, ...]

    @classmethod
    def of(cls, environment: Environment) -> "End":
        """As seen from outside of every process."""
        ledger = environment.returns.load(ORDER.id)
        return cls(
            returns=tuple([(r.id, r.status, r.items, r.refund_amount, r.shipment) for r in ledger.returns]),
            exchanges=tuple(
                [(e.id, e.status, e.difference_due, e.paid, e.shipment) for e in ledger.exchanges]
            ),
            claims=tuple([(c.id, c.status, c.items, c.refund_amount, c.shipment) for c in ledger.claims]),
            refunds=tuple(
                [(r.key, r.means, r.payment_id, r.amount, r.bonus, r.status) for r in ledger.refunds]
            ),
            order=environment.service().order_state(ORDER.id),
            open_effects=tuple(ledger.open_effects),
            moved=(
                environment.refunds_made,
                environment.payments.refunds,
                environment.credits.given,
                environment.credits.balances,
                environment.payouts.paid,
                environment.inventory.restocks,
                environment.inventory.withdrawals,
                environment.inventory.disposals,
                environment.fulfillment.sent_back,
                environment.fulfillment.shipments,
                environment.fulfillment.cancellations,
                environment.fulfillment.replacements,
                environment.holds.charges,
                environment.holds.releases,
                environment.inventory.reserved,
            ),
            stock={place: units for place, units in environment.inventory.on_hand.items() if units},
            render=tuple(
                [
                    f"{type(event).__name__} {event.return_id}"
                    for event in environment.events.published.values()
                    if isinstance(event, CommandEvent | RefundBlocked)
                ]
            ),
        )

    def differs(self, other: "End") -> list[str]:
        """The names of what is not the same."""
        names = [each.name for each in fields(End)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


#: What can happen to a call without a crash.
KINDS = (Away(), AnswerLost(), Twice())


def every_point(calls: Sequence[Call]) -> list[int]:
    """Before and after each of these calls."""
    return [point for call in calls for point in (2 * call.number - 1, 2 * call.number)]


def every_moment(calls: Sequence[Call]) -> list[int]:
    """
    Of points between which nothing happens outside of the process, one: before each call, and at the end.

    After a call is before the next one. A database acts in its statements: before a load or commit is
    before the first of them.
    """
    begun = {
        call.number
        for call, following in pairwise(calls)
        if call.method.startswith("returns.") and following.method.startswith("sql.")
    }
    return [2 * call.number - 1 for call in calls if call.number not in begun] + [2 * len(calls)]


class Recovery(Enum):
    """What happens after a crash."""

    #: The caller, who got no answer, repeats the command; no timer runs.
    REPEAT = auto()
    #: Only the timer runs. The caller repeats the command if it left no trace.
    RESUME = auto()


#: How a process is built over its ports; the wrong ways are in `designs`.
Design = Callable[[ReturnService, Environment], ReturnService]


def as_shipped(service: ReturnService, environment: Environment) -> ReturnService:
    """The library as it is."""
    return service


def simulate(
    environment: Environment,
    faults: Faults,
    *,
    recovery: Recovery = Recovery.REPEAT,
    design: Design = as_shipped,
    script: tuple[Action, ...] = SCRIPT,
    has_timer: bool = False,
    snapshot: Callable[[int], None] = lambda done: None,
) -> None:
    """
    The script, step by step, in as many processes as it takes.

    With a timer, everything outstanding is resumed after each step too, as a host does every few minutes.
    `snapshot` is called with the number of steps done, after each recovery by resuming.
    """
    done = 0
    while done < len(script):
        service = design(environment.process(faults), environment)
        try:
            while done < len(script):
                environment.do(service, script[done])
                done += 1
                if has_timer:
                    resume_until_quiet(environment, faults, design)
        except (Crashed, Unavailable):
            if recovery is Recovery.RESUME or has_timer:
                resume_until_quiet(environment, faults, design)
                done += _has_happened(environment, script[done]) if done < len(script) else 0
                snapshot(done)


def resume_until_quiet(environment: Environment, faults: Faults, design: Design = as_shipped) -> None:
    """The timer, again and again, over crashes of its own, until nothing is open."""
    for _ in range(10):
        environment.now += timedelta(hours=1)
        service = design(environment.process(faults), environment)
        try:
            if not service.resume().still_open:
                return
        except (Crashed, Unavailable):
            continue


def _has_happened(environment: Environment, step: Action) -> bool:
    if isinstance(step, Archive | Redact):
        return False  # if it has, the next one removes nothing
    return isinstance(step, Resume) or step.idempotency_key in environment.returns.load(ORDER.id).answered


class Survey:
    """
    A script, and its end after each of its steps if nothing fails.

    Wherever a `count` is given, so many runs are drawn instead of all.

    Args:
        make: a new environment for each run.
        at: of calls, the points to die at.
        in_peace: the environment in which nothing fails; as the others unless given.
    """

    def __init__(
        self,
        make: Callable[[], Environment] = Environment,
        design: Design = as_shipped,
        script: tuple[Action, ...] = SCRIPT,
        at: Callable[[Sequence[Call]], list[int]] = every_point,
        in_peace: Callable[[], Environment] | None = None,
    ) -> None:
        self.make = make
        self.design = design
        self.script = script
        self.at = at
        self.ends = [_end(in_peace or make, script[:steps]) for steps in range(len(script) + 1)]
        calm = Faults()
        simulate(make(), calm, design=design, script=script)
        self.calls = calm.calls
        self.points = at(calm.calls)

    def differences(self, faults: Faults, recovery: Recovery, *, has_timer: bool = False) -> list[str]:
        """What differs from a run in which nothing failed, at the end or after a recovery."""
        environment = self.make()
        found: list[str] = []

        def snapshot(done: int) -> None:
            differs = End.of(environment).differs(self.ends[done])
            found.extend([f"after {done} steps: {name}" for name in differs])

        try:
            simulate(
                environment,
                faults,
                recovery=recovery,
                design=self.design,
                script=self.script,
                has_timer=has_timer,
                snapshot=snapshot,
            )
        except Exception as error:
            return [f"a command was refused: {error}"]
        return found + [f"at the end: {name}" for name in End.of(environment).differs(self.ends[-1])]

    def crashes(
        self, recoveries: Iterable[Recovery] = Recovery, count: int | None = None, *, in_turn: bool = False
    ) -> Iterator[tuple[str, list[str]]]:
        """One crash at every point, recovered from in these ways, all or in turn: where, and what differs."""
        runs = zip(self.points, cycle(recoveries)) if in_turn else product(self.points, recoveries)
        for point, recovery in some(runs, count):
            faults = Faults(crash_at=[point])
            found = self.differences(faults, recovery)
            yield f"{faults.where(point)}, {recovery.name}", found

    def failures(
        self, kinds: Iterable[Fault] = KINDS, count: int | None = None
    ) -> Iterator[tuple[str, list[str]]]:
        """One failure of each of these kinds at every call, with a timer running."""
        for call, kind in some(product(self.calls, kinds), count):
            found = self.differences(Faults(at={call.number: kind}), Recovery.RESUME, has_timer=True)
            yield f"{kind} at {call}", found

    def pairs(self, recovery: Recovery, count: int | None = None) -> Iterator[tuple[str, list[str]]]:
        """Two crashes, at every point and every point of what follows it."""
        for first in some(self.points, count):
            faults = Faults(crash_at=[first])
            self.differences(faults, recovery)
            later = [point for point in self.at(faults.calls) if point > first]
            for second in some(later, None if count is None else 1):
                faults = Faults(crash_at=[first, second])
                found = self.differences(faults, recovery)
                yield f"{faults.where(first)}, {faults.where(second)}, {recovery.name}", found


def _end(make: Callable[[], Environment], script: tuple[Action, ...]) -> End:
    environment, faults = make(), Faults()
    simulate(environment, faults, script=script)
    resume_until_quiet(environment, faults)
    return End.of(environment)


def some(things: Iterable[T], count: int | None) -> Sequence[T]:
    """So many of them, drawn, the same in every run; all if no count is given."""
    every = list(things)
    return every if count is None else Random(len(every)).choices(every, k=count)


def what_differs(survey: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Where something differs, and what."""
    return {where: found for where, found in survey if found}
