"""The drawings and tables of `docs/architecture.md` that the code knows."""

import tomllib
from importlib import import_module
from importlib.util import find_spec
from inspect import isfunction
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from attrs import fields
from sqlalchemy import Table

import rma.ports
from rma import ReturnService
from rma.adapters.sql.schema import ledgers, metadata
from tests.docs.described import code, paragraph, table

_PROJECT = Path(__file__).parent.parent.parent / "pyproject.toml"


def ports() -> str:
    """The service and its ports: the hexagon."""
    arrows = [
        f'    shell -- "{" · ".join(methods)}" --> {name}["{name}: {kind}"]'
        for name, kind, methods in _ports()
    ]
    return "\n".join(
        [
            "```mermaid",
            "flowchart LR",
            '    host(["your application, a timer"]) -- "commands, queries, resume" --> service',
            "    subgraph rma",
            '        service["ReturnService"] --> shell["shell: load, decide, commit, deliver"]',
            '        shell --> domain{{"domain: decide, evolve, react"}}',
            "    end",
            *arrows,
            "```",
        ]
    )


def _ports() -> list[tuple[str, str, list[str]]]:
    """Each port: its keyword, its Protocol, its methods."""
    named = {name: value for name, value in vars(rma.ports).items() if not name.startswith("_")}
    found = []
    for each in fields(ReturnService):
        (kind,) = (
            [part for part in get_args(each.type) if part is not NoneType]
            if _is_optional(each.type)
            else [each.type]
        )
        if isinstance(kind, type):
            methods = [name for name, value in vars(kind).items() if isfunction(value) and name[0] != "_"]
            found.append((each.name, kind.__name__, methods))
        else:
            alias = next(name for name, value in named.items() if value == kind)
            found.append((each.name, alias, ["called"]))
    return found


def _is_optional(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


def storeys() -> str:
    """The import contract of the whole package, with what each package says it is."""
    return _layers("", "rma")


def levels() -> str:
    """The import contract of the domain."""
    return _layers("rma.domain", "rma.domain")


def _layers(container: str, prefix: str) -> str:
    project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))
    (contract,) = [
        each
        for each in project["tool"]["importlinter"]["contracts"]
        if each["type"] == "layers" and "".join(each.get("containers", [])) == container
    ]
    rows = []
    for storey in contract["layers"]:
        for name in storey.replace("(", "").replace(")", "").split("|"):
            module = f"{container}.{name.strip()}".removeprefix(".")
            if find_spec(module) is not None:
                rows.append((code(module.removeprefix(f"{prefix}.")), _about(module)))
    return table((f"in `{prefix}`", "is"), rows)


def _about(module: str) -> str:
    first = paragraph(import_module(module).__doc__)
    about = first.partition(": ")[2] if first.startswith("Level ") else first
    return about[0].upper() + about[1:]


def tables() -> str:
    """The tables of a database and how they belong together."""
    every = list(metadata.tables.values())
    owned = [each for each in every if each is not ledgers and _leads_with_order(each)]
    lines = [f"    {ledgers.name} ||--o{{ {each.name} : order_id" for each in owned]
    for each in every:
        lines.append(f"    {each.name} {{")
        lines += [
            f"        {column.type} {column.name}{' PK' if column.primary_key else ''}"
            for column in each.columns
        ]
        lines.append("    }")
    return "\n".join(["```mermaid", "erDiagram", *lines, "```"])


def _leads_with_order(each: Table) -> bool:
    return next(iter(each.primary_key.columns)).name == "order_id"


def port_names() -> list[str]:
    """The keywords of `ReturnService`, in order."""
    return [name for name, _, _ in _ports()]
