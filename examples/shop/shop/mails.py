"""
Mails to customers: one for each published event that they want to know of.

A publisher may be given an event more than once, and a process may die between sending a mail and noting
that. The mail's Message-ID is therefore made of the event's id: who receives it knows a repeat by it, and the
file backend here names the file after it.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.filebased import EmailBackend
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from rma import (
    EffectsAttempted,
    Event,
    ExchangeCanceled,
    ExchangePaid,
    ExchangeRequested,
    GoodsInspected,
    GoodsReceived,
    RefundOutcomeRecorded,
    ReturnApproved,
    ReturnCanceled,
    ReturnDeclined,
    ReturnExpired,
    ReturnRequested,
    ReturnResolved,
    ReturnSent,
)
from rma.adapters.django import get_service
from shop.models import Mail, Order
from shop.timeline import News, news_of
from shop.titles import titles_of

#: By class of event, the subject of its mail.
_SUBJECTS: Mapping[type[Event], Callable[[], str]] = {
    ReturnRequested: lambda: _("We have your return"),
    ReturnApproved: lambda: _("Your return is approved"),
    ReturnDeclined: lambda: _("Your return is declined"),
    ReturnCanceled: lambda: _("Your return is canceled"),
    ReturnSent: lambda: _("You sent your parcel"),
    ReturnExpired: lambda: _("Your return has expired"),
    GoodsReceived: lambda: _("Your parcel has arrived"),
    GoodsInspected: lambda: _("We have looked at your goods"),
    ReturnResolved: lambda: _("We have decided about your goods"),
    ExchangeRequested: lambda: _("You will get something else"),
    ExchangePaid: lambda: _("We have your payment"),
    ExchangeCanceled: lambda: _("Your exchange is canceled"),
    EffectsAttempted: lambda: _("News about your return"),
    RefundOutcomeRecorded: lambda: _("News about your refund"),
}


class Mails:
    """Sends the mail of each event, once for its id; a `rma.EventPublisher`."""

    def publish(self, event_id: str, event: Event) -> None:
        """Sends a mail, if the event is one that customers are notified of."""
        subject = _SUBJECTS.get(type(event))
        if event.no_notification or subject is None or Mail.objects.filter(pk=event_id).exists():
            return
        if event.return_id is None:  # of a claim; the shop takes none
            return
        order = (
            Order.objects.select_related("customer").prefetch_related("lines__product").get(pk=event.order_id)
        )
        with override(order.language):
            news = news_of(event, titles_of(order))
            if news is None:
                return
            number = get_service().get(event.return_id).display_id
            message_of(event_id, order, number, subject(), news).send()
        Mail.objects.get_or_create(pk=event_id)


def message_of(event_id: str, order: Order, number: int, title: str, news: News) -> EmailMessage:
    """Returns the mail of an event; it names the return by its number in the order."""
    digest = sha256(event_id.encode()).hexdigest()[:32]
    about = _("order %(order)s, return %(number)s") % {"order": order.number, "number": number}
    context = {"order": order, "number": number, "news": news, "name": order.customer.get_username()}
    text = render_to_string("shop/mails/event.txt", context)
    return EmailMessage(
        subject=f"{title} ({about})",
        body=text,
        to=[order.customer.email],
        headers={"Message-ID": f"<{digest}@shop.example>"},
    )


class FileBackend(EmailBackend):
    """Django's backend of files, which writes a mail that is sent again over the one before."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Writes each mail to a file of its own, whole or not at all."""
        folder = Path(settings.EMAIL_FILE_PATH)
        for message in email_messages:
            name = str(message.extra_headers["Message-ID"]).strip("<>").partition("@")[0]
            with NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
                file.write(message.message().as_bytes())
            Path(file.name).rename(folder / f"{name}.eml")
        return len(email_messages)
