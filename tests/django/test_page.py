"""The project of `docs/django.md` works as it is printed."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.docs.draw import DOCS

PAGE = (DOCS / "django.md").read_text("utf-8")

#: What `django-admin startproject` writes, in short.
MANAGE = """
import os
import sys
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
execute_from_command_line(sys.argv)
"""


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Yields the blocks in this language, with the block of text that follows at once, or an empty string."""
    pattern = rf"^```{language}\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?"
    for found in re.finditer(pattern, PAGE, re.MULTILINE | re.DOTALL):
        yield found[1], found[2] or ""


def run(command: str, folder: Path) -> str:
    """Runs a line of the page in the project and returns its output; its status is 0."""
    program, *arguments = shlex.split(command)
    assert program == "python"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_project_of_the_page_works(tmp_path: Path) -> None:
    """Its files are written, then its commands are run in their order, and print what the page says."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "manage.py").write_text(MANAGE, "utf-8")
    files = []
    for block, _ in blocks("python"):
        name, _, code = block.removeprefix("# ").partition("\n")
        (tmp_path / name).write_text(code, "utf-8")
        files.append(name)
    assert len(files) == len(set(files)) == 7

    for block, expected in blocks("sh"):
        output = "".join(run(command, tmp_path) for command in block.splitlines())
        assert output == expected

    assert len(list(blocks("sh"))) == 3


def test_the_page_has_every_check() -> None:
    """By its id."""
    source = Path(__file__).resolve().parents[2] / "src" / "rma" / "adapters" / "django" / "checks.py"
    used = re.findall(r'id="(rma\.\w+)"', source.read_text("utf-8"))
    rows = "".join(re.findall(r"^\| (`rma\.[EW].*?) \|", PAGE, re.MULTILINE))

    assert sorted(re.findall(r"`(rma\.\w+)`", rows)) == sorted(set(used))
