"""
Handling a command: the same steps for every one, in this order.

Load the ledger; answer a repeat; gather facts; decide; commit; deliver. Nothing is asked of a port that acts
while anything is open, a transaction of the host included, and nothing here knows a rule about returns. What
differs between commands, which ledger they are about and which facts they need, is in `rma.shell.facts`, a
row for each.
"""

from typing import overload

from rma.async_ports import Host
from rma.domain.change import Change, apply_command, unchanged
from rma.domain.decide import answer
from rma.domain.events import KnownOutcomeReported
from rma.domain.messages.commands import (
    ClaimCommand,
    Command,
    ExchangeCommand,
    OpeningCommand,
    RefundCommand,
    ReturnCommand,
)
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger, Subject
from rma.domain.state.returns import Return
from rma.observing import CommandHandled
from rma.shell.commit import commit_with_retry
from rma.shell.deliver import deliver
from rma.shell.facts import facts_for, ledger_for
from rma.shell.host_transaction import is_in_host_transaction
from rma.shell.ids import draw_id
from rma.shell.observe import tell, tell_attention

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

    Its effects are delivered as far as ports answer, or left to `resume` if not `deliver_now`, or if the
    ledgers are written in a transaction of the host.

    Raises:
        Rejected: with everything that is wrong; nothing changed.
        Unavailable: a repository failed; nothing changed, unless the answer to the commit was lost.
        StaleLedger: other writers were faster too often; nothing changed.
        InvalidValue: the host's `ids` returned what no id can be made of; nothing changed.
    """
    deliver_now = deliver_now and not await is_in_host_transaction(host)
    change = await decide_and_commit(command, host, deliver_now=deliver_now)
    subject_id, ledger = change.subject_id, change.ledger
    assert subject_id is not None, "a command that is done is about something"
    name = type(command).__name__
    is_repeat = all(isinstance(each, KnownOutcomeReported) for each in change.events)
    handled = CommandHandled(
        order_id=ledger.order_id, subject_id=subject_id, command=name, is_repeat=is_repeat
    )
    tell(host, handled)
    tell_attention(host, change)
    # Asked again after the commit: a session may begin its transaction at the first statement.
    if deliver_now and not await is_in_host_transaction(host):
        fresh = frozenset([effect.key for effect in change.effects])
        ledger = await deliver(ledger, host, subject_id, fresh=fresh)
    return ledger.subject(subject_id)


async def decide_and_commit(command: Command, host: Host, *, deliver_now: bool = True) -> Change:
    """
    Returns the change that did the command, or one without events if it was done before or changes nothing.

    A command that loses a race is answered or decided again on the new ledger, so callers never see a
    conflict that a second look would solve.

    Raises:
        As `handle_command`.
    """
    fresh_id = draw_id(command, host) if isinstance(command, OpeningCommand) else None

    async def make_change() -> Change:
        ledger = await ledger_for(command, host)
        if ledger is not None and (subject_id := answer(ledger, command)) is not None:
            return unchanged(ledger, subject_id)
        facts = await facts_for(command, ledger, host, fresh_id)
        # Timers leave alone for a while what is about to be delivered here.
        due_at = facts.at + host.timing.grace if deliver_now else None
        return apply_command(facts, ledger or _NO_LEDGER, command, effects_due_at=due_at)

    return await commit_with_retry(await make_change(), host, make_change)
