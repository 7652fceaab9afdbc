import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

import common.ids
from accounts.tenancy.operations import EnableRowLevelSecurity


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_agents_are_declared_gone"),
        ("billing", "0010_exports"),
        ("usage", "0012_heal_partitions"),
    ]

    operations = [
        migrations.CreateModel(
            name="BillingMail",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("invoice", "Invoice"),
                            ("credit_note", "Credit note"),
                            ("reminder", "Reminder"),
                            ("top_up", "Top-up"),
                        ],
                        max_length=11,
                    ),
                ),
                ("key", models.CharField(help_text="What it is, once: a repeat changes nothing.", max_length=80)),
                (
                    "days",
                    models.SmallIntegerField(
                        blank=True, help_text="Of a reminder: days after the due date.", null=True
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("canceled", "Canceled"),
                            ("failed", "Failed"),
                            ("unclear", "Unclear"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("recipient", models.EmailField(blank=True, help_text="Whom it went to.", max_length=254)),
                ("reason", models.CharField(blank=True, help_text="What kept it from being sent.", max_length=300)),
                ("attempts", models.PositiveIntegerField(default=0)),
                (
                    "next_at",
                    models.DateTimeField(blank=True, help_text="When it is sent; empty once it is done.", null=True),
                ),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "billing_mails",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="TopUp",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("series", models.CharField(max_length=20)),
                ("series_number", models.BigIntegerField()),
                ("number", models.CharField(max_length=40)),
                (
                    "reference",
                    models.CharField(
                        help_text="For the transfer: a creditor reference (ISO 11649) with check digits.", max_length=25
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=3, max_digits=20)),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("paid", "Paid"), ("canceled", "Canceled")],
                        default="open",
                        max_length=8,
                    ),
                ),
                (
                    "amount_paid",
                    models.DecimalField(decimal_places=3, default=0, help_text="Sum of the payments.", max_digits=20),
                ),
                ("seller", models.JSONField(default=dict, help_text="The seller as it was when it was asked for.")),
                ("buyer", models.JSONField(default=dict, help_text="The buyer as it was when it was asked for.")),
                ("issue_date", models.DateField()),
                ("created_at", models.DateTimeField(help_text="When it was asked for.")),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("canceled_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "top_ups",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterField(
            model_name="payment",
            name="invoice",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="billing.invoice",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("status__in", ["pending", "overdue"])), fields=["due_date"], name="invoices_owed"
            ),
        ),
        migrations.AddField(
            model_name="billingmail",
            name="credit_note",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mails",
                to="billing.creditnote",
            ),
        ),
        migrations.AddField(
            model_name="billingmail",
            name="invoice",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mails",
                to="billing.invoice",
            ),
        ),
        migrations.AddField(
            model_name="billingmail",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="topup",
            name="legal_entity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.legalentity"
            ),
        ),
        migrations.AddField(
            model_name="topup",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="billingmail",
            name="top_up",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mails",
                to="billing.topup",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="top_up",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="billing.topup",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["tenant", "-received_at", "-id"], name="payments_newest"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("invoice__isnull", True), ("top_up__isnull", True), _connector="XOR"),
                name="payments_of_one",
                violation_error_message="A payment is for an invoice or for a top-up.",
            ),
        ),
        migrations.AddIndex(
            model_name="topup",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="top_ups_newest"),
        ),
        migrations.AddConstraint(
            model_name="topup",
            constraint=models.UniqueConstraint(
                fields=("legal_entity", "series", "series_number"), name="top_ups_series"
            ),
        ),
        migrations.AddConstraint(
            model_name="topup",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("amount_paid__gte", 0)),
                name="top_ups_amount",
                violation_error_message="A top-up is more than 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="topup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "paid"), _negated=True), ("paid_at__isnull", False), _connector="OR"
                ),
                name="top_ups_paid",
                violation_error_message="What is paid says since when.",
            ),
        ),
        migrations.AddIndex(
            model_name="billingmail",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["next_at", "id"], name="billing_mails_due"
            ),
        ),
        migrations.AddIndex(
            model_name="billingmail",
            index=models.Index(
                condition=models.Q(("state", "sending")), fields=["claimed_at"], name="billing_mails_sending"
            ),
        ),
        migrations.AddConstraint(
            model_name="billingmail",
            constraint=models.UniqueConstraint(
                fields=("tenant", "key"),
                name="billing_mails_once",
                violation_error_message="This e-mail is to be sent already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("credit_note", None),
                        ("invoice__isnull", False),
                        ("kind__in", ["invoice", "reminder"]),
                        ("top_up", None),
                    ),
                    models.Q(
                        ("credit_note__isnull", False), ("invoice", None), ("kind", "credit_note"), ("top_up", None)
                    ),
                    models.Q(("credit_note", None), ("invoice", None), ("kind", "top_up"), ("top_up__isnull", False)),
                    _connector="OR",
                ),
                name="billing_mails_about",
                violation_error_message="An e-mail is about an invoice, a credit note or a top-up.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_at__isnull", False), ("state", "waiting")),
                    models.Q(models.Q(("state", "waiting"), _negated=True), ("next_at", None)),
                    _connector="OR",
                ),
                name="billing_mails_next",
                violation_error_message="What waits has a time, the rest has none.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingmail",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "reminder"), _negated=True), ("days__isnull", False), _connector="OR"
                ),
                name="billing_mails_days",
                violation_error_message="A reminder says which.",
            ),
        ),
        EnableRowLevelSecurity("billing_mails"),
        EnableRowLevelSecurity("top_ups"),
    ]
