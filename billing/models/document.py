"""Documents made of invoices."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from billing.models.invoice import Invoice


class InvoiceDocument(TenantModel):
    """The PDF of an invoice, kept as it was rendered from the invoice as of `drafted_at`.

    It stands in the database so that it is backed up, hidden from other tenants and deleted together with its invoice.
    """

    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, related_name="document")
    drafted_at = models.DateTimeField()
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "invoice_documents"
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="invoice_documents_hash",
                violation_error_message="The hash is 64 hex digits.",
            )
        ]

    def __str__(self) -> str:
        return self.sha256[:12]
