"""Credit notes: how a finalized invoice is corrected, in part or whole, without ever being changed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from billing.errors import KeyUsed, NothingToCredit, TooMuchCredited
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLineItem
from billing.services.mailing import queue_mail
from billing.services.numbering import take_number
from billing.services.settling import lock_final, move_surplus, settle
from billing.tax import credited_tax, share_out
from common.errors import FieldProblem, Invalid
from common.money import plain, round_money
from common.periods import local_day

ZERO = Decimal(0)
Key = tuple[str, Decimal]  # category and rate


@dataclass(frozen=True)
class Credited:
    """How much of an invoice's line is taken back: before tax, after the credit that covered a part of the line."""

    position: int
    amount: Decimal


@dataclass(frozen=True)
class _Part:
    line: InvoiceLineItem
    amount: Decimal
    left: Decimal


def issue_credit_note(
    *,
    tenant_id: UUID,
    invoice_id: UUID,
    key: str,
    reason: str,
    now: datetime,
    lines: Sequence[Credited] | None = None,
    keeps_surplus: bool = False,
) -> CreditNote:
    """Take back some lines of an invoice, or without `lines` all that is left, once per `key`; a repeat returns the first.

    Each group's tax goes back by cumulative remainder, so that the notes of a whole invoice add up to its tax. All of it
    taken back makes the invoice void. What was paid beyond what is then owed becomes prepaid credit, or with
    `keeps_surplus` stays on the invoice until a refund is recorded.
    Raises NotFound, NotFinal, NothingToCredit, TooMuchCredited with pointers, KeyUsed.
    """
    with transaction.atomic():
        invoice = lock_final(tenant_id=tenant_id, invoice_id=invoice_id)
        if (first := CreditNote.objects.for_tenant(tenant_id).filter(key=key).first()) is not None:
            if first.invoice_id != invoice.pk:
                raise KeyUsed(f"{key[:80]} issued {first} already.", pointer="/key")
            return first
        open_parts = _left_of(invoice)
        parts = open_parts if lines is None else _chosen(open_parts, lines, invoice.currency)
        note, note_lines = _written(invoice, parts, key=key, reason=reason, now=now)
        if invoice.amount_credited + note.total_amount > invoice.total_amount:
            raise TooMuchCredited("The credit notes would come to more than the invoice.", pointer="/lines")
        invoice.amount_credited += note.total_amount
        if not keeps_surplus:
            move_surplus(invoice, paid=invoice.amount_paid, key=f"surplus:{note.pk.hex}", now=now)
        settle(invoice, last=None, now=now, is_void=_takes_all(open_parts, parts))
        _number(invoice, note, now)
        note.save(force_insert=True)
        CreditNoteLine.objects.bulk_create(note_lines)
        queue_mail(note, now=now)
    return note


def _left_of(invoice: Invoice) -> list[_Part]:
    """Return what is left of each line; of an invoice over nothing, which has nothing left, all lines once."""
    lines = InvoiceLineItem.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice).order_by("position")
    taken = CreditNoteLine.objects.for_tenant(invoice.tenant_id).filter(invoice_line__invoice=invoice)
    so_far = dict(taken.values_list("invoice_line").annotate(sum=Sum("amount")))
    parts = []
    for line in lines:
        left = line.amount - line.allowance - so_far.get(line.pk, ZERO)
        parts.append(_Part(line, left, left))
    left_over = [part for part in parts if part.left]
    if not left_over and (so_far or invoice.status == Invoice.Status.VOID):
        raise NothingToCredit(f"Invoice {invoice} is credited whole.")
    return left_over or parts


def _chosen(parts: Sequence[_Part], lines: Sequence[Credited], currency: str) -> list[_Part]:
    """Return the parts asked for; raise TooMuchCredited or Invalid with a pointer for each that cannot be."""
    by_position = {part.line.position: part for part in parts}
    problems, chosen = [], []
    for index, asked in enumerate(lines):
        part = by_position.pop(asked.position, None)
        if problem := _problem(part, asked, currency):
            problems.append(FieldProblem(f"/lines/{index}/{problem[0]}", problem[1], problem[2]))
        elif part is not None:
            chosen.append(_Part(part.line, asked.amount, part.left))
    if problems:
        raise TooMuchCredited.many(problems)
    if not chosen:
        raise Invalid("Name one line at least.", pointer="/lines")
    return sorted(chosen, key=lambda part: part.line.position)


def _problem(part: _Part | None, asked: Credited, currency: str) -> tuple[str, str, str] | None:
    if part is None:
        return "position", "no-such-line", f"Line {asked.position} has nothing left to credit, or is named twice."
    if asked.amount <= 0 or asked.amount != round_money(asked.amount, currency):
        return "amount", "invalid", f"An amount is more than 0, in the minor unit of {currency}."
    if asked.amount > part.left:
        return "amount", "too-much-credited", f"{plain(part.left)} of line {asked.position} is left to credit."
    return None


