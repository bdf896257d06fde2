"""Operations of migrations."""

from inspect import cleandoc
from typing import Any

from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.operations.base import Operation

from rma.adapters.django.conf import database_alias
from rma.adapters.django.executor import executor_on
from rma.adapters.django.format_2 import STATEMENTS
from rma.adapters.django.support import require_supported, unsupported
from rma.adapters.django.tables import find_format, has_table
from rma.adapters.django.upgrading import upgrade_older
from rma.adapters.sql.schema import FORMAT

#: In the order in which they are dropped.
_TABLES = ("rma_events", "rma_returns", "rma_ledgers", "rma_format")


class OnLedgers(Operation):
    """What is done to the tables, and nothing to the models."""

    elidable = False

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes nothing: the models do."""

    def is_for(self, app_label: str, connection: BaseDatabaseWrapper) -> bool:
        """
        Returns True if there are to be tables in this database.

        Raises:
            InvalidValue: the database of the ledgers is not supported; others like it are left alone.
        """
        if not router.allow_migrate(connection.alias, app_label):
            return False
        if connection.alias == database_alias():
            require_supported(connection)
        return unsupported(connection) is None


class MakeTables(OnLedgers):
    """
    Makes the tables of format 2, as `rma.adapters.sql` makes them.

    Tables that are there stay as they are, or are upgraded if they have an older format: `rma.adapters.sql`
    of an earlier checkout may have made them.

    Raises:
        InvalidValue: as `OnLedgers.is_for`.
        Unavailable: `newer_format`; as `upgrade_older`.
    """

    #: The format of the tables that it makes.
    format = 2
    reversible = True
    reduces_to_sql = True

    def database_forwards(self, app_label: str, schema_editor: Any, *_: Any) -> None:
        """Makes them."""
        connection = schema_editor.connection
        if not self.is_for(app_label, connection):
            return
        if not schema_editor.collect_sql:  # as `sqlmigrate` does, to show all of it
            found = find_format(executor_on(connection), connection.vendor)
            if found is not None:
                if found < FORMAT:
                    upgrade_older(connection)
                return
        for each in STATEMENTS[connection.vendor]:
            schema_editor.execute(cleandoc(each), params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, *_: Any) -> None:
        """Drops them, if there are no ledgers in them."""
        connection = schema_editor.connection
        if not router.allow_migrate(connection.alias, app_label) or connection.vendor not in STATEMENTS:
            return
        if has_table(executor_on(connection), connection.vendor, "rma_ledgers"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM rma_ledgers LIMIT 1")
                if cursor.fetchone() is not None:
                    raise IrreversibleError("there are ledgers in rma_ledgers: drop the tables by hand")
        elif not schema_editor.collect_sql:
            return
        for each in _TABLES:
            schema_editor.execute(f"DROP TABLE {each}", params=None)

    def describe(self) -> str:
        """Says so."""
        return "Make the tables of rma, format 2"


class UpgradeTables(OnLedgers):
    """
    Upgrades the tables and their documents to a format, as `rma.adapters.sql` upgrades them.

    A release with a later format has a migration with it, beside the `state_operations` that change the
    models: `UpgradeTables(3)`. Tables that have that format already are left as they are.

    Raises:
        InvalidValue: as `OnLedgers.is_for`.
        Unavailable: `newer_format`; as `upgrade_older`.
    """

    reversible = False
    reduces_to_sql = False

    def __init__(self, format: int) -> None:  # noqa: A002 # its name everywhere
        self.format = format

    def database_forwards(self, app_label: str, schema_editor: Any, *_: Any) -> None:
        """Upgrades them; `sqlmigrate` says that there are no statements for that."""
        connection = schema_editor.connection
        if schema_editor.collect_sql:
            schema_editor.collected_sql.append(f"-- {self.describe()}, documents included: not by SQL alone")
            return
        if not self.is_for(app_label, connection):
            return
        found = find_format(executor_on(connection), connection.vendor)
        if found is not None and found < self.format:
            upgrade_older(connection)

    def database_backwards(self, *_: Any) -> None:
        """Is refused, also inside of `SeparateDatabaseAndState`, which is reversible itself."""
        raise IrreversibleError(f"no upgrade is undone: restore the backup from before format {self.format}")

    def describe(self) -> str:
        """Says so."""
        return f"Upgrade the tables of rma to format {self.format}"
