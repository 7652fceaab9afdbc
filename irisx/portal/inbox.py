"""The demo's inbox pages. A newcomer reads here what the product mails, also before signing in."""

from pathlib import Path

from django.conf import settings
from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from common.errors import NotFound
from irisx.portal import mailbox

# A mail's own HTML: its styles may paint, nothing may run, load or leave.
MAIL_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "font-src": ["'none'"],
    "connect-src": ["'none'"],
    "frame-src": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups"],
}


@require_safe
def inbox(request: HttpRequest, key: str = "") -> HttpResponse:
    """List the mails and show one of them, the newest if none is named."""
    found = mailbox.mails(_folder())
    shown = _mail(key) if key else next(iter(found), None)
    return render(request, "portal/inbox.html", {"mails": found, "shown": shown, "is_list": not key})


@non_atomic_requests
@require_safe
@xframe_options_sameorigin
def mail_body(request: HttpRequest, key: str) -> HttpResponse:
    """Serve a mail's HTML for its sandboxed frame."""
    response = HttpResponse(_mail(key).html)
    response._csp_replace = MAIL_POLICY  # type: ignore[attr-defined] # django-csp's way
    return response


def _folder() -> Path:
    if not (settings.IRISX_DEMO and settings.IRISX_MAIL_DIR):
        raise Http404("There is no inbox here.")
    return Path(settings.IRISX_MAIL_DIR)


def _mail(key: str) -> mailbox.Mail:
    try:
        return mailbox.mail(_folder(), key)
    except NotFound as error:
        raise Http404(error.message) from error
