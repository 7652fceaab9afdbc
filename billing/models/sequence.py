"""The counters behind the numbers of invoices and credit notes."""

from django.db import models

from billing.models.parties import LegalEntity
from common.ids import uuid7


class InvoiceSequence(models.Model):
    """The last number of one series of a seller. A trigger lets it grow by one at a time, and its date never go back."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=20, help_text="What numbers of it begin with: INV or INV-2026.")
    last = models.BigIntegerField()
    last_issue_date = models.DateField()

    class Meta:
        db_table = "invoice_sequences"
        constraints = [models.UniqueConstraint(fields=["legal_entity", "series"], name="invoice_sequences_series")]

    def __str__(self) -> str:
        return f"{self.series}: {self.last}"
