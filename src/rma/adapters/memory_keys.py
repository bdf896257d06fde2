"""What the adapters in memory know about keys: one belongs to one request."""

from typing import TypeVar

RequestT = TypeVar("RequestT")


class KeyReusedError(ValueError):
    """A port received a known key with another request: a bug in the code that makes the keys."""


def is_new(known: dict[str, RequestT], key: str, request: RequestT) -> bool:
    """
    Returns True if the key was not seen before.

    Raises:
        KeyReusedError: it was, with another request.
    """
    before = known.get(key)
    if before is not None and before != request:
        raise KeyReusedError(f"{key} belongs to {before}, not to {request}")
    return before is None
