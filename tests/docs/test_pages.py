"""The pages say what the code says, and link to what is there."""

import ast
import re
from inspect import cleandoc
from pathlib import Path

import pytest

import rma
from rma.adapters.sql import failures
from rma.codec.docstrings import meanings
from rma.domain.values.errors import codes
from rma.shell.commit import ATTEMPTS
from rma.testing import contracts
from tests.docs.architecture import ports_of_the_service
from tests.docs.cures import CURES
from tests.docs.described import type_name
from tests.docs.draw import DOCS, PARTS, drawn, names
from tests.docs.reference import CLASSES

ROOT = DOCS.parent
PAGES = sorted(DOCS.glob("*.md"))
SOURCE = ROOT / "src" / "rma"


def text_of(name: str) -> str:
    """A page."""
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_parts_are_what_the_code_says(page: Path) -> None:
    """`python -m tests.docs.draw` writes them."""
    text = page.read_text(encoding="utf-8")

    assert text == drawn(text)


def test_every_generated_part_is_on_one_page() -> None:
    """A part that is on none would be drawn for no reader."""
    found = [name for page in PAGES for name in names(page.read_text(encoding="utf-8"))]

    assert sorted(found) == sorted(PARTS)


def test_every_code_in_the_table_of_errors_is_used() -> None:
    """Each is named by the code that raises it, outside the table."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py") if path.name != "errors.py"]

    unused = [row.code for row in codes() if not any(f'"{row.code}"' in text for text in texts)]

    assert not unused


def test_the_page_of_errors_has_every_class_of_the_table() -> None:
    """A code whose class is left out would be on no page."""
    assert {row.kind for row in codes()} == set(CLASSES)


def test_the_page_of_errors_has_every_code_of_a_store() -> None:
    """What adapters raise as `Unavailable` is on the page, and nothing else is."""
    raised = {
        node.args[0].value
        for path in (SOURCE / "adapters").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Unavailable"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    of_failures = set(re.findall(r'"(store_\w+)"', Path(failures.__file__).read_text(encoding="utf-8")))

    on_the_page = re.findall(
        r"^\| `(\w+)`", text_of("errors.md").partition("## Unavailable")[2], re.MULTILINE
    )

    assert set(on_the_page) == raised | of_failures
    assert len(on_the_page) == len(set(on_the_page))


def test_every_code_has_a_cure() -> None:
    """In the order of the table of errors; what a cure names is what hosts import."""
    assert list(CURES) == [row.code for row in codes()]

    named = {name for cure in CURES.values() for name in re.findall(r"`([A-Z]\w+)", cure)}
    assert not named - {*rma.__all__, "SqlReturns"}


def test_the_page_of_operations_has_every_reason() -> None:
    """Each that needs a person, with cause and cure; those that went wrong are among what to page on."""
    tree = ast.parse((SOURCE / "shell" / "observe.py").read_text(encoding="utf-8"))
    given = {
        ast.literal_eval(node.value.elts[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple)
    }
    given |= {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "reason" and isinstance(node.value, ast.Constant)
    }
    page = text_of("operating.md")
    table = page.partition("## Each reason")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    paged = page.partition("## What to page on")[2].partition("\n## ")[0]

    assert sorted(rows) == sorted(given)
    assert {each for each in given if f"`{each}`" not in paged} == {"approval_needed", "inspection_needed"}


def test_the_page_of_operations_has_every_problem_of_an_effect() -> None:
    """What the library says of an effect that a port did not do, and of a refund that needs a person."""
    page = text_of("operating.md")
    asking = (SOURCE / "shell" / "asking.py").read_text(encoding="utf-8")
    raised = set(re.findall(r"raise (\w+)\(", asking))
    first = re.findall(
        r"^\| `(\w+)", page.partition("## Each problem of an effect")[2].partition("\n## ")[0], re.MULTILINE
    )
    assert raised <= set(first)

    refunds = (SOURCE / "domain" / "state" / "refunds.py").read_text(encoding="utf-8")
    deliver = (SOURCE / "shell" / "deliver.py").read_text(encoding="utf-8")
    said = set(re.findall(r'f"(\w[\w ]+?)(?::| \{)', refunds)) | set(
        re.findall(r'last_error or "([\w ]+)"', deliver)
    )
    assert len(said) == 4
    failures = page.partition("| `failure` |")[2].partition("\n\n")[0]
    assert not {each for each in said if f"`{each}" not in failures}


def test_the_page_of_ports_has_every_keyword_of_the_service() -> None:
    """In the order of the service's fields, each with every method of its Protocol."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", text_of("ports.md"), re.MULTILINE)

    assert [keyword for keyword, _ in rows] == [each.keyword for each in ports_of_the_service()]
    for (_, cell), port in zip(rows, ports_of_the_service(), strict=True):
        assert all(f"`{method}" in cell for method in port.methods), port


