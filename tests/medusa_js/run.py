"""
The official JavaScript client of Medusa v1 against the example server: needs node, npm and a registry.

Not part of the test command, which runs on Python alone. By hand: `python tests/medusa_js/run.py`.
"""

import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
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
        port = free_port()
        database = f"sqlite:///{folder}/returns.db"
        command = [sys.executable, str(EXAMPLE), "--port", str(port), "--database", database]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            checks = ["node", str(HERE / "check.mjs"), f"http://127.0.0.1:{port}"]
            return subprocess.run(checks, cwd=folder, check=False).returncode
        finally:
            server.terminate()
            server.wait()


def free_port() -> int:
    """A port that nobody listens at, a moment ago."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Nothing, once somebody listens there."""
    for _ in range(100):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nobody listens at port {port}")


if __name__ == "__main__":
    sys.exit(main())
