"""
Handling a command: the same steps for every one, in this order.

Load the ledger; answer a repeat; gather facts; decide; commit; deliver. Nothing is asked of a port while
anything is open, and nothing here knows a rule about returns. What differs between commands, which ledger
they are about and which facts they need, is in `rma.shell.facts`, a row for each.
"""

from typing import overload

from rma.async_ports import Host
from rma.domain.change import Change, apply_command, unchanged
from rma.domain.decide import answer
from rma.domain.messages.commands import (
    ClaimCommand,
    Command,
    ExchangeCommand,
    RefundCommand,
    Request,
    ReturnCommand,
)
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.returns import Return
from rma.shell.commit import commit_with_retry
from rma.shell.deliver import deliver
from rma.shell.facts import facts_for, ledger_for
from rma.shell.ids import draw_id

#: Where nothing is known, there is nothing; deciding then says so, with everything else that is wrong.
_NO_LEDGER = ReturnLedger("")


@overload
async def handle_command(command: ReturnCommand, host: Host, *, deliver_now: bool = ...) -> Return: ...


@overload
async def handle_command(command: ExchangeCommand, host: Host, *, deliver_now: bool = ...) -> Exchange: ...


@overload
async def handle_command(command: ClaimCommand, host: Host, *, deliver_now: bool = ...) -> Claim: ...


@overload
async def handle_command(
    command: RefundCommand, host: Host, *, deliver_now: bool = ...
) -> Return | Claim: ...


@overload
async def handle_command(command: Command, host: Host, *, deliver_now: bool = ...) -> Subject: ...


async def handle_command(command: Command, host: Host, *, deliver_now: bool = True) -> Subject:
    """
    Returns the return, exchange or claim that the command is about, after it was done, now or before.

    Its effects are delivered as far as ports answer, or left to `resume` if not `deliver_now`.

    Raises:
        Rejected: with everything that is wrong; nothing changed.
        Unavailable: a repository failed; nothing changed, unless the answer to the commit was lost.
        StaleLedger: other writers were faster too often; nothing changed.
        InvalidValue: the host's `ids` returned what no id can be made of; nothing changed.
    """
    change = await decide_and_commit(command, host)
    assert change.subject_id is not None, "a command that is done is about something"
    ledger = await deliver(change.ledger, host, change.subject_id) if deliver_now else change.ledger
    return ledger.subject(change.subject_id)


async def decide_and_commit(command: Command, host: Host) -> Change:
    """
    Returns the change that did the command, or one without events if it was done before or changes nothing.

    A command that loses a race is answered or decided again on the new ledger, so callers never see a
    conflict that a second look would solve.

    Raises:
        As `handle_command`.
    """
    fresh_id = draw_id(command, host) if isinstance(command, Request) else None

    async def make_change() -> Change:
        ledger = await ledger_for(command, host)
        if ledger is not None and (subject_id := answer(ledger, command)) is not None:
            return unchanged(ledger, subject_id)
        facts = await facts_for(command, ledger, host, fresh_id)
        return apply_command(facts, ledger or _NO_LEDGER, command)

    return await commit_with_retry(await make_change(), host, make_change)
