"""The example of an asynchronous application runs, and prints the same in every run."""

import pytest

import async_host


def test_the_example_prints_the_same_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything at once, and every effect once, whichever task is first."""
    async_host.main()
    first = capsys.readouterr().out
    async_host.main()

    assert capsys.readouterr().out == first
    for line in (
        "Both of Bob's clicks are the same return: True",
        "It was order_cat; still open: 0",
        "refund: no answer (TimeoutError: no answer within 30 s)\n  refund: done",
        "The gateway made 3 refunds: 24.00 USD.",
        "Stock was booked 3 times.",
    ):
        assert line in first
    assert first.count("sends the mug back, for 8.00 USD") == 3
    assert first.count("refund: done") == 3
