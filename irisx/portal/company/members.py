"""Who works here, as what, and who is invited."""

from typing import Any

from django import forms
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.members import invitations, services
from accounts.members.api import chief_of
from accounts.members.presenting import status_of
from accounts.models import Invitation, Membership
from accounts.pages import MemberRequest, member_page
from accounts.permissions import Role
from common.errors import Invalid
from common.ids import decode
from irisx.portal.company.acting import act, chosen

MOST = 200
PAGE = "portal-company"


class InviteForm(forms.Form):
    email = forms.EmailField(max_length=254, label="E-mail")
    name = forms.CharField(max_length=120, required=False, help_text="As colleagues will read it.")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.AGENT)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("members.read")
def members(request: MemberRequest) -> HttpResponseBase:
    """List members and open invitations; a POST invites."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        request.principal.require("members.manage")
        said = form.cleaned_data
        guest = invitations.Guest(said["email"], Role(said["role"]), said["name"])
        return act(
            request,
            lambda: invitations.invite(
                tenant_id=request.tenant.pk, guest=guest, by=chief_of(request.principal), now=timezone.now()
            ),
            done=f"{said['email']} is invited; the link is good for seven days.",
            back_to=PAGE,
        )
    return render(
        request, "portal/company/members.html", {"form": form, **_shown(request)}, status=422 if form.errors else 200
    )


@require_POST
@member_page("members.manage")
def member(request: MemberRequest, key: str) -> HttpResponseBase:
    """Change a member's role, suspend, reactivate or remove them."""
    which: dict[str, Any] = {
        "tenant_id": request.tenant.pk,
        "member_id": decode("mb", key),
        "by": chief_of(request.principal),
    }
    now = timezone.now()
    name = services.find(tenant_id=request.tenant.pk, member_id=decode("mb", key), is_locked=False).user.name

    def change_role() -> None:
        role = request.POST.get("role", "")
        if role not in Role.values:
            raise Invalid("There is no such role.", pointer="/role")
        services.change_role(**which, role=Role(role))

    return chosen(
        request,
        {
            "role": lambda: act(request, change_role, done=f"{name}'s role is changed.", back_to=PAGE),
            "suspend": lambda: act(
                request, lambda: services.suspend(**which, now=now), done=f"{name} is out.", back_to=PAGE
            ),
            "reactivate": lambda: act(
                request, lambda: services.reactivate(**which), done=f"{name} is back in.", back_to=PAGE
            ),
            "remove": lambda: act(
                request, lambda: services.remove(**which, now=now), done=f"{name} is no member any more.", back_to=PAGE
            ),
        },
    )


@require_POST
@member_page("members.manage")
def invitation(request: MemberRequest, key: str) -> HttpResponseBase:
    """Send an invitation again, or take it back."""
    which: dict[str, Any] = {"tenant_id": request.tenant.pk, "invitation_id": decode("iv", key)}
    email = invitations.find(**which).email
    by, now = chief_of(request.principal), timezone.now()
    return chosen(
        request,
        {
            "resend": lambda: act(
                request,
                lambda: invitations.resend(**which, by=by, now=now),
                done=f"A new link is on its way to {email}.",
                back_to=PAGE,
            ),
            "revoke": lambda: act(
                request,
                lambda: invitations.revoke(**which, by=by, now=now),
                done=f"The invitation of {email} is taken back.",
                back_to=PAGE,
            ),
        },
    )


def _shown(request: MemberRequest) -> dict[str, object]:
    tenant_id, now = request.tenant.pk, timezone.now()
    people = Membership.objects.for_tenant(tenant_id).select_related("user").order_by("-is_active", "user__name", "id")
    invited = Invitation.objects.for_tenant(tenant_id).filter(accepted_at=None, revoked_at=None).order_by("-created_at")
    return {
        "people": people[:MOST],
        "invited": [(one, status_of(one, now=now)) for one in invited[:MOST]],
        "roles": Role.choices,
        "seats": request.tenant.limits.get("seats"),
        "taken": invitations.seats_taken(tenant_id=tenant_id, now=now),
        "may_manage": request.principal.may("members.manage"),
        "tab": "members",
    }
