"""What the shipped observer logs, and what it never does."""

import logging
from typing import Any

import pytest
from attrs import evolve

from rma import RequestedItem, RetryRefund, Unavailable
from rma.observing import AttentionNeeded, CommandHandled, EffectFailed, LoggingObserver, StoringFailed
from tests.rules.given import receive, request
from tests.shell.shop import MINUTE, Shop

WHERE = {"order_id": "order_1", "subject_id": "ret_1"}


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and message of each line of the library."""
    return [(each.levelname, each.getMessage()) for each in caplog.records if each.name == "rma"]


def extra(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a line."""
    return {name: value for name, value in vars(record).items() if name.startswith("rma_")}


def failing(number: int, error: Exception) -> EffectFailed:
    """A failed attempt."""
    return EffectFailed(**WHERE, key="ret_1-refund-1", effect="RefundRequest", attempt=number, error=error)


def test_a_line_has_its_fields_besides(caplog: pytest.LogCaptureFixture) -> None:
    """For a log that can be searched by order or key."""
    LoggingObserver().observe(failing(1, TimeoutError("30 s")))

    what = "order_id order_1, subject_id ret_1, key ret_1-refund-1, effect RefundRequest, attempt 1"
    assert lines(caplog) == [("WARNING", f"EffectFailed: {what}, error_class TimeoutError: 30 s")]
    assert extra(caplog.records[0]) == {
        "rma_signal": "EffectFailed",
        "rma_order_id": "order_1",
        "rma_subject_id": "ret_1",
        "rma_key": "ret_1-refund-1",
        "rma_effect": "RefundRequest",
        "rma_attempt": 1,
        "rma_error_class": "TimeoutError",
    }


def test_a_wait_for_approval_is_not_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The merchant's rules want it."""
    caplog.set_level(logging.INFO, logger="rma")
    for reason in ("approval_needed", "mismatch"):
        LoggingObserver().observe(
            AttentionNeeded(order_id="order_1", subject_id="ret_1", key=None, reason=reason)
        )

    assert [level for level, _ in lines(caplog)] == ["INFO", "WARNING"]


def test_an_error_without_a_message_is_logged_by_its_class(caplog: pytest.LogCaptureFixture) -> None:
    """`TimeoutError()` reads as nothing."""
    LoggingObserver().observe(failing(1, TimeoutError()))

    assert lines(caplog)[0][1].endswith("attempt 1, error_class TimeoutError")


def test_the_traceback_of_an_effect_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """At the first attempt; a gateway that is away for a day does not fill the log."""
    for number in (1, 2, 3):
        LoggingObserver().observe(failing(number, TimeoutError("30 s")))
    LoggingObserver().observe(StoringFailed(order_id="order_1", error=Unavailable("database_locked")))

    assert [each.exc_info is not None for each in caplog.records] == [True, False, False, True]


def test_what_is_as_it_should_be_is_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is made of it unless the host asks for it; a host may name its own logger."""
    logger = logging.getLogger("shop.returns")
    mismatch = AttentionNeeded(order_id="order_1", subject_id="ret_1", key=None, reason="mismatch")
    signal = CommandHandled(**WHERE, command="ReceiveReturn", is_repeat=False)
    with caplog.at_level(logging.INFO):
        LoggingObserver(logger).observe(signal)
    with caplog.at_level(logging.DEBUG):
        LoggingObserver(logger).observe(signal)
        LoggingObserver(logger).observe(mismatch)

    assert [(each.name, each.levelname, each.getMessage()) for each in caplog.records] == [
        (
            "shop.returns",
            "DEBUG",
            "CommandHandled: order_id order_1, subject_id ret_1, command ReceiveReturn, is_repeat False",
        ),
        ("shop.returns", "WARNING", "AttentionNeeded: order_id order_1, subject_id ret_1, reason mismatch"),
    ]


def test_no_line_has_what_customers_or_clerks_wrote(caplog: pytest.LogCaptureFixture) -> None:
    """Notes, metadata and names stay in the ledger, whatever fails."""
    secret = "Anna's hip operation"
    shop = Shop()
    shop.service = evolve(shop.service, observer=LoggingObserver())
    with caplog.at_level(logging.DEBUG, "rma"):
        shop.away = {"payments", "inventory", "fulfillment"}
        shop.handle_all(
            evolve(
                request(created_by=secret, shipping_option_id="so_return", metadata={"why": secret}),
                items=[RequestedItem(item_id="mug", quantity=2, note=secret)],
            ),
            receive(1, created_by=secret, refund_amount=500, refund_note=secret),
        )
        for _ in range(60):
            shop.pass_time(MINUTE)
            shop.service.resume()
        shop.away.clear()
        shop.service.resume("ret_1")
        with pytest.raises(Exception, match="no amount is due"):
            shop.handle_all(RetryRefund(return_id="ret_1", created_by=secret))

    assert len(lines(caplog)) > 20
    assert secret not in caplog.text
    assert all(secret not in str(value) for each in caplog.records for value in extra(each).values())
