"""
README, docs and docstrings are executed as they are printed.

The blocks of a page share one namespace. Each is an item of its own to pytest, and may be run alone, in
another order, or in another process than the blocks above it; those are then executed before it, in a new
namespace.

Where several workers share the tests, those that begin with the same long exploration go to one of them.
"""

import pytest
from sybil import Document, Sybil
from sybil.document import PythonDocStringDocument, PythonDocument
from sybil.integration.pytest import SybilItem
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_collect_file = SybilCollection(
    [
        # docs/django.md is a project of several files: tests/django/test_page.py runs it.
        Sybil(
            parsers=[PythonCodeBlockParser()],
            patterns=["README.md", "docs/*.md"],
            excludes=["docs/django.md"],
        ),
        Sybil(
            parsers=[DocTestParser()],
            patterns=["src/rma/*.py", "src/rma/*/*.py", "src/rma/*/*/*.py", "src/rma/*/*/*/*.py"],
            document_types={".py": PythonDocStringDocument},
        ),
    ]
).pytest()

#: Files whose tests share what takes a minute to make.
SHARED = ("tests/laws/test_states.py",)

#: How many blocks of a page have been executed in its namespace.
_executed = pytest.StashKey[dict[Document, int]]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Executes the blocks above a block of a page, except those that its namespace has seen."""
    if not isinstance(item, SybilItem):
        return
    document = item.example.document
    executed = item.config.stash.setdefault(_executed, {})
    blocks = list(document.examples())
    (index,) = [number for number, each in enumerate(blocks) if each.region is item.example.region]
    count = executed.pop(document, None)
    if count is None or count > index:
        _start_over(document)
        count = 0
    for each in blocks[count:index]:
        each.evaluate()
    executed[document] = index + 1


def _start_over(document: Document) -> None:
    document.namespace.clear()
    if isinstance(document, PythonDocument):
        document.push_evaluator(document.import_document)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """Each test goes to the worker that is free next, but a file that shares something goes to one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in SHARED else nodeid


# Its marks for groups are not used: pytest 9.2 does not see the names that pytest-xdist 3.8 gives to them.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Returns what hands out the tests."""
    return Scheduling(config, log)
