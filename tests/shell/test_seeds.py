"""What `docs/seeds.md` says is there: every name in the code, every test, every scenario."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "seeds.md").read_text(encoding="utf-8")
PARTS = {
    title: text.splitlines() for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
}
ROWS = {
    title: [row for row in lines if row.startswith("| ")][1:]  # without what the columns are called
    for title, lines in PARTS.items()
}
NAMES = re.findall(r"`(rma\.[\w.]+)`", PAGE)
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
SCENARIOS = re.findall(r"`(tests/[\w/]+\.py)\[([\w-]+)\]`", PAGE)


@cache
def functions_of(path: str) -> frozenset[str]:
    """The functions that the file defines."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset([node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)])


@cache
def scenarios_of(path: str) -> frozenset[str]:
    """The ids that the file gives to its cases."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        [
            node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "id" and isinstance(node.value, ast.Constant)
        ]
    )


def test_the_page_has_its_parts() -> None:
    """Three pages, and what is better; nothing of it is written so that it would not be checked."""
    assert [len(rows) for rows in ROWS.values()] == [12, 24, 15, 33]
    shown = [row.split(" | ")[-1] for rows in ROWS.values() for row in rows]
    cited = re.findall(r"`(tests/[^`]+)`", PAGE)

    assert all("`tests/" in cell for cell in shown)
    assert len(cited) == len(TESTS) + len(SCENARIOS)
    assert all("`rma." in row for title in list(ROWS)[:3] for row in ROWS[title])


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
