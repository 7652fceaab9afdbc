import django.core.validators
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_row_level_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="Meter",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(max_length=20)),
                ("resource_type", models.CharField(max_length=20)),
                ("name", models.CharField(help_text="As an invoice says it, e.g. Voice.", max_length=60)),
                ("unit", models.CharField(help_text="One priced unit, e.g. minute.", max_length=20)),
                ("unit_plural", models.CharField(max_length=20)),
                (
                    "metered_unit",
                    models.CharField(help_text="What quantities are kept in, e.g. second.", max_length=20),
                ),
                (
                    "price_per",
                    models.PositiveIntegerField(default=1, help_text="Metered units in one priced unit, e.g. 60."),
                ),
                ("position", models.PositiveSmallIntegerField(help_text="Order on invoices and pages.")),
            ],
            options={
                "db_table": "usage_meters",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("channel", "resource_type"),
                        name="usage_meters_once",
                        violation_error_message="This meter exists already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price_per__gte", 1)),
                        name="usage_meters_price_per",
                        violation_error_message="A priced unit has at least one metered unit.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PricingPlan",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "slug",
                    models.SlugField(
                        error_messages={"unique": "This plan exists already."}, max_length=40, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "currency",
                    models.CharField(
                        max_length=3,
                        validators=[django.core.validators.RegexValidator("^[A-Z]{3}$", "ISO 4217, in capitals.")],
                    ),
                ),
                ("monthly_fee", models.DecimalField(decimal_places=10, max_digits=20)),
                ("included_credit", models.DecimalField(decimal_places=10, default=0, max_digits=20)),
                ("is_credit_once", models.BooleanField(default=False, help_text="Granted once, not every period.")),
                ("trial_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("is_offered", models.BooleanField(default=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "db_table": "pricing_plans",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("included_credit__gte", 0), ("monthly_fee__gte", 0)),
                        name="pricing_plans_not_negative",
                        violation_error_message="Fee and credit are 0 or more.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PricingRate",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(max_length=20)),
                ("resource_type", models.CharField(max_length=20)),
                (
                    "direction",
                    models.CharField(blank=True, help_text="inbound, outbound, or empty for any.", max_length=8),
                ),
                (
                    "destination_prefix",
                    models.CharField(
                        blank=True,
                        help_text="Empty for any.",
                        max_length=15,
                        validators=[django.core.validators.RegexValidator("^[0-9]*$", "Digits only.")],
                    ),
                ),
                (
                    "country",
                    models.CharField(blank=True, help_text="ISO 3166-1, where the prefix leads.", max_length=2),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "model",
                    models.CharField(
                        choices=[
                            ("flat", "Flat"),
                            ("graduated", "Graduated"),
                            ("volume", "Volume"),
                            ("package", "Package"),
                        ],
                        default="flat",
                        max_length=10,
                    ),
                ),
                (
                    "unit_price",
                    models.DecimalField(
                        decimal_places=10,
                        help_text="Per priced unit, e.g. per minute; of a package, per package.",
                        max_digits=20,
                    ),
                ),
                (
                    "tiers",
                    models.JSONField(blank=True, default=list, help_text='[{"up_to": "100", "unit_price": "0.1"}, …]'),
                ),
                ("package_size", models.DecimalField(decimal_places=6, default=1, max_digits=24)),
                ("connect_fee", models.DecimalField(decimal_places=10, default=0, max_digits=20)),
                ("initial_seconds", models.PositiveIntegerField(default=0, help_text="0: no call increments.")),
                ("step_seconds", models.PositiveIntegerField(default=0)),
                ("included_quantity", models.DecimalField(decimal_places=6, default=0, max_digits=24)),
                ("minimum_amount", models.DecimalField(decimal_places=10, default=0, max_digits=20)),
                ("effective_from", models.DateField(help_text="First day, in the tenant's zone.")),
                (
                    "effective_until",
                    models.DateField(blank=True, help_text="Last day; empty: until replaced.", null=True),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "plan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rates",
                        to="usage.pricingplan",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        help_text="An override.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "db_table": "pricing_rates",
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("trialing", "Trialing"), ("active", "Active"), ("canceled", "Canceled")],
                        max_length=10,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("started_at", models.DateTimeField()),
                ("trial_ends_at", models.DateTimeField(blank=True, null=True)),
                ("canceled_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="usage.pricingplan"
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
                "db_table": "subscriptions",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="BillingPeriod",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("period_start", models.DateField()),
                ("period_end", models.DateField(help_text="The last day, inclusive.")),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(help_text="The first moment after it.")),
                ("timezone", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=6),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="periods", to="usage.subscription"
                    ),
                ),
            ],
            options={
                "db_table": "billing_periods",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="UsageDedup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("content_hash", models.BinaryField(max_length=32)),
                ("record_id", models.UUIDField()),
                ("created_at", models.DateTimeField()),
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
                "db_table": "usage_dedup",
            },
        ),
        migrations.CreateModel(
            name="UsageSummary",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(max_length=20)),
                ("resource_type", models.CharField(max_length=20)),
                ("summary_date", models.DateField(help_text="The tenant's local day.")),
                ("total_quantity", models.DecimalField(decimal_places=6, max_digits=24)),
                ("billed_quantity", models.DecimalField(decimal_places=6, max_digits=24)),
                (
                    "total_cost",
                    models.DecimalField(
                        decimal_places=12,
                        help_text="Sum of the records' costs; 0 where records have none.",
                        max_digits=32,
                    ),
                ),
                ("record_count", models.BigIntegerField(help_text="A reversal counts -1.")),
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
                "verbose_name_plural": "usage summaries",
                "db_table": "usage_summaries",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="UsageSummaryDelta",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(max_length=20)),
                ("resource_type", models.CharField(max_length=20)),
                ("summary_date", models.DateField(help_text="The tenant's local day.")),
                ("total_quantity", models.DecimalField(decimal_places=6, max_digits=24)),
                ("billed_quantity", models.DecimalField(decimal_places=6, max_digits=24)),
                (
                    "total_cost",
                    models.DecimalField(
                        decimal_places=12,
                        help_text="Sum of the records' costs; 0 where records have none.",
                        max_digits=32,
                    ),
                ),
                ("record_count", models.BigIntegerField(help_text="A reversal counts -1.")),
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
                "db_table": "usage_summary_deltas",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="CreditEntry",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("source", models.CharField(choices=[("trial", "Trial"), ("included", "Included")], max_length=12)),
                (
                    "grant_key",
                    models.CharField(
                        help_text="What it is granted for, once: `trial`, `included:<period>`.", max_length=80
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=10, max_digits=20)),
                ("currency", models.CharField(max_length=3)),
                ("priority", models.PositiveSmallIntegerField(help_text="The smallest is used first.")),
                ("starts_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
                "verbose_name_plural": "credit entries",
                "db_table": "credit_entries",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "grant_key"),
                        name="credit_entries_once",
                        violation_error_message="This credit was granted already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="credit_entries_amount",
                        violation_error_message="Credit is more than 0.",
                    ),
                ],
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="PlanFeature",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("slug", models.SlugField(max_length=40)),
                ("value", models.JSONField(help_text="A number, true or false; null is without limit.", null=True)),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="features", to="usage.pricingplan"
                    ),
                ),
            ],
            options={
                "db_table": "plan_features",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("plan", "slug"),
                        name="plan_features_once",
                        violation_error_message="The plan has this feature already.",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("plan__isnull", False)),
                fields=(
                    "plan",
                    "channel",
                    "resource_type",
                    "destination_prefix",
                    "direction",
                    "currency",
                    "effective_from",
                ),
                name="pricing_rates_plan_once",
                violation_error_message="The plan has a rate for this from that day.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("tenant__isnull", False)),
                fields=(
                    "tenant",
                    "channel",
                    "resource_type",
                    "destination_prefix",
                    "direction",
                    "currency",
                    "effective_from",
                ),
                name="pricing_rates_tenant_once",
                violation_error_message="The tenant has a rate for this from that day.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("plan__isnull", False), ("tenant__isnull", False), _connector="XOR"),
                name="pricing_rates_one_owner",
                violation_error_message="A rate belongs to a plan or to a tenant.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("connect_fee__gte", 0),
                    ("included_quantity__gte", 0),
                    ("minimum_amount__gte", 0),
                    ("unit_price__gte", 0),
                ),
                name="pricing_rates_not_negative",
                violation_error_message="Prices and quantities are 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("package_size__gt", 0)),
                name="pricing_rates_package",
                violation_error_message="A package holds more than 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("initial_seconds", 0), ("step_seconds", 0)),
                    models.Q(("initial_seconds__gt", 0), ("step_seconds__gt", 0)),
                    _connector="OR",
                ),
                name="pricing_rates_increments",
                violation_error_message="Give both initial and step seconds, or neither.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("effective_until__isnull", True),
                    ("effective_until__gte", models.F("effective_from")),
                    _connector="OR",
                ),
                name="pricing_rates_days",
                violation_error_message="The last day is not before the first.",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricingrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("direction__in", ["", "inbound", "outbound"])),
                name="pricing_rates_direction",
                violation_error_message="The direction is inbound, outbound or empty.",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "canceled"), _negated=True),
                fields=("tenant",),
                name="subscriptions_one_live",
                violation_error_message="The tenant has a subscription already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("canceled_at__isnull", False), ("status", "canceled")),
                    models.Q(models.Q(("status", "canceled"), _negated=True), ("canceled_at__isnull", True)),
                    _connector="OR",
                ),
                name="subscriptions_canceled_at",
                violation_error_message="A canceled subscription has its moment, a live one has none.",
            ),
        ),
        migrations.AddIndex(
            model_name="billingperiod",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["tenant", "starts_at"], name="billing_periods_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=models.UniqueConstraint(
                fields=("tenant", "starts_at"),
                name="billing_periods_start",
                violation_error_message="A period of this tenant starts then already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__gt", models.F("starts_at")), ("period_end__gte", models.F("period_start"))
                ),
                name="billing_periods_order",
                violation_error_message="A period ends after it starts.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("state", "open")),
                    models.Q(("closed_at__isnull", False), ("state", "closed")),
                    _connector="OR",
                ),
                name="billing_periods_closed_at",
                violation_error_message="A closed period has its moment, an open one has none.",
            ),
        ),
        migrations.AddIndex(
            model_name="usagesummary",
            index=models.Index(fields=["tenant", "summary_date"], name="usage_summaries_day"),
        ),
        migrations.AddConstraint(
            model_name="usagesummary",
            constraint=models.UniqueConstraint(
                fields=("tenant", "billing_period", "summary_date", "channel", "resource_type", "rate"),
                name="usage_summaries_once",
            ),
        ),
    ]
