"""
How to make each kind of command for an order: the one registry of everything that can be requested.

A maker takes a chooser and a situation and returns a command of its kind, or None if there is nothing
it could be about. The chooser decides what is left open: `RandomChooser` by chance, `every` by trying
all possibilities, `rma.testing.command_strategies.DrawChooser` by hypothesis. So simulations, drawn
command sequences, the explored states and the stateful machine all use the same makers, and fixed
scripts are compared with the keys of `MAKERS`. A new kind of command is a new maker and a line here.
"""

from collections.abc import Mapping

from attrs import frozen

from rma.domain.messages.commands import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    ExpireReturn,
    InspectReturn,
    ReceiveReturn,
    ReceiveUnannounced,
    RecordChargeOutcome,
    RecordExchangePayment,
    RecordPayout,
    RecordRefundOutcome,
    RecordSending,
    RenewShipment,
    RequestClaim,
    RequestExchange,
    RequestReturn,
    ResolveClaim,
    ResolveReturn,
    RetryRefund,
    SettleAdvance,
    UpdateExchange,
    UpdateReturn,
)
from rma.testing.commands.advance import close_advance, record_charge_outcome, update_exchange
from rma.testing.commands.at_the_dock import correct_receipt, receive_unannounced
from rma.testing.commands.before_goods import (
    approve_return,
    decline_return,
    expire_return,
    record_sending,
    renew_shipment,
    update_return,
)
from rma.testing.commands.choosers import Chooser, Make, RandomChooser, every
from rma.testing.commands.claims import cancel_claim, request_claim, resolve_claim
from rma.testing.commands.exchanges import cancel_exchange, record_exchange_payment, request_exchange
from rma.testing.commands.inspections import inspect_return
from rma.testing.commands.refunds import record_payout, record_refund_outcome, retry_refund
from rma.testing.commands.returns import cancel_return, receive_return, request_return, resolve_return
from rma.testing.commands.situation import Situation


@frozen
class Maker:
    """
    How to make commands of one kind.

    Attributes:
        make: a function of a chooser and a situation; None if there is nothing to do.
        weight: how often this kind is tried, compared with others, where kinds are left to chance.
    """

    make: Make
    weight: int


#: By kind of command. Weights are steered so that goods really come home.
MAKERS: Mapping[type[Command], Maker] = {
    RequestReturn: Maker(request_return, 14),
    ApproveReturn: Maker(approve_return, 10),
    DeclineReturn: Maker(decline_return, 2),
    UpdateReturn: Maker(update_return, 6),
    RecordSending: Maker(record_sending, 3),
    ExpireReturn: Maker(expire_return, 3),
    RenewShipment: Maker(renew_shipment, 3),
    ReceiveReturn: Maker(receive_return, 30),
    ReceiveUnannounced: Maker(receive_unannounced, 3),
    CorrectReceipt: Maker(correct_receipt, 5),
    InspectReturn: Maker(inspect_return, 20),
    ResolveReturn: Maker(resolve_return, 10),
    CancelReturn: Maker(cancel_return, 5),
    RequestExchange: Maker(request_exchange, 5),
    RecordExchangePayment: Maker(record_exchange_payment, 6),
    UpdateExchange: Maker(update_exchange, 3),
    SettleAdvance: Maker(close_advance, 4),
    RecordChargeOutcome: Maker(record_charge_outcome, 3),
    CancelExchange: Maker(cancel_exchange, 2),
    RequestClaim: Maker(request_claim, 5),
    ResolveClaim: Maker(resolve_claim, 3),
    CancelClaim: Maker(cancel_claim, 4),
    RetryRefund: Maker(retry_refund, 10),
    RecordPayout: Maker(record_payout, 3),
    RecordRefundOutcome: Maker(record_refund_outcome, 12),
}

__all__ = ["MAKERS", "Chooser", "Make", "Maker", "RandomChooser", "Situation", "every"]
