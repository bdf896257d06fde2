"""A server for a look and for tests."""

import socket

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is that of the base
        """Says nothing."""


class ShopServer(ThreadedWSGIServer):
    """
    Serves the shop with its files, each request in a thread.

    Args:
        port: 0 for any that is free.
        listening: a socket that listens already; several processes may serve one.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, listening: socket.socket | None = None) -> None:
        super().__init__(("127.0.0.1", port), _QuietHandler, bind_and_activate=listening is None)
        if listening is not None:
            self.socket.close()
            self.socket = listening
            self.server_address = listening.getsockname()
            self.server_name, self.server_port = "127.0.0.1", listening.getsockname()[1]
            self.setup_environ()
        self.set_app(StaticFilesHandler(get_wsgi_application()))

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_port}/"
