"""
Runs the official JavaScript client of Medusa v1 against the example; needs node, npm and a registry.

The test command does not run it. Run it by hand: `python tests/medusa_js/run.py`.
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
    """Runs the checks and returns their exit status."""
    with tempfile.TemporaryDirectory() as folder:
        # the peer dependency is Medusa's whole server, which the client does not need
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
    """Starts the example by its command at a free port, and yields the port."""
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
