"""What is measured beside a floor does the same as the floor."""

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.mark.parametrize("operation", ["request_pair", "receive_pair"])
def test_the_library_and_its_floor_end_with_equal_data(operation: str) -> None:
    """Otherwise a ratio would compare two different things."""
    measured = runpy.run_path(str(BENCHMARKS / "in_memory.py"))
    order = measured["order_of"](2)

    measured["check"](measured[operation](order)(), order)
