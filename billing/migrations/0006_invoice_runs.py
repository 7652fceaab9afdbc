import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models
from django.db.models import Q

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity

ID = {"primary_key": True, "default": common.ids.uuid7, "editable": False, "serialize": False}
STATES = ("new", "drafted", "finalized", "empty", "parked", "failed")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_row_level_security"),
        ("billing", "0005_ship_tax_rates"),
        ("usage", "0009_period_terms"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvoiceRun",
            fields=[
                ("id", models.UUIDField(**ID)),
                ("period_end", models.DateField(unique=True, help_text="The last day of its periods.")),
                ("periods", models.PositiveIntegerField(default=0)),
                ("finalized", models.PositiveIntegerField(default=0)),
                (
                    "empty",
                    models.PositiveIntegerField(default=0, help_text="Nothing was used and no fee is due: no invoice."),
                ),
                ("parked", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, help_text="When the last of them was done."),
                ),
            ],
            options={"db_table": "invoice_runs"},
        ),
        migrations.CreateModel(
            name="InvoiceRunItem",
            fields=[
                ("id", models.UUIDField(**ID)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="billing.invoicerun"
                    ),
                ),
                (
                    "billing_period",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="usage.billingperiod"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="billing.invoice",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[(state, state.capitalize()) for state in STATES], default="new", max_length=9
                    ),
                ),
                ("finalize_at", models.DateTimeField(help_text="The draft may be looked at until then.")),
                (
                    "next_at",
                    models.DateTimeField(
                        blank=True, null=True, help_text="When it is worked on next; empty once it is done."
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                (
                    "reason",
                    models.CharField(blank=True, help_text="What keeps it from being billed.", max_length=300),
                ),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "db_table": "invoice_run_items",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(
                        condition=Q(next_at__isnull=False), fields=["next_at", "id"], name="invoice_run_items_due"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(state__in=["finalized", "empty"], next_at__isnull=True)
                        | (~Q(state__in=["finalized", "empty"]) & Q(next_at__isnull=False)),
                        name="invoice_run_items_next",
                        violation_error_message="What is done has no next time, the rest has one.",
                    )
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("invoice_run_items"),
    ]
