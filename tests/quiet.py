"""A logger that is off, for tests in which ports fail by the thousand: its warnings would say nothing."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The library's logger is off."""
    logger = logging.getLogger("rma")
    logger.disabled = True
    yield
    logger.disabled = False
