from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_documents")]

    operations = [
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField()),
                ("invoices", models.PositiveIntegerField(help_text="How many were rated anew.")),
                ("lines", models.PositiveIntegerField()),
                ("rebuilt", models.PositiveIntegerField(default=0, help_text="Sums that were corrected.")),
                ("findings", models.JSONField(default=list, help_text="What does not agree, the first of it.")),
            ],
            options={"db_table": "reconciliations"},
        ),
    ]
