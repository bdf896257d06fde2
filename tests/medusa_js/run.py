"""
The official JavaScript client of Medusa v1 against the example server: needs node, npm and a registry.

Not part of the test command, which runs on Python alone. By hand: `python tests/medusa_js/run.py`.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLIENT = "@medusajs/medusa-js@6.1.10"
HERE = Path(__file__).parent
EXAMPLE = HERE.parent.parent / "examples" / "http_api.py"


def main() -> int:
    """The exit status of the checks."""
    with tempfile.TemporaryDirectory() as folder:
        # its peer is all of Medusa's server, which the client does not need to run
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--legacy-peer-deps", CLIENT],
            cwd=folder,
            check=True,
        )
        with example_server("--database", f"sqlite:///{folder}/returns.db") as port:
            checks = ["node", str(HERE / "check.mjs"), f"http://127.0.0.1:{port}"]
            return subprocess.run(checks, cwd=folder, check=False).returncode


@contextmanager
def example_server(*arguments: str, cwd: Path | None = None) -> Iterator[int]:
    """The example as its command starts it, at a port that the system chose; yields the port."""
    command = [sys.executable, str(EXAMPLE), "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ports = (
                re.search(r"curl http://127\.0\.0\.1:(\d+)/store/returns", line) for line in server.stdout
            )
            yield int(next(filter(None, ports))[1])
        finally:
            server.terminate()
            server.communicate()


if __name__ == "__main__":
    sys.exit(main())
