"""The drawings and tables of `docs/architecture.md` that the code knows."""

import tomllib
from importlib import import_module
from importlib.util import find_spec
from inspect import isfunction
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from attrs import fields, frozen, has
from sqlalchemy import Table

import rma.ports
from rma import ReturnService, Timing
from rma.adapters.sql.schema import ledgers, metadata
from rma.codec.docstrings import paragraph
from tests.docs.described import code, table

_PROJECT = Path(__file__).parent.parent.parent / "pyproject.toml"


@frozen
class Port:
    """A port of the service: its keyword, its Protocol or callable, and the methods of a Protocol."""

    keyword: str
    kind: str
    methods: tuple[str, ...]


def ports_of_the_service() -> list[Port]:
    """Each port, in the order of the service's fields; rules of the host's own are not ports."""
    return [_port(each.name, each.type) for each in fields(ReturnService) if each.name != "host_rules"]


def _port(keyword: str, annotation: Any) -> Port:
    if NoneType in get_args(annotation):
        (annotation,) = [each for each in get_args(annotation) if each is not NoneType]
    if isinstance(annotation, type) and has(annotation):  # a value, which is not called
        return Port(keyword, annotation.__name__, ())
    if isinstance(annotation, type):
        methods = [name for name, value in vars(annotation).items() if isfunction(value) and name[0] != "_"]
        return Port(keyword, annotation.__name__, tuple(methods))
    alias = next(name for name, value in vars(rma.ports).items() if value == annotation)
    return Port(keyword, alias, ())


def ports() -> str:
    """The service and its ports: the hexagon."""
    arrows = []
    for port in ports_of_the_service():
        if port.kind == Timing.__name__:
            continue
        calls = " · ".join(port.methods) or "called"
        arrows.append(f'    shell -- "{calls}" --> {port.keyword}["{port.keyword}: {port.kind}"]')
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
