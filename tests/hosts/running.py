"""Processes of a host: started, waited for by what they print, killed."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

#: Runs a module of Python: its name comes next.
MODULE = (sys.executable, "-m")

#: How long a process may take for what it does in a second or two, in seconds: the machine may be busy.
PATIENCE = 120.0


class Process:
    """A running process, and the lines that it has printed."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._lines: list[str] = []
        self._has_ended = False
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=ROOT / "examples",
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            start_new_session=True,  # it ends with all that it started
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Waits until a line is printed in which this is found, and returns what was found."""

        def found() -> re.Match[str] | None:
            return next((match for line in self._lines if (match := re.search(pattern, line))), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._has_ended, PATIENCE)
            match = found()
            assert match, f"no line with {pattern!r} in:\n{''.join(self._lines)}"
            return match

    def wait(self) -> int:
        """Waits until it ends by itself, and returns its exit status."""
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """Ends it with all that it started, by SIGKILL."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()


@contextmanager
def running(*command: str, environment: Mapping[str, str]) -> Iterator[Process]:
    """Runs a command in the folder of the examples, with this in its environment, and kills it at the end."""
    process = Process(command, environment)
    try:
        yield process
    finally:
        process.kill()
