"""The laws make thousands of ports fail on purpose; their warnings would say nothing and cost minutes."""

from tests.quiet import quiet

__all__ = ["quiet"]
