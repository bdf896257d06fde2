"""What `manage.py check` says about the setting `RMA` and the databases."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router

from rma.adapters.django.conf import (
    KEYS,
    RmaSettings,
    database_alias,
    find_service,
    get_service,
    read_settings,
)
from rma.adapters.django.repository import DjangoReturns
from rma.adapters.django.service import DjangoReturnService
from rma.adapters.django.support import unsupported


def check_settings(**_: Any) -> list[CheckMessage]:
    """Returns what is wrong with the setting `RMA`."""
    given: object = getattr(settings, "RMA", {})
    if not isinstance(given, Mapping):
        return [Error(f"RMA must be a dict, not {given!r}.", id="rma.E001")]
    return [*_keys(given), *_service(read_settings()), *_timer(read_settings())]


def check_databases(**_: Any) -> list[CheckMessage]:
    """Returns what is wrong with the database of the ledgers, without connecting to it."""
    if not isinstance(getattr(settings, "RMA", {}), Mapping):
        return []
    alias = read_settings().database
    if not isinstance(alias, str) or alias not in connections:
        hint = f"DATABASES has {', '.join(sorted(connections))}."
        return [Error(f'RMA["DATABASE"] names no database: {alias!r}.', hint=hint, id="rma.E004")]
    if (reason := unsupported(connections[alias])) is not None:
        hint = "Name one with SQLite, or PostgreSQL with psycopg 3, in RMA['DATABASE']."
        return [Error(f"The database {alias!r} cannot hold ledgers: {reason}.", hint=hint, id="rma.E005")]
    return [*_autocommit(alias), *_requests(alias), *_routers(alias)]


def check_service(**_: Any) -> list[CheckMessage]:
    """
    Returns what is wrong with the service that `RMA["SERVICE"]` names, which is made for it.

    Nothing if it cannot be made now: it may need what `migrate` has yet to make, or secrets that are not
    there where the code is only checked.
    """
    try:
        alias, service = database_alias(), get_service()
    except Exception:  # of a function of the host, which may raise anything
        return []
    found = set()
    if isinstance(service, DjangoReturnService):
        found.add(service.using)
    if isinstance(service.returns, DjangoReturns):
        found.add(service.returns.using)
    return [
        CheckWarning(
            f"The service of RMA['SERVICE'] works on the database {other!r}, and RMA['DATABASE'] is "
            f"{alias!r}: `migrate`, the admin and the checks look there.",
            hint=f"Name {other!r} in RMA['DATABASE'], or leave out `using` where the service is made.",
            id="rma.W006",
        )
        for other in sorted(found - {alias})
    ]


def _keys(given: Mapping[Any, Any]) -> Iterator[CheckMessage]:
    for key in sorted(map(str, given.keys() - set(KEYS))):
        yield Error(f"RMA has no key {key!r}.", hint=f"There are {', '.join(KEYS)}.", id="rma.E002")


def _service(found: RmaSettings) -> Iterator[CheckMessage]:
    if found.service is None and found.timer is None:  # no timer yet, or services of its own
        if apps.is_installed("django.contrib.admin"):
            yield CheckWarning(
                "The admin lists returns, and RMA['SERVICE'] is missing: no page of one can be shown.",
                hint="Name the service there, or unregister rma.adapters.django.models.StoredReturn.",
                id="rma.W005",
            )
        return
    try:
        find_service()
    except ImproperlyConfigured as error:
        yield Error(f"{error}.", hint="`manage.py rma_resume` and the admin need it.", id="rma.E003")


def _timer(found: RmaSettings) -> Iterator[CheckMessage]:
    timer = found.timer
    if timer is None:
        yield CheckWarning(
            "Nothing says that `manage.py rma_resume` runs: refunds, labels and stock that a port did not "
            "take at once are never tried again.",
            hint="Run it on a timer, and say in RMA['TIMER'] how many seconds lie between two runs.",
            id="rma.W001",
        )
    elif isinstance(timer, bool) or not isinstance(timer, int | float) or not timer > 0:
        yield Error(
            f"RMA['TIMER'] must be a number of seconds above 0, not {timer!r}.",
            hint="It says how many seconds lie between two runs of `manage.py rma_resume`.",
            id="rma.E006",
        )


def _autocommit(alias: str) -> Iterator[CheckMessage]:
    if not connections[alias].settings_dict["AUTOCOMMIT"]:
        yield Error(
            f"AUTOCOMMIT is off in the database {alias!r}: whatever rma does there is in a transaction of "
            "yours, so that nothing is ever delivered.",
            hint="Leave AUTOCOMMIT on, and use `transaction.atomic`.",
            id="rma.E007",
        )


def _requests(alias: str) -> Iterator[CheckMessage]:
    for other in sorted(connections):
        if other != alias and connections[other].settings_dict["ATOMIC_REQUESTS"]:
            yield CheckWarning(
                f"ATOMIC_REQUESTS of the database {other!r} does not hold for the ledgers, which are "
                f"in {alias!r}: what a view asks of rma is stored and delivered even if its request is "
                "rolled back.",
                hint=f"Name {other!r} in RMA['DATABASE'], or call rma last in such views.",
                id="rma.W002",
            )


def _routers(alias: str) -> Iterator[CheckMessage]:
    from rma.adapters.django.models import StoredLedger  # noqa: PLC0415 # models need the apps

    found = router.db_for_write(StoredLedger)
    if found != alias:
        yield CheckWarning(
            f"The models of rma are read from the database {found!r}, and the ledgers are in {alias!r}.",
            hint=f"Let a router answer {alias!r} for the app 'rma', or name {found!r} in RMA['DATABASE'].",
            id="rma.W003",
        )
    if not router.allow_migrate_model(alias, StoredLedger):
        yield CheckWarning(
            f"A router does not allow to migrate the app 'rma' in {alias!r}, where the ledgers are.",
            hint="Let `allow_migrate` of the router answer True there: `migrate` makes no tables otherwise.",
            id="rma.W004",
        )
