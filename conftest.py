"""README, docs and docstrings are executed as they are printed."""

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

pytest_collect_file = SybilCollection(
    [
        Sybil(parsers=[PythonCodeBlockParser()], patterns=["README.md", "docs/*.md"]),
        Sybil(
            parsers=[DocTestParser()],
            patterns=["src/rma/*.py", "src/rma/*/*.py", "src/rma/*/*/*.py", "src/rma/*/*/*/*.py"],
            document_types={".py": PythonDocStringDocument},
        ),
    ]
).pytest()
