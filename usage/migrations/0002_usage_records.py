"""The ledger of usage is partitioned by month from its first day: a table can't become so later without being copied."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids

CREATE = """
CREATE TABLE usage_records (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    channel varchar(20) NOT NULL,
    resource_type varchar(20) NOT NULL,
    billing_period_id uuid NOT NULL,
    rate_id uuid NOT NULL,
    resource_id varchar(80) NOT NULL,
    direction varchar(8) NOT NULL,
    destination varchar(40) NOT NULL,
    quantity numeric(24, 6) NOT NULL,
    billed_quantity numeric(24, 6) NOT NULL,
    unit_cost numeric(20, 10) NOT NULL,
    total_cost numeric(32, 12),
    currency varchar(3) NOT NULL,
    metadata jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    usage_date date NOT NULL,
    dedup_key varchar(200) NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT usage_records_pkey PRIMARY KEY (tenant_id, id, occurred_at)
) PARTITION BY RANGE (occurred_at);

-- The tenant's list of events, newest first.
CREATE INDEX usage_records_newest ON usage_records (tenant_id, occurred_at DESC, id DESC);

-- Takes what no month holds, so that no fact is refused for its time.
CREATE TABLE usage_records_default PARTITION OF usage_records DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, "DROP TABLE usage_records")],
            state_operations=[
                migrations.CreateModel(
                    name="UsageRecord",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=common.ids.uuid7, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("channel", models.CharField(max_length=20)),
                        ("resource_type", models.CharField(max_length=20)),
                        (
                            "resource_id",
                            models.CharField(
                                blank=True, help_text="Public id of what was used, e.g. CA….", max_length=80
                            ),
                        ),
                        ("direction", models.CharField(blank=True, max_length=8)),
                        ("destination", models.CharField(blank=True, max_length=40)),
                        (
                            "quantity",
                            models.DecimalField(
                                decimal_places=6, help_text="As measured, e.g. seconds.", max_digits=24
                            ),
                        ),
                        (
                            "billed_quantity",
                            models.DecimalField(decimal_places=6, help_text="After call increments.", max_digits=24),
                        ),
                        (
                            "unit_cost",
                            models.DecimalField(
                                decimal_places=10, help_text="Per priced unit, e.g. per minute.", max_digits=20
                            ),
                        ),
                        (
                            "total_cost",
                            models.DecimalField(
                                decimal_places=12,
                                help_text="Unrounded; empty where only the period's sum has a price.",
                                max_digits=32,
                                null=True,
                            ),
                        ),
                        ("currency", models.CharField(max_length=3)),
                        ("metadata", models.JSONField(default=dict)),
                        ("occurred_at", models.DateTimeField()),
                        ("usage_date", models.DateField(help_text="The tenant's local day.")),
                        ("dedup_key", models.CharField(max_length=200)),
                        ("created_at", models.DateTimeField()),
                        (
                            "billing_period",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="usage.billingperiod",
                            ),
                        ),
                        (
                            "rate",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="usage.pricingrate",
                            ),
                        ),
                        (
                            "tenant",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="accounts.tenant",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "usage_records",
                        "abstract": False,
                        "base_manager_name": "unscoped",
                        "default_manager_name": "unscoped",
                    },
                    managers=[
                        ("unscoped", django.db.models.manager.Manager()),
                    ],
                ),
                migrations.AddIndex(
                    model_name="usagerecord",
                    index=models.Index(fields=["tenant", "-occurred_at", "-id"], name="usage_records_newest"),
                ),
            ],
        ),
    ]
