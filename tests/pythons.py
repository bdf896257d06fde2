"""
The tests pass under each Python that the project names; those of the rules also where it is not installed.

    python -m tests.pythons                 3.12, 3.13 and 3.14
    python -m tests.pythons 3.14            only this one

A Python that is on the PATH (as `python3.12`; under pyenv, `PYENV_VERSION` names all that are wanted) runs
the tests of the core and of the extras in an environment of its own. For one that is not, CPython compiled to
WebAssembly (Pyodide, from npm) runs those of the rules under Node: the same interpreter and standard library,
without threads and processes. It needs a package index, and `node` and `npm` for the latter.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lowest import TESTS

ROOT = Path(__file__).resolve().parent.parent

#: The Pyodide that brings each Python; the last release of each was tried.
PYODIDE = {"3.12": "0.27.7", "3.13": "0.29.4", "3.14": "314.0.7"}

#: What the tests of the rules import; tzdata because WebAssembly has no time zones of a system.
PACKAGES = ["attrs", "pytest", "hypothesis", "cattrs", "cachetools", "sqlalchemy", "tzdata"]

#: What starts no thread and no process.
RULES = ["-q", "-p", "no:cacheprovider", "--noconftest", "tests/rules"]


def run(command: Sequence[str], *, folder: Path = ROOT) -> int:
    """Runs a command and returns its exit status."""
    return subprocess.run(command, cwd=folder, check=False).returncode


def find_python(version: str) -> str | None:
    """Returns the path of this Python, or None if there is none; a shim that finds none is none."""
    path = shutil.which(f"python{version}")
    if path is None or subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode:
        return None
    return path


def run_natively(python: str, folder: Path) -> int:
    """Runs the tests in an environment of this interpreter."""
    own = str(folder / "env" / "bin" / "python")
    return (
        run([python, "-m", "venv", str(folder / "env")])
        or run([own, "-m", "pip", "install", "-q", "-e", f"{ROOT}[test]"])
        or run([own, "-m", "pytest", "-q", "-n", "2", *TESTS])
    )


def run_in_webassembly(version: str, folder: Path) -> int:
    """Runs the tests in this version of CPython under Node."""
    (folder / "packages").mkdir()
    anywhere = ["--platform", "any", "--implementation", "py", "--only-binary", ":all:", "--no-compile"]
    target = ["--target", str(folder / "packages"), "--python-version", version, *anywhere]
    if status := run([sys.executable, "-m", "pip", "install", "-q", *target, *PACKAGES]):
        return status
    if status := run(["npm", "pack", "--silent", f"pyodide@{PYODIDE[version]}"], folder=folder):
        return status
    (archive,) = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder, filter="data")
    # frames of Python are frames of WebAssembly, which Node takes from its own stack
    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (most, most))
    node = ["node", "--stack-size=200000", str(ROOT / "tests" / "pythons.mjs")]
    return run([*node, str(folder / "package"), str(folder / "packages"), str(ROOT), *RULES])


def main(*versions: str) -> int:
    """Runs the tests under these versions, all of them unless given; returns how many failed."""
    failed = []
    for version in versions or PYODIDE:
        print(f"== Python {version}", flush=True)
        native = find_python(version)
        with tempfile.TemporaryDirectory(prefix="rma_pythons_") as folder:
            if native is None and not (shutil.which("node") and shutil.which("npm")):
                print(f"neither python{version} nor node and npm are on the PATH", flush=True)
                failed.append(version)
            elif run_natively(native, Path(folder)) if native else run_in_webassembly(version, Path(folder)):
                failed.append(version)
    print(f"FAILED: {', '.join(failed)}" if failed else "All of them pass.", flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
