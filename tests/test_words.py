"""The project uses the trade's words, and the list of the others finds them where they are wrong."""

import pytest

from tests.words import NAMES, find_everywhere, find_words


def test_no_word_of_the_list_is_used() -> None:
    """`python -m tests.words` prints them with their replacements."""
    findings = list(find_everywhere())

    assert not findings, "\n".join(map(str, findings))


def found(source: str, path: str = "page.md") -> list[tuple[int, str]]:
    """The lines and words that are found in a file of this content."""
    return sorted((each.line, each.word) for each in find_words(path, source))


@pytest.mark.parametrize(
    ("prose", "words"),
    [
        ("It can not be.", ["can not"]),
        ("It can\nnot be.", ["can not"]),
        ("It cannot be.", []),
        ("Nobody is told whoever it was.", ["Nobody", "told", "whoever"]),
        ("The request was called off.", ["called off"]),
        ("A clerk calls it off.", ["calls it off"]),
        ("Call the port off the hook.", []),
        ("A text, two texts, the text.", ["A text", "texts"]),
        ("The parcel came; the mug came from Rome.", ["came"]),
        ("Two journeys.", ["journeys"]),
        ("This is no error, but there is no refund and it is no longer open.", ["is no"]),
        ("A claim makes it good; good work was made.", ["makes it good"]),
        ("The balance stands; rma stands for it.", ["stands"]),
        ("What is asked of the outside, from the outside of the box.", ["the outside"]),
        ("Seeds of Medusa, and random seeds.", ["Seeds"]),
        ("Units that are announced, spoken for, and sent back.",
         ["announced", "spoken for", "sent back"]),
    ],
)  # fmt: skip
def test_words_are_found_in_prose(prose: str, words: list[str]) -> None:
    """Over the end of a line as well, and not where they are good English."""
    assert [word for _, word in found(prose)] == sorted(words)


def test_names_are_found_in_code_and_prose_is_not() -> None:
    """Blocks and spans of a page are names; the comments of a block are prose."""
    page = "A `Keyed` gateway.\n\n```python\ntold = Keyed()  # nobody knows\n```\n\nKeyed by id.\n"

    assert found(page) == [(1, "Keyed"), (4, "Keyed"), (4, "nobody")]


def test_a_python_file_has_both() -> None:
    """Docstrings, comments, messages and the names of functions are prose; other names are names."""
    source = '''"""Says what somebody did: `Settlement`, told.

>>> granted = told
"""

told = "told"
message = "it is told again"  # anew


def test_nobody_waits() -> None:
    notice_id = told
'''

    assert found(source, "module.py") == [
        (1, "Settlement"),
        (1, "somebody"),
        (1, "told"),
        (3, "granted"),
        (7, "anew"),
        (7, "told"),
        (10, "nobody"),
        (11, "notice_id"),
    ]


def test_a_finding_says_where_and_what_instead() -> None:
    """As compilers do, so that editors can go there."""
    (finding,) = find_words("docs/page.md", "One\nis told.")

    assert str(finding) == "docs/page.md:2: told -> reported, returned, rendered, given"
    assert NAMES["Keyed"] == "Idempotent"
