"""
The setting `RMA`, and the service that it names.

    RMA = {
        "SERVICE": "shop.returns.make_service",  # returns the service; called once in each process
        "DATABASE": "default",  # the alias of the database with the ledgers
        "TIMER": 60,  # how many seconds lie between two runs of `manage.py rma_resume`
    }
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from attrs import frozen
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.utils.module_loading import import_string

from rma.service import ReturnService

#: The keys that the setting may have.
KEYS = ("SERVICE", "DATABASE", "TIMER")


@frozen
class RmaSettings:
    """
    The setting, as it is given.

    Attributes:
        service: the dotted path of a service, or of a function without arguments that returns it.
        database: the alias of the database with the ledgers.
        timer: how many seconds lie between two runs of `rma_resume`.
    """

    service: object = None
    database: object = DEFAULT_DB_ALIAS
    timer: object = None


def read_settings() -> RmaSettings:
    """
    Returns the setting; nothing in it is checked, as `manage.py check` does that.

    Raises:
        ImproperlyConfigured: it is not a dict.
    """
    given: object = getattr(settings, "RMA", {})
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"RMA must be a dict, not {given!r}")
    return RmaSettings(given.get("SERVICE"), given.get("DATABASE", DEFAULT_DB_ALIAS), given.get("TIMER"))


def database_alias() -> str:
    """
    Returns the alias of the database with the ledgers.

    Raises:
        ImproperlyConfigured: `RMA["DATABASE"]` is not a string.
    """
    alias = read_settings().database
    if not isinstance(alias, str):
        raise ImproperlyConfigured(f'RMA["DATABASE"] must be the alias of a database, not {alias!r}')
    return alias


def get_service() -> ReturnService:
    """
    Returns the service that `RMA["SERVICE"]` names, the same one each time.

    Raises:
        ImproperlyConfigured: as `find_service`; or what is there returned something else than a service.
    """
    return _service_at(_service_path())


def find_service() -> Callable[[], ReturnService]:
    """
    Returns what makes the service that `RMA["SERVICE"]` names, without calling it.

    Raises:
        ImproperlyConfigured: there is no such setting, nothing can be imported from there, or what is there
            is neither a service nor a function.
    """
    return _found_at(_service_path())


def _service_path() -> str:
    path = read_settings().service
    if not isinstance(path, str):
        expected = "the dotted path of a service, or of a function that returns it"
        raise ImproperlyConfigured(f'RMA["SERVICE"] must be {expected}, not {path!r}')
    return path


@cache
def _service_at(path: str) -> ReturnService:
    service: object = _found_at(path)()
    if not isinstance(service, ReturnService):
        raise ImproperlyConfigured(
            f'RMA["SERVICE"]: {path} returned {type(service).__name__}, not a ReturnService'
        )
    return service


def _found_at(path: str) -> Callable[[], ReturnService]:
    try:
        found: Any = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f'RMA["SERVICE"]: {error}') from error
    if isinstance(found, ReturnService):
        return lambda: found
    if not callable(found):
        raise ImproperlyConfigured(f'RMA["SERVICE"]: {path} is neither a ReturnService nor a function')
    maker: Callable[[], ReturnService] = found
    return maker
