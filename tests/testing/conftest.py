"""Ports fail here on purpose and by the thousand; the warnings about it would say nothing."""

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
