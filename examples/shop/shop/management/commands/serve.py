"""Serves the shop: `manage.py serve --port 8000`. A real one is served by gunicorn or uvicorn."""

import socket
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from shop.server import ShopServer


class Command(BaseCommand):
    """Serves until it is stopped; prints its URL first."""

    help = "Serves the shop; each request in a thread."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds where it listens."""
        parser.add_argument("--port", type=int, default=8000, help="0 for any that is free")
        parser.add_argument("--socket", type=int, help="the number of a socket that listens already")

    def handle(self, *_: Any, **options: Any) -> None:
        """Serves."""
        given = options["socket"]
        listening = None if given is None else socket.socket(fileno=given)
        with ShopServer(options["port"], listening) as server:
            self.stdout.write(server.url)
            self.stdout.flush()
            server.serve_forever()
