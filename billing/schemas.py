"""Bodies of billing's API, as the documentation shows them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from billing.models import Invoice, Payment


class InvoiceLine(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["fee", "usage"])
    channel = serializers.CharField()
    resource_type = serializers.CharField()
    description = serializers.CharField()
    detail = serializers.CharField()
    service_start = serializers.DateField()
    service_end = serializers.DateField()
    quantity = serializers.CharField()
    unit = serializers.CharField()
    unit_price = serializers.CharField(allow_null=True)
    amount = serializers.CharField()
    allowance = serializers.CharField(help_text="Its share of the invoice's allowance.")
    tax_category = serializers.CharField(allow_null=True, help_text="S, Z, E, AE or O (UNTDID 5305).")
    tax_rate = serializers.CharField(allow_null=True, help_text="Percent.")
    tax = serializers.CharField()


class TaxGroup(serializers.Serializer[Any]):
    category = serializers.CharField(help_text="S, Z, E, AE or O (UNTDID 5305).")
    rate = serializers.CharField(help_text="Percent.")
    reason = serializers.CharField(help_text="Why nothing is charged.")
    amount = serializers.CharField()
    allowance = serializers.CharField()
    base = serializers.CharField(help_text="Amount less allowance.")
    tax = serializers.CharField()


class ParkedReason(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class InvoiceRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    invoice_number = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=Invoice.Status.values)
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    currency = serializers.CharField()
    subtotal = serializers.CharField()
    allowance = serializers.CharField(help_text="Included credit used.")
    tax = serializers.CharField()
    total_amount = serializers.CharField()
    tax_groups = TaxGroup(many=True)
    tax_currency = serializers.CharField(allow_null=True, help_text="Tax is stated in it too.")
    tax_exchange_rate = serializers.CharField(allow_null=True)
    tax_in_tax_currency = serializers.CharField(allow_null=True)
    amount_paid = serializers.CharField()
    amount_credited = serializers.CharField(help_text="What credit notes took back.")
    amount_due = serializers.CharField(help_text="Still to be paid; 0 of a draft.")
    issue_date = serializers.DateField(allow_null=True)
    due_date = serializers.DateField(allow_null=True)
    paid_at = serializers.DateTimeField(allow_null=True)
    payment_method = serializers.CharField(allow_null=True)
    payment_reference = serializers.CharField(allow_null=True)
    seller = serializers.DictField(
        child=serializers.CharField(), allow_null=True, help_text="As it was when finalized."
    )
    buyer = serializers.DictField(child=serializers.CharField(), allow_null=True, help_text="As it was when finalized.")
    parked_reasons = ParkedReason(many=True)
    notes = serializers.CharField()
    drafted_at = serializers.DateTimeField()
    finalized_at = serializers.DateTimeField(allow_null=True)


class InvoicePayment(serializers.Serializer[Any]):
    id = serializers.CharField()
    amount = serializers.CharField(help_text="Below 0: given back, or moved to prepaid credit.")
    currency = serializers.CharField()
    method = serializers.ChoiceField(choices=Payment.Method.values)
    reference = serializers.CharField()
    received_at = serializers.DateTimeField()
    refunds = serializers.CharField(allow_null=True, help_text="The payment it gives back.")


class InvoiceCorrection(serializers.Serializer[Any]):
    id = serializers.CharField()
    credit_note_number = serializers.CharField()
    issue_date = serializers.DateField()
    total_amount = serializers.CharField()


class InvoiceDetail(InvoiceRow):
    lines = InvoiceLine(many=True)
    payments = InvoicePayment(many=True)
    credit_notes = InvoiceCorrection(many=True)


class InvoicePage(serializers.Serializer[Any]):
    results = InvoiceRow(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class PlanRate(serializers.Serializer[Any]):
    channel = serializers.CharField()
    resource_type = serializers.CharField()
    direction = serializers.CharField()
    destination_prefix = serializers.CharField()
    unit = serializers.CharField()
    unit_price = serializers.CharField()


class Plan(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    monthly_fee = serializers.CharField()
    included_credit = serializers.CharField()
    trial_days = serializers.IntegerField(allow_null=True)
    features = serializers.DictField()
    rates = PlanRate(many=True)


class Plans(serializers.Serializer[Any]):
    results = Plan(many=True)


INVOICE_EXAMPLE = OpenApiExample(
    "A draft",
    {
        "id": "inv_0198c1f0a7b37c0e8f4d2b6a1c3e5f70",
        "invoice_number": None,
        "status": "draft",
        "period_start": "2026-03-01",
        "period_end": "2026-03-31",
        "currency": "USD",
        "subtotal": "0.03",
        "allowance": "0.03",
        "tax": "0.00",
        "total_amount": "0.00",
        "tax_groups": [
            {
                "category": "S",
                "rate": "23",
                "reason": "",
                "amount": "0.03",
                "allowance": "0.03",
                "base": "0.00",
                "tax": "0.00",
            }
        ],
        "tax_currency": None,
        "tax_exchange_rate": None,
        "tax_in_tax_currency": None,
        "amount_paid": "0.00",
        "amount_credited": "0.00",
        "amount_due": "0.00",
        "issue_date": None,
        "due_date": None,
        "paid_at": None,
        "payment_method": None,
        "payment_reference": None,
        "seller": None,
        "buyer": None,
        "parked_reasons": [],
        "notes": "",
        "drafted_at": "2026-03-10T12:00:00.000000Z",
        "finalized_at": None,
        "lines": [
            {
                "kind": "usage",
                "channel": "voice",
                "resource_type": "minute",
                "description": "Voice, outbound to +1",
                "detail": "1 call, billed 60/60 s",
                "service_start": "2026-03-01",
                "service_end": "2026-03-31",
                "quantity": "2",
                "unit": "minutes",
                "unit_price": "0.015",
                "amount": "0.03",
                "allowance": "0.03",
                "tax_category": "S",
                "tax_rate": "23",
                "tax": "0.00",
            }
        ],
        "payments": [],
        "credit_notes": [],
    },
    response_only=True,
)
