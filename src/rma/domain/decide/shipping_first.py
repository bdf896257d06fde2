"""New goods that are sent before those that pay for them are back."""

from datetime import datetime

from rma.domain.decide.replacements import replacement_of
from rma.domain.events import AdvanceShipped, header_for
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import ReturnLedger
from rma.domain.state.returns import Return


def ship_first(
    exchange: Exchange, target: Return, ledger: ReturnLedger, at: datetime, by: str | None
) -> tuple[AdvanceShipped] | tuple[()]:
    """
    The event that new goods are sent now, where they are to be sent first.

    Not while a difference is owed: the hold is for goods that do not come back only. Not if the customer
    keeps all goods: the exchange is completed by that.
    """
    travels = any(not target.terms.is_kept(item.rule) for item in target.items)
    if not exchange.is_advance or exchange.owed.amount or not travels:
        return ()
    if exchange.out_of_stock is not None:  # its reservation was refused while it waited for approval
        return ()
    return (
        AdvanceShipped(header=header_for(exchange, ledger, at, by=by), replacement=replacement_of(exchange)),
    )
