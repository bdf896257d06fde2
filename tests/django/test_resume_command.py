"""`manage.py rma_resume` in processes of its own, which are stopped and killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from attrs import evolve, frozen
from django.core.management import CommandError, call_command

from rma import ReturnService
from rma.adapters.django import DjangoReturns
from tests.django.aliases import Aliases, database, make_tables, rma_setting
from tests.django.project import ORDERS, Clock, service_over
from tests.django.shop import label_for
from tests.killed.gateways import GatewayModel

#: For how many seconds a test waits for the end of a process, at most.
LONGEST = 300

ROOT = Path(__file__).resolve().parents[2]


@frozen
class Project:
    """
    A project whose processes share a database and a gateway.

    Attributes:
        using: the alias of its database in this process.
    """

    using: str
    url: str
    folder: Path

    @property
    def gateway(self) -> GatewayModel:
        """What its ports did."""
        return GatewayModel(self.folder / "gateway.db")

    @property
    def open_orders(self) -> list[str]:
        """The orders with open effects."""
        returns = DjangoReturns(self.using)
        return [each for each in ORDERS if returns.load(each).open_effects]

    @contextmanager
    def process(self, *arguments: str, **environment: object) -> Iterator[subprocess.Popen[str]]:
        """Yields a process of Python with these arguments; it is killed if it is still there afterwards."""
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "DJANGO_SETTINGS_MODULE": "tests.django.project_settings",
            "RMA_TEST_DATABASE": json.dumps(database(self.url)),
            "RMA_TEST_GATEWAY": str(self.folder / "gateway.db"),
            **{f"RMA_TEST_{name.upper()}": str(value) for name, value in environment.items()},
        }
        with subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as started:
            try:
                yield started
            finally:
                started.kill()

    def run(self, *arguments: str, **environment: object) -> tuple[int, str, str]:
        """Returns exit status, output and errors of such a process."""
        with self.process(*arguments, **environment) as started:
            output, errors = started.communicate(timeout=LONGEST)
            return started.returncode, output.strip(), errors.strip()

    def resume(self, *arguments: str, **environment: object) -> tuple[int, str, str]:
        """Returns those of `manage.py rma_resume`."""
        return self.run("django", "rma_resume", *arguments, **environment)

    def commit_labels(self) -> None:
        """Stores a request with a label for each order, and delivers nothing."""
        service = service_over(self.folder / "gateway.db", self.using)
        for each in ORDERS:
            service.handle(label_for(each), deliver=False)


@pytest.fixture
def project(aliases: Aliases, tmp_path: Path) -> Project:
    """Returns a project with the tables of rma in a file."""
    alias = aliases.with_tables("sqlite")
    return Project(alias, aliases.url(alias), tmp_path)


@pytest.fixture
def each_project(aliases: Aliases, alias: str, tmp_path: Path) -> Project:
    """Returns one over each kind of database."""
    return Project(alias, aliases.url(alias), tmp_path)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Returns a pipe; what reads it waits until it is written to."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_process_that_died_after_its_commit_is_followed_by_the_command(each_project: Project) -> None:
    """All that was committed is delivered, once; then there is nothing to do."""
    project = each_project
    assert project.run("tests.django.project")[0] == 9
    assert project.open_orders == list(ORDERS)
    assert project.gateway.times() == {}

    assert project.resume() == (0, "rma_resume: 3 orders tried, 0 still open", "")

    assert project.open_orders == []
    assert list(project.gateway.times().values()) == [1, 1, 1]
    assert project.resume() == (0, "rma_resume: 0 orders tried, 0 still open", "")


def test_what_is_still_open_is_named_and_no_failure(project: Project) -> None:
    """The next pass tries again, later and later."""
    project.commit_labels()

    status, output, errors = project.resume(carrier="away")

    assert (status, output) == (0, f"rma_resume: 3 orders tried, 3 still open ({', '.join(ORDERS)})")
    assert "no answer in 10 s" in errors  # the observer's log
    assert project.resume(hours=1)[1] == "rma_resume: 3 orders tried, 0 still open"


def test_sigterm_ends_the_wait_for_the_next_pass(project: Project) -> None:
    """With status 0; the pass before it did all that was due."""
    project.commit_labels()

    with project.process("django", "rma_resume", "--every", "3600") as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "rma_resume: every 3600 s, until SIGTERM\n"
        assert started.stdout.readline() == "rma_resume: 3 orders tried, 0 still open\n"
        started.send_signal(signal.SIGTERM)
        assert started.stdout.readline() == "rma_resume: stopped\n"
        assert started.wait(timeout=LONGEST) == 0

    assert project.open_orders == []
    assert list(project.gateway.times().values()) == [1, 1, 1]


def test_sigterm_during_a_call_waits_for_its_answer_and_begins_no_other_order(
    project: Project, pipe: Path
) -> None:
    """The outcome is stored, and the next process does the others."""
    project.commit_labels()

    with project.process("django", "rma_resume", "--every", "3600", pipe=pipe, seconds=0.4) as started:
        assert started.stdout is not None
        started.stdout.readline()
        assert started.stdout.readline().startswith("booked ")
        started.send_signal(signal.SIGTERM)
        pipe.write_bytes(b"")
        tried = "rma_resume: 1 order tried, 0 still open; stopped before the end\n"
        assert started.stdout.readline() == tried
        assert started.stdout.readline() == "rma_resume: stopped\n"
        assert started.wait(timeout=LONGEST) == 0
    assert project.open_orders == list(ORDERS[1:])

    assert project.resume(hours=1, seconds=0.4)[1] == "rma_resume: 2 orders tried, 0 still open"

    assert list(project.gateway.times().values()) == [1, 1, 1]


def test_a_second_signal_ends_it_at_once(project: Project, pipe: Path) -> None:
    """As if it was killed: another process goes on."""
    project.commit_labels()

    with project.process("django", "rma_resume", pipe=pipe) as started:
        assert started.stdout is not None
        started.stdout.readline()
        started.send_signal(signal.SIGINT)
        for _ in range(LONGEST):  # the first may arrive before the other is handled
            started.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                started.wait(timeout=1)
                break
        assert started.returncode == -signal.SIGTERM

    assert project.resume(hours=24)[1] == "rma_resume: 3 orders tried, 0 still open"


def test_killed_during_a_call_it_is_followed_by_another(each_project: Project, pipe: Path) -> None:
    """The carrier gets the same key again, and has booked one label for each return."""
    project = each_project
    project.commit_labels()
    with project.process("django", "rma_resume", pipe=pipe) as started:
        assert started.stdout is not None
        booked = started.stdout.readline().split()[1]
        started.send_signal(signal.SIGKILL)
        assert started.wait(timeout=LONGEST) == -signal.SIGKILL
    assert project.open_orders == list(ORDERS)

    assert project.resume(hours=24) == (0, "rma_resume: 3 orders tried, 0 still open", "")

    times = project.gateway.times()
    assert times.pop(booked) == 2
    assert list(times.values()) == [1, 1]
    assert project.open_orders == []


def test_it_goes_on_when_the_database_answers_again(aliases: Aliases, tmp_path: Path) -> None:
    """Each pass that could not be made is reported; the next one delivers."""
    alias = aliases.new("sqlite")
    project = Project(alias, aliases.url(alias), tmp_path)
    with project.process("django", "rma_resume", "--every", "0.05") as started:
        assert started.stdout is not None
        assert started.stderr is not None
        for _ in range(2):
            line = started.stderr.readline()
            assert line.startswith("rma_resume: tables_missing: ")
            assert line.endswith("again in 0.05 s\n")
        make_tables(alias)
        project.commit_labels()
        assert started.stdout.readline() == "rma_resume: every 0.05 s, until SIGTERM\n"
        tried = started.stdout.readline()
        assert tried == "rma_resume: 3 orders tried, 0 still open\n"
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=LONGEST)
        assert started.returncode == 0


def test_a_pass_that_cannot_be_made_fails(aliases: Aliases, tmp_path: Path) -> None:
    """With status 1, and what has to be done."""
    alias = aliases.new("sqlite")
    project = Project(alias, aliases.url(alias), tmp_path)

    status, output, errors = project.resume()

    assert (status, output) == (1, "")
    assert "tables_missing" in errors
    assert "manage.py migrate rma" in errors


class Tired(Clock):
    """A clock on which two seconds pass while anything is looked for, and which is read so often at most."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self._left = 500

    def __call__(self) -> datetime:
        """Returns the moment."""
        self._left -= 1
        assert self._left, "the pass does not end"
        return super().__call__()


