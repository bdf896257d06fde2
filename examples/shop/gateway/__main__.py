"""
Runs the gateway: `python -m gateway --port 8701 --webhook http://127.0.0.1:8000/webhooks/gateway/`.

The environment variable GATEWAY_SECRET has its secret. It prints its URL, and serves until it is stopped.
"""

import os
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

from gateway.movements import Movements
from gateway.notifications import Notifications
from gateway.server import GatewayServer


def main() -> None:
    """Serves until it is stopped."""
    parser = ArgumentParser(prog="python -m gateway", description=__doc__)
    parser.add_argument("--port", type=int, default=8701, help="0 for any that is free")
    parser.add_argument("--webhook", help="where refunds that ended later are reported")
    parser.add_argument(
        "--file", type=Path, default=Path("gateway.sqlite3"), help="where its movements are kept"
    )
    options = parser.parse_args()
    secret = os.environ["GATEWAY_SECRET"]
    notifications = Notifications(options.webhook, secret)
    with GatewayServer(("127.0.0.1", options.port), secret, Movements(options.file), notifications) as server:
        print(server.url, flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
