"""The shop's own tests, which Django runs in a process with the shop's settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.databases import LONG, Databases
from tests.shop.processes import SHOP, environment


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"] if LONG else ["sqlite"])
def test_the_tests_of_the_shop_pass(kind: str, databases: Databases, tmp_path: Path) -> None:
    """Pages, bad input, the payments port, notifications, mails and translations."""
    with databases.new(kind) as url:
        # Django makes a database of its own on this server, which has no schema of this name.
        server = make_url(url).difference_update_query(["options"]).render_as_string(hide_password=False)
        is_server = kind == "postgresql"
        found = manage(tmp_path, server if is_server else None, "test", "shop", "--noinput")

    assert found.returncode == 0, found.stderr
    assert "Ran " in found.stderr


def test_the_migrations_are_those_of_the_models(tmp_path: Path) -> None:
    """And the checks find nothing, those of the library among them."""
    for arguments in (["makemigrations", "--check", "--dry-run"], ["check"]):
        found = manage(tmp_path, None, *arguments)
        assert found.returncode == 0, found.stdout + found.stderr
        assert not found.stderr


def manage(folder: Path, url: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Returns a command of the shop after it ended."""
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", *arguments],
        cwd=SHOP,
        env=os.environ | environment(folder, url),
        text=True,
        capture_output=True,
        check=False,
    )
