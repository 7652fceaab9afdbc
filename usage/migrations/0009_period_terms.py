import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models
from django.db.models import F, Q

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity
from common.rowlevel import SYSTEM_ROLE

# What was agreed for a period was read from its subscription until now. The foreign key is checked at once, so that the
# column may be altered in the same transaction.
TERMS = f"""
SET LOCAL ROLE {SYSTEM_ROLE};
UPDATE billing_periods AS period SET
    plan_id = plan.id,
    fee = CASE WHEN period.starts_at > subscription.started_at THEN plan.monthly_fee ELSE 0 END,
    included_credit = CASE WHEN plan.is_credit_once THEN 0 ELSE plan.included_credit END
FROM subscriptions AS subscription JOIN pricing_plans AS plan ON plan.id = subscription.plan_id
WHERE subscription.id = period.subscription_id;
RESET ROLE;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""
# Before there was a state `parked`, whatever was closed was billed.
UNPARK = f"""
SET LOCAL ROLE {SYSTEM_ROLE};
UPDATE billing_periods SET state = 'closed', parked_reason = '' WHERE state = 'parked';
RESET ROLE;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

PLAN = {"on_delete": django.db.models.deletion.PROTECT, "related_name": "+", "to": "usage.pricingplan"}
STATES = [("open", "Open"), ("closed", "Closed")]


def price(**options):
    return models.DecimalField(max_digits=20, decimal_places=10, **options)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_row_level_security"), ("usage", "0008_credit_ledger")]

    operations = [
        migrations.AddField(
            "subscription",
            "next_plan",
            models.ForeignKey(
                blank=True, null=True, help_text="From the next period on; of a trial: once it ends.", **PLAN
            ),
        ),
        migrations.AddField(
            "subscription",
            "ends_at",
            models.DateTimeField(
                blank=True, null=True, help_text="Canceled with the period that ends then; nothing is used after it."
            ),
        ),
        migrations.AddField("billingperiod", "plan", models.ForeignKey(null=True, **PLAN)),
        migrations.AddField("billingperiod", "fee", price(default=0, help_text="Of these days, in advance.")),
        migrations.AddField("billingperiod", "included_credit", price(default=0)),
        migrations.AddField(
            "billingperiod",
            "checked_at",
            models.DateTimeField(blank=True, null=True, help_text="When its sums were found to equal its records."),
        ),
        migrations.AddField("billingperiod", "parked_reason", models.CharField(blank=True, default="", max_length=200)),
        migrations.AlterField("billingperiod", "parked_reason", models.CharField(blank=True, max_length=200)),
        migrations.AddField(
            "billingperiod",
            "parked_figures",
            models.JSONField(blank=True, default=list, help_text="The first differences: records and sums."),
        ),
        migrations.AlterField(
            "billingperiod",
            "state",
            models.CharField(choices=[*STATES, ("parked", "Parked")], default="open", max_length=6),
        ),
        migrations.RunSQL(TERMS, migrations.RunSQL.noop),
        migrations.AlterField("billingperiod", "plan", models.ForeignKey(**PLAN)),
        migrations.RemoveConstraint("billingperiod", "billing_periods_closed_at"),
        migrations.AddConstraint(
            "billingperiod",
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True, checked_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="billing_periods_closed_at",
                violation_error_message="A closed period has its moment, an open one has none.",
            ),
        ),
        migrations.AddConstraint(
            "billingperiod",
            models.CheckConstraint(
                condition=Q(state="parked", checked_at__isnull=True) & ~Q(parked_reason="")
                | (~Q(state="parked") & Q(parked_reason="")),
                name="billing_periods_parked",
                violation_error_message="A parked period says why, another has nothing to say.",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, UNPARK),
        migrations.AddConstraint(
            "billingperiod",
            models.CheckConstraint(
                condition=Q(fee__gte=0, included_credit__gte=0),
                name="billing_periods_terms",
                violation_error_message="Fee and credit are 0 or more.",
            ),
        ),
        migrations.AddConstraint(
            "subscription",
            models.CheckConstraint(
                condition=Q(next_plan__isnull=True) | Q(ends_at__isnull=True),
                name="subscriptions_one_future",
                violation_error_message="A subscription that ends has no next plan.",
            ),
        ),
        migrations.AddIndex(
            "billingperiod",
            models.Index(
                fields=["closed_at"],
                name="billing_periods_unchecked",
                condition=Q(state="closed", checked_at__isnull=True),
            ),
        ),
        migrations.AddIndex(
            "billingperiod",
            models.Index(fields=["period_end"], name="billing_periods_checked", condition=Q(checked_at__isnull=False)),
        ),
        migrations.AddIndex(
            "subscription",
            models.Index(fields=["ends_at"], name="subscriptions_ending", condition=~Q(status="canceled")),
        ),
        migrations.AddIndex(
            "subscription",
            models.Index(fields=["trial_ends_at"], name="subscriptions_trials", condition=Q(status="trialing")),
        ),
        migrations.CreateModel(
            name="SubscriptionCharge",
            fields=[
                (
                    "id",
                    models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="usage.subscription"
                    ),
                ),
                (
                    "billing_period",
                    models.ForeignKey(
                        help_text="Whose invoice bills it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to="usage.billingperiod",
                    ),
                ),
                ("from_plan", models.ForeignKey(**PLAN)),
                ("plan", models.ForeignKey(**PLAN)),
                ("service_start", models.DateField()),
                ("service_end", models.DateField(help_text="The last day, inclusive.")),
                ("cycle_days", models.PositiveSmallIntegerField(help_text="Days the monthly fee is for.")),
                ("amount", price(help_text="Rounded.")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "subscription_charges",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["tenant", "billing_period", "plan"],
                        name="subscription_charges_once",
                        violation_error_message="This change is charged already.",
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gte=0, service_end__gte=F("service_start")),
                        name="subscription_charges_amount",
                        violation_error_message="A change costs 0 or more, for one day or more.",
                    ),
                ],
            },
            managers=[("unscoped", django.db.models.manager.Manager())],
        ),
        EnableRowLevelSecurity("subscription_charges"),
    ]
