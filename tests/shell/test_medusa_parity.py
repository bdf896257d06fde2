"""`docs/medusa-parity.md` names only what exists: code, tests, scenarios."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "medusa-parity.md").read_text(encoding="utf-8")
PARTS = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
#: By part: its rows, without what the columns are called.
ROWS = {title: [row for row in text.splitlines() if row.startswith("| ")][1:] for title, text in PARTS}
NAMES = re.findall(r"`(rma\.[\w.]+)`", PAGE)
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
SCENARIOS = re.findall(r"`(tests/[\w/]+\.py)\[([\w-]+)\]`", PAGE)


@cache
def functions_of(path: str) -> frozenset[str]:
    """The functions that the file defines."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset([node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)])


@cache
def scenarios_of(path: str) -> frozenset[object]:
    """The ids that the file gives to its cases."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        [
            node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "id" and isinstance(node.value, ast.Constant)
        ]
    )


def test_every_promise_is_shown_by_a_test() -> None:
    """And names where it lives; every citation is in the form that is checked."""
    assert list(ROWS) == [
        "The order returns page",
        "The returns architecture page",
        "The Create Return API page",
        "Where it does better",
    ]
    for title, rows in ROWS.items():
        for row in rows:
            assert re.search(r"`tests/[^`]+` \|$", row), row
            assert title == "Where it does better" or "`rma." in row, row
    cited = re.findall(r"`tests/[^`]+`", PAGE)
    assert len(cited) == len(TESTS) + len(SCENARIOS) > sum(map(len, ROWS.values()))


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_what_is_named_is_there(name: str) -> None:
    """A module, or something in one."""
    module, *rest = name.split(".")
    found: object = import_module(module)
    for part in rest:
        module = f"{module}.{part}"
        found = getattr(found, part) if hasattr(found, part) else import_module(module)

    assert found is not None


def test_every_test_that_is_named_is_there() -> None:
    """By its file and its name."""
    missing = [f"{path}::{name}" for path, name in TESTS if name not in functions_of(path)]

    assert not missing


def test_every_scenario_that_is_named_is_there() -> None:
    """By its file and its id."""
    missing = [f"{path}[{case}]" for path, case in SCENARIOS if case not in scenarios_of(path)]

    assert not missing
