"""What customers fill in."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.utils.translation import gettext_lazy as _

from django import forms
from rma import ReturnableItem
from shop.models import OrderLine, Product
from shop.policy import LABEL, REASONS
from shop.words import OUTCOMES, not_returnable_text, reason_text

#: Photos of a line.
MOST_PHOTOS = 5

_FILE_NAME = re.compile(r"\w[\w .()-]{0,99}\.(?:jpe?g|png|webp|heic)", re.IGNORECASE)
_WEB_LINK = URLValidator(schemes=["http", "https"])


def new_key() -> str:
    """Returns a key for a form: sent twice, it is the same form."""
    return uuid4().hex


def is_web_link(reference: str) -> bool:
    """Returns whether a photo is shown as a link."""
    try:
        _WEB_LINK(reference)
    except ValidationError:
        return False
    return True


class KeyField(forms.CharField):
    """The key that a form was given when it was shown."""

    def __init__(self, **more: Any) -> None:
        pattern = RegexValidator(r"\A[0-9a-f]{32}\Z", _("Please open this form again."))
        super().__init__(widget=forms.HiddenInput, validators=[pattern], max_length=32, **more)


class LineForm(forms.Form):
    """
    What the customer says about one line of the order.

    Args:
        returnable: what can be returned of it if no reason is given.
        most: units that can be returned for the reason that lets most of them come back.
        products: of which one can be had instead.
    """

    quantity = forms.IntegerField(label=_("How many"), min_value=0, max_value=9999, required=False)
    reason = forms.ChoiceField(label=_("Why"), required=False)
    note = forms.CharField(
        label=_("Would you like to tell us more?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    photos = forms.CharField(
        label=_("Photos: links or file names, one on each line"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    instead = forms.ChoiceField(label=_("What would you like instead?"), required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        line: OrderLine,
        returnable: ReturnableItem,
        most: int,
        products: list[Product],
    ) -> None:
        super().__init__(data, prefix=f"line{line.position}", use_required_attribute=False)
        self.line, self.returnable, self.most = line, returnable, most
        reason, instead = self.fields["reason"], self.fields["instead"]
        assert isinstance(reason, forms.ChoiceField)
        assert isinstance(instead, forms.ChoiceField)
        reason.choices = [("", _("Please choose"))] + [(each.id, reason_text(each.id)) for each in REASONS]
        instead.choices = [("", _("Please choose"))] + [(each.sku, each.title) for each in products]
        if not products:
            del self.fields["instead"]
        self.fields["quantity"].widget.attrs["max"] = most

    @property
    def is_exchangeable(self) -> bool:
        """True if there is something of its kind."""
        return "instead" in self.fields

    @property
    def why_none(self) -> str:
        """Why none of it can be returned, whatever the reason."""
        return not_returnable_text(self.returnable.reasons)

    def clean_photos(self) -> list[str]:
        """
        Returns the photos.

        Raises:
            ValidationError: one is neither a link to the web nor the name of a picture, or they are too many.
        """
        given = [each.strip() for each in self.cleaned_data["photos"].splitlines() if each.strip()]
        if len(given) > MOST_PHOTOS:
            raise ValidationError(_("At most %(most)s photos."), params={"most": MOST_PHOTOS})
        for each in given:
            if not _FILE_NAME.fullmatch(each) and not is_web_link(each):
                raise ValidationError(
                    _("Give a link that begins with https:// or http://, or the name of a picture.")
                )
        return given

    def clean(self) -> dict[str, Any]:
        """
        Returns what was said; a line of which something comes back has a reason.

        Raises:
            ValidationError: it has none.
        """
        said = super().clean() or self.cleaned_data
        if said.get("quantity") and not said.get("reason") and "reason" not in self.errors:
            self.add_error("reason", _("Choose one of the reasons."))
        return said


class ReturnForm(forms.Form):
    """What the customer says about the whole return."""

    outcome = forms.ChoiceField(
        label=_("What would you like?"),
        choices=list(OUTCOMES.items()),
        initial="refund",
        widget=forms.RadioSelect,
    )
    way = forms.ChoiceField(
        label=_("How does it come back?"),
        choices=[(LABEL.id, _("Parcel with our label")), ("own", _("I send it myself"))],
        initial=LABEL.id,
        widget=forms.RadioSelect,
    )
    key = KeyField()
