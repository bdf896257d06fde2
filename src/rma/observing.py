"""
What an operator sees: signals of what the library does, and an observer that logs them.

A service tells its observer what it did, right after it did it. An observer only looks: nothing waits for
it, and what it raises is logged and changes nothing.
"""

import logging
from typing import Any, Protocol

from attrs import asdict, frozen

from rma.domain.values.money import Money


@frozen(kw_only=True)
class CommandHandled:
    """
    A command was done, now or before.

    Attributes:
        command: the name of its class.
        subject_id: the return, exchange or claim that it is about.
        is_repeat: it changed nothing: its idempotency key was answered before, or there was nothing to do. It
            may be remembered all the same (`KnownOutcomeReported`).
    """

    order_id: str
    subject_id: str
    command: str
    is_repeat: bool


@frozen(kw_only=True)
class CommitConflicted:
    """
    Another writer was faster; the change is computed again.

    Attributes:
        attempt: counts from 1.
    """

    order_id: str
    attempt: int


@frozen(kw_only=True)
class EffectDelivered:
    """
    A port answered about an effect.

    Attributes:
        effect: the name of the class of its request: `RefundRequest`.
        attempt: counts from 1.
    """

    order_id: str
    subject_id: str
    key: str
    effect: str
    attempt: int


@frozen(kw_only=True)
class EffectFailed:
    """
    A port raised, sent nothing, or answered what cannot be stored. It is tried again, unless a person has to
    look.

    Attributes:
        effect: the name of the class of its request: `RefundRequest`.
        attempt: counts from 1.
    """

    order_id: str
    subject_id: str
    key: str
    effect: str
    attempt: int
    error: Exception


@frozen(kw_only=True)
class AttentionNeeded:
    """
    Something goes no further without a person.

    Attributes:
        key: of the effect, refund or charge, if it is about one.
        amount: of the refund or charge, or what is owed, due or was overpaid, if it is about one.
        reason: `effect_stuck`, `refund_needs_attention`, `refund_failed` (declined for good, or late),
            `refund_reversed`, `refund_blocked`, `refund_due`, `charge_needs_attention`, `charge_failed`,
            `payment_due`, `out_of_stock`, `last_day_over`, `mismatch`, `paid_without_goods` (paid before they
            arrived, and they never did), or (logged as INFO) `approval_needed` or `inspection_needed`.
    """

    order_id: str
    subject_id: str
    key: str | None
    reason: str
    amount: Money | None = None


@frozen(kw_only=True)
class PublishingFailed:
    """The publisher did not take an event; it is published again later."""

    order_id: str
    event_id: str
    error: Exception


@frozen(kw_only=True)
class StoringFailed:
    """What ports answered could not be stored, or a ledger not be read; it is tried again later."""

    order_id: str
    error: Exception


@frozen(kw_only=True)
class DocumentUnreadable:
    """
    A list was returned without this return, exchange or claim, whose stored document cannot be read.

    `ReturnService.rebuild` of the order can mend it.
    """

    order_id: str
    subject_id: str
    error: str


Signal = (
    CommandHandled
    | CommitConflicted
    | EffectDelivered
    | EffectFailed
    | AttentionNeeded
    | PublishingFailed
    | StoringFailed
    | DocumentUnreadable
)


class Observer(Protocol):
    """Receives a signal of what a service did, in the process and thread that did it."""

    def observe(self, signal: Signal) -> None:
        """Look at the signal, and return soon: the service waits. What this raises is logged."""
        ...


class LoggingObserver:
    """
    Logs each signal as one line, with its class as `rma_signal` and its fields (`rma_order_id`, `rma_key`,
    `rma_attempt`, …) as `extra`.

    What failed or needs attention is a warning, with a traceback at the first attempt only; the rest is for
    debugging.

    Args:
        logger: where to; the logger `rma` unless given.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("rma")

    def observe(self, signal: Signal) -> None:
        """Log the signal."""
        level = _level_of(signal)
        if not self._logger.isEnabledFor(level):
            return
        name = type(signal).__name__
        fields: dict[str, Any] = asdict(signal, recurse=False)
        error = fields.pop("error", None)
        if error is not None:
            fields["error_class"] = type(error).__name__
        words = "" if error is None else words_of(error)
        is_repeated = isinstance(signal, EffectFailed) and signal.attempt > 1
        described = ", ".join([f"{field} {value}" for field, value in fields.items() if value is not None])
        self._logger.log(
            level,
            "%s: %s%s",
            name,
            _on_one_line(described),
            f": {words}" if words else "",
            exc_info=None if is_repeated or error is None else _shown(error),
            extra={"rma_signal": name, **{f"rma_{field}": value for field, value in fields.items()}},
        )


def words_of(error: Exception) -> str:
    """
    What the error says, on one line: a port's words cannot forge a line of the log.

    Nothing, if it cannot be shown: an error whose text raises must not stop what other effects need.
    """
    try:
        text = str(error)
    except Exception:
        return ""
    return _on_one_line(text)


def _on_one_line(text: str) -> str:
    return "".join([each if each.isprintable() else " " for each in text])


def _shown(error: BaseException, depth: int = 5) -> BaseException:
    """
    What a formatter prints in place of the error: its traceback, and a line each of what it and causes say.

    A traceback prints the text of an error as it is: line breaks in a port's words would be lines of the log.
    """
    kind = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
    shown: BaseException = kind(words_of(error) if isinstance(error, Exception) else "")
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    shown.__cause__ = _shown(before, depth - 1) if before is not None and depth else None
    return shown.with_traceback(error.__traceback__)


_LEVELS: dict[type, int] = {
    EffectFailed: logging.WARNING,
    PublishingFailed: logging.WARNING,
    StoringFailed: logging.WARNING,
    DocumentUnreadable: logging.WARNING,
    AttentionNeeded: logging.WARNING,
}


def _level_of(signal: Signal) -> int:
    if isinstance(signal, AttentionNeeded) and signal.reason in ("approval_needed", "inspection_needed"):
        return logging.INFO  # as the merchant's rules want it: nothing went wrong
    return _LEVELS.get(type(signal), logging.DEBUG)
