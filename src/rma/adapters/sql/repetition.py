"""How often a statement that reads, or leases, is repeated after it failed."""

from rma.adapters.sql.failures import ConnectionLost, NotSerializable

#: How often a statement is tried that each time cannot be serialized.
TRIES = 10


class Repetition:
    """
    Counts the failures of one statement, which is a transaction by itself.

    It is repeated once after its connection was lost, as the pool drops all connections of that age then;
    and nine times if it cannot be serialized: databases end the transaction that would have to wait, so that
    the next attempt does not meet the same one.
    """

    def __init__(self) -> None:
        self._is_new_connection = False
        self._tries = 0

    def allow(self, error: ConnectionLost | NotSerializable) -> None:
        """
        Returns if the statement may be repeated after this error.

        Raises:
            ConnectionLost, NotSerializable: the error, if it was repeated often enough.
        """
        if isinstance(error, ConnectionLost):
            if self._is_new_connection:
                raise error
            self._is_new_connection = True
        else:
            self._tries += 1
            if self._tries == TRIES:
                raise error
