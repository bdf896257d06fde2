"""`import rma` imports what the core needs and nothing else, so that every host starts fast."""

import subprocess
import sys

import pytest

#: Modules of the standard library that cost time and that the core does not use.
SLOW = {
    "argparse", "asyncio", "concurrent", "email", "http", "importlib.metadata", "json", "multiprocessing",
    "pathlib", "pickle", "random", "secrets", "selectors", "shutil", "socket", "sqlite3", "ssl", "subprocess",
    "tempfile", "unittest", "urllib",
}  # fmt: skip

#: What only the extras need.
EXTRAS = {
    "aiosqlite", "cachetools", "cattrs", "coverage", "django", "greenlet", "hypothesis", "psycopg", "pytest",
    "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip


def imported_by(statement: str) -> set[str]:
    """The modules that a new interpreter imports for this statement, beyond those that it starts with."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    command = [sys.executable, "-c", program]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("statement", ["import rma", "import rma.ports", "import rma.adapters.memory"])
def test_the_core_takes_no_needless_imports(statement: str) -> None:
    """Neither what is slow nor what an extra brings, and no adapter or harness that was not asked for."""
    modules = imported_by(statement)

    assert not modules & SLOW
    assert not modules & EXTRAS
    assert "rma.testing" not in modules
    assert statement.endswith("memory") or "rma.adapters" not in modules


def test_the_core_needs_attrs_alone() -> None:
    """Every module that is neither ours nor attrs' belongs to the standard library."""
    roots = {name.partition(".")[0] for name in imported_by("import rma")}

    assert roots - sys.stdlib_module_names == {"rma", "attr", "attrs"}
