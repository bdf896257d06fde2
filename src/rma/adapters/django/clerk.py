"""What a clerk can do to a return, an exchange or a claim in the admin: each a form that makes a command."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from attrs import frozen

from django import forms
from rma.domain.messages.command_items import InspectedItem, ReceivedItem
from rma.domain.messages.commands import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    DeclineReturn,
    InspectReturn,
    ReceiveReturn,
    RetryRefund,
)
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject
from rma.domain.state.lifecycle import claim_refusal, exchange_refusal, return_refusal
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return

#: How many units a field takes; the rules say how many are too many.
_MOST = 1_000_000


class ActionForm(forms.Form):
    """
    Asks whether it is to be done.

    Args:
        subject: what it is done to.
    """

    #: The idempotency key: a form that is sent twice does it once.
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, subject: Subject, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"key": f"admin-{uuid4().hex}"})
        self.subject = subject
        self.fields.update(self.further_fields())

    def further_fields(self) -> dict[str, forms.Field]:
        """Returns what else it asks for, by name."""
        return {}

    def command(self, by: str) -> Command:
        """Returns the command of what was entered; the form is valid."""
        raise NotImplementedError

    def about(self, by: str) -> dict[str, Any]:
        """Returns the fields of every command."""
        return {"idempotency_key": self.cleaned_data["key"], "created_by": by}


class ReceiveForm(ActionForm):
    """Asks what arrived, line by line."""

    def further_fields(self) -> dict[str, forms.Field]:
        """Returns two numbers for each line, and whether more is expected."""
        found: dict[str, forms.Field] = {}
        for number, (item_id, items) in enumerate(_lines(self.subject).items()):
            expected = sum(max(0, each.missing_quantity) for each in items)
            found[f"received_{number}"] = _units(f"{item_id}: arrived sellable", expected)
            found[f"damaged_{number}"] = _units(f"{item_id}: arrived damaged", 0)
        found["more_expected"] = forms.BooleanField(
            required=False, label="What is missing is expected in another parcel"
        )
        return found

    def command(self, by: str) -> Command:
        """Returns what books the parcel; without any units it was empty."""
        given = self.cleaned_data
        items = [
            ReceivedItem(
                item_id=item_id,
                quantity=given[f"received_{number}"],
                damaged_quantity=given[f"damaged_{number}"],
            )
            for number, item_id in enumerate(_lines(self.subject))
            if given[f"received_{number}"] or given[f"damaged_{number}"]
        ]
        return ReceiveReturn(
            return_id=self.subject.id,
            items=tuple(items),
            more_expected=given["more_expected"],
            **self.about(by),
        )


class InspectForm(ActionForm):
    """Asks how the units are that wait for an inspection, line by line and grade by grade."""

    def further_fields(self) -> dict[str, forms.Field]:
        """Returns a number for each line and grade, and a note for each line."""
        found: dict[str, forms.Field] = {}
        for number, (item_id, items) in enumerate(self._waiting()):
            waiting = sum(each.waiting_quantity for each in items)
            for index, grade in enumerate(self._grades()):
                found[f"graded_{number}_{index}"] = _units(f"{item_id}, of {waiting}: {grade}", 0)
            found[f"note_{number}"] = forms.CharField(
                required=False, max_length=500, label=f"{item_id}: what was seen"
            )
        return found

    def clean(self) -> dict[str, Any]:
        """Refuses a form in which nothing was graded."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not any(value for name, value in given.items() if name.startswith("graded_")):
            raise forms.ValidationError("Say of at least one unit how it is.")
        return given

    def command(self, by: str) -> Command:
        """Returns what grades the units."""
        given = self.cleaned_data
        items = [
            InspectedItem(
                item_id=item_id, quantity=quantity, grade=grade, note=given[f"note_{number}"] or None
            )
            for number, (item_id, _) in enumerate(self._waiting())
            for index, grade in enumerate(self._grades())
            if (quantity := given[f"graded_{number}_{index}"])
        ]
        return InspectReturn(return_id=self.subject.id, items=tuple(items), **self.about(by))

    def _waiting(self) -> list[tuple[str, list[ReturnItem]]]:
        lines = _lines(self.subject).items()
        return [(item_id, items) for item_id, items in lines if any(each.waiting_quantity for each in items)]

    def _grades(self) -> tuple[str, ...]:
        assert isinstance(self.subject, Return)
        return tuple([each.name for each in self.subject.terms.scale])


