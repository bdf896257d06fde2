"""Delivers what is outstanding: `manage.py rma_resume`, once or on a timer."""

import select
import signal
import socket
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from rma.adapters.django.conf import get_service, read_settings
from rma.domain.values.errors import RmaError
from rma.service import ReturnService

#: For how long a pass goes on before it looks whether it is to stop; it always ends the order that it began.
#: Twice as long after each time in which it began none.
_SLICE = timedelta(seconds=2)

#: How many ids are named in a line.
_MOST_NAMED = 10


class Command(BaseCommand):
    """
    Delivers what is outstanding and due, and lets returns expire whose date is past.

    It ends with 0 if the pass was made, whatever is still open then, or if SIGTERM or SIGINT ended it between
    two orders; with 1 if it could not be made.
    """

    help = (
        "Delivers what is outstanding of all returns: refunds, stock, labels, events. Ends with 0 if it did "
        "what could be done now, or was stopped by SIGTERM; with 1 if the database did not answer or a "
        "setting is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds `--every`."""
        parser.add_argument(
            "--every",
            nargs="?",
            type=_seconds,
            const=0.0,
            default=None,
            metavar="SECONDS",
            help="goes on until SIGTERM, with so many seconds between two passes; RMA['TIMER'] unless given",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """
        Runs it.

        Raises:
            CommandError: it could not be done.
        """
        every = self._interval(options["every"])
        try:
            service = get_service()
        except (ImproperlyConfigured, RmaError) as error:
            raise CommandError(str(error)) from error
        with _stopping() as stop:
            if every is None:
                self._pass(service, stop, options["verbosity"], is_idle_told=True)
                return
            self._tell(f"rma_resume: every {every:g} s, until SIGTERM", options["verbosity"])
            while not stop.is_asked:
                try:
                    self._pass(service, stop, options["verbosity"], is_idle_told=options["verbosity"] > 1)
                except CommandError as error:
                    self.stderr.write(f"{error}; again in {every:g} s")
                stop.wait(every)
            self._tell("rma_resume: stopped", options["verbosity"])

    def _interval(self, given: float | None) -> float | None:
        if given is None or given > 0:
            return given
        timer = read_settings().timer
        if isinstance(timer, bool) or not isinstance(timer, int | float):
            raise CommandError("--every needs a number of seconds, or the setting RMA['TIMER']")
        return float(timer)

    def _tell(self, line: str, verbosity: int) -> None:
        if verbosity > 0:
            self.stdout.write(line)
            self.stdout.flush()

    def _pass(self, service: ReturnService, stop: "_Stop", verbosity: int, *, is_idle_told: bool) -> None:
        """Makes one pass and says what it found, if that is anything or `is_idle_told`."""
        close_old_connections()
        tried: set[str] = set()
        still_open: set[str] = set()
        expired: list[str] = []
        is_complete, limit = False, _SLICE
        try:
            while not is_complete and not stop.is_asked:
                result = service.resume(time_limit=limit)
                is_complete = result.is_complete
                if not (result.expired or {*result.orders} - tried):
                    limit *= 2
                tried.update(result.orders)
                still_open = (still_open - {*result.orders}) | {*result.still_open}
                expired += result.expired
        except RmaError as error:
            raise CommandError(f"rma_resume: {error.code}: {error}") from error
        finally:
            close_old_connections()
        if not tried and not expired and not is_idle_told:
            return
        line = f"rma_resume: {_number(len(tried), 'order')} tried, {len(still_open)} still open"
        if still_open:
            line += f" ({_names(still_open)})"
        if expired:
            line += f", {_number(len(expired), 'return')} expired ({_names(expired)})"
        self._tell(line if is_complete else f"{line}; stopped before the end", verbosity)


class _Stop:
    """What SIGTERM and SIGINT ask for; a second signal ends the process at once."""

    def __init__(self, waking: socket.socket, woken: socket.socket) -> None:
        self.is_asked = False
        self._waking, self._woken = waking, woken

    def ask(self, *_: int | FrameType | None) -> None:
        """Is called in a signal handler, which must not wait for a lock."""
        if not self.is_asked:
            self.is_asked = True
            self._waking.send(b".")

    def wait(self, seconds: float) -> None:
        """Waits so long, or until it is asked for."""
        if not self.is_asked:
            select.select([self._woken], [], [], seconds)


@contextmanager
def _stopping() -> Iterator[_Stop]:
    waking, woken = socket.socketpair()
    with closing(waking), closing(woken):
        stop = _Stop(waking, woken)
        if threading.current_thread() is not threading.main_thread():
            yield stop  # only the main thread may handle signals
            return
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.getsignal(number) for number in numbers}

        def ask(number: int, frame: FrameType | None) -> None:
            stop.ask(number, frame)
            for each, handler in before.items():
                signal.signal(each, handler)

        for number in numbers:
            signal.signal(number, ask)
        try:
            yield stop
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"{given!r} is not a number of seconds above 0")
    return seconds


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _names(ids: list[str] | set[str]) -> str:
    named = sorted(ids)
    more = f", and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more
