"""Failures that begin and end while a world is simulated."""

from collections.abc import Callable

from rma.testing.faults import Call, Fault, Faults, Twice
from rma.testing.rendering import render


class FaultPlan(Faults):
    """
    A plan that is extended while it runs; `Faults` has the rest of what can be added to it.

    Args:
        note: receives a line about each failure.
        may_come_twice: whether a call that networks repeat is harmless. A gateway without keys makes a
            repeated refund again, which no library can prevent.
    """

    def __init__(
        self, note: Callable[[str], None], may_come_twice: Callable[[Call], bool] = lambda _: True
    ) -> None:
        super().__init__(when=self._what_fails)
        self._note = note
        self._may_come_twice = may_come_twice
        self._broken: dict[str, Fault] = {}
        self._ahead: dict[int, Fault] = {}
        self._meanwhile: dict[int, Callable[[], None]] = {}

    def breaks(self, port: str, fault: Fault) -> None:
        """This happens to every call of the port (`payments`, `returns`, …) from now on."""
        self._broken[port] = fault
        self._note(f"{port}: {render(fault)}")

    def fails_after(self, calls: int, fault: Fault) -> None:
        """This happens to one call, after so many others."""
        self._ahead[len(self.calls) + calls + 1] = fault

    def dies_after(self, points: int) -> None:
        """The process dies, after so many moments at which it could have; each call has two."""
        self.crash_at.add(self.points + points + 1)

    def meanwhile(self, calls: int, act: Callable[[], None]) -> None:
        """Another process does this just before a call, after so many others."""
        self._meanwhile[len(self.calls) + calls + 1] = act

    def elsewhere(self) -> Faults:
        """A plan for another process: nothing fails there, but the gateway is the same."""
        other = Faults()
        other.responses, other.refunds, other.notifications = self.responses, self.refunds, self.notifications
        return other

    def calm(self) -> None:
        """Nothing fails any more, and the gateway makes every refund whose key it has not received."""
        for plan in (self._broken, self._ahead, self._meanwhile, self.at, self.crash_at, self.refunds):
            plan.clear()

    def _what_fails(self, call: Call) -> Fault | None:
        if act := self._meanwhile.pop(call.number, None):
            act()
        fault = self._ahead.pop(call.number, None) or self._broken.get(call.method.split(".")[0])
        if isinstance(fault, Twice) and not self._may_come_twice(call):
            return None
        if fault is not None:
            self._note(f"  {call}: {render(fault)}")
        return fault
