import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

from accounts.tenancy.operations import EnableRowLevelSecurity

# The table is made by hand, so are its columns. On the parent they reach every partition.
COLUMNS = """
ALTER TABLE usage_records ADD COLUMN kind varchar(10) NOT NULL DEFAULT 'usage', ADD COLUMN reverses uuid;
ALTER TABLE usage_records ADD CONSTRAINT usage_records_kind CHECK (
    (kind = 'usage' AND reverses IS NULL AND quantity > 0)
    OR (kind = 'amendment' AND reverses IS NOT NULL AND quantity > 0)
    OR (kind = 'reversal' AND reverses IS NOT NULL AND quantity < 0)
);
"""
COLUMNS_BACK = """
ALTER TABLE usage_records DROP CONSTRAINT usage_records_kind;
ALTER TABLE usage_records DROP COLUMN kind, DROP COLUMN reverses;
"""

# A record is a fact: what was wrong is taken back by another one. On the parent the trigger reaches every partition.
APPEND_ONLY = """
CREATE FUNCTION usage_records_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A usage record never changes; add a reversal.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER usage_records_append_only BEFORE UPDATE OR DELETE ON usage_records
    FOR EACH ROW EXECUTE FUNCTION usage_records_append_only();
"""
APPEND_ONLY_BACK = """
DROP TRIGGER usage_records_append_only ON usage_records;
DROP FUNCTION usage_records_append_only();
"""

TENANT = models.ForeignKey(
    db_constraint=False,
    db_index=False,
    on_delete=django.db.models.deletion.DO_NOTHING,
    related_name="+",
    to="accounts.tenant",
)


class Migration(migrations.Migration):
    dependencies = [("usage", "0006_ship_catalogue")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(COLUMNS, COLUMNS_BACK)],
            state_operations=[
                migrations.AddField(
                    model_name="usagerecord",
                    name="kind",
                    field=models.CharField(
                        choices=[("usage", "Usage"), ("reversal", "Reversal"), ("amendment", "Amendment")],
                        default="usage",
                        max_length=10,
                    ),
                ),
                migrations.AddField(
                    model_name="usagerecord",
                    name="reverses",
                    field=models.UUIDField(
                        blank=True, help_text="The record it takes back, or stands in for.", null=True
                    ),
                ),
            ],
        ),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_BACK),
        migrations.CreateModel(
            name="UsageReversal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant", "record_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("record_id", models.UUIDField()),
                ("reversal_id", models.UUIDField()),
                ("amendment_id", models.UUIDField(null=True)),
                ("content_hash", models.BinaryField(max_length=32, null=True)),
                ("created_at", models.DateTimeField()),
                ("tenant", TENANT),
            ],
            options={"db_table": "usage_reversals"},
        ),
        EnableRowLevelSecurity("usage_reversals"),
        migrations.AddIndex(
            model_name="usagededup",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["created_at"], name="usage_dedup_age"),
        ),
    ]
