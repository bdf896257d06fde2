"""The HTTP example, running."""

from tests.medusa.conftest import shop

__all__ = ["shop"]
