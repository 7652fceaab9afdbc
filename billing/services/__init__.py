"""What billing does: draft invoices, finalize, correct and print them, record what was paid."""

from billing.services.assessing import estimate_tax
from billing.services.crediting import Credited, issue_credit_note
from billing.services.documents import Printed, invoice_pdf
from billing.services.drafting import draft_invoice
from billing.services.estimating import Estimate, estimate_invoice
from billing.services.finalizing import finalize_invoice
from billing.services.paying import record_payment, refund_payment
from billing.services.profiles import Buyer, set_profile
from billing.services.reconciling import rebuild, reconcile
from billing.services.running import bill_next, count_runs, open_runs, waiting
from billing.services.sellers import Seller, set_seller
from billing.services.voiding import void_invoice

__all__ = [
    "Buyer",
    "Credited",
    "Estimate",
    "Printed",
    "Seller",
    "bill_next",
    "count_runs",
    "draft_invoice",
    "estimate_invoice",
    "estimate_tax",
    "finalize_invoice",
    "invoice_pdf",
    "issue_credit_note",
    "open_runs",
    "rebuild",
    "reconcile",
    "record_payment",
    "refund_payment",
    "set_profile",
    "set_seller",
    "void_invoice",
    "waiting",
]
