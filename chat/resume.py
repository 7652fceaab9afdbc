"""The page behind the link in a mail: the panel on a page of its own, its visitor signed in, its conversation open."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import tokens
from accounts.views import socket_url
from chat.resuming import conversation_of_link
from chat.standing import public_look
from common.errors import NotFound
from common.ids import encode


@require_safe
def resume(request: HttpRequest, token: str) -> HttpResponse:
    """Show the conversation a link names. It writes nothing: programs that read mail open links too."""
    try:
        conversation = conversation_of_link(token)
    except NotFound as error:
        raise Http404(error.message) from error
    now = timezone.now()
    visitor_token, _ = tokens.issue_visitor_token(
        tenant_id=conversation.tenant_id,
        visitor_id=conversation.visitor_id,
        auth_version=conversation.visitor.auth_version,
        now=now,
    )
    session = {"visitor_token": visitor_token, "conversation_id": encode("cc", conversation.pk)}
    look = public_look(conversation.widget, now=now)
    panel = {**look, "socket": socket_url("visitor"), "session": session}
    response = render(request, "chat/panel.html", {"panel": panel})
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
