"""What `manage.py check` says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from django.test import override_settings

from rma import InvalidValue
from rma.adapters.django import DjangoReturns, DjangoReturnService, django_service, get_service
from rma.adapters.django.conf import _service_at
from rma.adapters.django.support import unsupported
from rma.adapters.memory import in_memory_service
from tests.django.aliases import Aliases, rma_setting
from tests.django.test_page import blocks

SERVICE = in_memory_service()
made: list[int] = []


def make_service() -> Any:
    """Returns the service."""
    made.append(1)
    return SERVICE


def make_nothing() -> None:
    """Returns no service."""


HERE = __name__


def found(**setting: object) -> list[str]:
    """Returns the ids of what the checks find with this setting `RMA`."""
    with rma_setting(**setting):
        return [str(each.id) for each in run_checks(tags=["rma"])]


@contextmanager
def database(**changed: object) -> Iterator[str]:
    """Yields the alias of another database with these settings, to which no connection is made."""
    known: dict[str, Any] = connections.settings
    known["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", **changed}
    connections.configure_settings(known)
    try:
        yield "other"
    finally:
        connections["other"].close()
        del connections["other"]
        del known["other"]


def test_a_complete_setting_is_fine() -> None:
    """With a service, or a function that makes it, which is called once however often it is checked."""
    made.clear()
    _service_at.cache_clear()

    for _ in range(2):
        assert found(TIMER=60, SERVICE=f"{HERE}.make_service") == []
    assert found(TIMER=0.5, SERVICE=f"{HERE}.SERVICE", DATABASE="default") == []
    assert made == [1]


#: Where `make_elsewhere` has its service: of the whole service, and of its ledgers.
elsewhere: list[str | None] = [None, None]


def make_elsewhere() -> DjangoReturnService:
    """Returns a service over another database than the setting names."""
    using, of_ledgers = elsewhere
    ports: dict[str, Any] = {"orders": SERVICE.orders, "inventory": SERVICE.inventory}
    ports["payments"] = SERVICE.payments
    if of_ledgers is None:
        return django_service(using, **ports)
    if using is not None:
        ports["using"] = using
    return DjangoReturnService(returns=DjangoReturns(of_ledgers), **ports)


def fail() -> None:
    """Cannot make a service yet."""
    raise OSError("no such secret")


def test_a_service_over_another_database_is_a_warning() -> None:
    """Of the whole service or of its ledgers only; it says what to write."""
    setting: dict[str, object] = {"TIMER": 60, "SERVICE": f"{HERE}.make_elsewhere"}
    with database() as other:
        for elsewhere[:] in ((other, None), (other, other), ("default", other), (None, other)):
            _service_at.cache_clear()
            with rma_setting(**setting):
                (message,) = run_checks(tags=["rma"])
            assert message.id == "rma.W006"
            assert f"works on the database {other!r}, and RMA['DATABASE'] is 'default'" in message.msg
            assert message.hint is not None
            assert f"Name {other!r} in RMA['DATABASE'], or leave out `using`" in message.hint
            with override_settings(DATABASE_ROUTERS=[Router()]):
                expected = ["rma.W006"] if "default" in elsewhere else []
                assert found(**setting, DATABASE=other) == expected
        _service_at.cache_clear()


def test_service_and_setting_are_the_default_of_each_other() -> None:
    """A service works where the setting says, or where its ledgers are."""
    with database() as other:
        elsewhere[:] = None, None
        with rma_setting(DATABASE=other):
            made_there = make_elsewhere()
        elsewhere[:] = None, other
        for service in (made_there, make_elsewhere()):
            assert isinstance(service.returns, DjangoReturns)
            assert (service.using, service.returns.using) == (other, other)


def test_a_service_that_cannot_be_made_now_is_not_judged() -> None:
    """It may need tables that `migrate` has yet to make, or secrets that are elsewhere."""
    for each in ("fail", "make_nothing"):
        assert found(TIMER=60, SERVICE=f"{HERE}.{each}") == []


def test_without_a_timer_there_is_a_warning() -> None:
    """Also without any setting; `manage.py check` passes."""
    assert found() == ["rma.W001"]
    assert found(SERVICE=f"{HERE}.make_service") == ["rma.W001"]
    with rma_setting():
        call_command("check", verbosity=0)


def test_the_admin_needs_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one there is a warning, as its pages only say so; it is a warning, as they may not be used."""
    monkeypatch.setattr(apps, "is_installed", {"django.contrib.admin": True}.get)

    assert found() == ["rma.W005", "rma.W001"]
    assert found(SERVICE=f"{HERE}.make_service") == ["rma.W001"]
    assert found(TIMER=60) == ["rma.E003"]


@pytest.mark.parametrize("timer", [0, -1, True, "60", float("nan")])
def test_a_timer_is_a_number_of_seconds(timer: object) -> None:
    """Above 0."""
    assert found(TIMER=timer, SERVICE=f"{HERE}.make_service") == ["rma.E006"]


@pytest.mark.parametrize("service", [None, 7, "make_service", "no.such.module", f"{HERE}.no", f"{HERE}.HERE"])
def test_a_timer_needs_a_service(service: object) -> None:
    """That can be imported, and is one or makes one."""
    assert found(TIMER=60, SERVICE=service) == ["rma.E003"]
    with rma_setting(SERVICE=service), pytest.raises(ImproperlyConfigured):
        get_service()


