"""What a company sets for itself, and what it may take along."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit
from accounts.company import services
from accounts.company.changing import change
from accounts.company.origins import serialized
from accounts.company.schemas import MOST_ORIGINS
from accounts.exports import services as exports
from accounts.exports.models import TenantExport
from accounts.pages import MemberRequest, member_page
from accounts.principals import require_user
from common.models import Job
from irisx.portal.company.acting import act

PAGE = "portal-settings"
MOST = 10


class SettingsForm(forms.Form):
    """The same fields as `PATCH /v1/tenant/settings` takes."""

    name = forms.CharField(max_length=120, label="Company name")
    locale = forms.ChoiceField(
        choices=[("en", "English"), ("de", "Deutsch")], label="Language", help_text="Of e-mails."
    )
    cors_origins = forms.CharField(
        required=False,
        label="Sites that may call the API",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line, e.g. https://app.acme.example. Whoever opens such a page can read a key in it.",
    )
    require_mfa = forms.BooleanField(required=False, label="Members sign in with a second factor")

    def clean_cors_origins(self) -> list[str]:
        """Keep each origin as browsers write it, once."""
        lines = [line.strip() for line in self.cleaned_data["cors_origins"].splitlines() if line.strip()]
        found = [serialized(line) for line in lines]
        if wrong := [line for line, origin in zip(lines, found, strict=True) if origin is None]:
            raise ValidationError(f"{wrong[0]} is no origin: it is like https://app.acme.example, nothing behind it.")
        if len(found) > MOST_ORIGINS:
            raise ValidationError(f"{MOST_ORIGINS} sites at most.")
        return list(dict.fromkeys(origin for origin in found if origin))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("settings.manage")
def settings(request: MemberRequest) -> HttpResponseBase:
    """Show the settings, and to the owner the company's archives; a POST changes the settings."""
    known = asdict(services.settings_of(tenant_id=request.tenant.pk))
    form = SettingsForm(request.POST or None, initial={**known, "cors_origins": "\n".join(known["cors_origins"])})
    if request.method == "POST" and form.is_valid():
        return act(
            request,
            lambda: change(
                tenant_id=request.tenant.pk, changes=form.cleaned_data, by=audit.actor_of(request.principal)
            ),
            done="Your settings are saved.",
            back_to=PAGE,
        )
    context = {"form": form, "tab": "settings", **_archives(request)}
    return render(request, "portal/company/settings.html", context, status=422 if form.errors else 200)


@require_POST
@member_page("tenant.export")
def export(request: MemberRequest) -> HttpResponseBase:
    """Have an archive of all the company's data made."""
    return act(
        request,
        lambda: exports.request_export(
            tenant_id=request.tenant.pk,
            user_id=require_user(request.principal),
            actor=audit.actor_of(request.principal),
            now=timezone.now(),
        ),
        done="The archive is being made; it appears here.",
        back_to=PAGE,
    )


def _archives(request: MemberRequest) -> dict[str, Any]:
    if not request.principal.may("tenant.export"):
        return {"may_export": False}
    rows = TenantExport.objects.for_tenant(request.tenant.pk).filter(expires_at__gt=timezone.now())
    found = list(rows.order_by("-created_at")[:MOST])
    jobs = Job.objects.filter(owner=request.tenant.pk).in_bulk([one.job_id for one in found])
    return {"may_export": True, "archives": [(one, jobs[one.job_id]) for one in found]}
