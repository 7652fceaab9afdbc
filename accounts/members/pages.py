"""The page behind an invitation's link. Looking at it spends nothing: programs that read mail follow links too."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.gate import ACTIVE_TENANT
from accounts.members import invitations
from accounts.members.wording import role_name
from accounts.models import Invitation, User
from common.errors import DomainError, NotFound

BACKEND = "accounts.backends.EmailBackend"


class JoinForm(forms.Form):
    """What a new person says of themselves."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show who invites, and let the person join: new with a name and a password, known by signing in."""
    try:
        found = invitations.of_token(token, now=timezone.now())
        state = _state(request, found)
        form = JoinForm(request.POST or None, initial={"name": found.name})
        if request.method == "POST" and state in {"new", "ready"} and _joins(request, token, state, form):
            request.session[ACTIVE_TENANT] = found.tenant_id.hex
            return redirect(resolve_url(settings.LOGIN_REDIRECT_URL))
    except NotFound as error:
        return render(request, "accounts/invitation_ended.html", {"reason": error.message}, status=404)
    context = {
        "invitation": found,
        "role": role_name(found.role, "en"),
        "state": state,
        "form": form,
        "sign_in": f"{reverse('login')}?next={quote(request.path)}",
    }
    return _page(request, context, form)


def _page(request: HttpRequest, context: dict[str, Any], form: JoinForm) -> HttpResponse:
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)


def _state(request: HttpRequest, found: Invitation) -> str:
    """Return what the visitor can do: join as new, join as they are, sign in first, or sign out first."""
    if isinstance(request.user, User):
        return "ready" if request.user.email == found.email else "another"
    return "sign-in" if invitations.person_of(found) else "new"


def _joins(request: HttpRequest, token: str, state: str, form: JoinForm) -> bool:
    """Join and say so; put beside the fields what the service refuses."""
    now = timezone.now()
    try:
        if state == "ready" and isinstance(request.user, User):
            form.errors.clear()
            invitations.accept(token=token, user=request.user, now=now)
            return True
        if form.is_valid():
            user, _ = invitations.accept_as_new(token=token, now=now, **form.cleaned_data)
            login(request, user, backend=BACKEND)
            return True
    except NotFound:
        raise
    except DomainError as error:
        for problem in error.errors:
            name = problem.pointer.removeprefix("/")
            form.add_error(name if name in form.fields else None, problem.detail)
        if not error.errors:
            form.add_error(None, error.message)
    return False
