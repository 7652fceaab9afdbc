import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [("usage", "0009_period_terms")]

    operations = [
        migrations.CreateModel(
            name="UsageUpload",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("job_id", models.UUIDField()),
                ("file_name", models.CharField(blank=True, max_length=200)),
                ("content", models.BinaryField(null=True)),
                ("next_row", models.PositiveIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("faults", models.JSONField(default=list)),
                ("received_at", models.DateTimeField()),
                ("leased_until", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "usage_uploads",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "indexes": [
                    models.Index(
                        condition=models.Q(("content__isnull", False)),
                        fields=["received_at"],
                        name="usage_uploads_waiting",
                    )
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("usage_uploads"),
    ]
