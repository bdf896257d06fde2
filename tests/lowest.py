"""
The lower bounds of `pyproject.toml` are true: the tests of the extras pass with the lowest versions allowed.

    python -m tests.lowest                   makes the environment and runs the tests of the extras in it
    python -m tests.lowest tests/postgres    only these, or with other arguments of pytest

The environment has this Python, and is removed afterwards. Every requirement that is declared is installed at
its lower bound; what those require in turn is the newest that fits. It needs a package index.
"""

import os
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

#: What only the examples of hosts need. No extra of a host has it, and some of it asks for later versions of
#: what is declared here; the test command runs it with the newest.
OF_EXAMPLES = {
    "beancount",
    "celery",
    "celery-types",
    "factur-x",
    "fastapi",
    "httpx",
    "nats-py",
    "playwright",
    "saxonche",
    "schemathesis",
}

#: The pages whose blocks need them.
PAGES_OF_EXAMPLES = ["books", "carrier", "celery", "credit_notes", "fastapi", "gateway", "outbox"]

#: The tests that use a dependency: of the extras, and of the core.
TESTS = [
    *[
        f"tests/{name}"
        for name in ("rules", "shell", "codec", "sql", "aio", "postgres", "django", "medusa", "testing")
    ],
    "--ignore=tests/testing/test_mutants.py",  # reads the sources only
    "tests/test_imports.py",
    "README.md",
    "docs",
    *[f"--ignore=docs/{name}.md" for name in PAGES_OF_EXAMPLES],
    "src",
]


def declared() -> Mapping[str, Sequence[Requirement]]:
    """Returns what the project declares: the requirements of each extra, and of the core under no name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        name: [Requirement(each) for each in requirements]
        for name, requirements in {"": project["dependencies"], **project["optional-dependencies"]}.items()
    }


def installed(extras: Mapping[str, Sequence[Requirement]]) -> Iterator[str]:
    """Yields the requirements of all extras, besides those of the examples."""
    for requirement in chain.from_iterable(extras.values()):
        if canonicalize_name(requirement.name) not in OF_EXAMPLES:
            yield str(requirement)


def pins(requirements: Iterable[Requirement]) -> Iterator[str]:
    """Yields a constraint to the lower bound of each requirement that has one."""
    for requirement in requirements:
        for specifier in requirement.specifier:
            if specifier.operator == ">=":
                yield f"{canonicalize_name(requirement.name)}=={specifier.version}"


def main(*arguments: str) -> int:
    """Returns the exit status of the tests, or that of the installation if it fails."""
    extras = declared()
    lowest = sorted(set(pins(chain.from_iterable(extras.values()))))
    print("The lowest versions:", *lowest, flush=True)
    # what is imported is in the environment; and other examples need no other versions
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = {**clean, "RMA_TEST_PROFILE": "default"}
    with tempfile.TemporaryDirectory(prefix="rma_lowest_") as folder:
        constraints = Path(folder, "lowest.txt")
        constraints.write_text("\n".join(lowest), "utf-8")
        venv.create(Path(folder, "env"), with_pip=True)
        python = str(Path(folder, "env", "bin", "python"))
        commands = [
            [
                python,
                "-m",
                "pip",
                "install",
                "-q",
                "-c",
                str(constraints),
                "-e",
                str(ROOT),
                *installed(extras),
            ],
            [python, "-m", "pytest", "-q", *(arguments or ["-n", "2", *TESTS])],
        ]
        for command in commands:
            if status := subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
