"""The admin works: its tests are run by Django, on a database of its own that Django makes and removes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.databases import Databases
from tests.django.aliases import database

ROOT = Path(__file__).resolve().parents[2]


def test_the_tests_of_the_admin_pass(databases: Databases, kind: str) -> None:
    """On each kind of database, with warnings as errors."""
    with databases.new(kind) as url:
        given = database(url)
        if kind == "postgresql":
            del given["OPTIONS"]["options"]  # the schema is not in the database that Django makes
        given["TEST"] = {"NAME": f"rma_admin_{os.getpid()}" if kind == "postgresql" else None}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "django", "test", "tests.django.back_office", "--noinput"],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
                "DJANGO_SETTINGS_MODULE": "tests.django.back_office.settings",
                "RMA_TEST_DATABASE": json.dumps(given),
            },
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )

    assert done.returncode == 0, done.stderr
    assert "Ran 49 tests" in done.stderr
