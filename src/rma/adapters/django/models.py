"""
What is stored, to read and to join with; it changes by commands only.

The columns are those of `rma.adapters.sql.schema`. Documents are of the library's own: ask the service for
what they say.
"""

from typing import Any, NoReturn

from django.db import NotSupportedError, models

from rma.adapters.django.fields import CodePointText, Timestamp


def _refuse() -> NoReturn:
    raise NotSupportedError("what rma stores is changed by commands of its service only")


class StoredQuerySet(models.QuerySet[Any]):
    """A query that reads."""

    def update(self, **_: Any) -> NoReturn:
        """Raises NotSupportedError."""
        _refuse()

    def delete(self) -> NoReturn:
        """Raises NotSupportedError."""
        _refuse()

    def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotSupportedError."""
        _refuse()

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotSupportedError."""
        _refuse()


class Stored(models.Model):
    """What can be read only."""

    objects = StoredQuerySet.as_manager()

    class Meta:
        """No table."""

        abstract = True

    def save(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotSupportedError."""
        _refuse()

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotSupportedError."""
        _refuse()


class StoredLedger(Stored):
    """The ledger of an order."""

    order_id = CodePointText(primary_key=True)
    revision: "models.IntegerField[int, int]" = models.IntegerField()
    published: "models.IntegerField[int, int]" = models.IntegerField()
    waiting_since = Timestamp(null=True)
    due_at = Timestamp(null=True)
    unpublished_since = Timestamp(null=True)
    leased_until = Timestamp(null=True)
    leased_by = CodePointText(null=True)
    document = CodePointText()

    class Meta:
        """Its table."""

        db_table = "rma_ledgers"
        default_permissions = ("view",)
        verbose_name = "ledger"
        indexes = (
            models.Index(
                fields=["due_at", "order_id"],
                name="rma_ledgers_due",
                condition=models.Q(waiting_since__isnull=False),
            ),
            models.Index(
                fields=["unpublished_since", "order_id"],
                name="rma_ledgers_unpublished",
                condition=models.Q(unpublished_since__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return str(self.order_id)


class StoredReturn(Stored):
    """
    A return, an exchange or a claim, as `kind` says.

    Its key is its id, which is unique, so that it can be referred to; that of the table is order, kind and
    position.
    """

    order_id = CodePointText()
    kind = CodePointText()
    position: "models.IntegerField[int, int]" = models.IntegerField()
    return_id = CodePointText(primary_key=True)
    status = CodePointText()
    needs_attention: "models.BooleanField[bool, bool]" = models.BooleanField()
    requested_at = Timestamp()
    document = CodePointText(null=True)
    opened_revision: "models.IntegerField[int, int]" = models.IntegerField()
    opened_number: "models.IntegerField[int, int]" = models.IntegerField()
    record = CodePointText(null=True)
    return_by = Timestamp(null=True)
    due_by = Timestamp(null=True)

    class Meta:
        """Its table."""

        db_table = "rma_returns"
        default_permissions = ("view",)
        permissions = (
            ("receive_storedreturn", "Can receive parcels"),
            ("inspect_storedreturn", "Can inspect goods"),
            ("approve_storedreturn", "Can approve returns"),
            ("decline_storedreturn", "Can decline returns"),
            ("resolve_storedreturn", "Can resolve returns"),
            ("correct_storedreturn", "Can correct receipts"),
            ("payout_storedreturn", "Can record payouts"),
            ("cancel_storedreturn", "Can cancel returns, exchanges and claims"),
            ("retry_storedreturn", "Can ask for a refund again"),
            ("export_storedreturn", "Can export all that is stored of an order"),
            ("redact_storedreturn", "Can take data about persons from an order"),
        )
        verbose_name = "return"
        indexes = (
            models.Index(
                fields=["kind", "status", "needs_attention", "requested_at", "order_id", "position"],
                name="rma_returns_listed",
            ),
            models.Index(
                fields=["return_by"],
                name="rma_returns_expiring",
                condition=models.Q(return_by__isnull=False),
            ),
            models.Index(
                fields=["due_by"],
                name="rma_returns_payable",
                condition=models.Q(due_by__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return str(self.return_id)


class StoredEvent(Stored):
    """An event of an order."""

    pk = models.CompositePrimaryKey("order_id", "revision", "number")
    order_id = CodePointText()
    revision: "models.IntegerField[int, int]" = models.IntegerField()
    number: "models.IntegerField[int, int]" = models.IntegerField()
    document = CodePointText()

    class Meta:
        """Its table."""

        db_table = "rma_events"
        default_permissions = ("view",)
        verbose_name = "event"

    def __str__(self) -> str:
        return f"{self.order_id} {self.revision}/{self.number}"
