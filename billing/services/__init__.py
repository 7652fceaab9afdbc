"""What billing does: draft invoices, finalize, correct and print them, record what was paid."""

from billing.services.assessing import estimate_tax
from billing.services.crediting import Credited, issue_credit_note
from billing.services.documents import Printed, invoice_pdf
from billing.services.drafting import draft_invoice
from billing.services.dunning import mark_overdue, past_due, queue_reminders
from billing.services.estimating import Estimate, estimate_invoice
from billing.services.finalizing import finalize_invoice
from billing.services.mailing import give_up_unclear, queue_mail, send_again, send_next
from billing.services.paying import record_payment, refund_payment
from billing.services.profiles import Buyer, set_profile
from billing.services.reconciling import rebuild, reconcile
from billing.services.running import bill_next, count_runs, open_runs, waiting
from billing.services.sellers import Seller, set_seller
from billing.services.statements import Statement, statement
from billing.services.topups import cancel_top_up, record_top_up_payment, request_top_up
from billing.services.voiding import void_invoice

__all__ = [
    "Buyer",
    "Credited",
    "Estimate",
    "Printed",
    "Seller",
    "Statement",
    "bill_next",
    "cancel_top_up",
    "count_runs",
    "draft_invoice",
    "estimate_invoice",
    "estimate_tax",
    "finalize_invoice",
    "give_up_unclear",
    "invoice_pdf",
    "issue_credit_note",
    "mark_overdue",
    "open_runs",
    "past_due",
    "queue_mail",
    "queue_reminders",
    "rebuild",
    "reconcile",
    "record_payment",
    "record_top_up_payment",
    "refund_payment",
    "request_top_up",
    "send_again",
    "send_next",
    "set_profile",
    "set_seller",
    "statement",
    "void_invoice",
    "waiting",
]
