"""The tables, made by statements of their own: Django makes no table WITHOUT ROWID, and no unique index."""

from django.db import migrations, models

from rma.adapters.django.fields import CodePointText, Timestamp
from rma.adapters.django.operations import MakeTables


class Migration(migrations.Migration):
    """Tables of format 2."""

    initial = True
    dependencies = ()
    operations = (
        migrations.SeparateDatabaseAndState(
            database_operations=[MakeTables()],
            state_operations=[
                migrations.CreateModel(
                    name="StoredEvent",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "order_id",
                                "revision",
                                "number",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("order_id", CodePointText()),
                        ("revision", models.IntegerField()),
                        ("number", models.IntegerField()),
                        ("document", CodePointText()),
                    ],
                    options={
                        "verbose_name": "event",
                        "db_table": "rma_events",
                        "default_permissions": ("view",),
                    },
                ),
                migrations.CreateModel(
                    name="StoredLedger",
                    fields=[
                        ("order_id", CodePointText(primary_key=True, serialize=False)),
                        ("revision", models.IntegerField()),
                        ("published", models.IntegerField()),
                        ("waiting_since", Timestamp(null=True)),
                        ("due_at", Timestamp(null=True)),
                        ("unpublished_since", Timestamp(null=True)),
                        ("leased_until", Timestamp(null=True)),
                        ("leased_by", CodePointText(null=True)),
                        ("document", CodePointText()),
                    ],
                    options={
                        "verbose_name": "ledger",
                        "db_table": "rma_ledgers",
                        "default_permissions": ("view",),
                        "indexes": [
                            models.Index(
                                condition=models.Q(("waiting_since__isnull", False)),
                                fields=["due_at", "order_id"],
                                name="rma_ledgers_due",
                            ),
                            models.Index(
                                condition=models.Q(("unpublished_since__isnull", False)),
                                fields=["unpublished_since", "order_id"],
                                name="rma_ledgers_unpublished",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StoredReturn",
                    fields=[
                        ("order_id", CodePointText()),
                        ("kind", CodePointText()),
                        ("position", models.IntegerField()),
                        ("return_id", CodePointText(primary_key=True, serialize=False)),
                        ("status", CodePointText()),
                        ("needs_attention", models.BooleanField()),
                        ("requested_at", Timestamp()),
                        ("document", CodePointText(null=True)),
                        ("opened_revision", models.IntegerField()),
                        ("opened_number", models.IntegerField()),
                        ("record", CodePointText(null=True)),
                        ("return_by", Timestamp(null=True)),
                        ("due_by", Timestamp(null=True)),
                    ],
                    options={
                        "verbose_name": "return",
                        "db_table": "rma_returns",
                        "default_permissions": ("view",),
                        "permissions": (
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
                        ),
                        "indexes": [
                            models.Index(
                                fields=[
                                    "kind",
                                    "status",
                                    "needs_attention",
                                    "requested_at",
                                    "order_id",
                                    "position",
                                ],
                                name="rma_returns_listed",
                            ),
                            models.Index(
                                condition=models.Q(("return_by__isnull", False)),
                                fields=["return_by"],
                                name="rma_returns_expiring",
                            ),
                            models.Index(
                                condition=models.Q(("due_by__isnull", False)),
                                fields=["due_by"],
                                name="rma_returns_payable",
                            ),
                        ],
                    },
                ),
            ],
        ),
    )
