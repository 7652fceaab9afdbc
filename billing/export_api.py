"""Exports over HTTP: lists of invoices and credit notes, and their documents, as files."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from billing import listing
from billing.api import CURSOR, LIMIT
from billing.models import Export
from billing.services import exporting
from common.ids import decode, encode
from common.models import Job
from common.pagination import paginate
from common.timestamps import rfc3339

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
BINARY = {(200, media_type.partition(";")[0]): OpenApiTypes.BINARY for media_type in MEDIA_TYPES.values()}


class ExportBody(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(Export.Kind.values)
    format = serializers.ChoiceField(Export.Format.values, help_text="Lists: csv or xlsx. Documents: zip.")
    status = serializers.ChoiceField(listing.STATUSES, required=False, help_text="Of invoices; open: pending, overdue.")
    number = serializers.CharField(max_length=40, required=False, allow_blank=True, help_text="A part of it.")
    start_date = serializers.DateField(
        required=False, help_text="Of invoices: periods that end then or later. Of the rest: issued then or later."
    )
    end_date = serializers.DateField(required=False, help_text="Likewise, inclusive.")


class ExportAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(Export.Kind.values)
    format = serializers.ChoiceField(Export.Format.values)
    filters = serializers.DictField(child=serializers.CharField())
    status = serializers.ChoiceField(Job.Status.values)
    done_count = serializers.IntegerField(help_text="Rows, or documents, so far.")
    total_count = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)
    file_name = serializers.CharField()
    size_bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    url = serializers.URLField(allow_null=True, help_text="The file, once the status is done.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="The file is deleted then.")


class ExportPage(serializers.Serializer[Any]):
    results = ExportAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ExportViewSet(TenantViewSet):
    permissions = {"list": "billing.read", "create": "billing.read", "show": "billing.read", "file": "billing.read"}

    @extend_schema(
        summary="Exports, newest first", parameters=[CURSOR, LIMIT], responses={200: ExportPage}, tags=["billing"]
    )
    def list(self, request: Request) -> Response:
        exports = Export.objects.for_tenant(self.principal.tenant_id).defer("content")
        page = paginate(exports, request, present=lambda export: {"export": export})
        page["results"] = _present_all([row["export"] for row in page["results"]], self.principal.tenant_id, request)
        return Response(page)

    @extend_schema(
        summary="Export invoices, credit notes or their documents",
        description="A short file is ready in the answer; a long one is made by a worker: ask for the export until its status "
        "is done. Text that a spreadsheet would run as a formula is defused.",
        request=ExportBody,
        responses={201: ExportAnswer},
        examples=[
            OpenApiExample(
                "Invoices of a quarter",
                {"kind": "invoices", "format": "csv", "start_date": "2026-01-01", "end_date": "2026-03-31"},
                request_only=True,
            )
        ],
        tags=["billing"],
    )
    def create(self, request: Request) -> Response:
        return self.once(self._create)

    @extend_schema(summary="An export and how far it is", responses={200: ExportAnswer}, tags=["billing"])
    def show(self, request: Request, id: str) -> Response:
        state = exporting.export_state(tenant_id=self.principal.tenant_id, export_id=decode("exp", id))
        return Response(present_export(state.export, state.job, self.request))

    @extend_schema(summary="An export's file", responses=BINARY, tags=["billing"])
    def file(self, request: Request, id: str) -> HttpResponse:
        export, content = exporting.export_file(tenant_id=self.principal.tenant_id, export_id=decode("exp", id))
        return HttpResponse(
            content,
            content_type=MEDIA_TYPES[export.file_format],
            headers={
                "Content-Disposition": f'attachment; filename="{export.file_name}"',
                "ETag": f'"{export.sha256}"',
                "Cache-Control": "private, no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )

    def _create(self) -> Response:
        body = self.read(ExportBody)
        state = exporting.start_export(
            tenant_id=self.principal.tenant_id,
            kind=body["kind"],
            file_format=body["format"],
            wanted=listing.filter_of(body),
            now=self.now,
        )
        return Response(present_export(state.export, state.job, self.request), status=201)


def _present_all(exports: list[Export], tenant_id: UUID, request: Request) -> list[dict[str, Any]]:
    jobs = Job.objects.filter(owner=tenant_id).in_bulk([export.job_id for export in exports])
    return [present_export(export, jobs[export.job_id], request) for export in exports]


def present_export(export: Export, job: Job, request: Request) -> dict[str, Any]:
    """Return an export and how far it is."""
    is_done = job.status == Job.Status.DONE
    public_id = encode("exp", export.pk)
    return {
        "id": public_id,
        "kind": export.kind,
        "format": export.file_format,
        "filters": export.filters,
        "status": job.status,
        "done_count": job.done_count,
        "total_count": job.total_count,
        "error": job.error or None,
        "file_name": export.file_name,
        "size_bytes": export.size_bytes if is_done else None,
        "sha256": export.sha256 or None,
        "url": request.build_absolute_uri(f"/v1/billing/exports/{public_id}/file") if is_done else None,
        "created_at": rfc3339(export.created_at),
        "expires_at": rfc3339(export.expires_at),
    }
