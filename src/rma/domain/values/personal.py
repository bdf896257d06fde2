"""Data about persons: the groups of fields that hold it, and how values show it."""

from collections.abc import Mapping
from enum import StrEnum

#: What takes the place of a string that was redacted.
REDACTED = "[redacted]"


class PersonalField(StrEnum):
    """
    Groups of fields that can hold data about persons; `rma.domain.redaction` lists the fields of each.

    Attributes:
        NOTES: what people wrote in words of their own, and what ports said: notes, reasons in words, proofs,
            descriptions of foreign goods, messages of gateways. Codes are not among them.
        IMAGES: where pictures are.
        METADATA: what the host keeps with a return, exchange, claim or item.
        ACTORS: who did something, in the host's words.
        SHIPMENTS: what carriers were given and answered: data, tracking numbers, labels.
    """

    NOTES = "notes"
    IMAGES = "images"
    METADATA = "metadata"
    ACTORS = "actors"
    SHIPMENTS = "shipments"


def hidden(value: object) -> str:
    """
    The `repr` of a field that can hold data about persons: whether there is anything, not what.

    >>> from rma.domain.values.personal import hidden
    >>> hidden("call me on 555-0100"), hidden(None), hidden(())
    ('…', 'None', '()')
    """
    is_empty = value is None or (isinstance(value, str | tuple | Mapping) and not value)
    return repr(value) if is_empty else "…"
