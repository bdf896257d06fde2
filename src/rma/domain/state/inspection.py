"""One inspection of what arrived for a return: what the clerk said, and what ports are asked for."""

from datetime import datetime

from attrs import field, frozen

from rma.domain.messages.command_items import InspectedItem
from rma.domain.messages.effects import DisposeRequest, RestockRequest, SendBackRequest, WithdrawRequest
from rma.domain.state.lifecycle import ReturnStatus
from rma.domain.values.personal import hidden

#: What an inspection asks ports for.
InspectionRequest = WithdrawRequest | RestockRequest | DisposeRequest | SendBackRequest


@frozen
class Inspection:
    """
    What was said about units that arrived.

    Attributes:
        number: counts the return's inspections from 1.
        items: as the clerk gave them.
        status: of the return afterwards.
        requests: where the units go; out of stock first, where they had been put there.
    """

    number: int
    at: datetime
    by: str | None = field(repr=hidden)
    items: tuple[InspectedItem, ...]
    status: ReturnStatus
    requests: tuple[InspectionRequest, ...] = ()

    @property
    def restocks(self) -> tuple[RestockRequest, ...]:
        """What was put into stock because of it."""
        return tuple([each for each in self.requests if isinstance(each, RestockRequest)])

    @property
    def withdrawals(self) -> tuple[WithdrawRequest, ...]:
        """What was taken out of stock because of it."""
        return tuple([each for each in self.requests if isinstance(each, WithdrawRequest)])
