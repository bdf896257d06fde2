"""
Failures at chosen moments, the same in every run.

A `Faults` numbers every call of a service to its ports, loads and commits included, over as many processes
as a test starts. Before call 1 is point 1, after it point 2, before call 2 point 3, and so on: a
test that runs once for each point has died at every moment there is::

    for point in range(1, points(run) + 1):
        faults = Faults(crash_at=[point])
        with suppress(Crashed):
            run(faults)
        recover(faults)
        assert the_end_is_as_without_the_crash()

`rma.testing.fault_injection` puts a plan around the ports of a service.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar, assert_never

from attrs import frozen

from rma.domain.messages.commands import RecordRefundOutcome
from rma.domain.messages.effects import (
    MoneyRequest,
    RefundAnswer,
    RefundDeclined,
    RefundOutcome,
    RefundPending,
    RefundReversed,
    RefundSucceeded,
)

T = TypeVar("T")
RequestT = TypeVar("RequestT", bound=MoneyRequest)


class Crashed(BaseException):
    """The process died here: no `except Exception` in the code under test catches it."""


@frozen
class Call:
    """
    One call to a port.

    Attributes:
        number: counts all calls from 1.
        method: `payments.refund`, `returns.commit`, …
        subject: the key of its request, or the id that it is about.
    """

    number: int
    method: str
    subject: str

    def __str__(self) -> str:
        return f"call {self.number}, {self.method} {self.subject}"


@frozen
class Away:
    """The port cannot be reached: it raises, and has not acted."""


@frozen
class AnswerLost:
    """A time-out after success: the port acts, and its answer does not arrive."""


@frozen
class Twice:
    """The call reaches the port twice, as networks repeat them; the second answer is received."""


@frozen
class SavedError:
    """The port fails, having acted or not, and raises the same error for every repeat of the call."""

    acts: bool = True


#: What can happen to any call.
Fault = Away | AnswerLost | Twice | SavedError


@frozen
class Declines:
    """The gateway refuses, definitely: no money moves under this key."""

    code: str = "card_closed"
    message: str = ""


@frozen
class Pends:
    """The gateway accepts the request and reports later how it ended."""

    then: RefundOutcome | RefundReversed = RefundSucceeded()


@frozen
class FailsLate:
    """The gateway succeeds, and reports later that it failed, or that the refund was reversed."""

    then: RefundDeclined | RefundReversed = RefundDeclined("refund_failed")


#: What a gateway can do with a refund, besides making it.
RefundFault = Declines | Pends | FailsLate


class Faults:
    """
    What fails when; and what was called.

    Args:
        crash_at: points at which the process dies.
        at: what happens to calls, by their number.
        when: what happens to a call that `at` says nothing about; None for nothing.
        refunds: what the gateway does with the refunds that it is asked for, in the order in which it
            receives their keys; None for success. A key that is repeated gets its first answer.

    Attributes:
        calls: every call so far.
        notifications: what the gateway will report about refunds; handle them in any order, any number of
            times.
        responses: what the gateway does with the refunds that it was asked for, by key.
        crash_at, at, refunds: may be changed while it runs.
    """

    def __init__(
        self,
        *,
        crash_at: Iterable[int] = (),
        at: Mapping[int, Fault] | None = None,
        when: Callable[[Call], Fault | None] = lambda _: None,
        refunds: Iterable[RefundFault | None] = (),
    ) -> None:
        self.crash_at = set(crash_at)
        self.at = dict(at or {})
        self.refunds = deque(refunds)
        self.calls: list[Call] = []
        self.notifications: list[RecordRefundOutcome] = []
        self.responses: dict[str, RefundFault | None] = {}
        self._when = when
        self._is_dead = False
        self._lock = threading.RLock()
        self._saved: dict[tuple[str, str], str] = {}

    @property
    def points(self) -> int:
        """How many moments there were at which the process could have died."""
        return 2 * len(self.calls)

    def where(self, point: int) -> str:
        """The point in words, for the message of a test that fails."""
        number, is_after = divmod(point - 1, 2)
        return f"{'after' if is_after else 'before'} {self.calls[number]}"

    def restart(self) -> None:
        """A new process begins; until then the dead one cannot call anything, not even from `finally`."""
        self._is_dead = False

    def call(
        self,
        method: str,
        subject: str,
        act: Callable[[], T],
        *,
        away: Callable[[str], Exception] = ConnectionError,
        lost: Callable[[str], Exception] = TimeoutError,
    ) -> T:
        """
        What the port answers, as far as the plan lets it.

        Args:
            method: `payments.refund`, `returns.commit`, …
            subject: the key of the request, or the id that it is about.
            act: asks the port.
            away: makes the error of a port that was not reached, or that failed.
            lost: makes the error of a caller that waited too long.

        Raises:
            Crashed: the plan says so here, or the process is dead already.
        """
        call = self._numbered(method, subject)
        self._pass(2 * call.number - 1)
        try:
            return self._acted(call, act, away, lost)
        finally:
            self._pass(2 * call.number)

    def refunded(self, request: RequestT, refund: Callable[[RequestT], RefundAnswer]) -> RefundAnswer:
        """What the gateway answers to this request, for a refund, for store credit or for a payout."""
        with self._lock:
            is_new = request.key not in self.responses
            if is_new:
                self.responses[request.key] = self.refunds.popleft() if self.refunds else None
        match self.responses[request.key]:
            case None:
                return refund(request)
            case Declines(code=code, message=message):
                return RefundDeclined(code, message)
            case Pends(then=then):
                answer = refund(request)
                self._will_notify(request, then, is_new=is_new)
                if isinstance(answer, RefundSucceeded | RefundPending):
                    return RefundPending(answer.reference)
                return answer
            case FailsLate(then=then):
                answer = refund(request)
                self._will_notify(request, then, is_new=is_new)
                return answer
            case unexpected:
                assert_never(unexpected)

    def _numbered(self, method: str, subject: str) -> Call:
        with self._lock:
            if self._is_dead:
                raise Crashed(f"{method} {subject}: called by a process that is dead")
            call = Call(len(self.calls) + 1, method, subject)
            self.calls.append(call)
            return call

    def _pass(self, point: int) -> None:
        if point in self.crash_at:
            self._is_dead = True
            raise Crashed(self.where(point))

    def _acted(
        self,
        call: Call,
        act: Callable[[], T],
        away: Callable[[str], Exception],
        lost: Callable[[str], Exception],
    ) -> T:
        again = (call.method, call.subject)
        if again in self._saved:
            raise away(self._saved[again])
        fault = self.at.get(call.number) or self._when(call)
        match fault:
            case None:
                return act()
            case Away():
                raise away(f"{call}: away")
            case AnswerLost():
                act()
                raise lost(f"{call}: answer lost")
            case Twice():
                act()
                return act()
            case SavedError(acts=acts):
                if acts:
                    act()
                self._saved[again] = f"{call}: failed"
                raise away(self._saved[again])
            case unexpected:
                assert_never(unexpected)

    def _will_notify(
        self, request: MoneyRequest, then: RefundOutcome | RefundReversed, *, is_new: bool
    ) -> None:
        if is_new:
            notification_id = f"notice_{len(self.notifications) + 1}"
            self.notifications.append(
                RecordRefundOutcome(key=request.key, outcome=then, notification_id=notification_id)
            )


def points(run: Callable[[Faults], object]) -> int:
    """How many moments there are in this run at which the process can die."""
    faults = Faults()
    run(faults)
    return faults.points
