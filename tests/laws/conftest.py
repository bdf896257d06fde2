"""Turns the library's logger off, as the laws make thousands of ports fail."""

from tests.quiet import quiet

__all__ = ["quiet"]
