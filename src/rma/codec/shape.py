"""What values of one type may be, in memory and as JSON: the interface that all shapes have."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from attrs import Attribute, define, field

from rma.codec.found import Found, Path

#: A JSON Schema, draft 2020-12.
Schema = dict[str, Any]


@define
class Drawing:
    """
    JSON Schemas that are being drawn.

    Attributes:
        is_open: objects may have fields that are not known.
        default: the default of a field, as JSON.
        definitions: the classes that were drawn, by the name of their definition.
    """

    is_open: bool
    default: Callable[["Attribute[Any]"], Any]
    definitions: dict[str, Schema] = field(factory=dict)

    def refer_to(self, name: str, draw: Callable[[], Schema]) -> Schema:
        """A reference to the definition of this name, which is drawn if it was not."""
        if name not in self.definitions:
            self.definitions[name] = {}  # a class may hold values of itself
            self.definitions[name] = draw()
        return {"$ref": f"#/$defs/{name}"}


class Shape(ABC):
    """What values of one type may be."""

    @abstractmethod
    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Notes where a value in memory is not of the type."""

    @abstractmethod
    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """
        Notes where JSON data are not of the type.

        Returns:
            A copy of them, without the fields that are not known; of no meaning if something was noted.
        """

    @abstractmethod
    def schema(self, drawing: Drawing) -> Schema:
        """The JSON Schema of what `read` accepts."""


#: The shape of each type, as `shape_of` finds it.
ShapeOf = Callable[[Any], Shape]
#: The shapes of the fields of a class, by name.
Fields = Mapping[str, Shape]
