"""`/v1/tenant/close`: the owner closes the company."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.leaving import services
from accounts.principals import require_user
from common.ids import encode
from common.ratelimit import Limit, take
from common.timestamps import rfc3339

TRIES = Limit("close-company", burst=5, per_minute=5)


class CloseCompany(serializers.Serializer[Any]):
    password = serializers.CharField(max_length=200, trim_whitespace=False, help_text="Yours.")


class ClosedAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    status = serializers.ChoiceField(["closed"])
    closed_at = serializers.DateTimeField()
    erased_after = serializers.DateTimeField(help_text="Until then an operator can reopen it.")


class LeavingViewSet(TenantViewSet):
    permissions = {"close": "tenant.close"}

    @extend_schema(
        summary="Close the company",
        description="Its owner's alone. Sign-in, keys, sockets, calls and webhooks stop at once. An operator can reopen it "
        "for 30 days; then all but invoices and their evidence is erased.",
        request=CloseCompany,
        responses={200: ClosedAnswer},
        examples=[
            OpenApiExample("With the password", {"password": "correct horse battery"}, request_only=True),
            OpenApiExample(
                "Closed",
                {
                    "id": "tn_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
                    "status": "closed",
                    "closed_at": "2026-01-01T12:00:00.000000Z",
                    "erased_after": "2026-01-31T12:00:00.000000Z",
                },
                response_only=True,
            ),
        ],
        tags=["accounts"],
    )
    def close(self, request: Request) -> Response:
        user_id = require_user(self.principal)
        take(TRIES, user_id.hex, now=self.now)
        tenant = services.close_own_company(
            tenant_id=self.principal.tenant_id,
            user_id=user_id,
            password=self.read(CloseCompany)["password"],
            actor=audit.actor_of(self.principal),
            now=self.now,
        )
        closed_at = tenant.closed_at or self.now
        body = {
            "id": encode("tn", tenant.pk),
            "status": tenant.status,
            "closed_at": rfc3339(closed_at),
            "erased_after": rfc3339(closed_at + services.KEPT),
        }
        return Response(body)
