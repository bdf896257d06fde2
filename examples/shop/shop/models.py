"""
What the shop keeps: what it sold, and what its stock, carrier and store credit were asked for.

Amounts are euro cents. Rows with a `key` are written once for it, however often their port is asked.
"""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    Text = models.CharField[str, str]
    Whole = models.PositiveIntegerField[int, int]
    Small = models.PositiveSmallIntegerField[int, int]
    Integer = models.IntegerField[int, int]
    Moment = models.DateTimeField[datetime, datetime]
    MaybeMoment = models.DateTimeField[datetime | None, datetime | None]
    Flag = models.BooleanField[bool, bool]
    Strings = models.JSONField[list[str], list[str]]
    Contents = models.JSONField[list[dict[str, object]], list[dict[str, object]]]


class Product(models.Model):
    """Something that is sold, in one size or colour; those of one family can be exchanged for each other."""

    sku: "Text" = models.CharField(max_length=40, primary_key=True)
    family: "Text" = models.CharField(max_length=40)
    title: "Text" = models.CharField(max_length=100)
    price: "Whole" = models.PositiveIntegerField()
    tags: "Strings" = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return str(self.title)


class Order(models.Model):
    """What a customer bought. Returns are judged by when it was delivered."""

    number: "Text" = models.CharField(max_length=20, primary_key=True)
    customer: "models.ForeignKey[User, User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders"
    )
    language: "Text" = models.CharField(max_length=5, default="en")
    placed_at: "Moment" = models.DateTimeField()
    delivered_at: "MaybeMoment" = models.DateTimeField(null=True)
    shipping: "Whole" = models.PositiveIntegerField(default=0)
    is_canceled: "Flag" = models.BooleanField(default=False)

    customer_id: int
    lines: "models.Manager[OrderLine]"
    payments: "models.Manager[Payment]"

    class Meta:
        """The latest comes first."""

        ordering = ("-placed_at",)

    def __str__(self) -> str:
        return str(self.number)


class OrderLine(models.Model):
    """Units of a product in an order, at the price that was asked for then."""

    order: "models.ForeignKey[Order, Order]" = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    position: "Small" = models.PositiveSmallIntegerField()
    product: "models.ForeignKey[Product, Product]" = models.ForeignKey(Product, models.PROTECT)
    quantity: "Whole" = models.PositiveIntegerField()
    unit_price: "Whole" = models.PositiveIntegerField()
    discount: "Whole" = models.PositiveIntegerField(default=0)

    order_id: str
    product_id: str

    class Meta:
        """In the order of the invoice."""

        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("order", "position"), name="line_of_order"),)

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product}"

    @property
    def item_id(self) -> str:
        """What returns call this line; clerks read it."""
        return f"{self.order_id}-{self.position}-{self.product_id}"


class Payment(models.Model):
    """Money that a customer paid for an order; `id` is what the gateway calls it."""

    id: "Text" = models.CharField(max_length=40, primary_key=True)
    order: "models.ForeignKey[Order, Order]" = models.ForeignKey(
        Order, models.PROTECT, related_name="payments"
    )
    kind: "Text" = models.CharField(max_length=20, default="card")
    captured: "Whole" = models.PositiveIntegerField()

    class Meta:
        """In the order in which they were made."""

        ordering = ("id",)

    def __str__(self) -> str:
        return str(self.id)


class SentForm(models.Model):
    """A form by which a customer asked for a return or an exchange: sent again, it is the same one."""

    key: "Text" = models.CharField(max_length=32)
    order: "models.ForeignKey[Order, Order]" = models.ForeignKey(Order, models.PROTECT, related_name="forms")
    subject_id: "Text" = models.CharField(max_length=40)
    sent_at: "Moment" = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Keys count within an order."""

        constraints = (models.UniqueConstraint(fields=("order", "key"), name="form_of_order"),)

    def __str__(self) -> str:
        return str(self.key)


class ChargeAttempt(models.Model):
    """
    One attempt to take what a customer owes for an exchange, written before the gateway is asked.

    Its key and amount never change, so that asking again cannot take more. While one of an exchange has not
    ended, there is no other.
    """

    class State(models.TextChoices):
        """How far it is; those of `ENDED` are final."""

        OPEN = "open", _("Not known yet")
        RECORDED = "recorded", _("Paid")
        DECLINED = "declined", _("Not paid")
        REFUSED = "refused", _("Paid too late, to be given back")
        REFUNDED = "refunded", _("Given back")
        STUCK = "stuck", _("For a clerk")

    ENDED = (State.RECORDED, State.DECLINED, State.REFUNDED)

    key: "Text" = models.CharField(max_length=80, primary_key=True)
    order: "models.ForeignKey[Order, Order]" = models.ForeignKey(
        Order, models.PROTECT, related_name="charges"
    )
    exchange_id: "Text" = models.CharField(max_length=40, db_index=True)
    amount: "Whole" = models.PositiveIntegerField()
    by: "Text" = models.CharField(max_length=200)
    state: "Text" = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reference: "Text" = models.CharField(max_length=80, blank=True)
    at: "Moment" = models.DateTimeField(auto_now_add=True)

    order_id: str

    def __str__(self) -> str:
        return str(self.key)


class StockMovement(models.Model):
    """Units that were put into stock (above 0), left it, or were brought where a disposition says."""

    key: "Text" = models.CharField(max_length=60)
    item_id: "Text" = models.CharField(max_length=70)
    quantity: "Integer" = models.IntegerField()
    place: "Text" = models.CharField(max_length=40)
    at: "Moment" = models.DateTimeField(auto_now_add=True)

    class Meta:
        """A line moves once for a key."""

        constraints = (models.UniqueConstraint(fields=("key", "item_id"), name="movement_by_key"),)

    def __str__(self) -> str:
        return f"{self.quantity:+d} {self.item_id}"


class Parcel(models.Model):
    """A parcel that the carrier was asked for: a label for the way back, or goods for the customer."""

    key: "Text" = models.CharField(max_length=60, primary_key=True)
    order_id: "Text" = models.CharField(max_length=20)
    contents: "Contents" = models.JSONField(default=list)
    tracking_number: "Text" = models.CharField(max_length=40, unique=True)
    is_canceled: "Flag" = models.BooleanField(default=False)
    at: "Moment" = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.tracking_number)


class StoreCredit(models.Model):
    """Credit that a customer was given."""

    key: "Text" = models.CharField(max_length=60, primary_key=True)
    customer: "models.ForeignKey[User, User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="credits"
    )
    amount: "Whole" = models.PositiveIntegerField()
    at: "Moment" = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.amount)


class Mail(models.Model):
    """That the mail of an event was sent."""

    event_id: "Text" = models.CharField(max_length=60, primary_key=True)
    at: "Moment" = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.event_id)