def test_a_pass_that_looks_for_long_comes_to_its_orders(project: Project) -> None:
    """Also if its first seconds are over by then."""
    project.commit_labels()
    output = StringIO()
    made["slow"] = evolve(service_over(project.folder / "gateway.db", project.using), clock=Tired())

    with rma_setting(SERVICE=f"{__name__}.make_slow"):
        call_command("rma_resume", stdout=output)

    assert output.getvalue() == "rma_resume: 3 orders tried, 0 still open\n"
    assert project.open_orders == []


#: The service of the test above.
made: dict[str, ReturnService] = {}


def make_slow() -> ReturnService:
    """Returns it."""
    return made["slow"]


@pytest.mark.parametrize(
    ("given", "setting", "words"),
    [
        ((), {}, 'RMA["SERVICE"] must be the dotted path of a service'),
        (("--every",), {"SERVICE": "x.y"}, "--every needs a number of seconds, or the setting RMA['TIMER']"),
        (("--every", "0"), {}, "argument --every: '0' is not a number of seconds above 0"),
        (("--every", "inf"), {}, "argument --every: 'inf' is not a number of seconds above 0"),
        (("--every", "often"), {}, "argument --every: 'often' is not a number of seconds above 0"),
    ],
)
def test_wrong_settings_and_arguments_are_named(
    given: tuple[str, ...], setting: dict[str, object], words: str
) -> None:
    """Before anything is done."""
    with rma_setting(**setting), pytest.raises(CommandError) as error:
        call_command("rma_resume", *given)

    assert words in str(error.value)