def test_a_key_that_is_not_known_is_an_error() -> None:
    """With the keys that there are."""
    with rma_setting(TIMER=60, SERVICE=f"{HERE}.make_service", TIMMER=60):
        (message,) = run_checks(tags=["rma"])

    assert message.id == "rma.E002"
    assert message.hint == "There are SERVICE, DATABASE, TIMER."
    assert "'TIMMER'" in message.msg


@pytest.mark.parametrize("given", [None, "default", ["default"]])
def test_a_setting_of_another_type_is_an_error(given: object) -> None:
    """And is reported once."""
    with override_settings(RMA=given):
        assert [each.id for each in run_checks(tags=["rma"])] == ["rma.E001"]
        with pytest.raises(ImproperlyConfigured):
            DjangoReturns()


@pytest.mark.parametrize("alias", ["nowhere", None, 7])
def test_a_database_that_is_not_there_is_an_error(alias: object) -> None:
    """With those that there are."""
    assert found(TIMER=60, SERVICE=f"{HERE}.make_service", DATABASE=alias) == ["rma.E004"]


def test_a_database_of_another_vendor_is_an_error() -> None:
    """And no repository is made over it."""
    with database(ENGINE="django.db.backends.dummy") as other:
        assert found(TIMER=60, SERVICE=f"{HERE}.make_service", DATABASE=other) == ["rma.E005"]
        with pytest.raises(InvalidValue) as error:
            DjangoReturns(other)
        with rma_setting(DATABASE=other), pytest.raises(SystemCheckError):
            call_command("check")

    assert error.value.details["expected"] == "SQLite, or PostgreSQL with psycopg 3"


def test_psycopg_2_is_not_supported(aliases: Aliases) -> None:
    """Its errors have other attributes."""
    connection = connections[aliases.new("postgresql")]
    assert unsupported(connection) is None

    connection.Database = type("psycopg2", (), {"__name__": "psycopg2"})()  # type: ignore[attr-defined] # as Django sets it

    assert unsupported(connection) == "PostgreSQL with psycopg2"


def test_a_database_without_autocommit_is_an_error() -> None:
    """All is in a transaction of the host there, and nothing would ever be delivered."""
    with database(AUTOCOMMIT=False) as other, override_settings(DATABASE_ROUTERS=[Router()]):
        assert found(TIMER=60, SERVICE=f"{HERE}.make_service", DATABASE=other) == ["rma.E007"]


def test_requests_that_are_atomic_elsewhere_are_a_warning() -> None:
    """Those of the database with the ledgers are not."""
    with database(ATOMIC_REQUESTS=True) as other:
        assert found(TIMER=60, SERVICE=f"{HERE}.make_service") == ["rma.W002"]
        with override_settings(DATABASE_ROUTERS=[Router()]):
            assert found(TIMER=60, SERVICE=f"{HERE}.make_service", DATABASE=other) == []


class Router:
    """A router that sends the models of rma to another database."""

    def db_for_write(self, model: Any, **hints: object) -> str | None:
        """Names it."""
        return "other" if model._meta.app_label == "rma" else None


class Refusing:
    """A router that allows no tables of rma."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool | None:
        """Says so."""
        return False if app_label == "rma" else None


def test_models_that_are_read_elsewhere_are_a_warning() -> None:
    """A database that is not the default one needs a router that sends the models there."""
    with database() as other:
        assert found(TIMER=60, SERVICE=f"{HERE}.make_service", DATABASE=other) == ["rma.W003"]
        with override_settings(DATABASE_ROUTERS=[Router()]):
            assert found(TIMER=60, SERVICE=f"{HERE}.make_service") == ["rma.W003"]
            assert found(TIMER=60, SERVICE=f"{HERE}.make_service", DATABASE=other) == []


def test_the_router_of_the_page_sends_the_models_and_tables_of_rma_there() -> None:
    """Those, and no others."""
    (code,) = [code for code, _ in blocks("python") if code.startswith("# shop/routers.py")]
    names: dict[str, Any] = {}
    exec(code.replace("returns", "other"), names)
    router = names["ReturnsRouter"]()
    with database() as other, override_settings(DATABASE_ROUTERS=[router]):
        assert found(TIMER=60, SERVICE=f"{HERE}.make_service", DATABASE=other) == []

    assert [router.allow_migrate(db, app) for app in ("rma", "auth") for db in ("default", "other")] == [
        False,
        True,
        None,
        False,
    ]


def test_a_router_that_allows_no_tables_is_a_warning() -> None:
    """`migrate` would make none."""
    with override_settings(DATABASE_ROUTERS=[Refusing()]):
        assert found(TIMER=60, SERVICE=f"{HERE}.make_service") == ["rma.W004"]


def test_the_service_is_made_once() -> None:
    """When it is asked for; a function that returns something else is refused."""
    made.clear()
    _service_at.cache_clear()
    with rma_setting(SERVICE=f"{HERE}.make_service"):
        assert get_service() is get_service() is SERVICE
    with rma_setting(SERVICE=f"{HERE}.SERVICE"):
        assert get_service() is SERVICE
    with rma_setting(SERVICE=f"{HERE}.make_nothing"), pytest.raises(ImproperlyConfigured) as error:
        get_service()

    assert len(made) == 1
    assert "returned NoneType, not a ReturnService" in str(error.value)
