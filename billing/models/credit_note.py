"""A credit note and its lines: how a finalized invoice is corrected."""

from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import TenantModel
from billing.models.amounts import amount_field
from billing.models.invoice import Invoice, InvoiceLineItem
from billing.models.parties import LegalEntity


class CreditNote(TenantModel):
    """Takes back some or all of an invoice, under a number of its own (document type 381). Final once it is stored.

    Amounts are positive: so much less is owed.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=80, help_text="What it is, once: a repeat changes nothing.")
    series = models.CharField(max_length=20)
    series_number = models.BigIntegerField()
    credit_note_number = models.CharField(max_length=40)
    reason = models.CharField(max_length=200)
    issue_date = models.DateField()
    currency = models.CharField(max_length=3)
    subtotal = amount_field(help_text="Sum of the lines.")
    tax = amount_field()
    total_amount = amount_field()
    tax_groups = models.JSONField(default=list, help_text="Base and tax by category and rate.")
    tax_currency = models.CharField(max_length=3, blank=True)
    tax_exchange_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    tax_in_tax_currency = amount_field(null=True, blank=True)
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    line_count = models.PositiveIntegerField()
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(help_text="When it was issued.")

    class Meta(TenantModel.Meta):
        db_table = "credit_notes"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="credit_notes_once",
                violation_error_message="This credit note was issued already.",
            ),
            models.UniqueConstraint(fields=["legal_entity", "series", "series_number"], name="credit_notes_series"),
            models.UniqueConstraint(fields=["legal_entity", "credit_note_number"], name="credit_notes_number"),
            models.CheckConstraint(
                condition=Q(total_amount=F("subtotal") + F("tax"), total_amount__gte=0),
                name="credit_notes_total",
                violation_error_message="The total is subtotal plus tax, and not below 0.",
            ),
            models.CheckConstraint(condition=Q(line_count__gt=0), name="credit_notes_lines"),
        ]
        # The tenant's list of credit notes, newest first.
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="credit_notes_newest")]

    def __str__(self) -> str:
        return self.credit_note_number


class CreditNoteLine(TenantModel):
    """What is taken back of one line of the invoice, after the credit that had covered a part of it."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    invoice_line = models.ForeignKey(InvoiceLineItem, on_delete=models.PROTECT, related_name="credited_by")
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=200)
    service_start = models.DateField()
    service_end = models.DateField(help_text="The last day, inclusive.")
    amount = amount_field()
    tax_category = models.CharField(max_length=2)
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3)
    tax = amount_field()

    class Meta(TenantModel.Meta):
        db_table = "credit_note_lines"
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "position"], name="credit_note_lines_position"),
            models.UniqueConstraint(fields=["credit_note", "invoice_line"], name="credit_note_lines_once"),
        ]

    def __str__(self) -> str:
        return self.description
