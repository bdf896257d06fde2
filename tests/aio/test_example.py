"""The example runs, and says the same in every run."""

import pytest

import async_host


def test_the_story_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything at once, and everything once, whoever comes first."""
    async_host.main()
    first = capsys.readouterr().out
    async_host.main()

    assert capsys.readouterr().out == first
    for render in (
        "Both of Bob's clicks are the same return: True",
        "It was order_cat; still open: 0",
        "refund: no answer (TimeoutError: no answer within 30 s)\n  refund: done",
        "The gateway made 3 refunds: 24.00 USD.",
        "Stock was booked 3 times.",
    ):
        assert render in first
    assert first.count("sends the mug back, for 8.00 USD") == 3
    assert first.count("refund: done") == 3
