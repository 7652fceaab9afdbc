"""Every route × method, as every caller: who may, who may not, what an outsider sees, and that a refusal changes nothing.

A new route without an entry fails the build.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.permissions import ROLE_PERMISSIONS, Role
from tests.factories import PASSWORD
from tests.matrix.world import MARK, World, build, snapshot

SIGN_IN_FAILS = ("anonymous", "expired key", "revoked key", "forged key")
VISITORS = ("visitor", "closed visitor", "other visitor", "outsider visitor")
ROLES = {role.value: ROLE_PERMISSIONS[role] for role in Role}


@dataclass(frozen=True)
class Route:
    """One method of one route. `needs` are its permissions; `names` the object of Acme's it is about, if any."""

    method: str
    path: str
    needs: tuple[str, ...] = ()
    names: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    visitor: str = ""  # which visitor owns the object, where visitors may
    people_only: bool = False
    key_only: bool = False
    is_public: bool = False
    is_form: bool = False
    csv: str = ""
    is_personal: bool = False  # about whoever is signed in, whichever company they act in
    is_open: bool = False  # for whoever is not signed in yet
    is_authors: bool = False  # of those who have `needs`, whoever wrote the object alone

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


CHAT = ("chat.read",)
WEBHOOKS = ("webhooks.manage",)
REPLY = ("chat.reply",)
MANAGE = ("chat.manage",)
WRITE_REPLIES = ("chat.manage", "chat.reply")
KEYS = ("api_keys.manage",)
NUMBERS = ("numbers.read",)
MANAGE_NUMBERS = ("numbers.manage",)
SIP_ROUTE = {"kind": "sip_uri", "sip_uri": "sip:desk@pbx.example.com"}
HANG_UP = {"start": "bye", "nodes": {"bye": {"type": "hangup"}}}
ANY_VISITOR = "any visitor"  # about itself
CONVERSATION = "v1/chat/conversation/<str:id>"
ANYBODY = tuple(sorted(set().union(*ROLE_PERMISSIONS.values())))
EVENT = {"idempotency_key": "sms-1", "channel": "sms", "resource_type": "message", "quantity": "1"}
SEND = {"conversation_id": "{conversation}", "client_message_id": "m1", "text": "Hello"}

