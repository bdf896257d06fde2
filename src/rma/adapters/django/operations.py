"""Operations of migrations."""

from collections.abc import Sequence
from inspect import cleandoc
from typing import Any

from django.db import router
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.operations.base import Operation

from rma.adapters.django.conf import database_alias
from rma.adapters.django.executor import executor_on
from rma.adapters.django.format_2 import STATEMENTS
from rma.adapters.django.support import require_supported, unsupported
from rma.adapters.django.tables import has_table, statements_to_make

#: In the order in which they are dropped.
_TABLES = ("rma_events", "rma_returns", "rma_ledgers", "rma_format")


class MakeTables(Operation):
    """
    Makes the tables of format 2, as `rma.adapters.sql` makes them; what is there already is left as it is.

    Raises:
        InvalidValue: the database of the ledgers is not supported; others like it are left alone.
        Unavailable: `older_format`, `newer_format`.
    """

    reversible = True
    reduces_to_sql = True
    elidable = False

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes nothing: the models do."""

    def database_forwards(self, app_label: str, schema_editor: Any, *_: Any) -> None:
        """Makes them."""
        connection = schema_editor.connection
        if not router.allow_migrate(connection.alias, app_label):
            return
        if connection.alias == database_alias():
            require_supported(connection)
        elif unsupported(connection) is not None:
            return
        statements: Sequence[str] = STATEMENTS[connection.vendor]
        if not schema_editor.collect_sql:  # as `sqlmigrate` does, to show all of it
            statements = statements_to_make(executor_on(connection), connection.vendor)
        for each in statements:
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
