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
#: The rows of each part, without the header.
ROWS = {title: [row for row in text.splitlines() if row.startswith("| ")][1:] for title, text in PARTS}
NAMES = re.findall(r"`(rma\.[\w.]+)`", PAGE)
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
SCENARIOS = re.findall(r"`(tests/[\w/]+\.py)\[([\w-]+)\]`", PAGE)


@cache
def functions_of(path: str) -> frozenset[str]:
    """Returns the names of the functions that the file defines."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset([node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)])


@cache
def scenarios_of(path: str) -> frozenset[object]:
    """Returns the ids that the file gives to its parametrized cases."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        [
            node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "id" and isinstance(node.value, ast.Constant)
        ]
    )


def test_every_promise_is_shown_by_a_test() -> None:
    """Every row names the code that it is about and ends with a test in the form that is checked."""
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
def test_every_name_exists(name: str) -> None:
    """Every dotted name on the page is a module or an attribute of one."""
    module, *rest = name.split(".")
    found: object = import_module(module)
    for part in rest:
        module = f"{module}.{part}"
        found = getattr(found, part) if hasattr(found, part) else import_module(module)

    assert found is not None


def test_every_cited_test_exists() -> None:
    """Every test on the page is defined in its file."""
    missing = [f"{path}::{name}" for path, name in TESTS if name not in functions_of(path)]

    assert not missing


def test_every_cited_scenario_exists() -> None:
    """Every scenario id on the page is given in its file."""
    missing = [f"{path}[{case}]" for path, case in SCENARIOS if case not in scenarios_of(path)]

    assert not missing
