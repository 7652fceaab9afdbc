"""Credit: what is left of it, from which grants, what is set aside, and every line of the ledger."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.pages import MemberRequest, member_page
from common.money import round_money
from usage.models import CreditEntry
from usage.selectors.balances import credit_state
from usage.selectors.credit import live_holds

PAGE_SIZE = 50


@require_safe
@member_page("billing.read")
def credit(request: MemberRequest) -> HttpResponse:
    """Show balance, grants, holds and ledger."""
    tenant_id, now = request.tenant.pk, timezone.now()
    state = credit_state(tenant_id=tenant_id, now=now)
    labels = dict(CreditEntry.Source.choices)
    grants = [
        {
            "source": labels.get(grant.source, grant.source),
            "amount": round_money(grant.amount, state.currency),
            "left": round_money(state.left[grant.id], state.currency),
            "expires_at": grant.expires_at,
            "starts_at": grant.starts_at,
            "is_later": grant.starts_at > now,
            "has_ended": grant.expires_at is not None and grant.expires_at <= now,
        }
        for grant in state.grants
    ]
    entries = CreditEntry.objects.for_tenant(tenant_id).order_by("-created_at", "-id")
    context = {
        "currency": state.currency,
        "available": round_money(state.available, state.currency),
        "held": round_money(state.held, state.currency),
        "unbilled": round_money(state.granted - state.unused, state.currency),
        "grants": grants,
        "holds": live_holds(tenant_id=tenant_id, now=now),
        "page": Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page")),
    }
    return render(request, "portal/credit.html", context)
