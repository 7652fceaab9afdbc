"""What is owed and paid: who sells and buys, invoices with their lines, corrections, payments, and the documents."""

from billing.models.amounts import amount_field
from billing.models.credit_note import CreditNote, CreditNoteLine
from billing.models.document import InvoiceDocument
from billing.models.export import Export
from billing.models.invoice import Invoice, InvoiceLineItem
from billing.models.logo import SellerLogo
from billing.models.mail import BillingMail
from billing.models.parties import BillingProfile, LegalEntity
from billing.models.payment import Payment
from billing.models.run import InvoiceRun, InvoiceRunItem, Reconciliation
from billing.models.sequence import InvoiceSequence
from billing.models.tax import ExchangeRate, TaxRate
from billing.models.topup import TopUp

__all__ = [
    "BillingMail",
    "BillingProfile",
    "CreditNote",
    "CreditNoteLine",
    "ExchangeRate",
    "Export",
    "Invoice",
    "InvoiceDocument",
    "InvoiceLineItem",
    "InvoiceRun",
    "InvoiceRunItem",
    "InvoiceSequence",
    "LegalEntity",
    "Payment",
    "Reconciliation",
    "SellerLogo",
    "TaxRate",
    "TopUp",
    "amount_field",
]
