"""Attempts to take what a customer owes for an exchange."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """One table."""

    dependencies = [
        ("shop", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChargeAttempt",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("exchange_id", models.CharField(db_index=True, max_length=40)),
                ("amount", models.PositiveIntegerField()),
                ("by", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Not known yet"),
                            ("recorded", "Paid"),
                            ("declined", "Not paid"),
                            ("refused", "Paid too late, to be given back"),
                            ("refunded", "Given back"),
                            ("stuck", "For a clerk"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=80)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="charges", to="shop.order"
                    ),
                ),
            ],
        ),
    ]
