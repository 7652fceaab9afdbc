"""Overview and usage: what a company used this period, and what it will cost."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.pages import MemberRequest, member_page
from billing.services import estimate_invoice
from common.errors import Forbidden
from irisx.portal import charts
from irisx.portal.context import rooms_of
from irisx.portal.limits import allowances_of, bars_of
from usage import selectors
from usage.selectors import PeriodUsage
from usage.selectors.limits import limits_in_use
from usage.sums import by_day

SPANS = ("30", "90")  # days until today, besides the period


@member_page()
def home(request: MemberRequest) -> HttpResponseBase:
    """Send a member to the room they work in."""
    rooms = rooms_of(request.principal)
    if not rooms:
        raise Forbidden("No room is open to this role.")
    return redirect(rooms[0].url)


@member_page()
def overview(request: MemberRequest) -> HttpResponseBase:
    """Show the period so far; who may not see usage goes to the room they work in."""
    if not request.principal.may("usage.read"):
        return home(request)
    may = request.principal.may
    context = {"usage": _usage(request), "may_see_invoices": may("billing.read"), "may_chat": may("chat.read")}
    return render(request, "portal/overview.html", context)


@member_page("usage.read")
def usage(request: MemberRequest) -> HttpResponse:
    """Show what was used by day and by meter, the limits, and to those who see invoices what today would be billed."""
    found, now, tenant_id = _usage(request), timezone.now(), request.tenant.pk
    limits = limits_in_use(tenant_id=tenant_id, period=found.period, now=now)
    may_see_invoices = request.principal.may("billing.read")
    context = {
        "usage": found,
        "bars": bars_of(limits),
        "allowances": allowances_of(limits),
        "estimate": estimate_invoice(tenant_id=tenant_id, now=now) if may_see_invoices else None,
        "may_see_invoices": may_see_invoices,
        **_chart(request, found),
    }
    return render(request, "portal/usage.html", context)


def _chart(request: MemberRequest, found: PeriodUsage) -> dict[str, Any]:
    """Return the chart that was asked for: of the period or of some days until today, by events or by cost."""
    span, by = request.GET.get("days", ""), request.GET.get("by", "")
    measure = charts.cost if by == "cost" else charts.events
    if span in SPANS:
        last = found.period.day_of(timezone.now())
        first = last - timedelta(days=int(span) - 1)
        sums = by_day(tenant_id=request.tenant.pk, first=first, last=last)
    else:
        span, first, last, sums = "", found.period.period_start, found.period.period_end, list(found.days)
    chart = charts.by_day(sums, first=first, last=last, measure=measure)
    return {"chart": chart, "span": span, "spans": SPANS, "by": "cost" if measure is charts.cost else "events"}


def _usage(request: MemberRequest) -> PeriodUsage:
    now = timezone.now()
    period = selectors.current_period(tenant_id=request.tenant.pk, now=now)
    return selectors.period_usage(tenant_id=request.tenant.pk, period=period, now=now)
