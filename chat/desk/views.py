"""The agents' desk: one page; everything in it comes over the API and the socket."""

from typing import Any

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import timezone

from accounts.pages import MemberRequest, member_page
from accounts.views import socket_url
from chat.models import Widget
from common.ids import encode
from common.timestamps import rfc3339

WIDGET_FACTS = ("max_file_size_mb",)


@member_page("chat.read")
def desk(request: MemberRequest) -> HttpResponse:
    """Show the desk."""
    return render(request, "chat/desk.html", {"desk": _beginnings(request)})


def _beginnings(request: MemberRequest) -> dict[str, Any]:
    principal = request.principal
    return {
        "me": {
            "id": encode("us", principal.id),
            "name": principal.name,
            "permissions": sorted(principal.permissions),
        },
        "company": request.tenant.name,
        "widgets": {
            widget["name"]: {key: widget[key] for key in WIDGET_FACTS}
            for widget in Widget.objects.for_tenant(request.tenant.pk).values("name", *WIDGET_FACTS)
        },
        "now": rfc3339(timezone.now()),
        "csrf": get_token(request),
        "socket": socket_url("agent"),
    }