NOBODYS = {"refresh_token": "a.b.c"}
ROUTES = [
    Route("POST", "v1/signup", body={"email": "nobody"}, is_open=True),
    Route("POST", "v1/signup/verify", body={"token": "x", "password": "correct horse battery"}, is_open=True),
    Route("POST", "v1/auth/login", body={"email": "nobody@example.com", "password": "x"}, is_open=True),
    Route("POST", "v1/auth/login/totp", body={"mfa_token": "mfa_x", "code": "1"}, is_open=True),
    Route("POST", "v1/auth/refresh", body=NOBODYS, is_open=True),
    Route("POST", "v1/auth/logout", body=NOBODYS, is_open=True),
    Route("POST", "v1/auth/password/forgotten", body={"email": "nobody@example.com"}, is_open=True),
    Route("POST", "v1/auth/password/reset", body={"token": "x", "password": "x"}, is_open=True),
    Route("POST", "v1/auth/email/confirm", body={"token": "x"}, is_open=True),
    Route("POST", "v1/auth/password", body={"password": "x", "new_password": "y"}, is_personal=True),
    Route("POST", "v1/auth/email", body={"password": "x", "email": "new@example.com"}, is_personal=True),
    Route("GET", "v1/auth/totp", is_personal=True),
    Route("POST", "v1/auth/totp", body={"password": "x"}, is_personal=True),
    Route("POST", "v1/auth/totp/confirm", body={"code": "1"}, is_personal=True),
    Route("POST", "v1/auth/totp/disable", body={"password": "x", "code": "1"}, is_personal=True),
    Route("POST", "v1/auth/totp/recovery-codes", body={"password": "x", "code": "1"}, is_personal=True),
    Route("GET", "v1/auth/sessions", is_personal=True),
    Route("POST", "v1/auth/sessions/end-others", is_personal=True),
    Route("DELETE", "v1/auth/sessions/<str:id>", names="strange_session", is_personal=True),
    Route("GET", "v1/me", ANYBODY),
    Route("POST", "v1/me", ANYBODY, body={"tenant": "{tenant}"}, people_only=True),
    Route("PATCH", "v1/me", ANYBODY, body={"language": "de"}, people_only=True),
    Route("POST", "v1/auth/ticket", ANYBODY, people_only=True),
    Route("GET", "v1/tenant/settings", ("settings.manage",)),
    Route("PATCH", "v1/tenant/settings", ("settings.manage",), body={"name": "Acme"}),
    Route("GET", "v1/webhooks", WEBHOOKS),
    Route("POST", "v1/webhooks", WEBHOOKS, body={"url": "https://hooks.example.com/"}),
    Route("GET", "v1/webhooks/<str:id>", WEBHOOKS, names="webhook"),
    Route("PATCH", "v1/webhooks/<str:id>", WEBHOOKS, names="webhook", body={"description": "!"}),
    Route("POST", "v1/webhooks/<str:id>/rotate", WEBHOOKS, names="webhook"),
    Route("POST", "v1/webhooks/<str:id>/test", WEBHOOKS, names="webhook"),
    Route("POST", "v1/webhooks/<str:id>/replay", WEBHOOKS, names="webhook", body={"since": "2026-01-01T00:00:00Z"}),
    Route("GET", "v1/webhooks/<str:id>/deliveries", WEBHOOKS, names="webhook"),
    Route("GET", "v1/webhooks/<str:id>/deliveries/<str:delivery_id>", WEBHOOKS, names="webhook"),
    Route("POST", "v1/webhooks/<str:id>/deliveries/<str:delivery_id>/resend", WEBHOOKS, names="webhook"),
    Route("DELETE", "v1/webhooks/<str:id>", WEBHOOKS, names="webhook"),
    Route("GET", "v1/events", ("events.read",)),
    Route("GET", "v1/members", ("members.read",)),
    Route("GET", "v1/members/invitations", ("members.read",)),
    Route("POST", "v1/members/invitations", ("members.manage",), body={"email": "new@acme.example", "role": "agent"}),
    Route("GET", "v1/members/invitations/<str:id>", ("members.read",), names="invitation"),
    Route("POST", "v1/members/invitations/<str:id>/resend", ("members.manage",), names="invitation"),
    Route("DELETE", "v1/members/invitations/<str:id>", ("members.manage",), names="invitation"),
    Route("GET", "v1/members/<str:id>", ("members.read",), names="member"),
    Route("PATCH", "v1/members/<str:id>", ("members.manage",), names="member", body={"role": "read_only"}),
    Route("POST", "v1/members/<str:id>/suspend", ("members.manage",), names="member"),
    Route("POST", "v1/members/<str:id>/reactivate", ("members.manage",), names="member"),
    Route("DELETE", "v1/members/<str:id>", ("members.manage",), names="member"),
    Route("POST", "v1/tenant/export", ("tenant.export",), people_only=True),
    Route("GET", "v1/tenant/exports", ("tenant.export",), people_only=True),
    Route("GET", "v1/tenant/exports/<str:id>", ("tenant.export",), people_only=True, names="tenant_export"),
    Route("GET", "v1/tenant/exports/<str:id>/file", ("tenant.export",), people_only=True, names="tenant_export"),
    Route("POST", "v1/tenant/close", ("tenant.close",), body={"password": PASSWORD}, people_only=True),
    Route("GET", "v1/api-keys", KEYS),
    Route("POST", "v1/api-keys", KEYS, body={"name": "Shop", "scopes": ["chat.read"]}),
    Route("GET", "v1/api-keys/<str:id>", KEYS, names="api_key"),
    Route("PATCH", "v1/api-keys/<str:id>", KEYS, names="api_key", body={"name": "Shop"}),
    Route("POST", "v1/api-keys/<str:id>/rotate", KEYS, names="api_key"),
    Route("DELETE", "v1/api-keys/<str:id>", KEYS, names="api_key"),
    Route("GET", "v1/audit-log", ("audit.read",)),
    Route("GET", "v1/audit-log/export", ("audit.read",), body={"file_format": "csv"}),
    # Operators alone, who are no member's role: tests/accounts/operators.
    Route("GET", "v1/admin/tenants"),
    Route("POST", "v1/admin/tenants", body={"name": "Rogue", "slug": "rogue"}),
    Route("GET", "v1/admin/tenants/<str:id>", names="tenant"),
    Route("PATCH", "v1/admin/tenants/<str:id>", names="tenant", body={"name": "Rogue"}),
    Route("POST", "v1/admin/tenants/<str:id>/suspend", names="tenant", body={"reason": "!"}),
    Route("POST", "v1/admin/tenants/<str:id>/reactivate", names="tenant"),
    Route("POST", "v1/admin/tenants/<str:id>/close", names="tenant", body={"reason": "!"}),
    Route("GET", "v1/admin/users"),
    Route("GET", "v1/admin/users/<str:id>", names="user"),
    Route("PATCH", "v1/admin/users/<str:id>", names="user", body={"name": "Rogue"}),
    Route("POST", "v1/admin/users/<str:id>/reset", names="user"),
    Route("POST", "v1/admin/users/<str:id>/suspend", names="user", body={"reason": "!"}),
    Route("POST", "v1/admin/users/<str:id>/reactivate", names="user"),
    Route("POST", "v1/admin/users/<str:id>/sign-out", names="user"),
    Route("GET", "v1/admin/agents"),
    Route("POST", "v1/admin/agents/import"),
    Route("GET", "v1/admin/agents/import/<str:id>", names="user"),
    Route("GET", "v1/chat/widget/<str:widget_key>", is_public=True),
    Route(
        "POST",
        "v1/chat/conversation/start",
        REPLY,
        names="widget_key",
        body={"widget_key": "{widget_key}"},
        key_only=True,
    ),
    Route("POST", "v1/chat/message/send", REPLY, names="conversation", body=SEND, visitor="visitor"),
    Route("GET", f"{CONVERSATION}/messages", CHAT, names="conversation", visitor="visitor"),
    Route(
        "POST",
        f"{CONVERSATION}/messages/<str:message_id>/edit",
        REPLY,
        names="conversation",
        body={"text": "!"},
        visitor="visitor",
        is_authors=True,
    ),
    Route("GET", f"{CONVERSATION}/events", CHAT, names="conversation", visitor="visitor"),
    Route("POST", f"{CONVERSATION}/read", CHAT, names="conversation", body={"seq": 1}, visitor="visitor"),
    Route("POST", f"{CONVERSATION}/delivered", CHAT, names="conversation", body={"seq": 1}, visitor="visitor"),
    Route("POST", f"{CONVERSATION}/rate", (), names="closed", body={"rating": 4}, visitor="closed visitor"),
    Route("POST", f"{CONVERSATION}/note", REPLY, names="conversation", body={"client_message_id": "n1", "text": "!"}),
    Route("POST", f"{CONVERSATION}/accept", REPLY, names="conversation", people_only=True),
    Route("POST", f"{CONVERSATION}/transfer", REPLY, names="conversation", body={"agent": None}),
    Route("POST", f"{CONVERSATION}/labels", REPLY, names="conversation", body={"labels": ["vip"]}),
    Route("POST", f"{CONVERSATION}/reopen", REPLY, names="closed"),
    Route("GET", "v1/chat/agents", CHAT),
    Route("POST", f"{CONVERSATION}/close", REPLY, names="conversation", visitor="visitor"),
    Route("GET", "v1/chat/agent/conversations", CHAT),
    Route("GET", "v1/chat/queue", CHAT),
    Route("GET", "v1/chat/widgets", MANAGE),
    Route("POST", "v1/chat/widgets", MANAGE, body={"name": "Shop"}),
    Route("GET", "v1/chat/widgets/<str:id>", MANAGE, names="widget_key"),
    Route("PATCH", "v1/chat/widgets/<str:id>", MANAGE, names="widget_key", body={"name": "Shop"}),
    Route("DELETE", "v1/chat/widgets/<str:id>", MANAGE, names="widget_key"),
    Route("POST", "v1/chat/widgets/<str:id>/identity-secret", MANAGE, names="widget_key"),
    Route("GET", "v1/chat/labels", CHAT),
    Route("POST", "v1/chat/labels", MANAGE, body={"name": "vip"}),
    Route("PATCH", "v1/chat/labels/<str:id>", MANAGE, names="label", body={"name": "gold"}),
    Route("DELETE", "v1/chat/labels/<str:id>", MANAGE, names="label"),
    Route("GET", "v1/chat/canned-replies", CHAT),
    Route("POST", "v1/chat/canned-replies", WRITE_REPLIES, body={"shortcut": "hi", "text": "Hi"}),
    Route("PATCH", "v1/chat/canned-replies/<str:id>", WRITE_REPLIES, names="canned_reply", body={"text": "Hi"}),
    Route("DELETE", "v1/chat/canned-replies/<str:id>", WRITE_REPLIES, names="canned_reply"),
    Route("GET", "v1/chat/stats", CHAT),
    Route("GET", "v1/analytics/chats", CHAT),
    Route("GET", "v1/chat/search", CHAT, body={"q": "secret"}),
    Route(
        "POST",
        "v1/chat/attachments",
        REPLY,
        names="conversation",
        body={"conversation_id": "{conversation}"},
        visitor="visitor",
        is_form=True,
    ),
    Route("GET", "v1/chat/attachments/<str:id>", CHAT, names="attachment", visitor="visitor"),
    Route("GET", "v1/chat/visitor", visitor=ANY_VISITOR),
    Route("PATCH", "v1/chat/visitor", body={"name": "Dana"}, visitor=ANY_VISITOR),
    Route("GET", "v1/chat/visitor/export", visitor=ANY_VISITOR),
    Route("POST", "v1/chat/visitor/forget", visitor=ANY_VISITOR),
    Route("GET", "v1/chat/visitors/<str:id>", CHAT, names="visitor"),
    Route("PATCH", "v1/chat/visitors/<str:id>", REPLY, names="visitor", body={"name": "Dana"}),
    Route("DELETE", "v1/chat/visitors/<str:id>", MANAGE, names="visitor"),
    Route("GET", "v1/chat/visitors/<str:id>/export", MANAGE, names="visitor"),
    Route("POST", "v1/chat/visitors/<str:id>/block", REPLY, names="visitor"),
    Route("POST", "v1/chat/visitors/<str:id>/unblock", REPLY, names="visitor"),
    Route("GET", "v1/chat/agent/presence", ("presence",), people_only=True),
    Route("POST", "v1/chat/agent/presence", ("presence",), body={"status": "online"}, people_only=True),
    Route("GET", "v1/usage/current-period", ("usage.read",)),
    Route("GET", "v1/usage/history", ("usage.read",)),
    Route("GET", "v1/usage/limits", ("usage.read",)),
    Route("GET", "v1/usage/thresholds", ("usage.read",)),
    Route("PUT", "v1/usage/thresholds", ("billing.manage",), body={"subject": "credit", "percents": [75]}),
    Route("GET", "v1/usage/events", ("usage.read",)),
    Route("POST", "v1/usage/events", ("usage.write",), body=EVENT),
    Route("GET", "v1/usage/events/<str:id>", ("usage.read",), names="usage_event"),
    Route("POST", "v1/usage/events/<str:id>/void", ("usage.write",), names="usage_event"),
    Route("POST", "v1/usage/events/<str:id>/amend", ("usage.write",), names="usage_event", body={"quantity": "2"}),
    Route("GET", "v1/usage/uploads/<str:id>", ("usage.read",), names="usage_upload"),
    Route("GET", "v1/billing/credits", ("billing.read",)),
    Route("GET", "v1/billing/invoices", ("billing.read",)),
    Route("POST", "v1/billing/invoices/draft", ("billing.draft",)),
    Route("GET", "v1/billing/invoices/<str:id>", ("billing.read",), names="invoice"),
    Route("GET", "v1/billing/invoices/<str:id>/pdf", ("billing.read",), names="invoice"),
    Route("GET", "v1/billing/invoices/<str:id>/xml", ("billing.read",), names="invoice"),
    Route("GET", "v1/billing/credit-notes", ("billing.read",)),
    Route("GET", "v1/billing/credit-notes/<str:id>", ("billing.read",), names="credit_note"),
    Route("GET", "v1/billing/credit-notes/<str:id>/pdf", ("billing.read",), names="credit_note"),
    Route("GET", "v1/billing/credit-notes/<str:id>/xml", ("billing.read",), names="credit_note"),
    Route("GET", "v1/billing/exports", ("billing.read",)),
    Route("POST", "v1/billing/exports", ("billing.read",), body={"kind": "invoices", "format": "csv"}),
    Route("GET", "v1/billing/exports/<str:id>", ("billing.read",), names="export"),
    Route("GET", "v1/billing/exports/<str:id>/file", ("billing.read",), names="export"),
    Route("GET", "v1/billing/payments", ("billing.read",)),
    Route("GET", "v1/billing/statement", ("billing.read",)),
    Route("GET", "v1/billing/statement/csv", ("billing.read",)),
    Route("GET", "v1/billing/statement/pdf", ("billing.read",)),
    Route("GET", "v1/billing/top-ups", ("billing.read",)),
    Route("POST", "v1/billing/top-ups", ("billing.top_up",), body={"amount": "100"}),
    Route("GET", "v1/billing/top-ups/<str:id>", ("billing.read",), names="top_up"),
    Route("GET", "v1/billing/top-ups/<str:id>/pdf", ("billing.read",), names="top_up"),
    Route("POST", "v1/billing/top-ups/<str:id>/cancel", ("billing.top_up",), names="top_up"),
    Route("GET", "v1/billing/profile", ("billing.read",)),
    Route("PUT", "v1/billing/profile", ("billing.manage",), body={"country": "IE", "city": "Cork"}),
    Route("GET", "v1/billing/plans", ("billing.read",)),
    Route("GET", "v1/billing/subscription", ("billing.read",)),
    Route("POST", "v1/billing/subscription", ("billing.manage",), body={"plan": "starter"}),
    Route("POST", "v1/billing/subscription/cancel", ("billing.manage",)),
    Route("POST", "v1/billing/subscription/preview", ("billing.manage",), body={"plan": "starter"}),
    Route("GET", "v1/billing/estimate", ("billing.read",)),
    Route("GET", "v1/usage/billing/invoices", ("billing.read",)),
    Route("GET", "v1/usage/billing/invoice/<str:id>", ("billing.read",), names="invoice"),
    Route("GET", "v1/calls", ("calls.read",)),
    Route("POST", "v1/calls", ("calls.place",), body={"to": "+15550100200", "from": "+15550109999", "dry_run": True}),
    Route("GET", "v1/calls/<str:sid>", ("calls.read",), names="call"),
    Route("GET", "v1/calls/<str:sid>/events", ("calls.read",), names="call"),
    Route("POST", "v1/calls/<str:sid>/hangup", ("calls.place",), names="call"),
    Route("GET", "v1/extensions", NUMBERS),
    Route("POST", "v1/extensions", MANAGE_NUMBERS, body={"number": "777"}),
    Route("GET", "v1/extensions/<str:id>", NUMBERS, names="extension"),
    Route("PATCH", "v1/extensions/<str:id>", MANAGE_NUMBERS, names="extension", body={"label": "!"}),
    Route("POST", "v1/extensions/<str:id>/password", MANAGE_NUMBERS, names="extension"),
    Route("DELETE", "v1/extensions/<str:id>", MANAGE_NUMBERS, names="extension"),
    Route("GET", "v1/phone-numbers", NUMBERS),
    Route("GET", "v1/phone-numbers/<str:id>", NUMBERS, names="routed_number"),
    Route("PATCH", "v1/phone-numbers/<str:id>", MANAGE_NUMBERS, names="routed_number", body={"label": "!"}),
    Route("GET", "v1/do-not-call", NUMBERS),
    Route("POST", "v1/do-not-call", MANAGE_NUMBERS, body={"number": "+15550100299"}),
    Route("POST", "v1/do-not-call/import", MANAGE_NUMBERS, csv="number,note\n+15550100298,-\n"),
    Route("DELETE", "v1/do-not-call/<str:id>", MANAGE_NUMBERS, names="do_not_call"),
    Route("GET", "v1/sip-trunks", NUMBERS),
    Route("GET", "v1/sip-trunks/<str:id>", NUMBERS, names="trunk"),
    Route("PATCH", "v1/sip-trunks/<str:id>", MANAGE_NUMBERS, names="trunk", body={"priority": 3}),
    Route("GET", "v1/phone-numbers/<str:id>/route", NUMBERS, names="routed_number"),
    Route("PUT", "v1/phone-numbers/<str:id>/route", MANAGE_NUMBERS, names="routed_number", body=SIP_ROUTE),
    Route("DELETE", "v1/phone-numbers/<str:id>/route", MANAGE_NUMBERS, names="routed_number"),
    Route("GET", "v1/ivr/flows", NUMBERS),
    Route("POST", "v1/ivr/flows", MANAGE_NUMBERS, body={"name": "Main", "definition": HANG_UP}),
    Route("GET", "v1/ivr/flows/<str:id>", NUMBERS, names="ivr_flow"),
    Route("PATCH", "v1/ivr/flows/<str:id>", MANAGE_NUMBERS, names="ivr_flow", body={"definition": HANG_UP}),
    Route("POST", "v1/ivr/flows/<str:id>/publish", MANAGE_NUMBERS, names="ivr_flow"),
    Route("DELETE", "v1/ivr/flows/<str:id>", MANAGE_NUMBERS, names="ivr_flow"),
    Route("GET", "v1/ivr/sessions", ("calls.read",)),
    Route("GET", "v1/ivr/sessions/<str:id>", ("calls.read",), names="ivr_session"),
    Route("GET", "v1/queues", NUMBERS),
    Route("POST", "v1/queues", MANAGE_NUMBERS, body={"name": "Support"}),
    Route("GET", "v1/queues/<str:id>", NUMBERS, names="queue"),
    Route("PATCH", "v1/queues/<str:id>", MANAGE_NUMBERS, names="queue", body={"ring_seconds": 30}),
    Route("GET", "v1/queues/<str:id>/members", NUMBERS, names="queue"),
    Route("PUT", "v1/queues/<str:id>/members", MANAGE_NUMBERS, names="queue", body={"members": []}),
    Route("GET", "v1/queues/<str:id>/status", ("calls.read", "numbers.read"), names="queue"),
    Route("DELETE", "v1/queues/<str:id>", MANAGE_NUMBERS, names="queue"),
]
# Pages and probes are held by tests of their own: tests/matrix/test_pages.py and tests/irisx/test_health.py.
ELSEWHERE = {
    "freeswitch/cdr", "freeswitch/dialplan", "freeswitch/directory",
    "health", "livez", "readyz", "metrics", "v1/schema", "v1/docs", "accounts/login/", "accounts/logout/", "desk/", "widget.js",
    "accounts/login/code/", "accounts/signup/", "accounts/verify/<str:token>/", "accounts/password/",
    "accounts/password/<str:token>/", "accounts/address/<str:token>/", "accounts/security/", "accounts/security/password",
    "accounts/security/address", "accounts/security/second-factor/", "accounts/security/second-factor/off",
    "accounts/security/recovery-codes", "accounts/security/sessions/end",
    "invitations/<str:token>/", "impersonation/end", "impersonation/<uuid:key>/",
    "portal/widgets/", "portal/widgets/<str:key>/", "portal/widgets/<str:key>/secret",
    "portal/company/", "portal/company/members/<str:key>", "portal/company/invitations/<str:key>",
    "portal/company/keys/", "portal/company/keys/<str:key>", "portal/company/webhooks/",
    "portal/company/webhooks/<str:key>/", "portal/company/webhooks/<str:key>/<str:delivery>/",
    "portal/company/webhooks/<str:key>/<str:delivery>/resend", "portal/company/log/", "portal/company/settings/",
    "portal/company/settings/export",
    "chat/panel/<str:widget_key>", "files/<str:token>", "chat/resume/<str:token>", "", "portal/", "portal/usage/",
    "portal/finance/", "portal/finance/draft", "portal/finance/<str:key>/", "portal/finance/credit-notes/",
    "portal/finance/credit-notes/<str:key>/", "portal/finance/credit/", "portal/finance/subscription/",
    "portal/finance/subscription/change", "portal/finance/subscription/cancel", "portal/finance/profile/",
    "portal/finance/exports/", "portal/finance/exports/start", "portal/finance/exports/<str:key>/",
    "inbox/", "inbox/<str:key>/", "inbox/<str:key>/body",
}  # fmt: skip


