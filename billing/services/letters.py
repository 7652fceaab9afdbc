"""What an e-mail about money says: written when it is sent, so that it tells how things are then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from billing.documents.language import Language, language_of
from billing.letter_words import WORDS
from billing.models import BillingMail, CreditNote, Invoice, TopUp
from billing.parties import BuyerSnapshot, SellerSnapshot
from billing.selectors import invoice_of
from billing.services.documents import Printed, credit_note_pdf, invoice_pdf, top_up_pdf
from common.ids import encode
from common.mail import Attachment

Kind = BillingMail.Kind
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Letter:
    """An e-mail's text, in `language`; `facts` and `bank` are pairs of a label and a value."""

    language: str
    subject: str
    headline: str
    text: str
    link: str
    link_text: str
    footer: str
    facts: Facts = ()
    bank: Facts = ()
    attachments: Sequence[Attachment] = ()


def write(mail: BillingMail, *, now: datetime) -> Letter | None:
    """Return what a mail says now, with the document attached; None for a reminder of what is owed no more."""
    if mail.kind == Kind.CREDIT_NOTE:
        return _of_credit_note(mail)
    if mail.kind == Kind.TOP_UP:
        return _of_top_up(mail)
    assert mail.invoice_id is not None, "constraint billing_mails_about"
    invoice = invoice_of(tenant_id=mail.tenant_id, invoice_id=mail.invoice_id)
    if mail.kind == Kind.REMINDER and not is_owed(invoice):
        return None
    letter = _of_invoice(invoice) if mail.kind == Kind.INVOICE else _of_reminder(invoice, mail.days or 0)
    pdf = invoice_pdf(tenant_id=mail.tenant_id, invoice_id=invoice.pk)
    return replace(letter, attachments=[_attached(pdf)])


def is_owed(invoice: Invoice) -> bool:
    """Say whether something of it is to be paid, with `amount_credited` as it was read."""
    return invoice.status in (Invoice.Status.PENDING, Invoice.Status.OVERDUE) and invoice.amount_due > 0


class _Writer:
    """Both parties of a document, and how its buyer's language puts things."""

    def __init__(self, document: Invoice | CreditNote | TopUp) -> None:
        self.currency = document.currency
        self.seller, self.buyer = SellerSnapshot.read(document.seller), BuyerSnapshot.read(document.buyer)
        self.language: Language = language_of(self.buyer.language)
        self.words = WORDS[self.language.code]

    def money(self, amount: Decimal) -> str:
        return f"{self.currency} {self.language.money(amount, self.currency)}"

    def say(self, name: str, **values: str) -> str:
        return self.words[name].format(seller=self.seller.name, **values)

    def letter(self, *, subject: str, headline: str, text: str, facts: list[tuple[str, str]], path: str = "") -> Letter:
        return Letter(
            language=self.language.code,
            subject=subject,
            headline=headline,
            text=text,
            facts=tuple((self.words[name], value) for name, value in facts),
            link=f"{settings.IRISX_BASE_URL}/portal/finance/{path}",
            link_text=self.words["link"],
            footer=self.say("footer", buyer=self.buyer.name),
        )

    def bank(self) -> Facts:
        facts = (("IBAN", self.seller.iban), ("BIC", self.seller.bic), (self.words["bank"], self.seller.bank_name))
        return tuple(fact for fact in facts if fact[1])


def _of_invoice(invoice: Invoice) -> Letter:
    writer = _Writer(invoice)
    values = _values(invoice, writer)
    letter = writer.letter(
        subject=writer.say("invoice_subject", **values),
        headline=writer.say("invoice", **values),
        text=writer.say("pay_by" if is_owed(invoice) else "nothing", **values),
        facts=_facts(invoice, writer),
        path=f"{encode('inv', invoice.pk)}/",
    )
    return replace(letter, bank=writer.bank()) if is_owed(invoice) else letter


