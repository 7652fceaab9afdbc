"""What is owed: who sells, invoices with their lines, and the documents made of them."""

from billing.models.amounts import amount_field
from billing.models.document import InvoiceDocument
from billing.models.invoice import Invoice, InvoiceLineItem
from billing.models.parties import LegalEntity

__all__ = ["Invoice", "InvoiceDocument", "InvoiceLineItem", "LegalEntity", "amount_field"]
