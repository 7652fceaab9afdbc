"""Bodies of `/v1/members`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from accounts.permissions import Role

MEMBER = {
    "id": "mb_0190b1c2d3e47f00a1b2c3d4e5f60718",
    "user": {"id": "us_0190b1c2d3e47f00a1b2c3d4e5f60719", "name": "Bob", "email": "bob@acme.example"},
    "role": "agent",
    "is_active": True,
    "created_at": "2026-01-01T12:00:00.000000Z",
}
INVITATION = {
    "id": "iv_0190b1c2d3e47f00a1b2c3d4e5f60720",
    "email": "dana@acme.example",
    "name": "Dana",
    "role": "agent",
    "status": "waiting",
    "created_at": "2026-01-01T12:00:00.000000Z",
    "sent_at": None,
    "expires_at": "2026-01-08T12:00:00.000000Z",
}
MEMBER_EXAMPLE = OpenApiExample("A member", MEMBER, response_only=True)
ROLE_EXAMPLE = OpenApiExample("Another role", {"role": "supervisor"}, request_only=True)
INVITATION_EXAMPLE = OpenApiExample("An invitation", INVITATION, response_only=True)
INVITE_EXAMPLE = OpenApiExample(
    "An agent", {"email": "dana@acme.example", "name": "Dana", "role": "agent"}, request_only=True
)


class MemberPerson(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`us_…`")
    name = serializers.CharField()
    email = serializers.EmailField()


class Member(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`mb_…`")
    user = MemberPerson()
    role = serializers.ChoiceField(choices=Role.choices)
    is_active = serializers.BooleanField(help_text="False: suspended.")
    created_at = serializers.DateTimeField()


class MemberPage(serializers.Serializer[Any]):
    results = Member(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class MemberChange(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices, help_text="Owners alone make owners.")


class Invite(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices)


class InvitationAnswer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="`iv_…`")
    email = serializers.EmailField()
    name = serializers.CharField(allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices)
    status = serializers.ChoiceField(choices=["waiting", "sent", "expired", "accepted", "revoked"])
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()


class InvitationPage(serializers.Serializer[Any]):
    results = InvitationAnswer(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
