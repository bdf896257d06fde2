"""
Shows the shop: `manage.py demo` makes the tables and sample orders, starts a payment gateway and the timers
of returns and charges, and serves, until it is stopped.
"""

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from shop.sample import make_sample
from shop.server import ShopServer


class Command(BaseCommand):
    """Does all that is needed for a look."""

    help = "Makes the tables and sample orders, starts the gateway and the timers, and serves the shop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds where it listens."""
        parser.add_argument("--port", type=int, default=8000, help="0 for any that is free")

    def handle(self, *_: Any, **options: Any) -> None:
        """
        Runs it.

        Raises:
            CommandError: the port is not free, or the gateway did not start.
        """
        signal.signal(signal.SIGTERM, _stop)
        call_command("migrate", verbosity=0)
        make_sample()
        try:
            server = ShopServer(options["port"])
        except OSError as error:
            raise CommandError(f"port {options['port']}: {error.strerror}; try --port 0") from error
        with server, _gateway(server.url) as url:
            settings.GATEWAY_URL = url
            with _timers(url):
                self.stdout.write(f"{server.url}\nLog in as ada (a customer) or cleo (a clerk); the password")
                self.stdout.write("is the name. Mails are in " + str(settings.EMAIL_FILE_PATH))
                self.stdout.write("What went wrong is in " + str(settings.FOLDER / "log.txt"))
                self.stdout.flush()
                try:
                    server.serve_forever()
                except KeyboardInterrupt:
                    self.stdout.write("stopped")


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _gateway(shop: str) -> Iterator[str]:
    file = settings.FOLDER / "gateway.sqlite3"
    command = [sys.executable, "-m", "gateway", "--port", "0", "--file", str(file)]
    command += ["--webhook", shop.rstrip("/") + reverse("gateway")]
    environment = os.environ | {"GATEWAY_SECRET": settings.GATEWAY_SECRET}
    with _child(command, environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise CommandError("the gateway did not start")
        yield url


@contextmanager
def _timers(gateway: str) -> Iterator[None]:
    environment = os.environ | {"GATEWAY_URL": gateway}
    with ExitStack() as children:
        for arguments in (["rma_resume", "--every"], ["charges", "--every", "5"]):
            command = [sys.executable, "manage.py", *arguments]
            children.enter_context(_child(command, environment, stdout=subprocess.DEVNULL))
        yield


@contextmanager
def _child(
    command: list[str], environment: dict[str, str], *, stdout: int
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, cwd=settings.BASE, env=environment, stdout=stdout, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
