"""
The lower bounds of `pyproject.toml` are true: the tests pass with the lowest versions that they allow.

    python -m tests.lowest                   makes the environment and runs the tests of the extras in it
    python -m tests.lowest tests/postgres    only these, or with other arguments of pytest

Makes an environment in a folder that is removed afterwards, with this Python. Every requirement that is declared
is installed at its lower bound; what those require in turn is as new as it can be. It needs a package index.
"""

import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

#: The tests of the extras, and those of the core that use its only dependency most.
OF_THE_EXTRAS = ["rules", "shell", "sql", "aio", "postgres", "medusa", "testing", "test_imports.py"]


def declared() -> Mapping[str, Sequence[Requirement]]:
    """Returns what the project declares: the requirements of each extra, and of the core under no name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        name: [Requirement(each) for each in requirements]
        for name, requirements in {"": project["dependencies"], **project["optional-dependencies"]}.items()
    }


def lowest(requirements: Iterable[Requirement]) -> Iterator[str]:
    """Yields a pin to the lower bound of each requirement that has one."""
    for requirement in requirements:
        for specifier in requirement.specifier:
            if specifier.operator == ">=":
                yield f"{canonicalize_name(requirement.name)}=={specifier.version}"


def main(*arguments: str) -> int:
    """Returns the exit status of the tests, or that of the installation if it fails."""
    extras = declared()
    pins = sorted(set(lowest(chain.from_iterable(extras.values()))))
    print("The lowest versions:", *pins, flush=True)
    with tempfile.TemporaryDirectory(prefix="rma_lowest_") as folder:
        constraints = Path(folder, "lowest.txt")
        constraints.write_text("\n".join(pins))
        venv.create(Path(folder, "env"), with_pip=True)
        python = str(Path(folder, "env", "bin", "python"))
        wanted = f"{ROOT}[{','.join(filter(None, extras))}]"
        install = [python, "-m", "pip", "install", "-q", "-c", str(constraints), "-e", wanted]
        tests = arguments or ["-n", "2", *[f"tests/{name}" for name in OF_THE_EXTRAS]]
        for command in (install, [python, "-m", "pytest", "-q", *tests]):
            if status := subprocess.run(command, cwd=ROOT, check=False).returncode:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
