"""The pages about hosts print what their examples do, and the examples are what the tests run."""

import re

import pytest

from tests.hosts.running import ROOT

#: The examples, by their pages.
EXAMPLES = {
    "celery.md": "celery_returns.py",
    "fastapi.md": "fastapi_returns.py",
    "outbox.md": "outbox_nats.py",
}


@pytest.mark.parametrize("page", EXAMPLES)
def test_a_page_prints_its_example(page: str) -> None:
    """Each definition on it is in the example, word for word."""
    source = (ROOT / "examples" / EXAMPLES[page]).read_text(encoding="utf-8")
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"\n{3,}", block.strip())]
    definitions = [part for part in parts if re.search(r"^(?:class|(?:async )?def) ", part, re.MULTILINE)]

    assert len(definitions) >= 2
    assert [part for part in definitions if part not in source] == []
