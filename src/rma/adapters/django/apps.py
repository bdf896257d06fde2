"""The app, as INSTALLED_APPS names it."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class ReturnsConfig(AppConfig):
    """The app `rma`: the tables of ledgers, checks of the settings, and `manage.py rma_resume`."""

    name = "rma.adapters.django"
    label = "rma"
    verbose_name = "Returns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the checks."""
        from rma.adapters.django.checks import (  # noqa: PLC0415 # apps first
            check_databases,
            check_service,
            check_settings,
        )
        from rma.adapters.django.tables import complete_tables  # noqa: PLC0415

        checks.register(check_settings, "rma")
        checks.register(check_databases, "rma")
        checks.register(check_service, "rma")
        post_migrate.connect(complete_tables, sender=self)
