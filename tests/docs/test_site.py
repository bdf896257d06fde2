"""The documentation as a site."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Every page is in the menu, every link leads somewhere, and every public docstring can be drawn."""
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs/site", "-b", "html"]
    built = subprocess.run(
        [*build, ".", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (built.returncode, built.stderr) == (0, "")
    reference = (tmp_path / "docs" / "api" / "rma.html").read_text()
    assert 'id="rma.ReturnService.handle"' in reference
    assert "What a host hands in" in reference