def mounted(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (METHOD, path) of every route outside the admin; GET for what is no API view."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from () if path == "admin/" else mounted(pattern.url_patterns, path)
        else:
            for method in set(getattr(pattern.callback, "actions", {"get": ""})) - {"head"}:
                yield method.upper(), path


def test_every_route_has_an_entry() -> None:
    known = {(route.method, route.path) for route in ROUTES}
    found = set(mounted(get_resolver().url_patterns))
    assert {route for route in found - known if route[1] not in ELSEWHERE} == set()
    assert known - found == set()


@pytest.fixture
def world(db: None) -> World:
    return build()


def call(world: World, route: Route, caller: str, **more: Any) -> HttpResponse:
    names = {**world.objects, "strange_session": f"si_{'0' * 32}", "tenant": f"tn_{world.acme.tenant.pk.hex}"}
    target = names.get(route.names, "")
    path = "/" + route.path.replace("<str:id>", target).replace("<str:sid>", target)
    path = path.replace("<str:widget_key>", world.objects["widget_key"])
    path = path.replace("<str:message_id>", world.objects["message"])
    path = path.replace("<str:delivery_id>", world.objects["delivery"])
    body = {key: value.format(**names) if isinstance(value, str) else value for key, value in route.body.items()}
    client = world.callers[caller]()
    if route.method == "GET":
        return client.get(path, body)
    if route.is_form:
        form = {**body, "file": SimpleUploadedFile("a.txt", b"Hello")}
        return client.generic("POST", path, encode_multipart(BOUNDARY, form), MULTIPART_CONTENT, **more)
    if route.csv:
        return client.generic(route.method, path, route.csv.encode(), "text/csv", **more)
    send = {"POST": client.post, "PUT": client.put, "PATCH": client.patch, "DELETE": client.delete}[route.method]
    return send(path, body, content_type="application/json", **more)


def allowed(route: Route, caller: str) -> bool:
    if route.is_authors:
        return caller == route.visitor
    if caller in ROLES:
        return not ROLES[caller].isdisjoint(route.needs) and not route.key_only
    if caller == "key":
        return bool(route.needs) and not route.people_only
    if caller == "narrow key":
        return "members.read" in route.needs and not route.people_only
    return caller == route.visitor or (route.visitor == ANY_VISITOR and caller in VISITORS)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_callers(world: World, route: Route) -> None:
    """Hold one route to all callers: the refused first, after whom nothing has changed; then the allowed."""
    if route.is_public:
        assert call(world, route, "anonymous").status_code == 200
        return
    before = snapshot(world.acme.tenant)
    if route.is_open or route.is_personal:
        _hold_to_people(world, route)
        assert snapshot(world.acme.tenant) == before
        return
    refused = [caller for caller in world.callers if not allowed(route, caller)]
    for caller in refused:
        answer = call(world, route, caller)
        assert answer.status_code in expected_refusals(route, caller), (caller, answer.status_code, answer.content)
        assert MARK.encode() not in answer.content, caller
    assert snapshot(world.acme.tenant) == before
    expected = {200, 201, 202, 204, 409}
    for caller in sorted(set(world.callers) - set(refused)):
        answer = call(world, route, caller)
        assert answer.status_code in expected, (caller, answer.status_code, answer.content)
        if route.method == "DELETE" and answer.status_code == 204:
            expected = {204, 404}  # the first has deleted it; what stays as a record is ended once more


def _hold_to_people(world: World, route: Route) -> None:
    """Answer whoever asks alike, or people alone; nobody else's session is found, and nothing of Acme's is shown."""
    for caller in world.callers:
        answer = call(world, route, caller)
        is_no_person = "visitor" in caller or "key" in caller or caller == "anonymous"
        if route.is_personal and is_no_person:
            assert answer.status_code == 401, (caller, answer.content)
        else:
            assert answer.status_code in {200, 202, 204, 401, 404, 409, 422, 429}, (caller, answer.content)
        assert MARK.encode() not in answer.content, caller


def expected_refusals(route: Route, caller: str) -> set[int]:
    if caller in SIGN_IN_FAILS or (route.key_only and caller not in {"narrow key", "outsider key", *VISITORS}):
        return {401}
    if caller in {"suspended tenant", "suspended person"}:
        return {403}
    if caller in VISITORS:
        # A visitor is refused by kind (403), or where visitors may, does not find what is another's (404).
        return {404} if route.visitor else {403, 404}
    if caller == "outsider key" and route.people_only:
        return {401, 403}
    if caller.startswith("outsider"):
        if not route.needs:
            return {403}  # only a visitor may, of whatever company
        return {404} if route.names or "{tenant}" in str(route.body) else {200, 201, 202, 404, 409, 422}
    return {401, 403}


def test_counts_its_cases(world: World, record_property: Any) -> None:
    cases = len([r for r in ROUTES if not r.is_public]) * len(world.callers)
    record_property("cases", cases)
    print(f"matrix: {len(ROUTES)} routes × {len(world.callers)} callers = {cases} cases")
