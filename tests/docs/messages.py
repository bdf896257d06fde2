"""What `docs/messages.md` says about commands, events and effects."""

from typing import Any, get_args

from attrs import has

from rma import Command, Effect, Event
from rma.domain import events as events_module
from rma.domain.messages import command_items
from rma.domain.messages.effects import Delivery, Outcome, RefundOutcome, RefundReversed
from rma.domain.sale.new_item import NewItem
from rma.domain.state.entitlement import Entitlement
from rma.domain.state.refunds import Refund
from tests.docs.described import section


def _sections(*kinds: type[Any], inherited: bool = True) -> str:
    return "\n\n".join([section(kind, inherited=inherited) for kind in kinds])


def commands() -> str:
    """Every command, in the order of the union."""
    return _sections(*get_args(Command))


def items() -> str:
    """The parts of commands."""
    return _sections(
        *[kind for kind in vars(command_items).values() if _is_made_in(kind, command_items.__name__)], NewItem
    )


def events() -> str:
    """What all events have, then what each has besides."""
    union = get_args(Event)
    shared = [
        kind
        for kind in vars(events_module).values()
        if _is_made_in(kind, events_module.__name__) and kind not in union
    ]
    parts = [_sections(*shared, Entitlement, Refund, Delivery, inherited=False)]
    for kind in union:
        bases = ", ".join([f"`{base.__name__}`" for base in kind.__mro__ if base in shared])
        parts.append(f"{section(kind, inherited=False)}\n\nAlso the fields of {bases}.")
    return "\n\n".join(parts)


def effects() -> str:
    """Every effect."""
    return _sections(*get_args(Effect))


def outcomes() -> str:
    """What ports answer to effects."""
    answers = (*get_args(RefundOutcome), RefundReversed, *_answers())
    return _sections(*dict.fromkeys(answers))


def _answers() -> tuple[type[Any], ...]:
    result = next(each.type for each in Outcome.__attrs_attrs__ if each.name == "result")
    return get_args(result)


def _is_made_in(kind: object, module: str) -> bool:
    return isinstance(kind, type) and has(kind) and kind.__module__ == module
