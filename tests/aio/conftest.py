"""A logger that is off: ports fail here on purpose."""

from tests.quiet import quiet

__all__ = ["quiet"]
