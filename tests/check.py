"""
The test command: runs every check of the project, and says at the end which of them failed.

    python -m tests.check                  everything that must hold before a commit, in a few minutes
    python -m tests.check lint types       only these steps
    python -m tests.check long             the longer searches, in an hour or more

A step that fails does not stop the others. The exit status is the number of steps that failed.
"""

import os
import subprocess
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent

#: Where the environment of this Python keeps its programs.
PROGRAMS = Path(sys.executable).parent

#: A program of the environment and its arguments.
Command = Sequence[str]

TYPED = ["src", "tests", "examples", "benchmarks", "conftest.py", "docs/site/conf.py"]
#: The tests that are about the domain; each of its branches is taken by them. All others are in `tests`.
ABOUT_THE_DOMAIN = ["tests/rules", "tests/shell", "tests/laws/test_money.py", "src/rma/domain"]
EVERY_BRANCH = [
    "--cov=rma.domain",
    "--cov-branch",
    "--cov-report=term-missing:skip-covered",
    "--cov-fail-under=100",
]
ON_BOTH_CORES = ["pytest", "-q", "-n", "2"]
SEARCHES = ["laws", "testing", "races", "killed", "processes", "postgres", "hosts", "django"]

CHECKS: Mapping[str, Sequence[Command]] = {
    "lint": [["ruff", "check"], ["ruff", "format", "--check"]],
    "types": [["mypy", *TYPED]],
    "imports": [["lint-imports"]],
    "domain": [[*ON_BOTH_CORES, *EVERY_BRANCH, *ABOUT_THE_DOMAIN]],
    "tests": [[*ON_BOTH_CORES, *[f"--ignore={path}" for path in ABOUT_THE_DOMAIN]]],
}

LONGER_CHECKS: Mapping[str, Sequence[Command]] = {
    "searches": [[*ON_BOTH_CORES, *[f"tests/{name}" for name in SEARCHES]]],
    "lowest": [["python", "-m", "tests.lowest"]],
    "pythons": [["python", "-m", "tests.pythons"]],
    "mutants": [["python", "-m", "tests.mutants"]],
}

#: The environment of the longer steps, besides ours.
LONG = {"RMA_TEST_PROFILE": "long"}


def run(name: str, commands: Sequence[Command]) -> bool:
    """Runs the commands of a step until one fails, and returns whether all of them succeeded."""
    environment = os.environ | (LONG if name in LONGER_CHECKS else {})
    for program, *arguments in commands:
        print(f"== {name}: {program} {' '.join(arguments)}", flush=True)
        command = [str(PROGRAMS / program), *arguments]
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            return False
    return True


def check(steps: Mapping[str, Sequence[Command]]) -> list[str]:
    """Runs these steps, prints how each ended and how long it took, and returns those that failed."""
    failed, lines = [], []
    for name, commands in steps.items():
        start = perf_counter()
        is_ok = run(name, commands)
        lines.append(f"{name:<10} {'ok' if is_ok else 'FAILED':<6} {perf_counter() - start:6.1f} s")
        if not is_ok:
            failed.append(name)
    print("", *lines, sep="\n")
    print(f"FAILED: {', '.join(failed)}" if failed else f"All {len(steps)} steps are ok.", flush=True)
    return failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the steps that the arguments name, and returns the number of those that failed."""
    every = {**CHECKS, **LONGER_CHECKS}
    parser = ArgumentParser(
        prog="python -m tests.check", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("step", nargs="*", help=f"long, or any of {', '.join(every)}")
    chosen: list[str] = parser.parse_args(arguments).step or list(CHECKS)
    names = [name for each in chosen for name in (LONGER_CHECKS if each == "long" else [each])]
    if unknown := [name for name in names if name not in every]:
        parser.error(f"no step is called {', '.join(unknown)}; there are {', '.join(every)}, and long")
    return len(check({name: every[name] for name in names}))


if __name__ == "__main__":
    sys.exit(main())
