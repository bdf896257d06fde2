"""
Numbered upgrades of tables and documents, each a module, from the format of every release that there was.

All that are needed run in one transaction, under the lock that makes the tables: whatever ends it, the tables
have the old format or the new one, whole.

An upgrade is part of the format: its statements name tables and columns as they were then, and do not change
when `rma.adapters.sql.schema` does. What converts documents works on plain JSON, for the same reason. Only
the rows of ledgers and of returns, exchanges and claims are written by the present code, last and once, from
the history in its present form.
"""

from collections.abc import Iterable, Sequence

from attrs import frozen
from sqlalchemy import Connection, update

from rma.adapters.sql.schema import FORMAT, formats
from rma.adapters.sql.upgrades import format_2
from rma.adapters.sql.upgrades.orders import LeftOrder, every_order, rewrite
from rma.adapters.sql.upgrades.tables import lock_tables
from rma.adapters.sql.upgrades.upgrade import Upgrade

#: Every upgrade that there ever was, the oldest first; the last one leads to `FORMAT`.
UPGRADES: tuple[Upgrade, ...] = (format_2.UPGRADE,)


@frozen
class UpgradeResult:
    """
    What was done to the tables.

    Attributes:
        before: the format that was found; None if there were no tables.
        orders: how many orders were rewritten, or tried again.
        left: those of them whose documents could not be converted, and which stay unreadable.
    """

    before: int | None
    orders: int = 0
    left: tuple[LeftOrder, ...] = ()


def upgrade_tables(
    connection: Connection, before: int, upgrades: Sequence[Upgrade] = UPGRADES
) -> UpgradeResult:
    """
    Upgrades tables of this format, in the transaction that the connection has begun.

    An order with a document that cannot be converted is left, and all others are upgraded.
    """
    lock_tables(connection)
    needed = [each for each in upgrades if each.format > before]
    for each in needed:
        each.change_tables(connection)
    result = UpgradeResult(before)
    if any(each.conversion for each in needed):
        result = _rewrite(connection, every_order(connection), before, upgrades)
    if needed:
        breaking = [each.format for each in needed if each.is_breaking]
        connection.execute(update(formats).values(format=needed[-1].format))
        if breaking:
            connection.execute(update(formats).values(writable_since=breaking[-1]))
    return result


def retry_left_orders(connection: Connection, upgrades: Sequence[Upgrade] = UPGRADES) -> UpgradeResult:
    """Tries again to convert what earlier upgrades have left, in the transaction of the connection."""
    return _rewrite(connection, every_order(connection, left=True), FORMAT, upgrades)


def _rewrite(
    connection: Connection, order_ids: Iterable[str], before: int, upgrades: Sequence[Upgrade]
) -> UpgradeResult:
    number, left = 0, []
    for order_id in order_ids:
        number += 1
        if (found := rewrite(connection, order_id, before, upgrades)) is not None:
            left.append(found)
    return UpgradeResult(before, number, tuple(left))
