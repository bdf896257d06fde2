"""What upgrades do to tables, on each database in its own way."""

from sqlalchemy import Connection, text

from rma.domain.values.errors import Unavailable

#: The tables of every format, in the order in which a commit uses them.
TABLES = ("rma_ledgers", "rma_events", "rma_returns", "rma_format")


def is_postgresql(connection: Connection) -> bool:
    """Returns True for PostgreSQL and False for SQLite."""
    return connection.dialect.name == "postgresql"


def lock_tables(connection: Connection) -> None:
    """
    Keeps all others from reading and writing the tables until the transaction ends.

    On PostgreSQL it then may take as long as it needs, and still waits for the tables no longer than
    `lock_timeout`. A transaction on SQLite that writes is alone already.

    Raises:
        Unavailable: `store_not_permitted`: the tables belong to another role, so that they cannot be changed.
    """
    if not is_postgresql(connection):
        return
    # Before it waits for anything: commits that come later would wait behind it, and for nothing.
    owner = connection.scalar(
        text(
            "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('rma_ledgers')"
            " AND NOT pg_has_role(relowner, 'USAGE')"
        )
    )
    if owner is not None:
        raise Unavailable("store_not_permitted", {"error": f"the tables belong to the role {owner}"})
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {setting} = 0")
    connection.exec_driver_sql(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")


def make_again(connection: Connection, name: str, columns: str, options: str = "", **values: str) -> None:
    """
    Makes a table of SQLite again with other columns, and copies its rows; its indexes are gone then.

    Args:
        connection: to SQLite, in a transaction that writes.
        name: of the table.
        columns: what `CREATE TABLE` has between its parentheses.
        options: what it has behind them.
        values: by column that is new, the expression of its value; others have the value that they had.

    Raises:
        Unavailable: `store_failed`: foreign keys of the host's tables lead here, and SQLite would enforce
            them while the table is dropped.
    """
    _require_no_foreign_keys(connection, name)
    run = connection.exec_driver_sql
    run(f"CREATE TABLE new_{name} ({columns}) {options}")
    names = run(f"SELECT name FROM pragma_table_info('new_{name}')").scalars().all()
    copied = ", ".join([values.get(each, each) for each in names])
    run(f"INSERT INTO new_{name} ({', '.join(names)}) SELECT {copied} FROM {name}")
    run(f"DROP TABLE {name}")
    run("PRAGMA legacy_alter_table = ON")  # a view of the host goes on naming the table
    run(f"ALTER TABLE new_{name} RENAME TO {name}")
    run("PRAGMA legacy_alter_table = OFF")


def _require_no_foreign_keys(connection: Connection, name: str) -> None:
    run = connection.exec_driver_sql
    if not run("PRAGMA foreign_keys").scalar():
        return
    leading = (
        "SELECT m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f"
        f" WHERE m.type = 'table' AND f.\"table\" = '{name}'"
    )
    if (found := run(leading).scalar()) is not None:
        details = {
            "error": f"foreign keys of {found} lead to {name}: upgrade on a connection without foreign_keys"
        }
        raise Unavailable("store_failed", details)
