"""What billing does: draft invoices, finalize and print them."""

from billing.services.assessing import estimate_tax
from billing.services.documents import Printed, invoice_pdf
from billing.services.drafting import draft_invoice
from billing.services.finalizing import finalize_invoice
from billing.services.sellers import Seller, set_seller

__all__ = ["Printed", "Seller", "draft_invoice", "estimate_tax", "finalize_invoice", "invoice_pdf", "set_seller"]
