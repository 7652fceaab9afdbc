"""Finance: what was billed, what is owed and how long already, each invoice and credit note with its documents."""

from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import MemberRequest, member_page
from billing import listing, selectors, services
from billing.listing import InvoiceFilter
from billing.models import Invoice
from common.errors import DomainError, Invalid
from common.ids import decode, encode
from common.periods import local_day
from irisx.portal.history import history_of
from irisx.portal.months import months_of
from usage.selectors import current_period

PAGE_SIZE = 25
STATUSES = ((listing.OPEN, "Open: pending or overdue"), *Invoice.Status.choices)


@require_safe
@member_page("billing.read")
def invoices(request: MemberRequest) -> HttpResponse:
    """List the invoices that were asked for, the newest first, with what they add up to and what is owed."""
    tenant_id = request.tenant.pk
    wanted, problems = _wanted(request)
    found = listing.invoices_matching(tenant_id=tenant_id, wanted=wanted).defer("usage_days")
    page = Paginator(found.order_by("-period_start", "-created_at"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "wanted": wanted,
        "problems": problems,
        "statuses": STATUSES,
        "totals": listing.totals_of(tenant_id=tenant_id, wanted=wanted),
        "ageing": listing.ageing(today=_today(request), tenant_id=tenant_id),
        "months": months_of(tenant_id=tenant_id),
        **_rights(request),
    }
    return render(request, "portal/finance.html", context)


@require_safe
@member_page("billing.read")
def invoice(request: MemberRequest, key: str) -> HttpResponse:
    """Show one invoice: lines, tax, payments, credit notes, and what became of it."""
    found = selectors.invoice_of(tenant_id=request.tenant.pk, invoice_id=decode("inv", key))
    overdue_days = (_today(request) - found.due_date).days if found.due_date and found.amount_due else 0
    context = {
        "invoice": found,
        "history": history_of(found),
        "overdue_days": 0 if found.is_draft else max(0, overdue_days),
        **_rights(request),
    }
    return render(request, "portal/invoice.html", context)


@require_safe
@member_page("billing.read")
def credit_notes(request: MemberRequest) -> HttpResponse:
    """List the credit notes, the newest first."""
    found = selectors.credit_notes_of(tenant_id=request.tenant.pk).order_by("-created_at", "-id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "portal/credit_notes.html", {"page": page})


@require_safe
@member_page("billing.read")
def credit_note(request: MemberRequest, key: str) -> HttpResponse:
    """Show one credit note with its lines."""
    found = selectors.credit_note_of(tenant_id=request.tenant.pk, credit_note_id=decode("cn", key))
    return render(request, "portal/credit_note.html", {"note": found})


@require_POST
@member_page("billing.draft")
def draft(request: MemberRequest) -> HttpResponseBase:
    """Make the current period's draft anew and show it."""
    now, tenant_id = timezone.now(), request.tenant.pk
    try:
        period = current_period(tenant_id=tenant_id, now=now)
        made = services.draft_invoice(tenant_id=tenant_id, period_id=period.pk, now=now)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("portal-finance")
    messages.success(request, "The draft is up to date.")
    return redirect("portal-invoice", key=encode("inv", made.pk))


def _wanted(request: MemberRequest) -> tuple[InvoiceFilter, list[str]]:
    """Return the filter that was asked for, or none of it and what is wrong with it."""
    try:
        return listing.filter_of(request.GET), []
    except Invalid as error:
        return InvoiceFilter(), [problem.detail for problem in error.errors]


def _today(request: MemberRequest) -> date:
    return local_day(timezone.now(), request.tenant.timezone)


def _rights(request: MemberRequest) -> dict[str, bool]:
    return {"may_draft": request.principal.may("billing.draft")}
