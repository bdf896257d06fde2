"""Turns the library's logger off, for tests in which thousands of ports fail."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Turns the library's logger off for a test."""
    logger = logging.getLogger("rma")
    logger.disabled = True
    yield
    logger.disabled = False
