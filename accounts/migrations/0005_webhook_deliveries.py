import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey

# Positions are given by one dispatcher at a time (accounts.webhooks.dispatching).
POSITIONS = "CREATE SEQUENCE webhook_outbox_positions"
# Who has no secret cannot be signed for. Row-level security holds the owner too: only irisx_system sees every row.
DISABLE_UNSIGNED = """
SET LOCAL ROLE irisx_system;
UPDATE webhook_endpoints SET is_active = false, disabled_reason = 'no_secret', disabled_at = now();
SET CONSTRAINTS ALL IMMEDIATE;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_agents_are_declared_gone"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("delivery_id", models.UUIDField()),
                ("number", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("duration_ms", models.PositiveIntegerField()),
                ("status_code", models.PositiveSmallIntegerField(null=True)),
                ("error", models.CharField(blank=True, max_length=40)),
                ("answer", models.CharField(blank=True, help_text="The answer's first bytes.", max_length=512)),
            ],
            options={
                "db_table": "webhook_attempts",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("event_id", models.UUIDField()),
                ("type", models.CharField(max_length=60)),
                ("object_id", models.CharField(max_length=60)),
                ("sequence", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("delivered", "Delivered"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("attempt_count", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("last_attempt_at", models.DateTimeField(null=True)),
                ("status_code", models.PositiveSmallIntegerField(help_text="Of the last answer.", null=True)),
                ("error", models.CharField(blank=True, help_text="Why the last attempt had no answer.", max_length=40)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "db_table": "webhook_deliveries",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="WebhookLane",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("object_id", models.CharField(max_length=60)),
                ("due_at", models.DateTimeField()),
                ("is_held", models.BooleanField(default=True)),
                ("leased_until", models.DateTimeField(null=True)),
                ("lease", models.UUIDField(null=True)),
            ],
            options={
                "db_table": "webhook_lanes",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="position",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="disabled_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="disabled_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("by_request", "By Request"),
                    ("gone", "Answered 410"),
                    ("failing", "Failed for days"),
                    ("no_secret", "Has no secret yet"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="failing_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="failures",
            field=models.PositiveIntegerField(default=0, help_text="Failed attempts since the last success."),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="former_secret",
            field=models.TextField(blank=True, help_text="Signs too until former_until."),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="former_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="last_failure_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="last_success_at",
            field=models.DateTimeField(blank=True, help_text="To the minute.", null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="paused_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="secret",
            field=models.TextField(blank=True),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                condition=models.Q(("position", None)), fields=["created_at"], name="webhook_outbox_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                condition=models.Q(("position__isnull", False)),
                fields=["tenant", "position"],
                name="webhook_outbox_position",
            ),
        ),
        migrations.RunSQL(DISABLE_UNSIGNED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_active", False), models.Q(("secret", ""), _negated=True), _connector="OR"),
                name="webhook_endpoints_signed",
                violation_error_message="An endpoint without a secret cannot be enabled: rotate its secret first.",
            ),
        ),
        migrations.AddField(
            model_name="webhookattempt",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.tenant",
            ),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.webhookendpoint",
            ),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.tenant",
            ),
        ),
        migrations.AddField(
            model_name="webhooklane",
            name="endpoint",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.webhookendpoint",
            ),
        ),
        migrations.AddField(
            model_name="webhooklane",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookattempt",
            index=models.Index(fields=["tenant", "delivery_id", "started_at"], name="webhook_attempts_delivery"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["tenant", "endpoint", "-created_at", "-id"], name="webhook_deliveries_log"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["endpoint", "object_id", "sequence"],
                name="webhook_deliveries_lane",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("tenant", "endpoint", "event_id"), name="webhook_deliveries_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_attempt_at__isnull", False), ("status", "pending")),
                    models.Q(models.Q(("status", "pending"), _negated=True), ("next_attempt_at", None)),
                    _connector="OR",
                ),
                name="webhook_deliveries_due",
                violation_error_message="What is pending has a next attempt, and nothing else has.",
            ),
        ),
        migrations.AddIndex(
            model_name="webhooklane",
            index=models.Index(fields=["endpoint", "due_at"], name="webhook_lanes_due"),
        ),
        migrations.AddIndex(
            model_name="webhooklane",
            index=models.Index(
                condition=models.Q(("leased_until__isnull", False)), fields=["endpoint"], name="webhook_lanes_leased"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhooklane",
            constraint=models.UniqueConstraint(fields=("endpoint", "object_id"), name="webhook_lanes_once"),
        ),
        migrations.RunSQL(POSITIONS, "DROP SEQUENCE webhook_outbox_positions"),
        EnableRowLevelSecurity("webhook_deliveries"),
        EnableRowLevelSecurity("webhook_attempts"),
        EnableRowLevelSecurity("webhook_lanes"),
        LedgerPrimaryKey("webhook_deliveries"),
        LedgerPrimaryKey("webhook_attempts"),
    ]
