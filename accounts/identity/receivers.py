"""Every sign-in is listed, whichever door it came by."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity.models import SignIn
from accounts.identity.sign_ins import SEEN
from accounts.identity.signing_in import IS_API, visit_of
from accounts.models import User


@receiver(user_logged_in, dispatch_uid="accounts.identity.signed_in")
def on_signed_in(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Note the session somebody has just begun; a repeat of the same session changes nothing."""
    session = request.session
    if not isinstance(user, User) or not session.session_key:
        return
    now = timezone.now()
    session[SEEN] = int(now.timestamp())
    visit = visit_of(request)
    SignIn.objects.update_or_create(
        session_key=session.session_key,
        defaults={
            "user": user,
            "kind": SignIn.Kind.API if session.get(IS_API) else SignIn.Kind.BROWSER,
            "network": visit.network,
            "user_agent": visit.user_agent,
            "created_at": now,
            "last_seen_at": now,
        },
    )
