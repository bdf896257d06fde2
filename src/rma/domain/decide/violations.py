"""The list in which a command's checks gather everything that is wrong with it."""

from typing import TypeVar

from rma.domain.values.display import is_writable, show
from rma.domain.values.errors import Violation, rejection

T = TypeVar("T")

#: The longest id, and the longest idempotency key.
MAX_ID = 255


class Violations(list[Violation]):
    """What is wrong with one request, in its order."""

    def add(self, code: str, item_id: object = None, **numbers: object) -> None:
        """Append one violation."""
        self.append(Violation(code, None if item_id is None else _written(item_id), numbers))

    def require(self, subject: T | None, *, besides: str | None = None) -> T:
        """
        The subject of the request, if nothing is wrong, or nothing but what has the code `besides`.

        An amount above what is refundable does not keep the units from being valued: it may exceed their
        value, too.

        Raises:
            Rejected: something is; a subject that is missing must have been reported.
        """
        if subject is None or any(each.code != besides for each in self):
            raise rejection(self)
        return subject


def error_value(value: object) -> object:
    """A value that an error can carry: integers as they are, the rest as errors show it, strings quoted."""
    return value if type(value) is int and is_writable(value) else show(value)


def error_id(value: object) -> object:
    """An id that an error can carry: a string as it is, unless it is too long for one."""
    return value if isinstance(value, str) and len(value) <= MAX_ID else error_value(value)


def _written(item_id: object) -> str:
    return str(error_id(item_id))
