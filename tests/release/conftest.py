"""The archives are built once for all tests of a process, from a copy of what git tracks."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent.parent


@frozen
class Release:
    """
    What a build made.

    Attributes:
        wheel, source: the archives; the wheel was built from the source archive.
        installed: a folder with the wheel's files, as pip lays them into site-packages.
    """

    wheel: Path
    source: Path
    installed: Path


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The release as it would be published from these sources."""
    folder = tmp_path_factory.mktemp("release")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return Release(wheel, source, folder / "installed")
