"""SettleAdvance with an amount: what a customer owes for new goods that were sent first is written off."""

from attrs import evolve

from rma.domain.decide.checks import check_amount, check_strings, report_unknown
from rma.domain.decide.facts import Facts
from rma.domain.decide.holds import release_hold
from rma.domain.decide.violations import Violations
from rma.domain.events import AdvanceWrittenOff, HoldReleased, header_for
from rma.domain.messages.commands import SettleAdvance
from rma.domain.state.exchanges import Exchange, WriteOff
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.lifecycle import ExchangeStatus, exchange_refusal
from rma.domain.values.money import Money


def write_off_advance(
    facts: Facts, ledger: ReturnLedger, command: SettleAdvance
) -> tuple[AdvanceWrittenOff, *tuple[HoldReleased, ...]]:
    """
    What is owed written off, or a part of it; the hold is released once nothing more is owed.

    Not while a charge may have taken the money, nor while its goods are expected or waited for: then what is
    owed is not known.

    Raises:
        Rejected: with everything that is wrong.
    """
    wrong = Violations()
    exchange = ledger.find_exchange(command.exchange_id)
    if exchange is None:
        report_unknown(wrong, "exchange_not_found", "exchange_id", command.exchange_id)
    else:
        for code in _refusals(exchange, ledger, command):
            wrong.add(code, exchange_id=exchange.id, return_id=exchange.return_id)
    is_possible = not len(wrong)
    currency = exchange.currency if exchange else None
    amount = check_amount(
        wrong, command.write_off, currency, "invalid_write_off", field="write_off", minimum=1
    )
    owed = exchange.owed if exchange else Money(0, "xxx")
    if is_possible and amount is not None and amount > owed:
        wrong.add("write_off_exceeds_owed", amount=amount.amount, owed=owed.amount, currency=currency)
    if not command.note:
        wrong.add("write_off_without_note")
    check_strings(wrong, command, "note")
    exchange, amount = wrong.require(exchange), wrong.require(amount)
    at, by = facts.at, command.created_by
    is_all = amount == owed
    write_off = WriteOff(owed, amount, at, wrong.require(command.note), by)
    event = AdvanceWrittenOff(
        header=header_for(exchange, ledger, at, by=by, command=command),
        status=ExchangeStatus.COMPLETED if is_all else exchange.status,
        write_off=write_off,
    )
    if not is_all:
        return (event,)
    after = evolve(exchange, status=event.status, write_offs=(*exchange.write_offs, write_off))
    return (event, *release_hold(after, ledger, at, by))


def _refusals(exchange: Exchange, ledger: ReturnLedger, command: SettleAdvance) -> list[str]:
    """The codes with which it is refused whatever the amount is."""
    if not exchange.is_advance:
        return ["not_an_advance"]
    codes = []
    is_open = ledger.get(exchange.return_id).is_open
    if refusal := exchange_refusal(exchange.status, command):
        codes.append(refusal)
    if any(charge.is_pending for charge in exchange.hold_charges):
        codes.append("charge_outcome_unknown")
    elif not (is_open or exchange.owed.amount):
        codes.append("nothing_owed")
    if codes:
        return codes
    if not exchange.sent_first:
        return ["advance_not_sent"]
    return ["advance_not_over"] if is_open else []
