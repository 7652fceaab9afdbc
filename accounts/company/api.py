"""`/v1/tenant/settings`."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.company import schemas, services
from accounts.company.changing import change


class CompanySettingsViewSet(TenantViewSet):
    permissions = {"show": "settings.manage", "change": "settings.manage"}

    @extend_schema(
        summary="The company's settings",
        responses={200: schemas.CompanySettings},
        examples=[schemas.ANSWER_EXAMPLE],
        tags=["accounts"],
    )
    def show(self, request: Request) -> Response:
        return Response(asdict(services.settings_of(tenant_id=self.principal.tenant_id)))

    @extend_schema(
        summary="Change the company's settings",
        description="What is not named stays. Lists are replaced as a whole.",
        request=schemas.CompanySettingsChange,
        responses={200: schemas.CompanySettings},
        examples=[schemas.CHANGE_EXAMPLE, schemas.ANSWER_EXAMPLE],
        tags=["accounts"],
    )
    def change(self, request: Request) -> Response:
        changes = self.read(schemas.CompanySettingsChange)
        after = change(tenant_id=self.principal.tenant_id, changes=changes, by=audit.actor_of(self.principal))
        return Response(asdict(after))
