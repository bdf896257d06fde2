"""The wheel at a host that installs nothing but what it requires."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.release.conftest import ROOT, Release

#: A module of a host, with what a checker is to say of its last two lines.
HOST = """
from rma import Money, RequestedItem, RequestReturn, Return, ReturnService
from rma.adapters.memory import in_memory_service

service: ReturnService = in_memory_service([])


def give_back(order_id: str, item_id: str) -> Money:
    requested: Return = service.handle(
        RequestReturn(order_id=order_id, items=[RequestedItem(item_id=item_id, quantity=1)])
    )
    return requested.quoted_refund


amount: int = give_back("order_1", "item_1")
RequestReturn(order="order_1")
"""
WRONG_LINES = {15, 16}


@pytest.fixture(scope="session")
def host(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that holds the wheel and attrs, and nothing else."""
    folder = tmp_path_factory.mktemp("host") / "packages"
    shutil.copytree(release.installed, folder)
    attrs = distribution("attrs")
    for file in attrs.files or []:
        if file.parts[0] in {"attr", "attrs"} and file.suffix != ".pyc":
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(attrs.locate_file(file)), target)
    return folder


def run_isolated(host: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Runs a program with the standard library and these packages, no others."""
    program = f"import sys; sys.path.insert(0, {str(host)!r})\n{program}"
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=host)


def test_the_quickstart_runs_with_attrs_alone(host: Path) -> None:
    """From the wheel, without any other package, as it does in the repository."""
    quickstart = ROOT / "examples" / "quickstart.py"
    alone = run_isolated(host, f"import runpy; runpy.run_path({str(quickstart)!r}, run_name='__main__')")
    here = subprocess.run(
        [sys.executable, str(quickstart)], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout == here.stdout
    assert len(alone.stdout.splitlines()) > 50


def test_mypy_reads_the_types_of_the_wheel(release: Release, tmp_path: Path) -> None:
    """A host that checks strictly sees our types, and its own mistakes."""
    (tmp_path / "host.py").write_text(HOST, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", "host.py"]
    environment = {"MYPYPATH": str(release.installed), "PATH": ""}
    found = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    lines = {int(line.split(":")[1]) for line in found.stdout.splitlines() if ": error:" in line}

    assert lines == WRONG_LINES, found.stdout


def test_pyright_reads_the_types_of_the_wheel(host: Path, tmp_path: Path) -> None:
    """So does a host that checks with pyright."""
    (tmp_path / "host.py").write_text(HOST, "utf-8")
    settings = {"include": ["host.py"], "extraPaths": [str(host)], "typeCheckingMode": "strict"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(tmp_path)]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    problems = [
        each for each in json.loads(found.stdout)["generalDiagnostics"] if each["severity"] == "error"
    ]

    assert {each["range"]["start"]["line"] + 1 for each in problems} == WRONG_LINES, problems
