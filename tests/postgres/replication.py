"""
A PostgreSQL server and its standby, each of which can be killed, cut off, started again and promoted.

Both run in one directory that is removed with them, and can be reached by sockets in it only.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from attrs import define, field

from tests.postgres.server import RunsAs, usable_programs

#: How many seconds a server may take for what it is asked.
_PATIENCE = 60.0

#: Runs a server until standard input is closed, also if the process that started it was killed, or froze it.
_RUN = r"""
"$1/postgres" -D "$2/data" -k "$2" -h '' -c max_connections=20 -c shared_buffers=16MB \
    -c wal_retrieve_retry_interval=50ms >>"$2/log" 2>&1 &
read _; kill -CONT $! $(cat /proc/$!/task/$!/children) 2>/dev/null; kill -QUIT $! 2>/dev/null; wait
"""


def wait_until(happens: Callable[[], object]) -> None:
    """
    Returns once this is true.

    Raises:
        TimeoutError: it took too long.
    """
    ends = time.monotonic() + _PATIENCE
    while not happens():
        if time.monotonic() > ends:
            raise TimeoutError(f"never happened: {happens}")
        time.sleep(0.01)


@define
class Server:
    """
    A server in a folder of its own.

    Attributes:
        folder: of its socket and its log; its data are in a folder in it.
    """

    folder: Path
    _programs: Path
    _runs_as: RunsAs
    _shell: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Starts the server, and returns once it answers."""
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _RUN, "sh", str(self._programs), str(self.folder)],
            stdin=subprocess.PIPE,
            cwd=self.folder,
            start_new_session=True,  # signals of the terminal are for the tests only
            **self._runs_as,
        )
        wait_until(self._answers)

    def stop(self) -> None:
        """Ends the server, if it runs."""
        if self._shell is not None:
            self._shell.communicate()
            self._shell = None

    def kill(self) -> None:
        """Kills all processes of the server at once with SIGKILL, as a power cut would."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.stop()

    def freeze(self) -> None:
        """Stops all its processes until `thaw`: it keeps its connections, and reads and answers nothing."""
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Continues what `freeze` stopped."""
        for pid in self.processes():
            os.kill(pid, signal.SIGCONT)

    def processes(self) -> list[int]:
        """Returns the ids of its processes, first that which starts all others."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text()
        return [first, *map(int, children.split())]

    def configure(self, settings: Mapping[str, str]) -> None:
        """Appends settings, which a server that runs reads again."""
        with (self.folder / "data" / "postgresql.conf").open("a") as written:
            written.writelines([f"{name} = '{value}'\n" for name, value in settings.items()])
        if self._shell is not None:
            self.asked("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Has a standby become a primary, and returns once it is one."""
        assert self.asked("SELECT pg_promote(true, 60)") == [(True,)]

    def copy(self, folder: Path) -> "Server":
        """Returns a standby of this server in a new folder; it is not started."""
        subprocess.run(
            [
                *(str(self._programs / "pg_basebackup"), "-h", str(self.folder), "-U", "postgres"),
                *("-D", str(folder / "data"), "-R", "-X", "stream", "-c", "fast", "--no-sync"),
                *("-d", "application_name=standby"),
            ],
            check=True,
            cwd=self.folder,
            **self._runs_as,
        )
        return Server(folder, self._programs, self._runs_as)

    def asked(self, query: str) -> list[tuple[object, ...]]:
        """Returns the rows of a query on a connection of its own, none if it is a command."""
        parameters = f"host={self.folder} user=postgres dbname=postgres"
        with psycopg.connect(parameters, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        assert self._shell is not None
        assert self._shell.poll() is None, (self.folder / "log").read_text()
        try:
            self.asked("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@define
class Pair:
    """A primary and its standby."""

    primary: Server
    standby: Server

    @property
    def url(self) -> str:
        """The URL of an application: of whichever of both takes writes."""
        folders = f"{self.primary.folder},{self.standby.folder}"
        return f"postgresql://postgres@/postgres?host={folders}&target_session_attrs=read-write"

    def synchronize(self) -> None:
        """Has each commit wait for the standby, and returns once both are of one state."""
        self.primary.configure({"synchronous_standby_names": "standby"})
        wait_until(lambda: self.primary.asked("SELECT sync_state FROM pg_stat_replication") == [("sync",)])

    def fail_over(self) -> None:
        """Has the standby take over, without waiting for a standby of its own."""
        self.standby.configure({"synchronous_standby_names": ""})
        self.standby.promote()

    def stop(self) -> None:
        """Ends both."""
        self.standby.stop()
        self.primary.stop()

    def replace(self) -> None:
        """Makes a new standby of the server that took over, in the place of the one that was killed."""
        self.primary.stop()
        if self.standby.asked("SELECT pg_is_in_recovery()") == [(True,)]:
            self.fail_over()
        shutil.rmtree(self.primary.folder / "data")
        self.primary, self.standby = self.standby, self.standby.copy(self.primary.folder)
        self.standby.start()


@contextmanager
def running_pair() -> Iterator[Pair]:
    """Yields a primary and its standby, which follows without being waited for."""
    with ExitStack() as until_the_end:
        folder = Path(tempfile.mkdtemp(prefix="rma_pair_"))
        until_the_end.callback(shutil.rmtree, folder)
        programs, runs_as = usable_programs(folder)
        primary = Server(folder / "a", programs, runs_as)
        subprocess.run(
            [
                *(str(programs / "initdb"), "-D", str(primary.folder / "data"), "-U", "postgres"),
                *("-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"),
            ],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **runs_as,
        )
        pair = Pair(primary, primary)
        until_the_end.callback(pair.stop)
        primary.start()
        pair.standby = primary.copy(folder / "b")
        pair.standby.start()
        yield pair
