"""Who a tenant is on its invoices, over HTTP."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from billing import presenting, selectors, services
from billing.models import BillingProfile
from common.clients import address_of
from usage.services import Actor


class ProfileBody(serializers.Serializer[Any]):
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1, e.g. IE.")
    legal_name = serializers.CharField(max_length=120, allow_blank=True, default="")
    address = serializers.CharField(
        max_length=500, allow_blank=True, default="", help_text="Street lines, one line each."
    )
    postal_code = serializers.CharField(max_length=20, allow_blank=True, default="")
    city = serializers.CharField(max_length=80, allow_blank=True, default="")
    tax_id = serializers.CharField(
        max_length=40, allow_blank=True, default="", help_text="VAT id with its country, e.g. DE136695976."
    )
    reference = serializers.CharField(
        max_length=80, allow_blank=True, default="", help_text="Your own, printed on each invoice."
    )
    language = serializers.ChoiceField(choices=BillingProfile.Language.values, default="en")
    billing_email = serializers.EmailField(allow_blank=True, default="")


class ProfileAnswer(ProfileBody):
    country = serializers.CharField(allow_null=True)
    treatment = serializers.ChoiceField(choices=BillingProfile.Treatment.values, help_text="Decided by operators.")
    exemption_reason = serializers.CharField()


class ProfileViewSet(TenantViewSet):
    permissions = {"show": "billing.read", "replace": "billing.manage"}

    @extend_schema(summary="Who you are on your invoices", responses={200: ProfileAnswer}, tags=["billing"])
    def show(self, request: Request) -> Response:
        profile = selectors.profile_of(tenant_id=self.principal.tenant_id)
        return Response(presenting.present_profile(profile))

    @extend_schema(
        summary="Say who you are on your invoices",
        description="Replaces all of it. Invoices that are final keep who you were. The VAT id's form and check digits are "
        "held for the European Union, Switzerland, Norway and the United Kingdom.",
        request=ProfileBody,
        responses={200: ProfileAnswer},
        examples=[
            OpenApiExample(
                "A company in Cork", {"country": "IE", "legal_name": "Acme Ltd", "city": "Cork"}, request_only=True
            )
        ],
        tags=["billing"],
    )
    def replace(self, request: Request) -> Response:
        tenant_id = self.principal.tenant_id
        who = self.principal
        actor = Actor(kind=who.kind.value, name=who.name, id=who.id, address=address_of(request) or None)
        services.set_profile(tenant_id=tenant_id, buyer=services.Buyer(**self.read(ProfileBody)), actor=actor)
        return Response(presenting.present_profile(selectors.profile_of(tenant_id=tenant_id)))
