"""The company's API keys. A key's text is on the page that makes it, and nowhere else."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from accounts.keys import services
from accounts.keys.models import ApiKey
from accounts.pages import MemberRequest, member_page
from accounts.permissions import SCOPES
from common.errors import DomainError, NotFound
from common.ids import decode
from irisx.portal.company.acting import act, chosen

MOST = 200
PAGE = "portal-keys"
OVERLAP = timedelta(hours=24)
LIVES = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))


class KeyForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What it is for, as your colleagues will read it.")
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label="May")
    days = forms.ChoiceField(choices=LIVES, required=False, label="Ends")
    per_minute = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        label="Requests a minute",
        help_text="Empty: what the plan allows.",
    )

    def __init__(self, *args: Any, scopes: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(scope, scope) for scope in sorted(scopes)]  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("api_keys.manage")
def keys(request: MemberRequest) -> HttpResponseBase:
    """List the keys; a POST makes one and shows its text."""
    form = KeyForm(request.POST or None, scopes=request.principal.permissions & SCOPES)
    if request.method == "POST" and form.is_valid():
        try:
            return _made(request, _issue(request, form.cleaned_data))
        except DomainError as error:
            form.add_error(None, error.message)
    return _page(request, form=form, status=422 if form.errors else 200)


@require_POST
@member_page("api_keys.manage")
def key(request: MemberRequest, key: str) -> HttpResponseBase:
    """Rotate a key with a day of overlap, or revoke it at once."""
    which = {"tenant_id": request.tenant.pk, "key_id": decode(services.PREFIX, key)}
    found, now, actor = services.key_of(**which), timezone.now(), audit.actor_of(request.principal)

    def rotate() -> HttpResponse:
        try:
            rotated = services.rotate_api_key(
                **which,
                overlap=OVERLAP,
                held=request.principal.permissions,
                created_by=request.principal.user_id,
                actor=actor,
                now=now,
            )
        except NotFound:
            raise
        except DomainError as error:
            return _page(request, form=_fresh(request), refused=error.message, status=409)
        return _made(request, (rotated.key, rotated.text))

    return chosen(
        request,
        {
            "rotate": rotate,
            "revoke": lambda: act(
                request,
                lambda: services.revoke_api_key(**which, actor=actor, now=now),
                done=f"The key {found.name} works no more.",
                back_to=PAGE,
            ),
        },
    )


def _issue(request: MemberRequest, said: dict[str, Any]) -> tuple[ApiKey, str]:
    now: datetime = timezone.now()
    services.require_grantable(scopes=said["scopes"], held=request.principal.permissions)
    return services.issue_api_key(
        tenant_id=request.tenant.pk,
        name=said["name"],
        scopes=said["scopes"],
        created_by=request.principal.user_id,
        expires_at=now + timedelta(days=int(said["days"])) if said["days"] else None,
        per_minute=said["per_minute"],
        actor=audit.actor_of(request.principal),
    )


def _made(request: MemberRequest, made: tuple[ApiKey, str]) -> HttpResponse:
    """Show the text once; no cache keeps it."""
    answer = _page(request, form=_fresh(request), made=made[0], text=made[1])
    answer["Cache-Control"] = "no-store"
    return answer


def _fresh(request: MemberRequest) -> KeyForm:
    return KeyForm(scopes=request.principal.permissions & SCOPES)


def _page(request: MemberRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    now = timezone.now()
    found = ApiKey.objects.for_tenant(request.tenant.pk).order_by("-created_at", "-id")[:MOST]
    shown = [(one, "revoked" if one.revoked_at else "active" if one.is_usable(now) else "expired") for one in found]
    return render(request, "portal/company/keys.html", {"keys": shown, "tab": "keys", **context}, status=status)
