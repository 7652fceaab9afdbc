"""`/v1/audit-log`: who did what in this company."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.audit.exporting import as_csv, as_json_lines, present_entry
from accounts.audit.reading import entries_matching
from common.errors import Invalid
from common.pagination import paginate

MOST_EXPORTED = 50_000
FORMATS = {"csv": ("text/csv; charset=utf-8", as_csv), "jsonl": ("application/jsonl", as_json_lines)}
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
FILTERS = [
    OpenApiParameter(
        "actor", str, description="Who: an id (`us_…`, `ak_…`) or a name, operators who acted as somebody too."
    ),
    OpenApiParameter("action", str, description="What: `api_key.created`, or all of a kind: `api_key.`"),
    OpenApiParameter("object", str, description="About what: its id."),
    OpenApiParameter("start_date", OpenApiTypes.DATE, description="From this day on, in the company's time zone."),
    OpenApiParameter("end_date", OpenApiTypes.DATE, description="Up to this day, inclusive."),
]
FORMAT = OpenApiParameter("file_format", str, enum=sorted(FORMATS), required=True)
ENTRY = {
    "id": "au_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
    "created_at": "2026-01-01T12:00:00.000000Z",
    "actor": {"kind": "user", "id": "us_0190a1b2c3d47e5f8a9b0c1d2e3f4a5c", "name": "Alice"},
    "impersonator": None,
    "action": "api_key.changed",
    "object_id": "ak_0190a1b2c3d47e5f8a9b0c1d2e3f4a5d",
    "changes": {"per_minute": {"from": None, "to": 60}},
    "ip_address": "192.0.2.7",
    "user_agent": "Mozilla/5.0",
    "request_id": "7f3c1d5e9a",
    "sequence": 42,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


class ActorAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["user", "api_key", "visitor", "operator", "system"])
    id = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class ImpersonatorAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class EntryAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    created_at = serializers.DateTimeField()
    actor = ActorAnswer()
    impersonator = ImpersonatorAnswer(allow_null=True, help_text="The operator who acted as the person.")
    action = serializers.CharField()
    object_id = serializers.CharField(allow_null=True)
    changes = serializers.DictField(help_text="What was and what is; secrets are masked.")
    ip_address = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_null=True)
    request_id = serializers.CharField(allow_null=True)
    sequence = serializers.IntegerField(allow_null=True, help_text="Gap-free, from 1.")
    hash = serializers.CharField(allow_null=True, help_text="SHA-256 over this entry and the one before, in hex.")


class EntryPage(serializers.Serializer[Any]):
    results = EntryAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class AuditLogViewSet(TenantViewSet):
    permissions = {"list": "audit.read", "export": "audit.read"}

    @extend_schema(
        summary="The audit log, newest first",
        parameters=[*FILTERS, CURSOR, LIMIT],
        responses={200: EntryPage},
        examples=[OpenApiExample("A page", {"results": [ENTRY], "next": None, "previous": None}, response_only=True)],
        tags=["accounts"],
    )
    def list(self, request: Request) -> Response:
        rows = entries_matching(tenant_id=self.principal.tenant_id, query=request.query_params)
        return Response(paginate(rows, request, present=present_entry))

    @extend_schema(
        summary="The audit log as a file",
        description=f"CSV or JSON Lines, the oldest first, at most {MOST_EXPORTED} entries: narrow the days for more. Text "
        "that a spreadsheet would run as a formula is defused. The export is itself an entry.",
        parameters=[FORMAT, *FILTERS],
        responses={(200, "text/csv"): OpenApiTypes.BINARY, (200, "application/jsonl"): OpenApiTypes.BINARY},
        tags=["accounts"],
    )
    def export(self, request: Request) -> HttpResponse:
        wanted = request.query_params.get("file_format", "")
        if wanted not in FORMATS:
            raise Invalid(f"file_format is one of {', '.join(sorted(FORMATS))}.", pointer="/file_format")
        rows = entries_matching(tenant_id=self.principal.tenant_id, query=request.query_params)
        found = list(rows.order_by("created_at", "id")[: MOST_EXPORTED + 1])
        if len(found) > MOST_EXPORTED:
            raise Invalid(
                f"More than {MOST_EXPORTED} entries; narrow the days.", code="too-much", pointer="/start_date"
            )
        filters = {name: value for name, value in request.query_params.dict().items() if name != "file_format"}
        audit.record(
            tenant_id=self.principal.tenant_id,
            action="audit_log.exported",
            by=audit.actor_of(self.principal),
            changes={"format": wanted, "entries": len(found), "filters": filters},
        )
        media_type, write = FORMATS[wanted]
        name = f"audit-log-{self.now:%Y-%m-%d}.{wanted}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        return HttpResponse(write(found), content_type=media_type, headers=headers)
