import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_leaving")]
    operations = [
        migrations.CreateModel(
            name="TenantExport",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("job_id", models.UUIDField()),
                ("requested_by", models.UUIDField(help_text="The user who asked for it.")),
                (
                    "parts",
                    models.JSONField(default=list, help_text="[table, storage key, rows] of each part, in order."),
                ),
                (
                    "table",
                    models.CharField(
                        blank=True, help_text="The table being read; empty before the first.", max_length=63
                    ),
                ),
                ("after", models.JSONField(help_text="Key of the last row read of it, as texts.", null=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("storage_key", models.CharField(blank=True, max_length=200)),
                ("size_bytes", models.PositiveBigIntegerField(null=True)),
                ("sha256", models.BinaryField(max_length=32, null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(help_text="The files are deleted then.")),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "tenant_exports",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)),
                        fields=("tenant",),
                        name="tenant_exports_one_at_a_time",
                        violation_error_message="An export is under way.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("storage_key", ""),
                            models.Q(
                                ("finished_at__isnull", False),
                                ("sha256__isnull", False),
                                ("size_bytes__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="tenant_exports_whole",
                        violation_error_message="An archive has a size, a digest and an end.",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("tenant_exports"),
    ]
