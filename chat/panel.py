"""What a customer's page loads from us: the launcher as /widget.js, and the panel in its iframe."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

from accounts.views import socket_url
from chat import embedding, selectors
from chat.models import Widget
from chat.resume import resume
from chat.standing import public_look
from common.errors import NotFound

LAUNCHER = Path(__file__).parent / "static" / "chat" / "launcher"
# One script out of these, in this order, in one scope: what a customer's page loads is one small file.
LAUNCHER_PARTS = ("first", "memory", "words", "style", "button", "frame", "page", "api")
# Long enough to cost a returning visitor nothing, short enough that a mended launcher is everywhere within minutes.
LAUNCHER_SECONDS = 300


@cache
def launcher_script() -> bytes:
    """Return /widget.js."""
    parts = [(LAUNCHER / f"{name}.js").read_text(encoding="utf-8") for name in LAUNCHER_PARTS]
    return "\n".join(['(function () {\n"use strict";', *parts, "})();\n"]).encode()


@cache
def _launcher_etag() -> str:
    return f'"{hashlib.sha256(launcher_script()).hexdigest()[:32]}"'


@non_atomic_requests
@require_safe
@gzip_page
@condition(etag_func=lambda request: _launcher_etag())
def launcher(request: HttpRequest) -> HttpResponse:
    """Serve the launcher to any site."""
    response = HttpResponse(launcher_script(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={LAUNCHER_SECONDS}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_safe
@xframe_options_exempt
def panel(request: HttpRequest, widget_key: str) -> HttpResponse:
    """Show a widget's panel; only pages of its domains may frame it (CSP frame-ancestors)."""
    try:
        widget = selectors.widget_by_key(widget_key)
    except NotFound as error:
        raise Http404(error.message) from error
    response = render(request, "chat/panel.html", {"panel": _beginnings(widget)})
    response._csp_replace = {"frame-ancestors": embedding.frame_ancestors(widget)}  # type: ignore[attr-defined] # django-csp's way
    response["Cache-Control"] = "no-cache"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _beginnings(widget: Widget) -> dict[str, Any]:
    return {**public_look(widget, now=timezone.now()), "socket": socket_url("visitor")}


panel_urls = [
    path("widget.js", launcher, name="launcher"),
    path("chat/panel/<str:widget_key>", panel, name="panel"),
    path("chat/resume/<str:token>", resume, name="resume"),
]
