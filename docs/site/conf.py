"""
The documentation as a site: the pages of the folder above and the README, and a reference of the public
names that is drawn from their docstrings.

    python -m sphinx -b html -W --keep-going -c docs/site . build/site
"""

import inspect
import re
from importlib.metadata import version as version_of

from sphinx.application import Sphinx

import rma

project = "rma"
author = "The rma authors"
version = release = version_of("rma-core")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.mermaid",
]

root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "docs/api/*.rst",
    "tests/codec/golden/README.md",
    "tests/sql/golden/README.md",
]

myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

html_theme = "furo"
html_title = f"rma {version}"

default_role = "py:obj"
toc_object_entries = False  # the menu of every page would list every class; it doubles the time of a build
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False

#: A page in the list of all pages. What names a place within a page is about a page of another line.
_LISTED = re.compile(r"\[[^]]*\]\(([^)#]+\.(?:md|rst))\)")

#: A comment among the public names, and the names below it.
_PART = re.compile(r"^    # (.*)\n((?:    \".*\n)+)", re.MULTILINE)


def _list_pages(index: str) -> str:
    """Makes each section of the list of pages, which readers of the files see, a part of the menu."""
    menus = []
    for section in index.split("\n## ")[1:]:
        title = section.partition("\n")[0]
        menus += ["```{toctree}", ":hidden:", f":caption: {title}", "", *_LISTED.findall(section), "```", ""]
    return "\n".join([index, "", *menus])


def _list_public_names(page: str) -> str:
    """Makes each part of the public names a section, with what their docstrings say."""
    lines = [page, "", ".. currentmodule:: rma", ""]
    for title, names in _PART.findall(inspect.getsource(rma)):
        lines += [title.capitalize(), "-" * len(title), ""]
        for name in re.findall(r'"(\w+)"', names):
            public = getattr(rma, name)
            if inspect.isclass(public):
                lines += [f".. autoclass:: {name}", "   :members:", ""]
            else:
                lines += [f".. {'autofunction' if inspect.isfunction(public) else 'autodata'}:: {name}", ""]
    return "\n".join(lines)


def _complete(_: Sphinx, page: str, content: list[str]) -> None:
    if page == root_doc:
        content[0] = _list_pages(content[0])
    elif page == "docs/api/rma":
        content[0] = _list_public_names(content[0])


def setup(app: Sphinx) -> None:
    """Registers what is done to a page before it is read."""
    app.connect("source-read", _complete)
