"""What the document of an invoice or a credit note says, read from what is stored of it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from billing.documents.content import (
    BankAccount,
    Corrected,
    InvoiceContent,
    Kind,
    Line,
    Logo,
    Party,
    StatedTax,
    TaxGroup,
    UsageDay,
)
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLineItem, Payment, SellerLogo, TopUp
from billing.parties import BuyerSnapshot, SellerSnapshot
from billing.services.assessing import assess
from common.money import round_money
from usage.models import Meter
from usage.selectors import meters_by_key, shown_units

UNNAMED_SELLER = SellerSnapshot(name="IRISX")  # drafts only: finalizing needs a seller
ZERO = Decimal(0)


def content_of_invoice(invoice: Invoice) -> InvoiceContent:
    """Return what an invoice's document says: a final one's from what was stored with it, a draft's as of now.

    What happens to an invoice after it was finalized (payments, credit notes, notes) is no part of it.
    """
    entity_id, seller, buyer = _parties(invoice)
    period, meters = invoice.billing_period, meters_by_key()
    made_at = invoice.finalized_at or invoice.drafted_at
    return InvoiceContent(
        number=invoice.invoice_number,
        is_draft=invoice.is_draft,
        language=buyer.language,
        currency=invoice.currency,
        seller=party_of(seller),
        buyer=party_of(buyer),
        buyer_reference=buyer.reference,
        plan=invoice.subscription.plan.name,
        period_start=invoice.period_start,
        period_end=invoice.period_end,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        lines=tuple(_line(line) for line in invoice.lines.all()),
        subtotal=invoice.subtotal,
        allowance=invoice.allowance,
        tax=invoice.tax,
        total=invoice.total_amount,
        tax_groups=_groups(invoice.tax_groups),
        stated_tax=_stated(invoice),
        prepaid=_prepaid(invoice),
        bank=_bank(seller),
        logo=logo_of(entity_id, made_at),
        timezone=period.timezone,
        as_of=made_at.astimezone(ZoneInfo(period.timezone)),
        usage=tuple(_usage_day(row, meters[row["channel"], row["resource_type"]]) for row in invoice.usage_days),
    )


def content_of_credit_note(note: CreditNote, lines: list[CreditNoteLine]) -> InvoiceContent:
    """Return what a credit note's document says; it is final since it was issued."""
    seller, buyer = SellerSnapshot.read(note.seller), BuyerSnapshot.read(note.buyer)
    invoice = note.invoice
    assert invoice.issue_date is not None
    timezone = invoice.billing_period.timezone
    return InvoiceContent(
        kind=Kind.CREDIT_NOTE,
        number=note.credit_note_number,
        is_draft=False,
        language=buyer.language,
        currency=note.currency,
        seller=party_of(seller),
        buyer=party_of(buyer),
        buyer_reference=buyer.reference,
        period_start=min(line.service_start for line in lines),
        period_end=max(line.service_end for line in lines),
        issue_date=note.issue_date,
        due_date=None,
        corrected=Corrected(invoice.invoice_number, invoice.issue_date, note.reason),
        lines=tuple(_credited(line) for line in lines),
        subtotal=note.subtotal,
        allowance=ZERO,
        tax=note.tax,
        total=note.total_amount,
        tax_groups=_groups(note.tax_groups),
        stated_tax=_stated(note),
        logo=logo_of(note.legal_entity_id, note.created_at),
        timezone=timezone,
        as_of=note.created_at.astimezone(ZoneInfo(timezone)),
    )


