"""
Runs several functions in turns, one call at a time, and enumerates every order of their calls.

Each run has a thread, but only one of them moves: it stops before each of its calls until it is chosen
again. So a schedule is a list of choices, and comes out the same whenever it is chosen.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random

from attrs import define, field

from rma.testing.faults import Call, Crashed, Faults, T

#: Runs that can go on, by number: what each is about to call.
Waiting = Mapping[int, Call]
#: Chooses the run that continues.
Choose = Callable[[Waiting], int]
#: The function of a run; it calls its ports with these faults.
Run = Callable[[Faults], object]

#: Calls before which no run stops, because what they read never changes.
_CONSTANT = {"orders.get", "return_reasons.list", "shipping_options.get"}
#: Calls of the store that only read.
_READS = {"returns.load", "returns.load_by_return", "returns.history", "returns.outstanding"}


class Turn(Faults):
    """
    One run of several: a plan of faults that stops before calls.

    Args:
        crash_at: points at which it crashes.
    """

    def __init__(self, run: Run, crash_at: Iterable[int] = ()) -> None:
        super().__init__(crash_at=crash_at)
        self.before: Call | None = None
        self.outcome: object = None
        self._run = run
        self._may_go = threading.Semaphore(0)
        self._has_stopped = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run_in_turns, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """Continues the run until it stops before its next call, or ends."""
        self._may_go.release()
        self._has_stopped.acquire()
        if self.before is None:
            self._thread.join()

    def die(self) -> None:
        """Ends the run where it stopped."""
        self._is_dead = True
        self.go_on()

    def call(
        self,
        method: str,
        subject: str,
        act: Callable[[], T],
        *,
        away: Callable[[str], Exception] = ConnectionError,
        lost: Callable[[str], Exception] = TimeoutError,
    ) -> T:
        """Waits for its turn, then makes the call."""
        if method not in _CONSTANT:
            self._stop(Call(len(self.calls) + 1, method, subject))
        return super().call(method, subject, act, away=away, lost=lost)

    def _stop(self, before: Call | None) -> None:
        self.before = before
        self._has_stopped.release()
        if before is not None:
            self._may_go.acquire()

    def _run_in_turns(self) -> None:
        self._may_go.acquire()
        try:
            self.outcome = self._run(self)
        except (Exception, Crashed) as error:
            self.outcome = error
        self._stop(None)


def race(
    runs: Sequence[Run],
    choose: Choose,
    *,
    is_ready: Callable[[int], bool] = lambda _: True,
    crash_at: Mapping[int, int] | None = None,
) -> list[object]:
    """
    Runs all, and returns what each returned or raised.

    Args:
        runs: who takes part, numbered from 0.
        choose: the order.
        is_ready: whether a run can have started by now; one that never can crashes.
        crash_at: points at which runs crash.
    """
    points = crash_at or {}
    turns = [Turn(run, [points[number]] if number in points else []) for number, run in enumerate(runs)]
    for turn in turns:
        turn.go_on()
    while waiting := {
        number: turn.before
        for number, turn in enumerate(turns)
        if turn.before is not None and (turn.calls or is_ready(number))
    }:
        turns[choose(waiting)].go_on()
    for turn in turns:
        if turn.before is not None:
            turn.die()
    return [turn.outcome for turn in turns]


def commute(one: Call, other: Call) -> bool:
    """
    Returns whether the order of two calls makes no difference.

    Calls of the store do if both only read; of other ports, if they are not both about the same.
    """
    if one.method.startswith("returns.") and other.method.startswith("returns."):
        return {one.method, other.method} <= _READS
    return (one.method.split(".")[0], one.subject) != (other.method.split(".")[0], other.subject)


@define
class _Choice:
    waiting: Waiting
    asleep: set[int]
    chosen: int
    tried: set[int] = field(factory=set)

    def moves_on(self) -> bool:
        self.tried.add(self.chosen)
        left = [number for number in self.waiting if number not in self.tried | self.asleep]
        self.chosen = left[0] if left else -1
        return bool(left)


@define
class Schedule:
    """
    One order of calls.

    Attributes:
        is_known: it differs from an earlier one only in the order of calls that commute.
    """

    _commute: Callable[[Call, Call], bool]
    path: list[_Choice]
    is_known: bool = False
    _done: int = 0

    def choose(self, waiting: Waiting) -> int:
        """Chooses the run that continues."""
        if self._done == len(self.path) and not self.is_known:
            asleep = self._asleep(waiting)
            awake = [number for number in waiting if number not in asleep]
            self.is_known = not awake
            self.path += [_Choice(waiting, asleep, number) for number in awake[:1]]
        if self.is_known:
            return next(iter(waiting))
        self._done += 1
        return self.path[self._done - 1].chosen

    def _asleep(self, waiting: Waiting) -> set[int]:
        """Returns runs whose turn was tried here before, and that no call since then can affect."""
        if not self.path:
            return set()
        last = self.path[-1]
        last_call = last.waiting[last.chosen]
        before = (last.asleep | last.tried) & waiting.keys()
        return {number for number in before if self._commute(waiting[number], last_call)}


def schedules(commute: Callable[[Call, Call], bool] = commute) -> Iterator[Schedule]:
    """
    Every schedule, depth first: race with the `choose` of each before the next is drawn.

    Of those that differ only in the order of calls that commute, one: what is asleep stays so until a call
    happens with which it does not commute (sleep sets, Godefroid 1996).
    """
    path: list[_Choice] = []
    while True:
        schedule = Schedule(commute, path)
        yield schedule
        while path and not path[-1].moves_on():
            path.pop()
        if not path:
            return


def draw_schedules(count: int) -> Iterator[Choose]:
    """Draws `count` schedules, the same in every run of the tests."""
    for number in range(count):
        dice = Random(number)
        yield lambda waiting, dice=dice: dice.choice(list(waiting))  # type: ignore[misc] # a default binds it
