"""A status without a row in the table of states does not type-check."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path("src/rma/domain/state/lifecycle.py")
STATUSES = ("ReturnStatus", "ExchangeStatus", "ClaimStatus", "RefundStatus")


def test_a_status_without_a_row_does_not_type_check(tmp_path: Path) -> None:
    """For return, exchange, claim and refund alike: the type checker names each `match` that lacks it."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    table = tmp_path / TABLE
    text = table.read_text(encoding="utf-8")
    for name in STATUSES:
        begin = text.index('"""\n\n', text.index(f"class {name}(StrEnum)")) + len('"""\n\n')
        text = text[:begin] + '    TRIAL = "trial"\n' + text[begin:]
    table.write_text(text, encoding="utf-8")

    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "--follow-imports=silent", str(TABLE)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    missing = [line for line in run.stdout.splitlines() if "assert_never" in line and "TRIAL" in line]
    assert len(missing) == len(STATUSES), run.stdout
