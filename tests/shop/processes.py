"""Starts processes of the shop, and ends those that it started."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import rma

#: The project.
SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"


def environment(folder: Path, url: str | None = None, **more: str) -> Mapping[str, str]:
    """
    Returns what the settings of a shop in this folder read.

    Args:
        folder: for its files.
        url: of its database, if it is not a file.
        more: of the environment.
    """
    paths = [str(Path(rma.__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    found = {"SHOP_FOLDER": str(folder), "PYTHONPATH": os.pathsep.join(filter(None, paths)), **more}
    return found | {"DATABASE_URL": url or ""}


@contextmanager
def running(
    arguments: Sequence[str], variables: Mapping[str, str], *, passed: Sequence[int] = ()
) -> Iterator["Running"]:
    """Yields a process of the shop; it is ended afterwards."""
    process = Running(arguments, variables, passed=passed)
    try:
        yield process
    finally:
        process.end()


class Running:
    """
    A process that prints its URL when it serves.

    Args:
        arguments: of Python.
        variables: of its environment, besides ours.
        passed: descriptors that it inherits.
    """

    def __init__(
        self, arguments: Sequence[str], variables: Mapping[str, str], *, passed: Sequence[int] = ()
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=SHOP,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=passed,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url.startswith("http://"), f"{arguments} does not serve"

    def kill(self) -> None:
        """Kills it at once, in whatever it is doing."""
        self._process.kill()
        self._wait()

    def end(self) -> None:
        """Ends it as a terminal does, with what it started."""
        self._process.terminate()
        self._wait()

    def _wait(self) -> None:
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
