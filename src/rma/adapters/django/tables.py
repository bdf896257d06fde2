"""Which tables there are, and the statements that make them."""

from collections.abc import Mapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from rma.adapters.django.executor import executor_on
from rma.adapters.django.format_2 import STATEMENTS
from rma.adapters.sql.executor import Executor
from rma.adapters.sql.schema import FORMAT, WRITABLE_SINCE, require_known
from rma.adapters.sql.statement import Sql
from rma.domain.values.errors import Unavailable

#: Whether there is a table of the format, by vendor.
_EXISTS: Mapping[str, Sql] = {
    "sqlite": Sql("SELECT count(*) AS found FROM sqlite_master WHERE name = :name", {}, ("found",)),
    "postgresql": Sql("SELECT count(to_regclass(%(name)s)) AS found", {}, ("found",)),
}
_FORMAT = Sql("SELECT format, writable_since FROM rma_format", {}, ("format", "writable_since"))
#: The format, in tables that a checkout before format 2 made.
_OLDER = Sql("SELECT format FROM rma_format", {}, ("format",))


def has_table(executor: Executor, vendor: str, name: str) -> bool:
    """Returns True if there is a table of this name."""
    ((found,),) = executor.rows(_EXISTS[vendor], {"name": name})
    return bool(found)


def find_format(executor: Executor, vendor: str) -> int | None:
    """
    Returns the format of the tables, which may be older than ours, or None if there are none.

    Raises:
        Unavailable: `newer_format`: a later release made tables that this one must not write.
    """
    if not has_table(executor, vendor, "rma_format"):
        return None
    for (found,) in executor.rows(_OLDER, {}):
        if found < FORMAT:
            return int(found)
    for found, writable_since in executor.rows(_FORMAT, {}):
        require_known(writable_since)
        return int(found)
    return None


def require_tables(executor: Executor, vendor: str, alias: str) -> None:
    """
    Checks that there are tables that this release reads and writes; `alias` is that of the database.

    Raises:
        Unavailable: as `find_format`; `tables_missing`; `older_format`: they have to be upgraded.
    """
    other = "" if alias == DEFAULT_DB_ALIAS else f" --database {alias}"
    found = find_format(executor, vendor)
    if found is None:
        raise Unavailable("tables_missing", {"hint": f"manage.py migrate rma{other}"})
    if found < FORMAT:
        hint = f"stop what writes, then run: manage.py migrate rma{other}"
        raise Unavailable("older_format", {"found": found, "known": FORMAT, "hint": hint})


def complete_tables(*, using: str, **_: Any) -> None:
    """
    Makes the table of the format, which has no model, if Django has made the others from their models.

    It does so where migrations are switched off, as some test runners do.
    """
    connection = connections[using]
    if connection.vendor not in STATEMENTS:
        return
    executor = executor_on(connection)
    if not has_table(executor, connection.vendor, "rma_ledgers"):
        return
    if has_table(executor, connection.vendor, "rma_format"):
        return
    for each in STATEMENTS[connection.vendor]:
        if "CREATE TABLE rma_format " in each:
            executor.execute(each, {})
    row = f"INSERT INTO rma_format (format, writable_since) VALUES ({FORMAT}, {WRITABLE_SINCE})"
    executor.execute(row, {})
