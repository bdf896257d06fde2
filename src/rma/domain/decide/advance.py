"""SettleAdvance and RecordChargeOutcome: new goods that were sent first are paid for, whatever is back."""

from typing import assert_never

from attrs import evolve

from rma.domain.decide.checks import check_order, check_string, check_strings, check_text, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.holds import close_hold, difference_of, release_after
from rma.domain.decide.linked import complete_exchange
from rma.domain.decide.returns.resolve import close_return
from rma.domain.decide.returns.shipments import cancel_shipment
from rma.domain.decide.violations import Violations, error_id, error_value
from rma.domain.decide.write_off import write_off_advance
from rma.domain.events import (
    ChargeOutcomeRecorded,
    Event,
    HoldReleased,
    KnownOutcomeReported,
    ReturnExpired,
    header_for,
)
from rma.domain.messages.advance import ChargeDeclined, ChargeOutcome, ChargePending, ChargeSucceeded
from rma.domain.messages.commands import ExpireReturn, RecordChargeOutcome, SettleAdvance
from rma.domain.state.exchanges import Exchange, HoldCharge
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import (
    ChargeStatus,
    ReturnStatus,
    advance_refusal,
    exchange_refusal,
)
from rma.domain.state.returns import Resolution, Return


def close_advance(facts: Facts, ledger: ReturnLedger, command: SettleAdvance) -> tuple[Event, ...]:
    """
    The return ended, and what did not come back charged to the hold; or a charge that was declined, again; or
    what is owed written off.

    Raises:
        Rejected: with everything that is wrong.
    """
    if command.write_off is not None:
        return write_off_advance(facts, ledger, command)
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    target = ledger.find(exchange.return_id) if exchange else None
    if exchange is None or target is None:
        report_unknown(wrong, "exchange_not_found", "exchange_id", command.exchange_id)
    else:
        codes = _refusals(exchange, target, command)
        for code in codes:
            wrong.add(code, exchange_id=exchange.id, return_id=target.id)
        if not codes and target.is_open:
            check_ended(wrong, facts, target)
    if target and target.is_open:
        check_order(wrong, facts.order, ledger, target)
    if command.note is not None:
        wrong.add("note_without_write_off")
    check_strings(wrong, command, "note")
    exchange, target = wrong.require(exchange), wrong.require(target)
    if not target.is_open:
        events = close_hold(exchange, ledger, facts.at, command.created_by)
        return _with_command(events, exchange, ledger, facts, command)
    ended, closing = end_advance(facts, ledger, exchange, target, by=command.created_by)
    return (*ended, *_with_command(closing, exchange, ledger, facts, command))


def _with_command(
    events: tuple[Event, ...],
    exchange: Exchange,
    ledger: ReturnLedger,
    facts: Facts,
    command: SettleAdvance,
) -> tuple[Event, ...]:
    """The events, the first of which says that this command caused it."""
    first, *others = events
    header = header_for(exchange, ledger, facts.at, by=command.created_by, command=command)
    return (evolve(first, header=header), *others)


def end_advance(
    facts: Facts,
    ledger: ReturnLedger,
    exchange: Exchange,
    target: Return,
    *,
    by: str | None,
    command: ExpireReturn | None = None,
) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
    """
    The events that end a return whose goods did not come, or not all, and those that close its exchange.

    It expires if nothing was sent; else nothing more is expected of it.
    """
    at = facts.at
    is_unsent = target.waits_for_first_parcel and target.sending is None
    cancel = cancel_shipment(target, ledger) if is_unsent else None
    ended = evolve(target, is_unbooked=True) if cancel else target
    if is_unsent and target.status is ReturnStatus.REQUESTED and target.return_by is not None:
        header = header_for(target, ledger, at, by=by, command=command)
        expired = ReturnExpired(header=header, return_by=target.return_by, cancel_request=cancel)
        received = evolve(exchange, difference_due=difference_of(exchange, ended, ended.items))
        return (expired,), close_hold(received, ledger, at, by)
    order = facts.order
    assert order is not None, "it was checked"
    closed = close_return(
        order,
        ledger,
        ended,
        Resolution(at, by),
        items=target.items,
        command=command,
        cancel_request=cancel,
    )
    return closed, complete_exchange(exchange, ledger, ended, target.items, at, by)


