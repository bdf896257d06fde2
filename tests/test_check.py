"""The test command runs every step, says which failed, and is the one that README and `.ci/run` use."""

import sys
from pathlib import Path

import pytest

from tests.check import CHECKS, LONGER_CHECKS, ROOT, check, main

GOOD = [["python", "-c", "pass"]]
BAD = [["python", "-c", "raise SystemExit(3)"], ["python", "-c", "print('not reached', flush=True)"]]


def test_a_step_that_fails_does_not_stop_the_others(capfd: pytest.CaptureFixture[str]) -> None:
    """All steps run, and the summary names those that failed."""
    assert check({"bad": BAD, "good": GOOD}) == ["bad"]

    printed = capfd.readouterr().out
    assert "not reached" not in printed.splitlines()
    assert [line.split()[:2] for line in printed.splitlines()[-3:]] == [
        ["bad", "FAILED"],
        ["good", "ok"],
        ["FAILED:", "bad"],
    ]


def test_steps_that_succeed_are_ok(capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing failed, and the last line says so."""
    assert check({"good": GOOD}) == []
    assert capfd.readouterr().out.splitlines()[-1] == "All 1 steps are ok."


def test_a_step_that_is_unknown_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of those that exist."""
    with pytest.raises(SystemExit) as error:
        main(["lint", "typos"])

    assert error.value.code == 2
    message = capsys.readouterr().err
    assert all(name in message for name in ["typos", *CHECKS, *LONGER_CHECKS])


def test_programs_are_those_of_the_environment() -> None:
    """Every step runs a program that was installed beside this Python."""
    for commands in (*CHECKS.values(), *LONGER_CHECKS.values()):
        for program, *_ in commands:
            assert (Path(sys.executable).parent / program).exists(), program


def test_the_readme_names_the_test_command() -> None:
    """The first command is the main job and the second the test command, as `.ci/run` takes them."""
    lines = (ROOT / "README.md").read_text().splitlines()
    first, second, *_ = [line for line in lines if line.startswith("python3 -m venv ")]

    assert first.endswith("python examples/quickstart.py")
    assert second.endswith("python -m tests.check")
