"""Documents made of invoices and credit notes."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from billing.models.credit_note import CreditNote
from billing.models.invoice import Invoice


class InvoiceDocument(TenantModel):
    """The PDF of an invoice or a credit note and its e-invoice, kept as they were made of the lines as of `drafted_at`.

    It stands in the database so that it is backed up, hidden from other tenants and deleted together with its draft. With a
    number it is final: a trigger refuses every change.
    """

    invoice = models.OneToOneField(Invoice, null=True, on_delete=models.CASCADE, related_name="document")
    credit_note = models.OneToOneField(CreditNote, null=True, on_delete=models.CASCADE, related_name="document")
    number = models.CharField(max_length=40, blank=True, help_text="Empty: of a draft.")
    drafted_at = models.DateTimeField(help_text="When its lines were made.")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    xml = models.BinaryField(default=b"", help_text="The e-invoice; empty where there can be none.")
    xml_sha256 = models.CharField(max_length=64, blank=True)
    obstacles = models.JSONField(default=list, help_text="Why there is no e-invoice, in words.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "invoice_documents"
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="invoice_documents_hash",
                violation_error_message="The hash is 64 hex digits.",
            ),
            models.CheckConstraint(
                condition=Q(invoice__isnull=True) ^ Q(credit_note__isnull=True),
                name="invoice_documents_of_one",
                violation_error_message="A document is of an invoice or of a credit note.",
            ),
            models.CheckConstraint(
                condition=Q(xml=b"", xml_sha256="") | (~Q(xml=b"") & Q(xml_sha256__regex=r"^[0-9a-f]{64}$")),
                name="invoice_documents_xml_hash",
                violation_error_message="The hash is 64 hex digits, where there is an e-invoice.",
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"Draft of {self.drafted_at:%Y-%m-%d}"
