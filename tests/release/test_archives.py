"""What the archives hold, and what they say of themselves."""

import tarfile
import zipfile
from pathlib import PurePosixPath

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.version import Version

from tests.release.conftest import ROOT, Release


def metadata_of(release: Release) -> Metadata:
    """Returns what the wheel says of itself; what is malformed or contradicts its version raises."""
    (path,) = release.installed.glob("*.dist-info/METADATA")
    return Metadata.from_email(path.read_bytes(), validate=True)


def test_the_wheel_holds_the_package_and_nothing_else(release: Release) -> None:
    """No tests, docs or caches, but every module, the mark of types and the license."""
    with zipfile.ZipFile(release.wheel) as archive:
        files = {PurePosixPath(name) for name in archive.namelist() if not name.endswith("/")}
    package = {path for path in files if path.parts[0] == "rma"}
    sources = ROOT / "src"
    ours = {
        path for path in (sources / "rma").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }

    assert {str(path) for path in package} == {str(path.relative_to(sources)) for path in ours}
    assert PurePosixPath("rma/py.typed") in package
    assert {path.parts[0].partition("-")[2] for path in files - package} == {"0.1.0.dist-info"}
    assert any(path.name == "LICENSE" for path in files)


def test_the_source_archive_can_be_tested(release: Release) -> None:
    """It holds what the test command needs, and nothing that a build or an editor left."""
    with tarfile.open(release.source) as archive:
        files = {
            PurePosixPath(*PurePosixPath(member.name).parts[1:]) for member in archive if member.isfile()
        }
    names = {str(path) for path in files}

    assert {"pyproject.toml", "README.md", "LICENSE", "SECURITY.md", "conftest.py", "tests/check.py"} <= names
    assert {path.parts[0] for path in files if len(path.parts) > 1} == {
        "src", "tests", "docs", "examples", "benchmarks",
    }  # fmt: skip
    assert not [path for path in files if "__pycache__" in path.parts or path.suffix in {".pyc", ".db"}]


def test_a_plain_install_brings_attrs_alone(release: Release) -> None:
    """What else a host needs is an extra that it names."""
    metadata = metadata_of(release)
    required = [each for each in metadata.requires_dist or [] if each.marker is None]

    assert required == [Requirement("attrs>=23.2")]
    assert {"sql", "postgres", "aio", "http", "testing", "test"} <= set(metadata.provides_extra or [])


def test_the_metadata_say_what_an_index_shows(release: Release) -> None:
    """Name, version, the oldest Python, the license, and the README as the page."""
    metadata = metadata_of(release)

    assert (metadata.name, metadata.version) == ("rma-core", Version("0.1.0"))
    assert str(metadata.requires_python) == ">=3.11"
    assert metadata.description_content_type == "text/markdown"
    assert (metadata.description or "").strip() == (ROOT / "README.md").read_text("utf-8").strip()
    assert "Typing :: Typed" in (metadata.classifiers or [])
