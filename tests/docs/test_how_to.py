"""The adapters on the how-to pages keep the contracts that the pages hold them to."""

import re
import sys
from types import ModuleType
from typing import Any

from tests.docs.draw import DOCS

_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def names_of(page: str) -> dict[str, Any]:
    """Everything that the blocks of a page define, executed as they are printed."""
    module = ModuleType(f"docs_{page}")
    sys.modules[module.__name__] = module  # classes look their module up
    text = (DOCS / f"{page}.md").read_text("utf-8")
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        code = compile("\n" * line + block[1], str(DOCS / f"{page}.md"), "exec")
        exec(code, module.__dict__)
    return module.__dict__


_tables = names_of("tables")
TestTables: Any = _tables["TestShopReturns"]

_gateway = names_of("gateway")
TestPayments: Any = _gateway["TestPayments"]
TestLookup: Any = _gateway["TestLookup"]

_carrier = names_of("carrier")
TestLabels: Any = _carrier["TestLabels"]
TestLabelLookup: Any = _carrier["TestLabelLookup"]
TestReplacements: Any = _carrier["TestReplacements"]
TestSendingBack: Any = _carrier["TestSendingBack"]
