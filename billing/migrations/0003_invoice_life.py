import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.manager
from django.db import migrations, models

import accounts.models
import billing.models.parties
import common.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_agents_are_declared_gone"),
        ("billing", "0002_row_level_security"),
        ("usage", "0006_ship_catalogue"),
    ]

    operations = [
        migrations.CreateModel(
            name="BillingProfile",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("legal_name", models.CharField(blank=True, help_text="Empty: the tenant's name.", max_length=120)),
                ("address", models.TextField(blank=True, help_text="Street lines, one line each, without the name.")),
                ("postal_code", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=80)),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        help_text="ISO 3166-1, e.g. IE.",
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{2}$", "Two capital letters (ISO 3166-1), e.g. IE."
                            )
                        ],
                    ),
                ),
                (
                    "tax_id",
                    models.CharField(blank=True, help_text="VAT id with its country, e.g. DE136695976.", max_length=40),
                ),
                (
                    "reference",
                    models.CharField(blank=True, help_text="The buyer's own, printed on each invoice.", max_length=80),
                ),
                (
                    "language",
                    models.CharField(choices=[("en", "English"), ("de", "German")], default="en", max_length=2),
                ),
                (
                    "treatment",
                    models.CharField(
                        choices=[
                            ("automatic", "By the countries and the VAT id"),
                            ("reverse_charge", "Reverse charge: the buyer owes the tax"),
                            ("exempt", "Exempt"),
                        ],
                        default="automatic",
                        max_length=14,
                    ),
                ),
                (
                    "exemption_reason",
                    models.CharField(blank=True, help_text="Printed where the buyer is exempt.", max_length=200),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "db_table": "billing_profiles",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(help_text="What it is, once: a repeat changes nothing.", max_length=80)),
                ("series", models.CharField(max_length=20)),
                ("series_number", models.BigIntegerField()),
                ("credit_note_number", models.CharField(max_length=40)),
                ("reason", models.CharField(max_length=200)),
                ("issue_date", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("subtotal", models.DecimalField(decimal_places=3, help_text="Sum of the lines.", max_digits=20)),
                ("tax", models.DecimalField(decimal_places=3, max_digits=20)),
                ("total_amount", models.DecimalField(decimal_places=3, max_digits=20)),
                ("tax_groups", models.JSONField(default=list, help_text="Base and tax by category and rate.")),
                ("tax_currency", models.CharField(blank=True, max_length=3)),
                ("tax_exchange_rate", models.DecimalField(blank=True, decimal_places=10, max_digits=20, null=True)),
                ("tax_in_tax_currency", models.DecimalField(blank=True, decimal_places=3, max_digits=20, null=True)),
                ("seller", models.JSONField(default=dict)),
                ("buyer", models.JSONField(default=dict)),
                ("line_count", models.PositiveIntegerField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(help_text="When it was issued.")),
            ],
            options={
                "db_table": "credit_notes",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="CreditNoteLine",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("position", models.PositiveIntegerField()),
                ("description", models.CharField(max_length=200)),
                ("service_start", models.DateField()),
                ("service_end", models.DateField(help_text="The last day, inclusive.")),
                ("amount", models.DecimalField(decimal_places=3, max_digits=20)),
                ("tax_category", models.CharField(max_length=2)),
                ("tax_rate", models.DecimalField(decimal_places=3, max_digits=6)),
                ("tax", models.DecimalField(decimal_places=3, max_digits=20)),
            ],
            options={
                "db_table": "credit_note_lines",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "currency",
                    models.CharField(
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{3}$", "Three capital letters (ISO 4217), e.g. EUR."
                            )
                        ],
                    ),
                ),
                (
                    "into_currency",
                    models.CharField(
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{3}$", "Three capital letters (ISO 4217), e.g. EUR."
                            )
                        ],
                    ),
                ),
                ("rate_date", models.DateField()),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                ("source", models.CharField(blank=True, help_text="Who published it, e.g. ECB.", max_length=80)),
            ],
            options={
                "db_table": "exchange_rates",
            },
        ),
        migrations.CreateModel(
            name="InvoiceSequence",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "series",
                    models.CharField(help_text="What numbers of it begin with: INV or INV-2026.", max_length=20),
                ),
                ("last", models.BigIntegerField()),
                ("last_issue_date", models.DateField()),
            ],
            options={
                "db_table": "invoice_sequences",
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(help_text="What it is, once: a repeat changes nothing.", max_length=80)),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=3, help_text="Below 0: given back, or moved to prepaid credit.", max_digits=20
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("bank_transfer", "Bank transfer"),
                            ("card", "Card"),
                            ("cash", "Cash"),
                            ("cheque", "Cheque"),
                            ("direct_debit", "Direct debit"),
                            ("other", "Other"),
                            ("credit", "Prepaid credit"),
                        ],
                        max_length=14,
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=80)),
                ("received_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "payments",
                "abstract": False,
                "base_manager_name": "unscoped",
                "default_manager_name": "unscoped",
            },
            managers=[
                ("unscoped", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="TaxRate",
            fields=[
                ("id", models.UUIDField(default=common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "country",
                    models.CharField(
                        help_text="ISO 3166-1, e.g. IE.",
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{2}$", "Two capital letters (ISO 3166-1), e.g. IE."
                            )
                        ],
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("S", "S: standard rate"),
                            ("Z", "Z: zero rate"),
                            ("E", "E: exempt"),
                            ("AE", "AE: reverse charge"),
                            ("O", "O: not subject to tax"),
                        ],
                        default="S",
                        max_length=2,
                    ),
                ),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=3,
                        help_text="Percent.",
                        max_digits=6,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
                ("reason", models.CharField(blank=True, help_text="Printed where nothing is charged.", max_length=200)),
                ("effective_from", models.DateField()),
                ("effective_until", models.DateField(blank=True, help_text="The last day, inclusive.", null=True)),
            ],
            options={
                "db_table": "tax_rates",
            },
        ),
        migrations.AddField(
            model_name="invoice",
            name="buyer",
            field=models.JSONField(default=dict, help_text="The buyer as it was when the invoice was finalized."),
        ),
        migrations.AddField(
            model_name="invoice",
            name="finalized_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="legal_entity",
            field=models.ForeignKey(
                blank=True,
                help_text="Who sold, once final.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.legalentity",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="parked_reasons",
            field=models.JSONField(default=list, help_text="What keeps it from being finalized: code and detail."),
        ),
        migrations.AddField(
            model_name="invoice",
            name="seller",
            field=models.JSONField(default=dict, help_text="The seller as it was when the invoice was finalized."),
        ),
        migrations.AddField(
            model_name="invoice",
            name="sent_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="series",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="invoice",
            name="series_number",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="tax_currency",
            field=models.CharField(blank=True, help_text="Tax is stated in it too. Empty: only in this.", max_length=3),
        ),
        migrations.AddField(
            model_name="invoice",
            name="tax_exchange_rate",
            field=models.DecimalField(blank=True, decimal_places=10, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="tax_groups",
            field=models.JSONField(default=list, help_text="Lines, allowance, base and tax by category and rate."),
        ),
        migrations.AddField(
            model_name="invoice",
            name="tax_in_tax_currency",
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="invoicelineitem",
            name="allowance",
            field=models.DecimalField(
                decimal_places=3, default=0, help_text="Its share of the invoice's allowance.", max_digits=20
            ),
        ),
        migrations.AddField(
            model_name="invoicelineitem",
            name="tax_category",
            field=models.CharField(blank=True, help_text="UNTDID 5305: S, Z, E, AE or O.", max_length=2),
        ),
        migrations.AddField(
            model_name="invoicelineitem",
            name="tax_rate",
            field=models.DecimalField(decimal_places=3, default=0, help_text="Percent.", max_digits=6),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="bank_name",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="bic",
            field=models.CharField(
                blank=True, max_length=11, validators=[billing.models.parties.check_bic], verbose_name="BIC"
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="city",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="credit_note_prefix",
            field=models.CharField(
                default="CN",
                max_length=12,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Z0-9]{1,12}$", "One to twelve capital letters and digits."
                    )
                ],
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="due_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                default=14,
                help_text="From issue to due.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(365)],
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="has_yearly_series",
            field=models.BooleanField(default=False, help_text="Numbers start anew each year: INV-2026-000001."),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="iban",
            field=models.CharField(
                blank=True, max_length=34, validators=[billing.models.parties.check_iban], verbose_name="IBAN"
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="invoice_prefix",
            field=models.CharField(
                default="INV",
                max_length=12,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Z0-9]{1,12}$", "One to twelve capital letters and digits."
                    )
                ],
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="postal_code",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="tax_currency",
            field=models.CharField(
                blank=True,
                help_text="Tax is stated in it too. Empty: the invoice's.",
                max_length=3,
                validators=[
                    django.core.validators.RegexValidator("^[A-Z]{3}$", "Three capital letters (ISO 4217), e.g. EUR.")
                ],
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="timezone",
            field=models.CharField(
                default="UTC",
                help_text="Whose day an invoice is issued on.",
                max_length=64,
                validators=[accounts.models.check_zone],
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="uses_oss",
            field=models.BooleanField(
                default=False,
                help_text="Charges consumers in other EU countries their country's tax.",
                verbose_name="one-stop shop",
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="amount_paid",
            field=models.DecimalField(decimal_places=3, default=0, help_text="Sum of the payments.", max_digits=20),
        ),
        migrations.AlterField(
            model_name="invoicelineitem",
            name="tax",
            field=models.DecimalField(
                decimal_places=3, default=0, help_text="Its share of its group's tax.", max_digits=20
            ),
        ),
        migrations.AlterField(
            model_name="legalentity",
            name="address",
            field=models.TextField(blank=True, help_text="Street lines, one line each, without the name."),
        ),
        migrations.AlterField(
            model_name="legalentity",
            name="country",
            field=models.CharField(
                blank=True,
                help_text="ISO 3166-1, e.g. IE.",
                max_length=2,
                validators=[
                    django.core.validators.RegexValidator("^[A-Z]{2}$", "Two capital letters (ISO 3166-1), e.g. IE.")
                ],
            ),
        ),
        migrations.AlterField(
            model_name="legalentity",
            name="tax_id",
            field=models.CharField(blank=True, help_text="VAT id with its country, e.g. IE1234567FA.", max_length=40),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "parked"]),
                    models.Q(
                        ("finalized_at__isnull", False),
                        ("legal_entity__isnull", False),
                        ("series_number__isnull", False),
                        ("amount_paid__lte", models.F("total_amount")),
                        ("due_date__gte", models.F("issue_date")),
                        ("issue_date__isnull", False),
                        models.Q(("seller", {}), _negated=True),
                        models.Q(("buyer", {}), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="invoices_finalized",
                violation_error_message="A finalized invoice has a number, dates and both parties.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                fields=("legal_entity", "series", "series_number"),
                name="invoices_series",
                violation_error_message="This number of the series is taken.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("invoice_number", ""), _negated=True),
                fields=("legal_entity", "invoice_number"),
                name="invoices_number_once",
                violation_error_message="This invoice number is taken.",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalentity",
            constraint=models.CheckConstraint(
                condition=models.Q(("invoice_prefix", models.F("credit_note_prefix")), _negated=True),
                name="legal_entities_two_series",
                violation_error_message="Invoices and credit notes have prefixes of their own.",
            ),
        ),
        migrations.AddField(
            model_name="billingprofile",
            name="seller",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: the default.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.legalentity",
            ),
        ),
        migrations.AddField(
            model_name="billingprofile",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credit_notes", to="billing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="legal_entity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.legalentity"
            ),
        ),
        migrations.AddField(
            model_name="creditnote",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteline",
            name="credit_note",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="billing.creditnote"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteline",
            name="invoice_line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credited_by", to="billing.invoicelineitem"
            ),
        ),
        migrations.AddField(
            model_name="creditnoteline",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.UniqueConstraint(
                fields=("currency", "into_currency", "rate_date"),
                name="exchange_rates_once",
                violation_error_message="There is a rate of that day already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0)),
                name="exchange_rates_rate",
                violation_error_message="A rate is more than 0.",
            ),
        ),
        migrations.AddField(
            model_name="invoicesequence",
            name="legal_entity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.legalentity"
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="billing.invoice"
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunds",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunded_by",
                to="billing.payment",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.UniqueConstraint(
                fields=("country", "effective_from"),
                name="tax_rates_once",
                violation_error_message="This country has a rate from that day already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("category", "S"), ("rate__gt", 0), ("rate__lte", 100)),
                    models.Q(models.Q(("category", "S"), _negated=True), ("rate", 0)),
                    _connector="OR",
                ),
                name="tax_rates_rate",
                violation_error_message="Only category S has a rate above 0, of 100 percent at most.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.UniqueConstraint(
                fields=("tenant",),
                name="billing_profiles_one",
                violation_error_message="The tenant has a billing profile already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("treatment", "exempt"), _negated=True),
                    models.Q(("exemption_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="billing_profiles_exemption",
                violation_error_message="Say why the buyer is exempt: the invoice must.",
            ),
        ),
        migrations.AddIndex(
            model_name="creditnote",
            index=models.Index(fields=["tenant", "-created_at", "-id"], name="credit_notes_newest"),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                fields=("tenant", "key"),
                name="credit_notes_once",
                violation_error_message="This credit note was issued already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                fields=("legal_entity", "series", "series_number"), name="credit_notes_series"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                fields=("legal_entity", "credit_note_number"), name="credit_notes_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_amount",
                        django.db.models.expressions.CombinedExpression(models.F("subtotal"), "+", models.F("tax")),
                    ),
                    ("total_amount__gte", 0),
                ),
                name="credit_notes_total",
                violation_error_message="The total is subtotal plus tax, and not below 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(condition=models.Q(("line_count__gt", 0)), name="credit_notes_lines"),
        ),
        migrations.AddConstraint(
            model_name="creditnoteline",
            constraint=models.UniqueConstraint(fields=("credit_note", "position"), name="credit_note_lines_position"),
        ),
        migrations.AddConstraint(
            model_name="creditnoteline",
            constraint=models.UniqueConstraint(fields=("credit_note", "invoice_line"), name="credit_note_lines_once"),
        ),
        migrations.AddConstraint(
            model_name="invoicesequence",
            constraint=models.UniqueConstraint(fields=("legal_entity", "series"), name="invoice_sequences_series"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["invoice", "received_at"], name="payments_of_invoice"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("tenant", "key"),
                name="payments_once",
                violation_error_message="This payment was recorded already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True),
                name="payments_amount",
                violation_error_message="A payment is not 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunds__isnull", True), ("amount__lt", 0), _connector="OR"),
                name="payments_refund",
                violation_error_message="What gives a payment back is below 0.",
            ),
        ),
    ]
