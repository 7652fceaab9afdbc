import django.db.models.deletion
import django.db.models.expressions
import django.db.models.manager
from django.db import migrations, models

import common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_row_level_security"),
        ("usage", "0006_ship_catalogue"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("invoice_number", models.CharField(blank=True, help_text="Given when finalized.", max_length=40)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("parked", "Parked"),
                            ("pending", "Pending"),
                            ("paid", "Paid"),
                            ("overdue", "Overdue"),
                            ("void", "Void"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("period_start", models.DateField()),
                ("period_end", models.DateField(help_text="The last day, inclusive.")),
                ("currency", models.CharField(max_length=3)),
                (
                    "subtotal",
                    models.DecimalField(decimal_places=3, default=0, help_text="Sum of the lines.", max_digits=20),
                ),
                (
                    "allowance",
                    models.DecimalField(
                        decimal_places=3,
                        default=0,
                        help_text="Included or promotional credit used; lowers what is taxed.",
                        max_digits=20,
                    ),
                ),
                ("tax", models.DecimalField(decimal_places=3, default=0, max_digits=20)),
                ("total_amount", models.DecimalField(decimal_places=3, default=0, max_digits=20)),
                ("amount_paid", models.DecimalField(decimal_places=3, default=0, max_digits=20)),
                ("issue_date", models.DateField(blank=True, null=True)),
                ("due_date", models.DateField(blank=True, null=True)),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("payment_method", models.CharField(blank=True, max_length=40)),
                ("payment_reference", models.CharField(blank=True, max_length=80)),
                ("notes", models.TextField(blank=True)),
                (
                    "usage_days",
                    models.JSONField(default=list, help_text="Usage by day and meter, as of the lines: the appendix."),
                ),
                ("drafted_at", models.DateTimeField(help_text="When the lines were made.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "billing_period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="usage.billingperiod"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="usage.subscription"
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
                "db_table": "invoices",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="InvoiceDocument",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("drafted_at", models.DateTimeField()),
                ("content", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "invoice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="document", to="billing.invoice"
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
                "db_table": "invoice_documents",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="InvoiceLineItem",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveIntegerField()),
                ("kind", models.CharField(choices=[("fee", "Fee"), ("usage", "Usage")], max_length=5)),
                ("channel", models.CharField(blank=True, max_length=20)),
                ("resource_type", models.CharField(blank=True, max_length=20)),
                ("description", models.CharField(max_length=200)),
                ("detail", models.CharField(blank=True, max_length=200)),
                ("service_start", models.DateField()),
                ("service_end", models.DateField(help_text="The last day, inclusive.")),
                (
                    "quantity",
                    models.DecimalField(decimal_places=6, help_text="In priced units, e.g. minutes.", max_digits=24),
                ),
                ("unit", models.CharField(max_length=20)),
                (
                    "unit_price",
                    models.DecimalField(
                        decimal_places=10, help_text="Empty where it has tiers.", max_digits=20, null=True
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=3, max_digits=20)),
                ("tax", models.DecimalField(decimal_places=3, default=0, max_digits=20)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="billing.invoice"
                    ),
                ),
                (
                    "rate",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="usage.pricingrate",
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
                "db_table": "invoice_line_items",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="LegalEntity",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                ("address", models.TextField(blank=True, help_text="One line each, without the name.")),
                ("country", models.CharField(blank=True, help_text="ISO 3166-1, e.g. IE.", max_length=2)),
                ("tax_id", models.CharField(blank=True, max_length=40)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("is_default", models.BooleanField(default=False, help_text="Sells where no other is named.")),
            ],
            options={
                "verbose_name_plural": "legal entities",
                "db_table": "legal_entities",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("is_default",),
                        name="legal_entities_one_default",
                        violation_error_message="Another company is the default seller.",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="invoices_newest"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                fields=("tenant", "subscription", "billing_period"),
                name="invoices_one_per_period",
                violation_error_message="This period has an invoice already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_amount",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("subtotal"), "-", models.F("allowance")
                            ),
                            "+",
                            models.F("tax"),
                        ),
                    )
                ),
                name="invoices_total",
                violation_error_message="The total is subtotal less allowance plus tax.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("allowance__gte", 0), ("allowance__lte", models.F("subtotal")), ("amount_paid__gte", 0)
                ),
                name="invoices_not_negative",
                violation_error_message="Credit covers no more than the lines.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("invoice_number", ""), ("status__in", ["draft", "parked"])),
                    models.Q(
                        models.Q(("status__in", ["draft", "parked"]), _negated=True),
                        models.Q(("invoice_number", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="invoices_number",
                violation_error_message="An invoice has a number once it is finalized, and a draft has none.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicedocument",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                name="invoice_documents_hash",
                violation_error_message="The hash is 64 hex digits.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicelineitem",
            constraint=models.UniqueConstraint(fields=("invoice", "position"), name="invoice_line_items_position"),
        ),
        migrations.AddConstraint(
            model_name="invoicelineitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("service_end__gte", models.F("service_start"))),
                name="invoice_line_items_service",
                violation_error_message="The service ends after it starts.",
            ),
        ),
    ]
