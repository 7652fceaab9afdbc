"""`/v1/api-keys`: an integrator's keys. A key's text is in the answer that makes it, and nowhere else."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.api import TenantViewSet
from accounts.keys import services
from accounts.keys.models import ApiKey
from accounts.permissions import SCOPES
from common.errors import Invalid
from common.ids import decode, encode
from common.pagination import paginate
from common.timestamps import rfc3339

STATES = ("active", "expired", "revoked")
MOST_PER_MINUTE = 100_000
CURSOR = OpenApiParameter("cursor", str, description="From `next` or `previous` of another page.")
LIMIT = OpenApiParameter("limit", int, description="1 to 200, 50 by default.")
STATUS = OpenApiParameter("status", str, enum=STATES, description="Only keys in this state.")
KEY_BODY = {
    "id": "ak_0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
    "name": "Shop backend",
    "key_start": "irisx_live_Jx3dB0aQ9LzT",
    "scopes": ["chat.read", "chat.reply"],
    "status": "active",
    "per_minute": 120,
    "expires_at": None,
    "last_used_at": None,
    "last_used_ip": None,
    "created_by": "us_0190a1b2c3d47e5f8a9b0c1d2e3f4a5c",
    "created_at": "2026-01-01T12:00:00.000000Z",
    "revoked_at": None,
    "replaced_by": None,
}
MADE_BODY = {**KEY_BODY, "key": "irisx_live_Jx3dB0aQ9LzT…"}


class CreateKey(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, help_text="What it is for, as your colleagues will read it.")
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=40),
        allow_empty=False,
        max_length=len(SCOPES),
        help_text=f"What it may do, none of it more than you: {', '.join(sorted(SCOPES))}.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="null: never.")
    per_minute = serializers.IntegerField(
        min_value=1,
        max_value=MOST_PER_MINUTE,
        required=False,
        allow_null=True,
        default=None,
        help_text="Requests a minute; null: as many as the plan allows.",
    )


class ChangeKey(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False)
    per_minute = serializers.IntegerField(min_value=1, max_value=MOST_PER_MINUTE, required=False, allow_null=True)


class RotateKey(serializers.Serializer[Any]):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=services.LONGEST_OVERLAP_HOURS,
        default=24,
        help_text="How long the old key goes on working; 0: it ends now.",
    )


class KeyAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    key_start = serializers.CharField(help_text="By what to recognize it.")
    scopes = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(STATES)
    per_minute = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    last_used_ip = serializers.IPAddressField(allow_null=True)
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    replaced_by = serializers.CharField(allow_null=True, help_text="The key that took its place.")


class MadeKeyAnswer(KeyAnswer):
    key = serializers.CharField(
        allow_null=True, help_text="Shown in this answer alone; null when an Idempotency-Key replays it."
    )


class KeyPage(serializers.Serializer[Any]):
    results = KeyAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ApiKeyViewSet(TenantViewSet):
    permissions = dict.fromkeys(("list", "create", "show", "change", "rotate", "revoke"), "api_keys.manage")

    @extend_schema(
        summary="API keys, newest first",
        parameters=[STATUS, CURSOR, LIMIT],
        responses={200: KeyPage},
        examples=[
            OpenApiExample("A page", {"results": [KEY_BODY], "next": None, "previous": None}, response_only=True)
        ],
        tags=["accounts"],
    )
    def list(self, request: Request) -> Response:
        keys = ApiKey.objects.for_tenant(self.principal.tenant_id)
        state = request.query_params.get("status")
        if state is not None:
            keys = keys.filter(self._in_state(state))
        return Response(paginate(keys, request, present=lambda key: present_key(key, self)))

    @extend_schema(
        summary="Make an API key",
        description="Its text is in this answer and can never be read again. `Idempotency-Key` protects from making two; a "
        "replay does not show the text.",
        request=CreateKey,
        responses={201: MadeKeyAnswer},
        examples=[
            OpenApiExample("For the desk", {"name": "Shop backend", "scopes": ["chat.read", "chat.reply"]}, request_only=True),
            OpenApiExample("The key", MADE_BODY, response_only=True),
        ],
        tags=["accounts"],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        body, made = self.read(CreateKey), list[str]()
        # Before anything else: a replay answers what was, whatever its caller may do now.
        services.require_grantable(scopes=body["scopes"], held=self.principal.permissions)
        services.require_future(body["expires_at"], now=self.now)

        def answer() -> Response:
            key, text = services.issue_api_key(
                tenant_id=self.principal.tenant_id,
                created_by=self.principal.user_id,
                actor=audit.actor_of(self.principal),
                **body,
            )
            made.append(text)
            return Response({**present_key(key, self), "key": None}, status=201)

        return _with_text(self.once(answer), made)

    @extend_schema(
        summary="One API key",
        responses={200: KeyAnswer},
        examples=[OpenApiExample("A key", KEY_BODY, response_only=True)],
        tags=["accounts"],
    )
    def show(self, request: Request, id: str) -> Response:
        key = services.key_of(tenant_id=self.principal.tenant_id, key_id=decode(services.PREFIX, id))
        return Response(present_key(key, self))

    @extend_schema(
        summary="Change an API key's name or rate",
        request=ChangeKey,
        responses={200: KeyAnswer},
        examples=[
            OpenApiExample("A slower one", {"per_minute": 60}, request_only=True),
            OpenApiExample("A key", {**KEY_BODY, "per_minute": 60}, response_only=True),
        ],
        tags=["accounts"],
    )
    def change(self, request: Request, id: str) -> Response:
        values = self.read(ChangeKey)
        if unknown := set(request.data) - set(ChangeKey().fields):
            raise Invalid("Only name and per_minute change.", code="unknown", pointer=f"/{min(unknown)[:40]}")
        key = services.change_api_key(
            tenant_id=self.principal.tenant_id,
            key_id=decode(services.PREFIX, id),
            values=values,
            actor=audit.actor_of(self.principal),
        )
        return Response(present_key(key, self))

    @extend_schema(
        summary="Rotate an API key",
        description="Makes a key with the same name, scopes, rate and end. The old one works for `overlap_hours` more, so that "
        "nothing stops while the new one is rolled out.",
        request=RotateKey,
        responses={201: MadeKeyAnswer},
        examples=[
            OpenApiExample("Within a day", {"overlap_hours": 24}, request_only=True),
            OpenApiExample("The new key", MADE_BODY, response_only=True),
        ],
        tags=["accounts"],
    )
    def rotate(self, request: Request, id: str) -> Response:
        hours, made = self.read(RotateKey)["overlap_hours"], list[str]()

        def answer() -> Response:
            rotated = services.rotate_api_key(
                tenant_id=self.principal.tenant_id,
                key_id=decode(services.PREFIX, id),
                overlap=timedelta(hours=hours),
                held=self.principal.permissions,
                created_by=self.principal.user_id,
                actor=audit.actor_of(self.principal),
                now=self.now,
            )
            made.append(rotated.text)
            return Response({**present_key(rotated.key, self), "key": None}, status=201)

        return _with_text(self.once(answer), made)

    @extend_schema(summary="Revoke an API key at once", request=None, responses={204: None}, tags=["accounts"])
    def revoke(self, request: Request, id: str) -> Response:
        services.revoke_api_key(
            tenant_id=self.principal.tenant_id,
            key_id=decode(services.PREFIX, id),
            actor=audit.actor_of(self.principal),
            now=self.now,
        )
        return Response(status=204)

    def _in_state(self, state: str) -> Q:
        has_ended = Q(expires_at__lte=self.now)
        match state:
            case "active":
                return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=self.now))
            case "expired":
                return Q(revoked_at=None) & has_ended
            case "revoked":
                return Q(revoked_at__isnull=False)
        raise Invalid(f"status is one of {', '.join(STATES)}.", pointer="/status")


def present_key(key: ApiKey, view: TenantViewSet) -> dict[str, Any]:
    """Return a key without its text."""
    status = "revoked" if key.revoked_at else "active" if key.is_usable(view.now) else "expired"
    return {
        "id": encode(services.PREFIX, key.pk),
        "name": key.name,
        "key_start": f"irisx_live_{key.prefix}",
        "scopes": key.scopes,
        "status": status,
        "per_minute": key.per_minute,
        "expires_at": rfc3339(key.expires_at) if key.expires_at else None,
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
        "last_used_ip": key.last_used_address,
        "created_by": encode("us", key.created_by_id) if key.created_by_id else None,
        "created_at": rfc3339(key.created_at),
        "revoked_at": rfc3339(key.revoked_at) if key.revoked_at else None,
        "replaced_by": encode(services.PREFIX, key.replaced_by_id) if key.replaced_by_id else None,
    }


def _with_text(response: Response, made: list[str]) -> Response:
    """Put the text into the answer after it was stored under its Idempotency-Key: the text is stored nowhere."""
    if made:
        response.data = {**response.data, "key": made[0]}
    return response
