"""What every format wrote, of every kind, is read as it was; the last is what is written."""

import json
import re

import pytest

from rma import codec
from tests.codec.schemas import is_valid
from tests.codec.values import GOLDEN, golden, golden_before_grants, kept, kept_before_grants
from tests.sql.alike import assert_alike

FORMATS = sorted([int(re.sub(r"\D", "", file.stem)) for file in GOLDEN.glob("format-*.json")])
EVERY = [(number, kind) for number in FORMATS for kind in codec.KINDS]


def test_there_is_a_file_of_every_format() -> None:
    """From the first to the one that is written now, and of every kind that is public now."""
    assert list(range(1, codec.FORMAT + 1)) == FORMATS
    assert golden(codec.FORMAT).keys() == codec.KINDS.keys()
    assert all(golden(codec.FORMAT).values())


def test_what_is_written_is_the_format_that_is_named() -> None:
    """Another format needs another number: see `rma.codec.FORMAT`."""
    assert {name: [codec.encode(each) for each in values] for name, values in kept().items()} == golden(
        codec.FORMAT
    )


@pytest.mark.parametrize(("number", "kind"), EVERY)
def test_every_document_that_was_ever_written_is_read(number: int, kind: str) -> None:
    """As the value that the script leads to, to the class of the last field, from strings, bytes and data."""
    for document, value in zip(golden(number)[kind], kept()[kind], strict=True):
        assert_alike(codec.decode(document), value)
        assert_alike(codec.decode(document.encode(), codec.KINDS[kind]), value)
        assert_alike(codec.from_plain(json.loads(document)), value)
        assert is_valid(json.loads(document), codec.KINDS[kind])


@pytest.mark.parametrize("kind", codec.KINDS)
def test_every_document_of_before_grants_is_read(kind: str) -> None:
    """What has no grants, no money that moved and no rates is read, with nothing in their place."""
    for document, value in zip(golden_before_grants()[kind], kept_before_grants()[kind], strict=True):
        assert_alike(codec.decode(document), value)
        assert is_valid(json.loads(document), codec.KINDS[kind])
