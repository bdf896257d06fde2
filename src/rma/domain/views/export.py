"""Everything that is stored of an order, for a person who asks what that is."""

from attrs import field, frozen

from rma.domain.events import Event
from rma.domain.messages.commands import Command
from rma.domain.state.ledger import ReturnLedger
from rma.domain.values.personal import hidden


@frozen(kw_only=True)
class OrderExport:
    """
    Everything that is stored of the returns, exchanges and claims of an order; `rma.codec` encodes it.

    Attributes:
        ledger: as it is now, with open effects and remembered commands.
        history: what happened, oldest first.
        timeline: the same in words, an entry for each event that has any.
    """

    order_id: str
    ledger: ReturnLedger
    history: tuple[Event, ...] = ()
    timeline: tuple[str, ...] = field(default=(), repr=hidden)

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands that are remembered by their idempotency keys."""
        return tuple([each.command for each in self.ledger.answered.values()])
