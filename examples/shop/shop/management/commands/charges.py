"""Goes on with charges for exchanges whose outcome is not known: `manage.py charges --every 5`."""

import time
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from rma import Conflict, Unavailable
from shop.charging import go_on
from shop.models import ChargeAttempt


class Command(BaseCommand):
    """Asks the gateway again, under their keys."""

    help = "Goes on with charges for exchanges whose outcome is not known, or that are to be given back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds `--every`."""
        parser.add_argument("--every", type=float, help="goes on, with so many seconds between two passes")

    def handle(self, *_: Any, **options: Any) -> None:
        """Makes one pass, or passes until it is stopped."""
        self._pass()
        with suppress(KeyboardInterrupt):  # a terminal interrupts all that `demo` started
            while options["every"]:
                time.sleep(options["every"])
                close_old_connections()
                self._pass()

    def _pass(self) -> None:
        try:
            unended = [ChargeAttempt.State.OPEN, ChargeAttempt.State.REFUSED]
            for each in ChargeAttempt.objects.filter(state__in=unended):
                go_on(each)
        except (DatabaseError, Unavailable, Conflict) as error:  # the next pass tries again
            self.stderr.write(f"charges: {error}")
