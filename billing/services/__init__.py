"""What billing does: draft invoices, print them."""

from billing.services.documents import Printed, invoice_pdf
from billing.services.drafting import draft_invoice
from billing.services.sellers import Seller, set_seller

__all__ = ["Printed", "Seller", "draft_invoice", "invoice_pdf", "set_seller"]