class ApproveForm(ActionForm):
    """Asks for a note."""

    note = forms.CharField(required=False, max_length=500, label="Note for the customer")

    def command(self, by: str) -> Command:
        """Returns what approves all of it."""
        note = self.cleaned_data["note"] or None
        return ApproveReturn(return_id=self.subject.id, note=note, **self.about(by))


class DeclineForm(ActionForm):
    """Asks for the reason."""

    reason = forms.CharField(max_length=200, label="Reason, in a code of yours")
    note = forms.CharField(required=False, max_length=500, label="Note for the customer")

    def command(self, by: str) -> Command:
        """Returns what declines it."""
        given = self.cleaned_data
        return DeclineReturn(
            return_id=self.subject.id, reason=given["reason"], note=given["note"] or None, **self.about(by)
        )


class CancelForm(ActionForm):
    """Asks for nothing else."""

    def command(self, by: str) -> Command:
        """Returns what cancels it."""
        match self.subject:
            case Exchange(id=exchange_id):
                return CancelExchange(exchange_id=exchange_id, **self.about(by))
            case Claim(id=claim_id):
                return CancelClaim(claim_id=claim_id, **self.about(by))
            case _:
                return CancelReturn(return_id=self.subject.id, **self.about(by))


class RetryForm(ActionForm):
    """Asks for nothing else."""

    def command(self, by: str) -> Command:
        """Returns what asks for all that is due."""
        if isinstance(self.subject, Claim):
            return RetryRefund(claim_id=self.subject.id, **self.about(by))
        return RetryRefund(return_id=self.subject.id, **self.about(by))


@frozen
class Action:
    """
    What a clerk can do.

    Attributes:
        name: in addresses and permissions.
        label: on its button.
        question: above its form.
    """

    name: str
    label: str
    question: str
    form: type[ActionForm]

    @property
    def permission(self) -> str:
        """Returns the permission that it needs."""
        return f"rma.{self.name}_storedreturn"


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
        Action("retry", "Refund again", "Ask again for all that is due and not paid?", RetryForm),
        Action(
            "cancel", "Cancel", "Cancel it? What has arrived already goes back to the customer.", CancelForm
        ),
    )
}


def possible_actions(subject: Subject) -> Iterator[Action]:
    """Yields what the status allows; the rules may refuse it all the same."""
    for each in ACTIONS.values():
        if _is_possible(each.name, subject):
            yield each


def _is_possible(name: str, subject: Subject) -> bool:
    match subject:
        case Exchange(id=exchange_id):
            return (
                name == "cancel"
                and exchange_refusal(subject.status, CancelExchange(exchange_id=exchange_id)) is None
            )
        case Claim(id=claim_id):
            if name == "retry":
                return bool(subject.entitlement.due.amount) and _is_due(subject)
            return name == "cancel" and claim_refusal(subject.status, CancelClaim(claim_id=claim_id)) is None
        case _:
            return _is_possible_for_return(name, subject)


def _is_possible_for_return(name: str, subject: Return) -> bool:
    commands: Mapping[str, Any] = {
        "approve": ApproveReturn(return_id=subject.id),
        "decline": DeclineReturn(return_id=subject.id),
        "receive": ReceiveReturn(return_id=subject.id),
        "inspect": InspectReturn(return_id=subject.id, items=()),
        "retry": RetryRefund(return_id=subject.id),
        "cancel": CancelReturn(return_id=subject.id),
    }
    if name == "inspect" and not any(each.waiting_quantity for each in subject.items):
        return False
    if name == "retry" and not subject.entitlement.due.amount:
        return False
    return return_refusal(subject.status, commands[name]) is None


def _is_due(claim: Claim) -> bool:
    return claim_refusal(claim.status, RetryRefund(claim_id=claim.id)) is None


def _lines(subject: Subject) -> dict[str, list[ReturnItem]]:
    """The items of a return by line: a line may be in it several times."""
    found: dict[str, list[ReturnItem]] = defaultdict(list)
    for each in subject.items if isinstance(subject, Return) else ():
        found[each.item_id].append(each)
    return found


def _units(label: str, initial: int) -> forms.Field:
    return forms.IntegerField(min_value=0, max_value=_MOST, label=label, initial=initial)
