"""The buttons by which an operator begins and ends to act as somebody."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Membership, User
from accounts.operators import impersonating
from accounts.operators.middleware import enter, leave
from accounts.tenancy import system_access
from common.errors import DomainError


class ReasonForm(forms.Form):
    """In which company, and why: both stand in its log."""

    tenant = forms.TypedChoiceField(label="Company", coerce=UUID)
    reason = forms.CharField(max_length=200, help_text="The company reads this in its log.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Ask for the company and the reason, then act as the person."""
    if not isinstance(request.user, User):
        return redirect_to_login(request.get_full_path())
    if not request.user.is_staff or not request.user.has_perm(impersonating.PERMISSION):
        raise PermissionDenied
    with system_access(f"operator {request.user.pk} looks at {key}"):
        person = User.objects.filter(pk=key).first()
        places = list(Membership.unscoped.filter(user_id=key, is_active=True).select_related("tenant").order_by("pk"))
    if person is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    form.fields["tenant"].choices = [(str(place.tenant_id), place.tenant.name) for place in places]  # type: ignore[attr-defined]
    if form.is_valid():
        try:
            made = impersonating.begin(
                by=request.user,
                user_id=key,
                tenant_id=form.cleaned_data["tenant"],
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            if (former := leave(request)) is not None:
                impersonating.end(impersonation_id=former, now=timezone.now())
            enter(request, made.pk, made.tenant_id)
            return redirect("home")
    status = 422 if form.errors else 200
    return render(request, "accounts/impersonate.html", {"form": form, "person": person}, status=status)


@require_POST
def end(request: HttpRequest) -> HttpResponseBase:
    """Be oneself again."""
    if (ended := leave(request)) is not None:
        impersonating.end(impersonation_id=ended, now=timezone.now())
        messages.success(request, "You are yourself again.")
    return redirect("admin:index")
