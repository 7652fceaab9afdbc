import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity, LedgerPrimaryKey
from usage import shipped


def ship(apps, schema_editor):
    """Store the shipped features."""
    shipped.store_features(apps.get_model("usage", "Feature"), using=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_row_level_security"),
        ("usage", "0010_uploads"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feature",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "slug",
                    models.SlugField(
                        error_messages={"unique": "This feature exists already."}, max_length=40, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[("boolean", "Yes or no"), ("static", "A number"), ("metered", "A quota per period")],
                        max_length=8,
                    ),
                ),
                (
                    "cap",
                    models.CharField(
                        choices=[("block", "Refuse what is over it"), ("alert", "Only tell")],
                        default="block",
                        help_text="Of a quota.",
                        max_length=5,
                    ),
                ),
                ("unit", models.CharField(blank=True, help_text="What is counted, e.g. minutes.", max_length=20)),
                (
                    "channel",
                    models.CharField(
                        blank=True, help_text="Of a quota: the meter that counts it, if any.", max_length=20
                    ),
                ),
                ("resource_type", models.CharField(blank=True, max_length=20)),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="Order on pages.")),
            ],
            options={
                "db_table": "features",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("channel", ""), ("resource_type", "")),
                            models.Q(
                                ("kind", "metered"),
                                models.Q(("channel", ""), _negated=True),
                                models.Q(("resource_type", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="features_meter",
                        violation_error_message="Only a quota has a meter, and both of its names.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Entitlement",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "value",
                    models.JSONField(
                        blank=True, help_text="A number, true or false; null is without limit.", null=True
                    ),
                ),
                (
                    "cap",
                    models.CharField(
                        blank=True,
                        choices=[("block", "Refuse what is over it"), ("alert", "Only tell")],
                        help_text="Empty: the feature's.",
                        max_length=5,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                (
                    "ends_at",
                    models.DateTimeField(blank=True, help_text="The first moment it no longer holds.", null=True),
                ),
                ("note", models.CharField(blank=True, help_text="Why.", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "feature",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="usage.feature"
                    ),
                ),
            ],
            options={
                "db_table": "entitlements",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "feature", "starts_at"),
                        name="entitlements_start",
                        violation_error_message="Another one of this feature starts then.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="entitlements_order",
                        violation_error_message="It ends after it starts.",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="QuotaCounter",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("period_id", models.UUIDField()),
                ("feature", models.CharField(help_text="The feature's slug.", max_length=40)),
                ("used", models.DecimalField(decimal_places=6, default=0, max_digits=24)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "quota_counters",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "period_id", "feature"), name="quota_counters_once"),
                    models.CheckConstraint(
                        condition=models.Q(("used__gte", 0)),
                        name="quota_counters_not_negative",
                        violation_error_message="No less than 0 is used.",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ThresholdCrossing",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("period_id", models.UUIDField()),
                (
                    "subject",
                    models.CharField(
                        choices=[("quota", "A quota"), ("credit", "Credit"), ("cost", "What the period costs")],
                        max_length=6,
                    ),
                ),
                ("feature", models.CharField(blank=True, max_length=40)),
                ("basis", models.CharField(choices=[("percent", "Percent"), ("amount", "Amount")], max_length=7)),
                ("value", models.DecimalField(decimal_places=6, max_digits=24)),
                (
                    "used",
                    models.DecimalField(
                        decimal_places=6, help_text="Of a quota in its unit, else in money.", max_digits=24
                    ),
                ),
                (
                    "limit",
                    models.DecimalField(
                        decimal_places=6,
                        help_text="The quota, or the credit there was; empty for a mere amount.",
                        max_digits=24,
                        null=True,
                    ),
                ),
                ("crossed_at", models.DateTimeField()),
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
                "db_table": "threshold_crossings",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "period_id", "subject", "feature", "basis", "value"),
                        name="threshold_crossings_once",
                    )
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ThresholdSetting",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "subject",
                    models.CharField(
                        choices=[("quota", "A quota"), ("credit", "Credit"), ("cost", "What the period costs")],
                        max_length=6,
                    ),
                ),
                (
                    "feature",
                    models.CharField(
                        blank=True, help_text="Of a quota: the feature's slug; empty: all others.", max_length=40
                    ),
                ),
                (
                    "percents",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(
                            validators=[
                                django.core.validators.MinValueValidator(1),
                                django.core.validators.MaxValueValidator(1000),
                            ]
                        ),
                        blank=True,
                        default=list,
                        help_text="Of the quota, or of the credit there was.",
                        size=None,
                    ),
                ),
                (
                    "amounts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DecimalField(decimal_places=6, max_digits=24),
                        blank=True,
                        default=list,
                        help_text="Used of a quota, in its unit; left of the credit; or what the period costs, in money.",
                        size=None,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "threshold_settings",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "subject", "feature"),
                        name="threshold_settings_once",
                        violation_error_message="There are thresholds for this already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("subject", "quota"), ("feature", ""), _connector="OR"),
                        name="threshold_settings_feature",
                        violation_error_message="Only a quota's thresholds name a feature.",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="UsageWatch",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("period_id", models.UUIDField()),
                ("record_count", models.BigIntegerField()),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=24)),
                ("watched_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "usage_watches",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [models.UniqueConstraint(fields=("tenant",), name="usage_watches_one")],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        EnableRowLevelSecurity("entitlements"),
        EnableRowLevelSecurity("quota_counters"),
        EnableRowLevelSecurity("threshold_settings"),
        EnableRowLevelSecurity("threshold_crossings"),
        EnableRowLevelSecurity("usage_watches"),
        LedgerPrimaryKey("threshold_crossings"),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
