"""Provides a running shop to each test that needs one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from http_api import sample_service

from .serving import Shop, serving


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A running shop with the orders of the example, and returns in a SQLite file."""
    with serving(sample_service(f"sqlite:///{tmp_path / 'returns.db'}")) as running:
        yield running
