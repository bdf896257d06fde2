"""The logger is off: ports of the scripts fail on purpose."""

from tests.quiet import quiet

__all__ = ["quiet"]
