"""Shapes of what may be null, of lists, rows and mappings."""

from typing import Any

from attrs import frozen, has

from rma.codec.found import Found, Path
from rma.codec.scalars import STRING
from rma.codec.shape import Drawing, Schema, Shape


@frozen
class Optional(Shape):
    """None, or what another shape says."""

    given: Shape

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges what is not None."""
        if value is not None:
            self.given.judge(value, path, found)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads what is not null."""
        return None if plain is None else self.given.read(plain, path, found)

    def schema(self, drawing: Drawing) -> Schema:
        """The same, or null."""
        given = self.given.schema(drawing)
        if isinstance(given.get("type"), str) and "enum" not in given:
            return {**given, "type": [given["type"], "null"]}
        return {"anyOf": [given, {"type": "null"}]}


@frozen
class ListOf(Shape):
    """A tuple of any length, written as a list; `is_set` for a set without repeats, written in its order."""

    each: Shape
    is_set: bool = False

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges each value in it."""
        if not isinstance(value, frozenset if self.is_set else tuple):
            found.invalid(path, "a set" if self.is_set else "a tuple", value)
            return
        for index, each in enumerate(value):
            self.each.judge(each, (path, index), found)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads each value in it."""
        if not isinstance(plain, list):
            found.invalid(path, "a list", plain)
            return []
        before = found.number
        read = [self.each.read(each, (path, index), found) for index, each in enumerate(plain)]
        if self.is_set and found.number == before and len(set(read)) < len(read):
            found.invalid(path, "a list without repeats", plain)
        return read

    def schema(self, drawing: Drawing) -> Schema:
        """A list, of which the values are drawn."""
        drawn = {"type": "array", "items": self.each.schema(drawing)}
        return drawn | {"uniqueItems": True} if self.is_set else drawn


@frozen
class Row(Shape):
    """A tuple of these values, written as a list of so many."""

    members: tuple[Shape, ...]

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges each by its index."""
        if not isinstance(value, tuple) or len(value) != len(self.members):
            found.invalid(path, f"a tuple of {len(self.members)}", value)
            return
        for index, (shape, each) in enumerate(zip(self.members, value, strict=True)):
            shape.judge(each, (path, index), found)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads each by its index."""
        if not isinstance(plain, list) or len(plain) != len(self.members):
            found.invalid(path, f"a list of {len(self.members)}", plain)
            return []
        pairs = enumerate(zip(self.members, plain, strict=True))
        return [shape.read(each, (path, index), found) for index, (shape, each) in pairs]

    def schema(self, drawing: Drawing) -> Schema:
        """A list of that length."""
        drawn = [shape.schema(drawing) for shape in self.members]
        return {"type": "array", "prefixItems": drawn, "minItems": len(drawn), "maxItems": len(drawn)}


@frozen
class MapOf(Shape):
    """A mapping from strings, written as an object."""

    each: Shape

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges each value by its key."""
        if not isinstance(value, dict):
            found.invalid(path, "a mapping", value)
            return
        for key, each in value.items():
            STRING.judge(key, path, found)
            self.each.judge(each, (path, str(key)), found)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads each value by its key."""
        if not isinstance(plain, dict):
            found.invalid(path, "an object", plain)
            return {}
        for key in plain:
            STRING.read(key, path, found)
        return {key: self.each.read(each, (path, str(key)), found) for key, each in plain.items()}

    def schema(self, drawing: Drawing) -> Schema:
        """An object whose values are drawn."""
        return {"type": "object", "additionalProperties": self.each.schema(drawing)}


@frozen
class ObjectOr(Shape):
    """An object of one class, or what another shape says: `Money | int`."""

    of_class: Shape
    other: Shape

    def judge(self, value: Any, path: Path, found: Found) -> None:
        """Judges an instance of any class by the class, all else by the other shape."""
        (self.of_class if has(type(value)) else self.other).judge(value, path, found)

    def read(self, plain: Any, path: Path, found: Found) -> Any:
        """Reads an object by the class, all else by the other shape."""
        return (self.of_class if isinstance(plain, dict) else self.other).read(plain, path, found)

    def schema(self, drawing: Drawing) -> Schema:
        """Either."""
        return {"anyOf": [self.other.schema(drawing), self.of_class.schema(drawing)]}
