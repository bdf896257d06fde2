"""What every release wrote, of every kind, is read as it was; the last file has what is written now."""

import json
from copy import deepcopy
from typing import Any

import pytest

from rma import codec
from tests.codec.schemas import is_valid
from tests.codec.values import (
    GOLDEN,
    UNRELEASED,
    changed_defaults,
    defaults,
    golden,
    golden_file,
    kept,
    written,
)
from tests.sql.alike import assert_alike

FILES = sorted([file.stem for file in GOLDEN.glob("*.json")])
EVERY = [(release, kind) for release in FILES for kind in golden(release)]


def test_the_last_file_has_what_is_written_now() -> None:
    """Documents of every kind; of an earlier format only if its number is another: see `rma.codec.FORMAT`."""
    assert golden_file(UNRELEASED) == written()
    assert golden().keys() == codec.KINDS.keys()
    assert all(golden().values())


@pytest.mark.parametrize(("release", "kind"), EVERY)
def test_every_document_that_was_ever_written_is_read(release: str, kind: str) -> None:
    """From strings, bytes and data, by class and without; one of this format is written again as it was."""
    for document in golden(release)[kind]:
        value = codec.decode(document)
        plain = json.loads(document)

        assert_alike(codec.decode(document.encode(), type(value)), value)
        assert_alike(codec.from_plain(plain), value)
        assert is_valid(plain, type(value))
        assert codec.encode(value) == document or plain["_format"] < codec.FORMAT


@pytest.mark.parametrize("kind", golden())
def test_what_is_read_is_what_the_script_leads_to(kind: str) -> None:
    """To the class of the last field."""
    for document, value in zip(golden()[kind], kept()[kind], strict=True):
        assert_alike(codec.decode(document), value)


@pytest.mark.parametrize("release", FILES)
def test_no_default_ever_changes(release: str) -> None:
    """A document that leaves a field out would be read as another value than the one that was written."""
    assert changed_defaults(golden_file(release)["defaults"]) == []


@pytest.mark.parametrize("now", ["changed", "gone"])
def test_a_default_that_changes_is_noticed(now: str) -> None:
    """Another one, and none at all; a field that is new since is not."""
    before: dict[str, Any] = deepcopy(defaults())
    del before["Return"]["metadata"]
    before["Return"]["charges" if now == "changed" else "earlier"] = [now]

    assert changed_defaults(before) == ["Return.charges" if now == "changed" else "Return.earlier"]
