"""
Ledgers that are written in a transaction of the host: nothing is delivered before the host commits it.

What a port did cannot be rolled back. If it acted for a change that the host then rolls back, the ledger
would forget it, and the customer could be paid twice.
"""

from collections.abc import Awaitable
from typing import Any

from rma.async_ports import AsyncReturnRepository, Host
from rma.domain.values.errors import InvalidValue
from rma.ports import ReturnRepository
from rma.shell.driver import call


async def is_in_host_transaction(host: Host) -> bool:
    """Returns True if the ledgers are written in a transaction that the host has yet to commit."""
    return bool(await call(declared_by(host.returns)))


def declared_by(returns: ReturnRepository | AsyncReturnRepository) -> Awaitable[bool] | bool:
    """Returns what the repository answers to `in_host_transaction`, or False if it has no such method."""
    declared = getattr(returns, "in_host_transaction", None)
    answer: Awaitable[bool] | bool = False if declared is None else declared()
    return answer


def bind_returns(returns: ReturnRepository | AsyncReturnRepository, connection: object) -> Any:
    """
    Returns the same ledgers, of the same kind, in the transaction of the host on this connection.

    Raises:
        InvalidValue: `host_transaction_unsupported`: the repository cannot be bound, or what it answers does
            not declare that it is; or the repository refuses the connection.
    """
    bind = getattr(returns, "in_transaction", None)
    if bind is None:
        raise _unsupported(returns, "a method in_transaction(connection)")
    bound = bind(connection)
    if declared_by(bound) is not True:
        raise _unsupported(returns, "an in_transaction that answers a BoundReturns")
    return bound


def _unsupported(returns: object, expected: str) -> InvalidValue:
    repository = type(returns).__qualname__
    return InvalidValue("host_transaction_unsupported", {"repository": repository, "expected": expected})
