"""The forms of the admin: each asks for what one command needs, and makes it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from rma.adapters.django.page import line_name, words
from rma.domain.messages.command_items import (
    CorrectedItem,
    ForeignDecision,
    InspectedItem,
    MissingItem,
    ReceivedItem,
    RejectedItem,
)
from rma.domain.messages.commands import (
    ApproveReturn,
    CancelClaim,
    CancelExchange,
    CancelReturn,
    Command,
    CorrectReceipt,
    DeclineReturn,
    InspectReturn,
    ReceiveReturn,
    RecordPayout,
    ResolveReturn,
    RetryRefund,
)
from rma.domain.sale.grades import Grade
from rma.domain.state.at_the_dock import ForeignGoods
from rma.domain.state.claims import Claim
from rma.domain.state.exchanges import Exchange
from rma.domain.state.ledger import Subject
from rma.domain.state.return_item import ReturnItem
from rma.domain.state.returns import Return
from rma.domain.values.errors import InvalidValue
from rma.domain.values.money import Money
from rma.domain.values.personal import PersonalField

#: How many units a field takes; the rules say how many are too many.
_MOST = 1_000_000

#: What the groups of data about persons are called in a form.
_GROUPS = {
    PersonalField.NOTES: "notes: what people wrote, and what gateways said",
    PersonalField.IMAGES: "where photos are",
    PersonalField.METADATA: "what the shop keeps with it",
    PersonalField.ACTORS: "who did something",
    PersonalField.SHIPMENTS: "what carriers were given and answered",
}


class ActionForm(forms.Form):
    """
    Asks whether it is to be done.

    Args:
        subject: what it is done to.
        titles: what the order calls its lines, by id.
        data: what was sent, if it was.
    """

    #: The idempotency key: a form that is sent twice does it once.
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, subject: Subject, titles: Mapping[str, str], data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial={"key": f"admin-{uuid4().hex}"})
        self.subject, self.titles = subject, titles
        self.fields.update(self.further_fields())

    def further_fields(self) -> dict[str, forms.Field]:
        """Returns what else it asks for, by name."""
        return {}

    def command(self, by: str) -> Command:
        """Returns the command of what was entered; the form is valid."""
        raise NotImplementedError

    def line_name(self, item_id: str) -> str:
        """Returns what a clerk knows a line by."""
        return line_name(item_id, self.titles)

    def about(self, by: str) -> dict[str, Any]:
        """Returns the fields of every command."""
        return {"idempotency_key": self.cleaned_data["key"], "created_by": by}


class OrderForm(forms.Form):
    """Asks whether something is to be done with all that is stored of an order."""


class RedactForm(OrderForm):
    """Asks which data about persons is taken away."""

    groups = forms.MultipleChoiceField(
        label="What is taken away",
        choices=[(each.value, said) for each, said in _GROUPS.items()],
        initial=[each.value for each in _GROUPS],
        widget=forms.CheckboxSelectMultiple,
    )


class ArrivedForm(ActionForm):
    """Asks for two numbers for each line: how many units arrived sellable, and how many damaged."""

    def arrived_fields(self, filled_in: Mapping[str, tuple[int, int]]) -> dict[str, forms.Field]:
        """Returns the two fields of each line, with what is filled in by its id: sellable, damaged."""
        found: dict[str, forms.Field] = {}
        for number, (item_id, (sellable, damaged)) in enumerate(filled_in.items()):
            line = self.line_name(item_id)
            found[f"received_{number}"] = _units(f"{line}: arrived sellable", sellable)
            found[f"damaged_{number}"] = _units(f"{line}: arrived damaged", damaged)
        return found

    def arrived(self, lines: Iterable[str]) -> Iterator[tuple[str, int, int]]:
        """Yields id, sellable and damaged units of each of these lines, in the order of their fields."""
        for number, item_id in enumerate(lines):
            given = self.cleaned_data
            yield item_id, given[f"received_{number}"], given[f"damaged_{number}"]


class ReceiveForm(ArrivedForm):
    """Asks what arrived, line by line."""

    def further_fields(self) -> dict[str, forms.Field]:
        """Returns two numbers for each line, and whether more is expected."""
        lines = _lines(self.subject).items()
        found = self.arrived_fields(
            {item_id: (sum(max(0, each.missing_quantity) for each in items), 0) for item_id, items in lines}
        )
        found["more_expected"] = forms.BooleanField(
            required=False, label="What is missing is expected in another parcel"
        )
        return found

    def command(self, by: str) -> Command:
        """Returns what books the parcel; without any units it was empty."""
        given = self.cleaned_data
        items = [
            ReceivedItem(item_id=item_id, quantity=sellable, damaged_quantity=damaged)
            for item_id, sellable, damaged in self.arrived(_lines(self.subject))
            if sellable or damaged
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
        """
        Returns a number for each line and grade, and a note for each line.

        What was sent is read of every line: sent again, it is about units that do not wait any more.
        """
        found: dict[str, forms.Field] = {}
        for number, (item_id, items) in enumerate(_lines(self.subject).items()):
            waiting = sum(each.waiting_quantity for each in items)
            if not (waiting or self.is_bound):
                continue
            line = self.line_name(item_id)
            for index, grade in enumerate(self._grades()):
                paid = f"{grade.percent.normalize():f} % paid, {words(grade.disposition)}"
                label = f"{line}, of {waiting} to inspect: grade {grade.name} ({paid})"
                found[f"graded_{number}_{index}"] = _units(label, 0, required=False)
            found[f"note_{number}"] = forms.CharField(
                required=False, max_length=500, label=f"{line}: what was seen"
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
                item_id=item_id, quantity=quantity, grade=grade.name, note=given[f"note_{number}"] or None
            )
            for number, item_id in enumerate(_lines(self.subject))
            for index, grade in enumerate(self._grades())
            if (quantity := given[f"graded_{number}_{index}"])
        ]
        return InspectReturn(return_id=self.subject.id, items=tuple(items), **self.about(by))

    def _grades(self) -> tuple[Grade, ...]:
        assert isinstance(self.subject, Return)
        return self.subject.terms.scale


class ResolveForm(ActionForm):
    """Asks what is not paid for, what was lost on the way, and what becomes of foreign goods."""

    refund_amount = forms.DecimalField(
        required=False, min_value=0, max_digits=18, label="Amount for the whole return, unless computed"
    )
    refund_note = forms.CharField(
        required=False, max_length=500, label="Why the amount is above what the units are worth"
    )

    def further_fields(self) -> dict[str, forms.Field]:
        """Returns the numbers of each line, and a choice for each of the foreign goods."""
        found: dict[str, forms.Field] = {}
        for number, (item_id, items) in enumerate(_lines(self.subject).items()):
            missing = sum(max(0, each.missing_quantity) for each in items)
            sellable = sum(each.received_quantity - each.rejected_quantity for each in items)
            damaged = sum(each.damaged_quantity - each.rejected_damaged_quantity for each in items)
            for name, units, label in (
                ("rejected", sellable, f"of {sellable} sellable: back to the customer, not paid for"),
                ("damaged", damaged, f"of {damaged} damaged: back to the customer, not paid for"),
                ("lost", missing, f"of {missing} missing: lost on the way, and paid for"),
            ):
                if units or self.is_bound:
                    field = _units(f"{self.line_name(item_id)}, {label}", 0, required=False)
                    found[f"{name}_{number}"] = field
        for each in self._foreign():
            found[f"foreign_{each.number}"] = forms.ChoiceField(
                required=False,
                choices=[("", "not said yet"), ("back", "back to the customer"), ("keep", "kept")],
                label=f"{each.quantity} of {each.description}, which is not of the order",
            )
        return found

    def clean_refund_amount(self) -> Money | None:
        """Refuses more digits than the currency has."""
        return _money(self.cleaned_data["refund_amount"], self.subject)

    def command(self, by: str) -> Command:
        """Returns what closes the return."""
        given = self.cleaned_data
        lines = list(enumerate(_lines(self.subject)))
        rejected = [
            RejectedItem(item_id=item_id, quantity=sellable, damaged_quantity=damaged)
            for number, item_id in lines
            for sellable, damaged in [
                (given.get(f"rejected_{number}") or 0, given.get(f"damaged_{number}") or 0)
            ]
            if sellable or damaged
        ]
        missing = [
            MissingItem(item_id=item_id, quantity=quantity, pay=True)
            for number, item_id in lines
            if (quantity := given.get(f"lost_{number}"))
        ]
        foreign = [
            ForeignDecision(number=each.number, send_back=said == "back")
            for each in self._foreign()
            if (said := given[f"foreign_{each.number}"])
        ]
        return ResolveReturn(
            return_id=self.subject.id,
            rejected=rejected,
            missing=missing,
            foreign=foreign,
            refund_amount=given["refund_amount"],
            refund_note=given["refund_note"] or None,
            **self.about(by),
        )

    def _foreign(self) -> tuple[ForeignGoods, ...]:
        assert isinstance(self.subject, Return)
        return self.subject.foreign if self.is_bound else self.subject.undecided_foreign


class CorrectForm(ArrivedForm):
    """Asks what the receipts together should have said."""

    reason = forms.CharField(max_length=500, label="Why it is corrected")

    def further_fields(self) -> dict[str, forms.Field]:
        """Returns two numbers for each line, as they are booked now."""
        return self.arrived_fields(self._booked())

    def command(self, by: str) -> Command:
        """Returns what corrects every line."""
        items = [
            CorrectedItem(item_id=item_id, quantity=sellable, damaged_quantity=damaged)
            for item_id, sellable, damaged in self.arrived(self._booked())
        ]
        reason = self.cleaned_data["reason"]
        return CorrectReceipt(return_id=self.subject.id, items=items, reason=reason, **self.about(by))

    def _booked(self) -> dict[str, tuple[int, int]]:
        assert isinstance(self.subject, Return)
        return self.subject.booked_quantities()


class PayoutForm(ActionForm):
    """Asks what a person paid by other ways, and what it is called."""

    amount = forms.DecimalField(min_value=0, max_digits=18, label="Amount that was paid")
    reference = forms.CharField(max_length=200, label="Reference of the transfer; the same one counts once")

    def __init__(
        self, subject: Subject, titles: Mapping[str, str], data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(subject, titles, data)
        if not isinstance(subject, Exchange):
            self.initial["amount"] = subject.amount_due.major

    def clean_amount(self) -> Money | None:
        """Refuses more digits than the currency has."""
        return _money(self.cleaned_data["amount"], self.subject)

    def command(self, by: str) -> Command:
        """Returns what records it."""
        given = self.cleaned_data
        return RecordPayout(
            amount=given["amount"], reference=given["reference"], **_payee(self.subject), **self.about(by)
        )


class ApproveForm(ActionForm):
    """Asks for a note."""

    note = forms.CharField(required=False, max_length=500, label="Note for the customer")

    def command(self, by: str) -> Command:
        """Returns what approves all of it."""
        note = self.cleaned_data["note"] or None
        return ApproveReturn(return_id=self.subject.id, note=note, **self.about(by))


class DeclineForm(ActionForm):
    """Asks for the reason."""

    reason = forms.CharField(max_length=200, label="Reason, as a code of your shop (such as worn)")
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
        return RetryRefund(**_payee(self.subject), **self.about(by))


def _lines(subject: Subject) -> dict[str, list[ReturnItem]]:
    """The items of a return by line: a line may be in it several times."""
    found: dict[str, list[ReturnItem]] = defaultdict(list)
    for each in subject.items if isinstance(subject, Return) else ():
        found[each.item_id].append(each)
    return found


def _units(label: str, initial: int, *, required: bool = True) -> forms.Field:
    return forms.IntegerField(min_value=0, max_value=_MOST, label=label, initial=initial, required=required)


def _payee(subject: Subject) -> dict[str, Any]:
    """The field of a command that says what an amount is due for."""
    return {"claim_id" if isinstance(subject, Claim) else "return_id": subject.id}


def _money(amount: Decimal | None, subject: Subject) -> Money | None:
    """The amount, in the currency of what it is due for."""
    if amount is None or isinstance(subject, Exchange):
        return None
    try:
        return Money.from_major(amount, subject.amount_due.currency)
    except InvalidValue as error:
        raise forms.ValidationError(str(error)) from error
