"""What a clerk can do to a return, an exchange or a claim in the admin, and with all of its order."""

from collections.abc import Iterator, Mapping

from attrs import frozen

from rma.adapters.django.forms import (
    ActionForm,
    ApproveForm,
    CancelForm,
    CorrectForm,
    DeclineForm,
    InspectForm,
    OrderForm,
    PayoutForm,
    ReceiveForm,
    RedactForm,
    ResolveForm,
    RetryForm,
)
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject
from rma.domain.state.lifecycle import claim_rules, exchange_rules, return_rules
from rma.domain.state.returns import Return


@frozen
class Offered:
    """
    What a clerk can be offered.

    Attributes:
        name: in addresses and permissions.
        label: on its button.
        question: above its form.
    """

    name: str
    label: str
    question: str

    @property
    def permission(self) -> str:
        """Returns the permission that it needs."""
        return f"rma.{self.name}_storedreturn"


@frozen
class Action(Offered):
    """What a clerk can do to a return, an exchange or a claim: its form makes a command."""

    form: type[ActionForm]


@frozen
class OrderAction(Offered):
    """What a clerk can do with all that is stored of an order."""

    form: type[OrderForm]


#: By name, in the order in which they are offered.
ACTIONS: Mapping[str, Action] = {
    each.name: each
    for each in (
        Action("approve", "Approve", "Approve it? Its way back is booked at once.", ApproveForm),
        Action("decline", "Decline", "Decline it? Its units are free again.", DeclineForm),
        Action(
            "receive",
            "Receive a parcel",
            "What arrived? Without any units the parcel was empty.",
            ReceiveForm,
        ),
        Action("inspect", "Inspect", "How are the units that wait for an inspection?", InspectForm),
        Action(
            "resolve",
            "Resolve",
            "Close it? What is not named here is paid for, and nothing more is expected.",
            ResolveForm,
        ),
        Action("correct", "Correct the receipt", "What arrived in all its parcels together?", CorrectForm),
        Action("retry", "Refund again", "Ask again for all that is due and not paid?", RetryForm),
        Action("payout", "Record a payout", "What was paid by other ways?", PayoutForm),
        Action(
            "cancel", "Cancel", "Cancel it? What has arrived already goes back to the customer.", CancelForm
        ),
    )
}

#: By name, in the order in which they are offered.
ORDER_ACTIONS: Mapping[str, OrderAction] = {
    each.name: each
    for each in (
        OrderAction(
            "export",
            "Export the order",
            "Download all that is stored of its order, other returns and data about persons included?",
            OrderForm,
        ),
        OrderAction(
            "redact",
            "Redact the order",
            "Take data about persons away, from all that is stored of its order? It cannot be undone.",
            RedactForm,
        ),
    )
}


def possible_actions(subject: Subject) -> Iterator[Action]:
    """Yields what the status allows; the rules may refuse it all the same."""
    for each in ACTIONS.values():
        if _refusal(each.name, subject) is None and _is_of_use(each.name, subject):
            yield each


def _refusal(name: str, subject: Subject) -> str | None:
    """The code with which the table of states refuses it; None where the status allows it."""
    refusals: dict[str, str | None]
    match subject:
        case Exchange():
            refusals = {"cancel": exchange_rules(subject.status).cancel}
        case Claim():
            of_claims = claim_rules(subject.status)
            refusals = {
                "retry": of_claims.retry_refund,
                "payout": of_claims.record_payout,
                "cancel": of_claims.cancel,
            }
        case Return():
            of_returns = return_rules(subject.status)
            refusals = {
                "approve": of_returns.approve,
                "decline": of_returns.decline,
                "receive": of_returns.receive,
                "inspect": of_returns.inspect,
                "resolve": of_returns.resolve,
                "correct": of_returns.correct_receipt,
                "retry": of_returns.retry_refund,
                "payout": of_returns.record_payout,
                "cancel": of_returns.cancel,
            }
    return refusals.get(name, "none")


def _is_of_use(name: str, subject: Subject) -> bool:
    """False where there is nothing that it could be about."""
    match name, subject:
        case ("retry" | "payout", Return() | Claim()):
            return bool(subject.amount_due.amount)
        case "inspect", Return():
            return any(each.waiting_quantity for each in subject.items)
        case "resolve", Return():
            return subject.is_open or subject.needs_attention
        case "correct", Return():
            return bool(subject.receipts)
        case "cancel", _:
            is_of_exchange = isinstance(subject, Return) and subject.is_exchanged  # canceled with that
            return subject.status.value != "canceled" and not is_of_exchange
        case _:
            return True
