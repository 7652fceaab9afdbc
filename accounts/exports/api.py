"""`/v1/tenant/export`: the company's own copy of its data."""

from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpResponseBase, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.exports import services
from accounts.exports.models import TenantExport
from accounts.exports.services import ExportState
from accounts.principals import require_user
from common.files import ranged
from common.ids import decode, encode
from common.models import Job
from common.pagination import paginate
from common.timestamps import rfc3339

MEDIA_TYPE = "application/zip"
LINK_SECONDS = 300
LIMIT = OpenApiParameter("limit", int, description="1 to 200; 50 when absent.")
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous`.")


class TenantExportAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`tex_…`")
    status = serializers.ChoiceField(Job.Status.values)
    done_count = serializers.IntegerField(help_text="Tables read so far; the last step packs the archive.")
    total_count = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)
    size_bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True, help_text="Of the archive, in hex.")
    url = serializers.URLField(allow_null=True, help_text="The archive, once the status is done.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="The archive is deleted then.")


class TenantExportPage(serializers.Serializer[Any]):
    results = TenantExportAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


UNDER_WAY = OpenApiExample(
    "Under way",
    {
        "id": "tex_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
        "status": "running",
        "done_count": 12,
        "total_count": 70,
        "error": None,
        "size_bytes": None,
        "sha256": None,
        "url": None,
        "created_at": "2026-01-01T12:00:00.000000Z",
        "expires_at": "2026-01-08T12:00:00.000000Z",
    },
    response_only=True,
)


class TenantExportViewSet(TenantViewSet):
    permissions = dict.fromkeys(("create", "list", "show", "file"), "tenant.export")

    @extend_schema(
        summary="Export all of the company's data",
        description="One ZIP: every table as JSON lines, every file, a manifest. Its owner's alone. A worker makes it: ask for "
        "the export until its status is done. While one is under way, asking again answers that one.",
        request=None,
        responses={202: TenantExportAnswer, 200: TenantExportAnswer},
        examples=[UNDER_WAY],
        tags=["accounts"],
    )
    def create(self, request: Request) -> Response:
        return self.once(self._create)

    @extend_schema(
        summary="Exports of the company's data, newest first",
        parameters=[CURSOR, LIMIT],
        responses={200: TenantExportPage},
        tags=["accounts"],
    )
    def list(self, request: Request) -> Response:
        page = paginate(
            TenantExport.objects.for_tenant(self.principal.tenant_id),
            request,
            present=lambda export: {"export": export},
        )
        exports = [row["export"] for row in page["results"]]
        known = Job.objects.filter(owner=self.principal.tenant_id).in_bulk([export.job_id for export in exports])
        page["results"] = [_present(ExportState(export, known[export.job_id]), request) for export in exports]
        return Response(page)

    @extend_schema(
        summary="An export and how far it is",
        responses={200: TenantExportAnswer},
        examples=[UNDER_WAY],
        tags=["accounts"],
    )
    def show(self, request: Request, id: str) -> Response:
        state = services.export_state(tenant_id=self.principal.tenant_id, export_id=decode("tex", id))
        return Response(_present(state, request))

    @extend_schema(
        summary="The archive of an export",
        description="Takes `Range`, so that a download that was cut short goes on. Where files lie in S3, leads there.",
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="`bytes=1000-`")],
        responses={
            (200, MEDIA_TYPE): OpenApiTypes.BINARY,
            (206, MEDIA_TYPE): OpenApiTypes.BINARY,
            (416, MEDIA_TYPE): OpenApiTypes.BINARY,
            302: None,
        },
        tags=["accounts"],
    )
    def file(self, request: Request, id: str) -> HttpResponseBase:
        export = services.archive_of(tenant_id=self.principal.tenant_id, export_id=decode("tex", id), now=self.now)
        name = f"export-{export.created_at:%Y-%m-%d}.zip"
        if settings.IRISX_STORAGE_IS_REMOTE:
            link = default_storage.url(  # type: ignore[call-arg] # django-storages takes more than Django's signature says
                export.storage_key,
                parameters={"ResponseContentDisposition": f'attachment; filename="{name}"'},
                expire=LINK_SECONDS,
            )
            return HttpResponseRedirect(link, headers={"Cache-Control": "no-store"})
        answer = ranged(
            default_storage.open(export.storage_key, "rb"),
            size=export.size_bytes or 0,
            etag=f'"{bytes(export.sha256 or b"").hex()}"',
            headers=request.headers,
            content_type=MEDIA_TYPE,
        )
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Cache-Control"] = "private, no-store"
        answer["X-Content-Type-Options"] = "nosniff"
        return answer

    def _create(self) -> Response:
        state, is_new = services.request_export(
            tenant_id=self.principal.tenant_id,
            user_id=require_user(self.principal),
            actor=audit.actor_of(self.principal),
            now=self.now,
        )
        return Response(_present(state, self.request), status=202 if is_new else 200)


def _present(state: ExportState, request: Request) -> dict[str, Any]:
    export, job = state.export, state.job
    public_id = encode("tex", export.pk)
    return {
        "id": public_id,
        "status": job.status,
        "done_count": job.done_count,
        "total_count": job.total_count,
        "error": job.error or None,
        "size_bytes": export.size_bytes,
        "sha256": bytes(export.sha256).hex() if export.sha256 else None,
        "url": request.build_absolute_uri(f"/v1/tenant/exports/{public_id}/file") if export.storage_key else None,
        "created_at": rfc3339(export.created_at),
        "expires_at": rfc3339(export.expires_at),
    }
