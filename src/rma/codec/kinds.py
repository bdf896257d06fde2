"""The public kinds of documents, and the number of their format."""

from collections.abc import Mapping
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin

from attrs import Attribute, field, frozen

from rma.domain.events import Event
from rma.domain.messages.commands import Command
from rma.domain.messages.effects import Effect
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Return
from rma.domain.values.display import show
from rma.domain.values.errors import InvalidValue
from rma.domain.values.validators import invalid
from rma.domain.views.export import OrderExport

#: The format of the documents that this release writes. A kind or a field that is added with a default leaves
#: it as it is; anything else makes it another, and documents of the earlier ones are read all the same.
FORMAT = 1


@frozen
class PublishedEvent:
    """
    An event with its id: what an `EventPublisher` is given.

    Args:
        event_id: `{order_id}/{revision}/{number}`, the same however often the event is published: a receiver
            knows a repeat by it.

    Raises:
        InvalidValue: the id is not that of the event.
    """

    event_id: str = field()
    event: Event

    @event_id.validator
    def _of_the_event(self, attribute: "Attribute[Any]", value: object) -> None:
        event: object = self.event
        if isinstance(event, get_args(Event)) and value != self.event.event_id:
            raise invalid(self, attribute.name, value, f"the id of its event, {show(self.event.event_id)}")


#: What can be a document.
Coded = Command | Event | PublishedEvent | Return | Exchange | Claim | ReturnLedger | Effect | OrderExport

#: The class of each kind by its name, which is that of the class.
KINDS: Mapping[str, type[Any]] = MappingProxyType({each.__name__: each for each in get_args(Coded)})


def classes_of(kind: object) -> tuple[type[Any], ...]:
    """
    The classes of a public kind, or of a union of such; of all of them for None.

    Raises:
        InvalidValue: it is something else.
    """
    if kind is None:
        return tuple(KINDS.values())
    classes = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if any(each not in KINDS.values() for each in classes):
        details = {
            "field": "kind",
            "value": show(kind),
            "expected": "a class of rma.codec.KINDS, or a union of them",
        }
        raise InvalidValue("invalid_value", details)
    return classes
