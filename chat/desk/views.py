"""The agents' desk: one page; everything in it comes over the API and the socket."""

from typing import Any

from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render

from accounts.pages import MemberRequest, member_page
from accounts.views import socket_url
from common.ids import encode


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
        "csrf": get_token(request),
        "socket": socket_url("agent"),
    }
