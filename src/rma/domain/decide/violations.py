"""The list in which a command's checks gather everything that is wrong with it."""

from typing import TypeVar

from rma.domain.values.errors import Violation, rejection

T = TypeVar("T")


class Violations(list[Violation]):
    """What is wrong with one request, in its order."""

    def add(self, code: str, item_id: object = None, **numbers: object) -> None:
        """Append one violation."""
        self.append(Violation(code, None if item_id is None else str(item_id), numbers))

    def require(self, subject: T | None) -> T:
        """
        The subject of the request, if nothing is wrong.

        Raises:
            Rejected: something is; a subject that is missing must have been reported.
        """
        if self or subject is None:
            raise rejection(self)
        return subject


def error_value(value: object) -> object:
    """A value that an error can carry: numbers and strings as they are, the rest as its `repr`."""
    return value if isinstance(value, int | str) and not isinstance(value, bool) else repr(value)
