"""What an engine is asked, while somebody watches."""

from attrs import field, frozen
from sqlalchemy import Engine, event


@frozen
class Asked:
    """
    What was asked, in order.

    Attributes:
        statements: each with its parameters.
        verbs: their first words, COMMIT included.
    """

    statements: list[tuple[str, object]] = field(factory=list)
    verbs: list[str] = field(factory=list)

    def forget(self) -> None:
        """From here on."""
        self.statements.clear()
        self.verbs.clear()


def watch(engine: Engine) -> Asked:
    """Everything that the engine is asked from now on."""
    asked = Asked()

    def statement(*arguments: object) -> None:
        _, _, sql, parameters, _, _ = arguments
        asked.statements.append((str(sql), parameters))
        asked.verbs.append(str(sql).split(maxsplit=1)[0])

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", lambda _: asked.verbs.append("COMMIT"))
    return asked
