"""What people and programs did: the audit log, to read and to take along."""

from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.audit.models import AuditEntry
from accounts.audit.reading import entries_matching
from accounts.pages import MemberRequest, member_page
from common.errors import Invalid, NotFound
from common.ids import decode, encode

MOST = 50
FILTERS = ("actor", "action", "object", "start_date", "end_date")


@require_safe
@member_page("audit.read")
def log(request: MemberRequest) -> HttpResponse:
    """Show the entries, newest first; `before` is the last one on the page before."""
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS}
    found: list[AuditEntry] = []
    refused = ""
    try:
        rows = entries_matching(tenant_id=request.tenant.pk, query=asked)
        found = list(_before(rows, request.GET.get("before", ""))[: MOST + 1])
    except Invalid as error:
        refused = error.message
    query = urlencode({name: text for name, text in asked.items() if text})
    context = {
        "entries": found[:MOST],
        "older": urlencode({"before": encode("au", found[MOST - 1].pk)}) if len(found) > MOST else "",
        "query": query,
        "asked": asked,
        "refused": refused,
        "tab": "log",
    }
    return render(request, "portal/company/log.html", context, status=422 if refused else 200)


def _before(rows: QuerySet[AuditEntry], id: str) -> QuerySet[AuditEntry]:
    """Return what is older than an entry, newest first; all of it where there is no such entry."""
    try:
        last = rows.filter(pk=decode("au", id)).first() if id else None
    except NotFound:
        last = None
    if last is not None:
        rows = rows.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))
    return rows.order_by("-created_at", "-pk")
