"""What the docstrings of value classes say about them and their fields."""

import re
from inspect import cleandoc

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns):$")
_ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")


def paragraph(doc: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(cleandoc(doc or "").split("\n\n")[0].split())


def meanings(doc: str | None) -> dict[str, str]:
    """By the name of a field: what the sections `Args` and `Attributes` of a docstring say about it."""
    found: dict[str, str] = {}
    section = ""
    names: list[str] = []
    for line in cleandoc(doc or "").splitlines():
        if heading := _SECTION.match(line):
            section, names = heading[1], []
        elif section not in ("Args", "Attributes"):
            continue
        elif entry := _ENTRY.match(line):
            names = entry[1].split(", ")
            found.update(dict.fromkeys(names, entry[2]))
        else:
            found.update({name: f"{found[name]} {line.strip()}".strip() for name in names})
    return found