def test_the_page_of_ports_has_every_kind_of_effect() -> None:
    """As it is spelled in keys, by the calls that make them."""
    calls = [
        node
        for path in (SOURCE / "domain").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "effect_key"
    ]
    kinds = [ast.literal_eval(call.args[1]) for call in calls]
    (listed,) = re.findall(r"the kind of effect \((.+?)\)", text_of("ports.md"))

    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(set(kinds))


def test_the_page_about_tests_of_hosts_has_every_contract() -> None:
    """By the port that is held to it."""
    table = text_of("test_your_host.md").partition("| port | contracts |")[2].partition("\n\n")[0]

    assert sorted(re.findall(r"`(\w+Contract)`", table)) == sorted(contracts.__all__)


def test_the_laws_on_the_page_of_tests_exist() -> None:
    """Direct properties, rules of the machine and invariants, some by their first words."""
    laws = text_of("testing.md").partition("## Laws")[2].partition("\n## ")[0]
    sources = [*(SOURCE / "testing").rglob("*.py"), *(ROOT / "tests" / "laws").glob("*.py")]
    functions = {
        node.name
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    cited = [name for name in re.findall(r"`(\w+_\w+…?)`", laws) if name != "test_machine"]

    missing = [
        name
        for name in cited
        if not any(each == name or (name[-1] == "…" and each.startswith(name[:-1])) for each in functions)
    ]

    assert cited
    assert not missing


@pytest.mark.parametrize("name", ["architecture.md", "postgres.md"])
def test_the_number_of_attempts_is_that_of_the_code(name: str) -> None:
    """A command that loses each race to another is tried so often."""
    assert re.findall(r"(\d+) attempts", text_of(name)) == [str(ATTEMPTS)]


def anchors_of(page: Path) -> set[str]:
    """What can be linked to on a page, as GitHub names its headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "README.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name
)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of this repository, and to a heading in it."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert not broken


@pytest.mark.parametrize("name", ["architecture.md", "extending.md"])
def test_every_file_that_is_named_exists(name: str) -> None:
    """By its path from the root of the repository, or from the package or its parts."""
    roots = (ROOT, SOURCE, SOURCE / "domain", SOURCE / "adapters" / "sql", DOCS)
    paths = re.findall(r"`([\w/]+\.(?:py|md))`", text_of(name))

    assert paths
    assert not [path for path in paths if not any((root / path).exists() for root in roots)]


def test_the_index_has_every_page() -> None:
    """A page that is not there is not found."""
    linked = set(re.findall(r"\]\(([\w-]+\.md)", text_of("index.md")))

    assert linked == {page.name for page in PAGES} - {"index.md"}


def test_docstrings_are_read_by_sections() -> None:
    """Several names may share an entry, and an entry may take several lines."""
    doc = """
    A class.

    Args:
        one, two: what
            they are.
        three: another.

    Raises:
        ValueError: never.
    """

    assert meanings(cleandoc(doc)) == {"one": "what they are.", "two": "what they are.", "three": "another."}


def test_types_are_written_as_in_the_source() -> None:
    """Without the modules they come from."""
    assert type_name(dict[str, int | None]) == "dict[str, int | None]"
    assert type_name(tuple[str, ...]) == "tuple[str, ...]"


def test_every_feature_is_compared_with_every_system() -> None:
    """By one of four words, so that no cell claims more than it says."""
    rows = [line.strip("| \n").split(" | ") for line in text_of("compare.md").splitlines()]
    tables = [row for row in rows if len(row) == 13 - (row[0] == "rma")]

    assert len(tables) > 100
    assert {cell for row in tables if row[0] != "rma" for cell in row[1:]} == {"yes", "part", "no", "?"}
