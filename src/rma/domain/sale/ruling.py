"""What was decided about a requested line: which rule spoke, by which facts, what a host's rules said."""

from datetime import datetime
from typing import Any

from attrs import Attribute, field, frozen

from rma.domain.values.json_data import is_unicode
from rma.domain.values.personal import hidden
from rma.domain.values.validators import invalid


def _reason(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    if value is not None and not (isinstance(value, str) and is_unicode(value)):
        raise invalid(instance, attribute.name, value, "a string of Unicode")


@frozen
class Review:
    """What a host's own rule answers where a person has to approve the return; `reason` says why."""

    reason: str | None = field(default=None, validator=_reason, repr=hidden)


@frozen
class HostAnswer:
    """
    What a host's own rule said about a requested line.

    Attributes:
        rule: its name.
        review: True if a person has to approve the return.
        reason: why.
        refused_code: the code with which it refused the line; it was overruled.
    """

    rule: str
    review: bool = False
    reason: str | None = field(default=None, repr=hidden)
    refused_code: str | None = None


@frozen
class Ruling:
    """
    Why a requested line was taken.

    Attributes:
        rule: the rule that spoke; None if none did. One that spoke stays where a person overruled a rule of
            the host's.
        facts: of the units, sorted; what rules name in `when`.
        until: the last moment of its window that the customer was given; None for always.
        is_overruled: a person took it although the rules, or a rule of the host, did not: without fees.
        answers: of the host's own rules.
        other_rules: of a policy that inspects: the rules that would take the line if their facts were there,
            `rule` among them; a clerk may correct the reason.
    """

    rule: str | None = None
    facts: tuple[str, ...] = ()
    until: datetime | None = None
    is_overruled: bool = False
    answers: tuple[HostAnswer, ...] = ()
    other_rules: tuple[str, ...] = ()
