"""Ports fail here on purpose and by the thousand; the warnings about it would say nothing."""

from tests.quiet import quiet

__all__ = ["quiet"]
