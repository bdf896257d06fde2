"""What is wrong with a value or a document: every violation, with the path to it."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field

from rma.domain.redaction import is_personal
from rma.domain.values.display import name_kind, show
from rma.domain.values.errors import InvalidValue, Violation
from rma.domain.values.json_data import find_unstorable, path_step

#: How many violations an error says; of more, it says how many: a document of mistakes gets a short answer.
MOST_VIOLATIONS = 100

#: Where a part of a value is: the path of what it is in, and its name or index there; None for the value.
Path = tuple["Path", str | int] | None


def write_path(path: Path) -> str:
    """
    A path as errors write it.

    >>> from rma.codec.found import write_path
    >>> write_path((((None, "items"), 0), "quantity")), write_path(None)
    ('items[0].quantity', 'document')
    """
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(path_step(step) if isinstance(step, str) else f"[{step}]")
    return "".join(reversed(steps)).removeprefix(".") or "document"


def _is_personal(path: Path) -> bool:
    """True if it leads to what a person may have said."""
    while path is not None:
        path, step = path
        if isinstance(step, str) and is_personal(step):
            return True
    return False


@define
class Found:
    """
    What was found so far.

    Attributes:
        ignores_unknown: fields that the classes do not have are left out, instead of being violations.
        build: builds a value of a class from what was read for it; given only to find out which of them
            refuses to be built.
        number: how many violations there are.
    """

    ignores_unknown: bool = False
    build: Callable[[dict[str, Any], type[Any]], object] | None = None
    number: int = 0
    _first: list[Violation] = field(factory=list, init=False)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The first `MOST_VIOLATIONS`, and one that says how many more there are, if any."""
        if (more := self.number - len(self._first)) == 0:
            return tuple(self._first)
        return (*self._first, Violation("more_violations", numbers={"number": more}))

    def invalid(self, path: Path, expected: str, value: object) -> None:
        """What is there is of another type."""
        shown = name_kind(value) if _is_personal(path) else show(value)
        self._add("invalid_field", path, {"expected": expected, "value": shown})

    def refused(self, path: Path, reason: str) -> None:
        """What is there is of the type, and no such thing exists, or its class refuses it."""
        self._add("refused_value", path, {"reason": reason})

    def unknown(self, path: Path, name: object, kind: str) -> None:
        """The class has no such field."""
        if not self.ignores_unknown:
            step = name if isinstance(name, str) else show(name)
            self._add("unknown_field", (path, step), {"kind": kind})

    def missing(self, path: Path, name: str, kind: str) -> None:
        """The class has such a field and no default for it."""
        self._add("missing_field", (path, name), {"kind": kind})

    def of_no_kind(self, path: Path, expected: str, value: object) -> None:
        """What should name a kind names none of those that may be here."""
        self._add("unknown_kind", path, {"expected": expected, "value": show(value)})

    def of_no_format(self, path: Path, latest: int, value: object) -> None:
        """The document is not of a format that this release knows."""
        self._add("unknown_format", path, {"latest": latest, "value": show(value)})

    def check_metadata(self, value: object, path: Path) -> None:
        """Metadata hold what JSON can carry, and nothing else."""
        for each in find_unstorable(value, write_path(path)):
            self._note(
                "invalid_metadata", {"path": each.path, "expected": each.expected, "value": each.value}
            )

    def try_to_build(self, fields: dict[str, Any], kind: type[Any], path: Path) -> None:
        """Notes what a class says against these fields, if values are built."""
        if self.build is None:
            return
        try:
            self.build(fields, kind)
        except InvalidValue as error:
            self.refused(path, str(error))

    def _add(self, code: str, path: Path, numbers: dict[str, object]) -> None:
        self._note(code, {"path": write_path(path), **numbers})

    def _note(self, code: str, numbers: Mapping[str, object]) -> None:
        self.number += 1
        if len(self._first) < MOST_VIOLATIONS:
            self._first.append(Violation(code, numbers=numbers))
