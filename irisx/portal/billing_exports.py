"""Files of invoices: asked for, watched while they are made, downloaded."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import MemberRequest, member_page
from billing import listing
from billing.models import Export
from billing.services import exporting
from common.errors import DomainError, Invalid
from common.ids import decode, encode
from common.models import Job

MOST = 50


@require_safe
@member_page("billing.read")
def exports(request: MemberRequest) -> HttpResponse:
    """List the files of the last week, the newest first."""
    tenant_id, now = request.tenant.pk, timezone.now()
    found = list(
        Export.objects.for_tenant(tenant_id)
        .filter(expires_at__gt=now)
        .defer("content")
        .order_by("-created_at", "-id")[:MOST]
    )
    jobs = Job.objects.filter(owner=tenant_id).in_bulk([export.job_id for export in found])
    states = [exporting.ExportState(export, jobs[export.job_id]) for export in found]
    return render(request, "portal/exports.html", {"states": states})


@require_POST
@member_page("billing.read")
def start(request: MemberRequest) -> HttpResponseBase:
    """Make a file, or have it made: a short one is there at once."""
    asked = request.POST
    try:
        state = exporting.start_export(
            tenant_id=request.tenant.pk,
            kind=_one_of(asked.get("kind"), Export.Kind.values, "kind"),
            file_format=_one_of(asked.get("format"), Export.Format.values, "format"),
            wanted=listing.filter_of(_with_month(asked.dict())),
            now=timezone.now(),
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("portal-finance")
    key = encode("exp", state.export.pk)
    if state.job.status == Job.Status.DONE:
        return redirect("export-file", id=key)
    return redirect("portal-export", key=key)


@require_safe
@member_page("billing.read")
def export(request: MemberRequest, key: str) -> HttpResponse:
    """Show how far a file is, and once it is made, where to get it."""
    state = exporting.export_state(tenant_id=request.tenant.pk, export_id=decode("exp", key))
    is_waiting = state.job.status in (Job.Status.WAITING, Job.Status.RUNNING)
    return render(request, "portal/export.html", {"state": state, "is_waiting": is_waiting})


def _one_of(value: str | None, known: list[str], name: str) -> str:
    if value not in known:
        raise Invalid(f"{name} must be one of {', '.join(known)}.", pointer=f"/{name}")
    return value


def _with_month(asked: dict[str, str]) -> dict[str, str]:
    """Read `month`, its first and last day with a slash between, as the days."""
    first, _, last = asked.pop("month", "").partition("/")
    return {**asked, "start_date": first, "end_date": last} if first else asked