def check_ended(wrong: Violations, facts: Facts, target: Return) -> None:
    """The last day for its goods is over."""
    until = target.return_by
    if until is None:
        wrong.add("not_expired_yet", return_id=target.id, return_by=None, hint="it never expires")
    elif facts.at <= until:
        wrong.add("not_expired_yet", return_id=target.id, return_by=until.isoformat())


def _refusals(exchange: Exchange, target: Return, command: SettleAdvance) -> list[str]:
    """The codes with which it is refused whatever the time is."""
    codes = []
    if not exchange.is_advance:
        codes.append("not_an_advance")
    elif exchange.is_hold_closed:
        codes.append("advance_already_settled")
    if refusal := exchange_refusal(exchange.status, command):
        codes.append(refusal)
    if codes:
        return codes
    if refusal := advance_refusal(target.status):
        return [refusal]
    if not exchange.sent_first:
        return ["advance_not_sent"]
    return ["advance_undecided"] if target.awaits_inspection else []


def record_charge_outcome(
    facts: Facts, ledger: ReturnLedger, command: RecordChargeOutcome
) -> tuple[()] | tuple[KnownOutcomeReported] | tuple[ChargeOutcomeRecorded, *tuple[HoldReleased, ...]]:
    """
    The charge with its outcome. If it was known before, or a later one is known, only its idempotency key is
    remembered; nothing without one.

    If it failed, and nothing is owed, since the goods are back, the hold is released.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    charge = exchange.find_charge(command.key) if exchange else None
    if exchange is None:
        wrong.add("exchange_not_found", exchange_id=error_id(command.exchange_id))
    elif refusal := exchange_refusal(exchange.status, command) or (
        None if charge else "hold_charge_not_found"
    ):
        wrong.add(refusal, key=error_id(command.key))
    outcome: object = command.outcome
    if not isinstance(outcome, ChargeSucceeded | ChargePending | ChargeDeclined):
        wrong.add("invalid_outcome", of="charge", outcome=error_value(outcome))
    else:
        _check_answer(wrong, outcome)
    check_strings(wrong, command, "key")
    exchange = wrong.require(exchange)
    charge = wrong.require(charge)
    known = charge.after(command.outcome, facts.at, by=command.created_by)
    if known.status is ChargeStatus.FAILED and charge.status is ChargeStatus.SUCCEEDED:
        _check_not_given_back(wrong, charge, ledger.get(exchange.return_id))
        wrong.require(charge)
    effect = ledger.open_effects.get(charge.key)
    header = header_for(exchange, ledger, facts.at, by=command.created_by, command=command)
    if known == charge and (effect is None or effect.delivery.pending_since is not None):
        return () if header.command is None else (KnownOutcomeReported(header=header, key=charge.key),)
    is_pending = known.status is ChargeStatus.PENDING
    event = ChargeOutcomeRecorded(
        header=header,
        charge=known,
        delivery=facts.timing.while_pending(effect, facts.at) if effect and is_pending else None,
    )
    return (event, *release_after(exchange, known, ledger, facts.at, command.created_by))


def _check_not_given_back(wrong: Violations, charge: HoldCharge, target: Return) -> None:
    """What was charged was not refunded with the return: without it, more was refunded than is due."""
    account = target.entitlement
    if account.covered > max(0, account.entitled.amount - charge.amount.amount):
        wrong.add(
            "charge_given_back",
            key=charge.key,
            refunded=account.covered,
            amount=charge.amount.amount,
            currency=charge.amount.currency,
        )


def _check_answer(wrong: Violations, outcome: ChargeOutcome) -> None:
    """What the gateway said is made of strings."""
    match outcome:
        case ChargeSucceeded(reference=reference) | ChargePending(reference=reference):
            check_text(wrong, "outcome.reference", reference)
        case ChargeDeclined(code=code, message=message):
            check_string(wrong, "outcome.code", code)
            check_string(wrong, "outcome.message", message)
        case _:
            assert_never(outcome)
