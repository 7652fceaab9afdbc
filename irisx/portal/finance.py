"""Finance: the invoices, each with its lines, its amounts and its document."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import MemberRequest, member_page
from billing import selectors, services
from common.ids import decode, encode
from usage.selectors import current_period

# One a month: eight years of them.
MOST = 100


@require_safe
@member_page("billing.read")
def invoices(request: MemberRequest) -> HttpResponse:
    """List the invoices, the newest first."""
    found = selectors.invoices_of(tenant_id=request.tenant.pk).order_by("-period_start", "-created_at")[:MOST]
    return render(request, "portal/finance.html", {"invoices": found, **_rights(request)})


@require_safe
@member_page("billing.read")
def invoice(request: MemberRequest, key: str) -> HttpResponse:
    """Show one invoice with its lines."""
    found = selectors.invoice_of(tenant_id=request.tenant.pk, invoice_id=decode("inv", key))
    return render(request, "portal/invoice.html", {"invoice": found, **_rights(request)})


@require_POST
@member_page("billing.draft")
def draft(request: MemberRequest) -> HttpResponseBase:
    """Make the current period's draft anew and show it."""
    now, tenant_id = timezone.now(), request.tenant.pk
    period = current_period(tenant_id=tenant_id, now=now)
    made = services.draft_invoice(tenant_id=tenant_id, period_id=period.pk, now=now)
    messages.success(request, "The draft is up to date.")
    return redirect("portal-invoice", key=encode("inv", made.pk))


def _rights(request: MemberRequest) -> dict[str, bool]:
    return {"may_draft": request.principal.may("billing.draft")}