def _takes_all(left: Sequence[_Part], taken: Sequence[_Part]) -> bool:
    return len(left) == len(taken) and all(part.amount == part.left for part in taken)


def _written(
    invoice: Invoice, parts: Sequence[_Part], *, key: str, reason: str, now: datetime
) -> tuple[CreditNote, list[CreditNoteLine]]:
    """Return the note with its lines, without a number; nothing is stored."""
    assert invoice.legal_entity is not None, "every final invoice has one: constraint invoices_finalized"
    note = CreditNote(
        tenant_id=invoice.tenant_id,
        invoice=invoice,
        legal_entity=invoice.legal_entity,
        key=key,
        reason=reason,
        currency=invoice.currency,
        seller=invoice.seller,
        buyer=invoice.buyer,
        line_count=len(parts),
        created_at=now,
    )
    groups: dict[Key, list[_Part]] = defaultdict(list)
    for part in parts:
        groups[part.line.tax_category, part.line.tax_rate].append(part)
    taxes: dict[UUID, Decimal] = {}
    for group, members in groups.items():
        amount = sum((part.amount for part in members), ZERO)
        tax = _tax_of(invoice, group, amount)
        shares = share_out(tax, [max(ZERO, part.amount) for part in members], invoice.currency)
        taxes.update({part.line.pk: share for part, share in zip(members, shares, strict=True)})
        note.tax_groups.append(_group(invoice, group, amount, tax))
    note.subtotal = sum((part.amount for part in parts), ZERO)
    note.tax = sum(taxes.values(), ZERO)
    note.total_amount = note.subtotal + note.tax
    _state_tax(invoice, note)
    return note, [_line(note, position, part, taxes[part.line.pk]) for position, part in enumerate(parts, start=1)]


def _tax_of(invoice: Invoice, group: Key, amount: Decimal) -> Decimal:
    taken = CreditNoteLine.objects.for_tenant(invoice.tenant_id).filter(
        invoice_line__invoice=invoice, tax_category=group[0], tax_rate=group[1]
    )
    of_invoice = [one for one in invoice.tax_groups if (one["category"], Decimal(one["rate"])) == group]
    return credited_tax(
        group_base=sum((Decimal(one["base"]) for one in of_invoice), ZERO),
        group_tax=sum((Decimal(one["tax"]) for one in of_invoice), ZERO),
        before=taken.aggregate(sum=Sum("amount"))["sum"] or ZERO,
        now=amount,
        currency=invoice.currency,
    )


def _group(invoice: Invoice, group: Key, amount: Decimal, tax: Decimal) -> dict[str, str]:
    category, rate = group
    reasons = (one["reason"] for one in invoice.tax_groups if (one["category"], Decimal(one["rate"])) == group)
    base = str(round_money(amount, invoice.currency))
    return {
        "category": category,
        "rate": plain(rate),
        "reason": next(reasons, ""),
        "amount": base,
        "allowance": str(round_money(ZERO, invoice.currency)),
        "base": base,
        "tax": str(round_money(tax, invoice.currency)),
    }


def _state_tax(invoice: Invoice, note: CreditNote) -> None:
    """State the tax in the seller's currency at the invoice's rate, by cumulative remainder too."""
    rate = invoice.tax_exchange_rate
    if rate is None:
        return
    notes = CreditNote.objects.for_tenant(invoice.tenant_id).filter(invoice=invoice)
    before = notes.aggregate(tax=Sum("tax"), stated=Sum("tax_in_tax_currency"))
    so_far = round_money(((before["tax"] or ZERO) + note.tax) * rate, invoice.tax_currency)
    note.tax_currency, note.tax_exchange_rate = invoice.tax_currency, rate
    note.tax_in_tax_currency = so_far - (before["stated"] or ZERO)


def _line(note: CreditNote, position: int, part: _Part, tax: Decimal) -> CreditNoteLine:
    return CreditNoteLine(
        tenant_id=note.tenant_id,
        credit_note=note,
        invoice_line=part.line,
        position=position,
        description=part.line.description,
        service_start=part.line.service_start,
        service_end=part.line.service_end,
        amount=part.amount,
        tax_category=part.line.tax_category,
        tax_rate=part.line.tax_rate,
        tax=tax,
    )


def _number(invoice: Invoice, note: CreditNote, now: datetime) -> None:
    entity = note.legal_entity
    today = max(local_day(now, entity.timezone), invoice.issue_date or date.min)
    number = take_number(entity, prefix=entity.credit_note_prefix, on=today)
    note.series, note.series_number, note.credit_note_number = number.series, number.value, str(number)
    note.issue_date = number.issue_date
