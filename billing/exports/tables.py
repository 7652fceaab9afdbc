"""The columns of the lists, and a row of each invoice and credit note."""

from decimal import Decimal

from billing.exports.cells import Cell, Table
from billing.models import CreditNote, Invoice
from common.ids import encode
from common.money import round_money

ZERO = Decimal(0)
INVOICES = Table(
    "Invoices",
    (
        "Invoice", "Status", "Period from", "Period to", "Issued", "Due", "Buyer", "Buyer VAT id", "Currency",
        "Subtotal", "Credit used", "Tax", "Total", "Paid", "Credited", "Still due", "Paid on", "Payment reference", "Id",
    ),
)  # fmt: skip
CREDIT_NOTES = Table(
    "Credit notes",
    (
        "Credit note", "Invoice", "Issued", "Reason", "Buyer", "Buyer VAT id", "Currency", "Subtotal", "Tax", "Total",
        "Id",
    ),
)  # fmt: skip


def invoice_row(invoice: Invoice) -> list[Cell]:
    """Return an invoice's cells; `amount_credited` is read already."""

    def money(amount: Decimal) -> Decimal:
        return round_money(amount, invoice.currency)

    return [
        invoice.invoice_number,
        invoice.status,
        invoice.period_start,
        invoice.period_end,
        invoice.issue_date,
        invoice.due_date,
        invoice.buyer.get("name", ""),
        invoice.buyer.get("tax_id", ""),
        invoice.currency,
        money(invoice.subtotal),
        money(invoice.allowance),
        money(invoice.tax),
        money(invoice.total_amount),
        money(invoice.amount_paid),
        money(invoice.amount_credited),
        money(ZERO if invoice.is_draft else invoice.amount_due),
        invoice.paid_at.date() if invoice.paid_at else None,
        invoice.payment_reference,
        encode("inv", invoice.pk),
    ]


def credit_note_row(note: CreditNote) -> list[Cell]:
    """Return a credit note's cells; its invoice is read already."""
    return [
        note.credit_note_number,
        note.invoice.invoice_number,
        note.issue_date,
        note.reason,
        note.buyer.get("name", ""),
        note.buyer.get("tax_id", ""),
        note.currency,
        round_money(note.subtotal, note.currency),
        round_money(note.tax, note.currency),
        round_money(note.total_amount, note.currency),
        encode("cn", note.pk),
    ]