def content_of_top_up(top_up: TopUp, *, timezone: str) -> InvoiceContent:
    """Return what a request to pay in advance says: as it was asked for, whatever was paid since."""
    seller, buyer = SellerSnapshot.read(top_up.seller), BuyerSnapshot.read(top_up.buyer)
    day = top_up.issue_date
    line = Line("Prepaid credit", day, day, Decimal(1), "", None, top_up.amount)
    return InvoiceContent(
        kind=Kind.TOP_UP,
        number=top_up.number,
        is_draft=False,
        language=buyer.language,
        currency=top_up.currency,
        seller=party_of(seller),
        buyer=party_of(buyer),
        buyer_reference=buyer.reference,
        payment_reference=top_up.reference,
        period_start=day,
        period_end=day,
        issue_date=day,
        due_date=None,
        lines=(line,),
        subtotal=top_up.amount,
        allowance=ZERO,
        tax=ZERO,
        total=top_up.amount,
        bank=_bank(seller),
        logo=logo_of(top_up.legal_entity_id, top_up.created_at),
        timezone=timezone,
        as_of=top_up.created_at.astimezone(ZoneInfo(timezone)),
    )


def _parties(invoice: Invoice) -> tuple[UUID | None, SellerSnapshot, BuyerSnapshot]:
    if invoice.is_draft:
        found = assess(tenant_id=invoice.tenant_id, on=invoice.period_end)
        return found.entity.pk if found.entity else None, found.seller or UNNAMED_SELLER, found.buyer
    return invoice.legal_entity_id, SellerSnapshot.read(invoice.seller), BuyerSnapshot.read(invoice.buyer)


def party_of(party: SellerSnapshot | BuyerSnapshot) -> Party:
    """Return a party as documents name it."""
    street = tuple(line.strip() for line in party.address.splitlines() if line.strip())
    return Party(party.name, street, party.postal_code, party.city, party.country, party.tax_id, party.email)


def _line(line: InvoiceLineItem) -> Line:
    return Line(
        description=line.description,
        service_start=line.service_start,
        service_end=line.service_end,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        amount=line.amount,
        detail=line.detail,
        tax_category=line.tax_category,
        tax_rate=line.tax_rate,
    )


def _credited(line: CreditNoteLine) -> Line:
    """Return what is taken back of a line: one thing at its amount."""
    return Line(
        description=line.description,
        service_start=line.service_start,
        service_end=line.service_end,
        quantity=Decimal(1),
        unit="",
        unit_price=None,
        amount=line.amount,
        tax_category=line.tax_category,
        tax_rate=line.tax_rate,
    )


def _groups(stored: list[dict[str, str]]) -> tuple[TaxGroup, ...]:
    return tuple(
        TaxGroup(
            category=group["category"],
            rate=Decimal(group["rate"]),
            amount=Decimal(group["amount"]),
            allowance=Decimal(group["allowance"]),
            base=Decimal(group["base"]),
            tax=Decimal(group["tax"]),
            reason=group["reason"],
        )
        for group in stored
    )


def _stated(document: Invoice | CreditNote) -> StatedTax | None:
    if document.tax_exchange_rate is None or document.tax_in_tax_currency is None:
        return None
    return StatedTax(document.tax_currency, document.tax_exchange_rate, document.tax_in_tax_currency)


def _prepaid(invoice: Invoice) -> Decimal:
    """Return what prepaid credit paid when it was finalized, not what was paid since."""
    if invoice.finalized_at is None:
        return ZERO
    payments = Payment.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice, method=Payment.Method.CREDIT)
    at_once = payments.filter(received_at=invoice.finalized_at, amount__gt=0).values_list("amount", flat=True)
    return round_money(sum(at_once, ZERO), invoice.currency)


def _bank(seller: SellerSnapshot) -> BankAccount | None:
    return BankAccount(seller.iban, seller.bic, seller.bank_name) if seller.iban else None


def logo_of(entity_id: UUID | None, at: datetime) -> Logo | None:
    """Return the seller's logo of that moment."""
    stored = SellerLogo.objects.filter(legal_entity_id=entity_id, uploaded_at__lte=at).order_by("-uploaded_at").first()
    return Logo(bytes(stored.content), stored.media_type) if stored else None


def _usage_day(row: dict[str, Any], meter: Meter) -> UsageDay:
    return UsageDay(
        day=date.fromisoformat(row["day"]),
        meter=meter.name,
        quantity=shown_units(Decimal(row["billed_quantity"]), meter.price_per),
        unit=meter.unit_plural,
        events=int(row["events"]),
    )