def _of_reminder(invoice: Invoice, days: int) -> Letter:
    """Return a reminder: before or on the due day that it comes, after it that it has passed, counted."""
    writer = _Writer(invoice)
    values = _values(invoice, writer)
    count = len([one for one in settings.IRISX_REMINDER_DAYS if 0 < one <= days])
    name = "soon" if days <= 0 else "reminder"
    subject = "second_subject" if count > 1 else f"{name}_subject"
    letter = writer.letter(
        subject=writer.say(subject, count=str(count), **values),
        headline=writer.say(name, **values),
        text=writer.say("pay_by" if days <= 0 else "pay_now", **values),
        facts=_facts(invoice, writer),
        path=f"{encode('inv', invoice.pk)}/",
    )
    return replace(letter, bank=writer.bank())


def _values(invoice: Invoice, writer: _Writer) -> dict[str, str]:
    assert invoice.due_date is not None, "constraint invoices_finalized"
    return {
        "number": invoice.invoice_number,
        "reference": invoice.invoice_number,
        "total": writer.money(invoice.total_amount),
        "due": writer.money(invoice.amount_due),
        "day": writer.language.day(invoice.due_date),
    }


def _facts(invoice: Invoice, writer: _Writer) -> list[tuple[str, str]]:
    assert invoice.issue_date is not None, "constraint invoices_finalized"
    assert invoice.due_date is not None, "constraint invoices_finalized"
    facts = [
        ("number", invoice.invoice_number),
        ("service_period", writer.language.days(invoice.period_start, invoice.period_end)),
        ("issue_date", writer.language.day(invoice.issue_date)),
        ("due_date", writer.language.day(invoice.due_date)),
        ("total", writer.money(invoice.total_amount)),
    ]
    is_partly_open = is_owed(invoice) and invoice.amount_due != invoice.total_amount
    return [*facts, ("due", writer.money(invoice.amount_due))] if is_partly_open else facts


def _of_credit_note(mail: BillingMail) -> Letter:
    assert mail.credit_note_id is not None, "constraint billing_mails_about"
    notes = CreditNote.objects.for_tenant(mail.tenant_id).select_related("invoice")
    note = notes.get(pk=mail.credit_note_id)
    writer = _Writer(note)
    number, total = note.credit_note_number, writer.money(note.total_amount)
    letter = writer.letter(
        subject=writer.say("credit_note_subject", number=number),
        headline=writer.say("credit_note", number=number, total=total),
        text=writer.say("credited", invoice=note.invoice.invoice_number, reason=note.reason.rstrip(". ")),
        facts=[("number", number), ("issue_date", writer.language.day(note.issue_date)), ("total", total)],
        path=f"{encode('inv', note.invoice_id)}/",
    )
    return replace(letter, attachments=[_attached(credit_note_pdf(tenant_id=mail.tenant_id, credit_note_id=note.pk))])


def _of_top_up(mail: BillingMail) -> Letter | None:
    """Return the request to pay; None where it was paid or canceled before it was sent."""
    assert mail.top_up_id is not None, "constraint billing_mails_about"
    top_up = TopUp.objects.for_tenant(mail.tenant_id).get(pk=mail.top_up_id)
    if top_up.status != TopUp.Status.OPEN:
        return None
    writer = _Writer(top_up)
    total, due = writer.money(top_up.amount), writer.money(top_up.amount_due)
    letter = writer.letter(
        subject=writer.say("top_up_subject", number=top_up.number),
        headline=writer.say("top_up", number=top_up.number, total=total),
        text=writer.say("pay_top_up", due=due, reference=top_up.reference),
        facts=[("number", top_up.number), ("issue_date", writer.language.day(top_up.issue_date)), ("total", total)],
    )
    pdf = _attached(top_up_pdf(tenant_id=mail.tenant_id, top_up_id=top_up.pk))
    return replace(letter, bank=writer.bank(), attachments=[pdf])


def _attached(printed: Printed) -> Attachment:
    return Attachment(printed.filename, printed.content, "application/pdf")
