"""What became of an invoice, as a list of moments."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from billing.models import Invoice
from common.money import round_money
from common.periods import A_DAY
from common.ui.templatetags.ui import money


@dataclass(frozen=True)
class Event:
    """One moment; `tone` is the badge's colour. `has_time` is False where only the day is known."""

    at: datetime
    label: str
    detail: str = ""
    tone: str = ""
    has_time: bool = True


def history_of(invoice: Invoice) -> list[Event]:
    """Return an invoice's events, the earliest first; its payments and credit notes are loaded already."""
    events = [Event(invoice.drafted_at, "Lines made", "as of then")]
    if invoice.finalized_at:
        events.append(Event(invoice.finalized_at, "Finalized", f"as {invoice.invoice_number}", "accent"))
    if invoice.sent_at:
        events.append(Event(invoice.sent_at, "Sent by e-mail"))
    events += [*_payments(invoice), *_credit_notes(invoice)]
    if invoice.status == Invoice.Status.OVERDUE and invoice.due_date:
        since = datetime.combine(invoice.due_date + A_DAY, time.min, UTC)
        events.append(Event(since, "Overdue", "since the day after it was due", "bad", has_time=False))
    if invoice.paid_at:
        events.append(Event(invoice.paid_at, "Paid", tone="good"))
    return sorted(events, key=lambda event: event.at)


def _payments(invoice: Invoice) -> list[Event]:
    return [
        Event(
            payment.received_at,
            "Payment" if payment.amount > 0 else "Taken back of a payment",
            f"{money(round_money(abs(payment.amount), payment.currency), payment.currency)}, "
            f"{payment.get_method_display()}{f', {payment.reference}' if payment.reference else ''}",
        )
        for payment in invoice.payments.all()
    ]


def _credit_notes(invoice: Invoice) -> list[Event]:
    return [
        Event(
            note.created_at,
            "Void, credited whole" if _is_whole(invoice) else "Credited",
            f"{money(round_money(note.total_amount, note.currency), note.currency)} by {note.credit_note_number}",
            "warn",
        )
        for note in invoice.credit_notes.all()
    ]


def _is_whole(invoice: Invoice) -> bool:
    return invoice.status == Invoice.Status.VOID and len(invoice.credit_notes.all()) == 1
