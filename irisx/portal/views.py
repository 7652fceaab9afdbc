"""Overview and usage: what a company used this period, and what it will cost."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.pages import MemberRequest, member_page
from common.errors import Forbidden
from irisx.portal import charts
from irisx.portal.context import rooms_of
from usage import selectors
from usage.selectors import PeriodUsage


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
    """Show what was used this period by meter and by day."""
    found = _usage(request)
    chart = charts.by_day(found.days, first=found.period.period_start, last=found.period.period_end)
    return render(request, "portal/usage.html", {"usage": found, "chart": chart})


def _usage(request: MemberRequest) -> PeriodUsage:
    now = timezone.now()
    period = selectors.current_period(tenant_id=request.tenant.pk, now=now)
    return selectors.period_usage(tenant_id=request.tenant.pk, period=period, now=now)
