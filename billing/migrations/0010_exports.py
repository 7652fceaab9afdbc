"""Exports: lists and documents as files."""

from typing import Any

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models
from django.db.models import Q

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity

KINDS = [("invoices", "Invoices"), ("credit_notes", "Credit notes"), ("documents", "Documents")]
FORMATS = [("csv", "CSV"), ("xlsx", "XLSX"), ("zip", "ZIP")]


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_below_zero"), ("accounts", "0001_initial")]

    operations: list[Any] = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                ("job_id", models.UUIDField()),
                ("kind", models.CharField(choices=KINDS, max_length=12)),
                ("file_format", models.CharField(choices=FORMATS, max_length=4)),
                (
                    "filters",
                    models.JSONField(
                        default=dict, help_text="What was asked for: status, number, start_date, end_date."
                    ),
                ),
                ("file_name", models.CharField(max_length=120)),
                ("content", models.BinaryField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("size_bytes", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("leased_until", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(help_text="When it was made, or could not be.", null=True)),
                ("expires_at", models.DateTimeField(help_text="Its file is deleted then.")),
            ],
            options={
                "db_table": "invoice_exports",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(fields=["tenant", "-created_at", "-id"], name="invoice_exports_newest"),
                    models.Index(
                        condition=Q(finished_at__isnull=True), fields=["created_at"], name="invoice_exports_waiting"
                    ),
                    models.Index(fields=["expires_at"], name="invoice_exports_expiring"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(kind="documents", file_format="zip")
                        | (~Q(kind="documents") & ~Q(file_format="zip")),
                        name="invoice_exports_format",
                        violation_error_message="Documents come as ZIP, lists as CSV or XLSX.",
                    ),
                    models.CheckConstraint(
                        condition=Q(content__isnull=True)
                        | (Q(finished_at__isnull=False) & Q(sha256__regex="^[0-9a-f]{64}$")),
                        name="invoice_exports_content",
                        violation_error_message="A file belongs to a finished export and has its hash.",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("invoice_exports"),
    ]
