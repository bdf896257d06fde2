"""
Every moment at which a process can die, and whether what comes after makes it good.

`live` does the script with a plan of failures and recovers as it is told; a `Survey` does so for all plans of
a kind and says what came out otherwise than without failures.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from enum import Enum, auto
from itertools import product
from random import Random

from attrs import fields, frozen

from rma import (
    RefundBlocked,
    ReturnService,
    Unavailable,
)
from rma.domain.events import ByCommand
from rma.testing.faults import AnswerLost, Away, Crashed, Fault, Faults, Twice
from rma.testing.faulty import faulty
from tests.testing.outside import ORDER, SCRIPT, Outside, Resume, Step


@frozen
class End:
    """How everything stands, but for what may differ: moments, revisions, attempts and what was said."""

    returns: tuple[object, ...]
    refunds: tuple[object, ...]
    order: object
    open_effects: tuple[str, ...]
    moved: tuple[object, ...]
    stock: dict[tuple[str | None, str], int]
    told: tuple[str, ...]

    @classmethod
    def of(cls, outside: Outside) -> "End":
        """As seen from outside every process."""
        service = outside.service()
        returns = service.list(ORDER.id)
        return cls(
            returns=tuple(
                [(each.id, each.status, each.items, each.refund_amount, each.shipment) for each in returns]
            ),
            refunds=tuple(
                [(r.key, r.payment_id, r.amount, r.status) for each in returns for r in each.refunds]
            ),
            order=service.order_state(ORDER.id),
            open_effects=tuple(outside.returns.load(ORDER.id).open_effects),
            moved=(
                outside.refunds_made,
                outside.payments.refunds,
                outside.inventory.restocks,
                outside.inventory.withdrawals,
                outside.fulfillment.shipments,
                outside.fulfillment.cancellations,
            ),
            stock={place: units for place, units in outside.inventory.on_hand.items() if units},
            told=tuple(
                [
                    f"{type(event).__name__} {event.return_id}"
                    for event in outside.events.published.values()
                    if isinstance(event, ByCommand | RefundBlocked)
                ]
            ),
        )

    def differs(self, other: "End") -> list[str]:
        """The names of what is not the same."""
        names = [each.name for each in fields(End)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


#: What can happen to a call without a crash.
KINDS = (Away(), AnswerLost(), Twice())


class Recovery(Enum):
    """What happens after a crash."""

    #: The caller, who got no answer, repeats the command; no timer runs.
    REPEAT = auto()
    #: Only the timer runs. The caller repeats the command if it left no trace.
    RESUME = auto()


#: How a process is built over its ports; the wrong ways are in `designs`.
Design = Callable[[ReturnService, Outside], ReturnService]


def as_shipped(service: ReturnService, outside: Outside) -> ReturnService:
    """The library as it is."""
    return service


def live(
    outside: Outside,
    faults: Faults,
    *,
    recovery: Recovery = Recovery.REPEAT,
    design: Design = as_shipped,
    script: tuple[Step, ...] = SCRIPT,
    has_timer: bool = False,
    look: Callable[[int], None] = lambda done: None,
) -> None:
    """
    The script, step by step, in as many processes as it takes.

    With a timer, everything outstanding is resumed after each step too, as a host does every few minutes.
    `look` is called with the number of steps done, after each recovery by resuming.
    """
    done = 0
    while done < len(script):
        service = design(faulty(outside.service(), faults), outside)
        try:
            while done < len(script):
                outside.step = done + 1
                _do(service, script[done])
                done += 1
                if has_timer:
                    resume_until_quiet(outside, faults, design)
        except (Crashed, Unavailable):
            if recovery is Recovery.RESUME or has_timer:
                resume_until_quiet(outside, faults, design)
                done += _has_happened(outside, script[done]) if done < len(script) else 0
                look(done)


def resume_until_quiet(outside: Outside, faults: Faults, design: Design = as_shipped) -> None:
    """The timer, again and again, over crashes of its own, until nothing is open."""
    for _ in range(10):
        outside.now += timedelta(hours=1)
        service = design(faulty(outside.service(), faults), outside)
        try:
            if not service.resume().still_open:
                return
        except (Crashed, Unavailable):
            continue


def _do(service: ReturnService, step: Step) -> None:
    if isinstance(step, Resume):
        service.resume()
    else:
        service.handle(step)


def _has_happened(outside: Outside, step: Step) -> bool:
    return isinstance(step, Resume) or step.idempotency_key in outside.returns.load(ORDER.id).answered


class Survey:
    """
    A script and how it ends if nothing fails, after each of its steps.

    Args:
        make: the outside for a run, anew each time.
    """

    def __init__(
        self,
        make: Callable[[], Outside] = Outside,
        design: Design = as_shipped,
        script: tuple[Step, ...] = SCRIPT,
    ) -> None:
        self.make = make
        self.design = design
        self.script = script
        self.ends = [self._calm(steps) for steps in range(len(script) + 1)]
        calm = Faults()
        live(make(), calm, design=design, script=script)
        self.calls = calm.calls
        self.points = calm.points

    def _calm(self, steps: int) -> End:
        outside, faults = self.make(), Faults()
        live(outside, faults, script=self.script[:steps])
        resume_until_quiet(outside, faults)
        return End.of(outside)

    def differences(self, faults: Faults, recovery: Recovery, *, has_timer: bool = False) -> list[str]:
        """What came out otherwise than if nothing had failed, at the end or after a recovery."""
        outside = self.make()
        found: list[str] = []

        def look(done: int) -> None:
            differs = End.of(outside).differs(self.ends[done])
            found.extend([f"after {done} steps: {name}" for name in differs])

        try:
            live(
                outside,
                faults,
                recovery=recovery,
                design=self.design,
                script=self.script,
                has_timer=has_timer,
                look=look,
            )
        except Exception as error:
            return [f"a command was refused: {error}"]
        return found + [f"at the end: {name}" for name in End.of(outside).differs(self.ends[-1])]

    def crashes(self, recoveries: Iterable[Recovery] = Recovery) -> Iterator[tuple[str, list[str]]]:
        """One crash at every point, recovered from in these ways: where, and what differs then."""
        for point, recovery in product(range(1, self.points + 1), recoveries):
            faults = Faults(crash_at=[point])
            found = self.differences(faults, recovery)
            yield f"{faults.where(point)}, {recovery.name}", found

    def failures(self, kinds: Iterable[Fault] = KINDS) -> Iterator[tuple[str, list[str]]]:
        """One failure of each of these kinds at every call, with a timer running."""
        for call, kind in product(self.calls, kinds):
            found = self.differences(Faults(at={call.number: kind}), Recovery.RESUME, has_timer=True)
            yield f"{kind} at {call}", found

    def pairs(self, recovery: Recovery, count: int | None = None) -> Iterator[tuple[str, list[str]]]:
        """Two crashes, at every point and every point of what follows it; or so many of them, drawn."""
        dice = Random(count)
        drawn = (
            range(1, self.points + 1) if count is None else dice.choices(range(1, self.points + 1), k=count)
        )
        for first in drawn:
            faults = Faults(crash_at=[first])
            self.differences(faults, recovery)
            later = range(first + 1, faults.points + 1)
            for second in later if count is None else [dice.choice(later)]:
                faults = Faults(crash_at=[first, second])
                found = self.differences(faults, recovery)
                yield f"{faults.where(first)}, {faults.where(second)}, {recovery.name}", found


def what_differs(survey: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Where something came out otherwise, and what."""
    return {where: found for where, found in survey if found}
