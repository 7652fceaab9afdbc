"""Who a company is on its invoices, as a form."""

from typing import Any

from babel import Locale
from django import forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.pages import MemberRequest, member_page
from billing import presenting, selectors, services
from billing.countries import COUNTRIES
from billing.models import BillingProfile
from common.errors import Forbidden, Invalid
from irisx.portal.actors import actor_of

NAMES = Locale("en").territories
CHOICES = sorted(((code, NAMES.get(code, code)) for code in COUNTRIES), key=lambda choice: choice[1])


class ProfileForm(forms.Form):
    """The same fields as `PUT /v1/billing/profile` takes."""

    legal_name = forms.CharField(max_length=120, required=False, help_text="As registered. Empty: your company's name.")
    country = forms.ChoiceField(choices=[("", "Choose…"), *CHOICES])
    address = forms.CharField(
        max_length=500,
        required=False,
        label="Street",
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "street-address"}),
    )
    postal_code = forms.CharField(
        max_length=20, required=False, widget=forms.TextInput(attrs={"autocomplete": "postal-code"})
    )
    city = forms.CharField(
        max_length=80, required=False, widget=forms.TextInput(attrs={"autocomplete": "address-level2"})
    )
    tax_id = forms.CharField(
        max_length=40,
        required=False,
        label="VAT id",
        help_text="With its country, e.g. DE136695976. Its check digits are checked.",
    )
    reference = forms.CharField(
        max_length=80,
        required=False,
        label="Your reference",
        help_text="Printed on each invoice, e.g. an order number.",
    )
    language = forms.ChoiceField(choices=BillingProfile.Language.choices, help_text="Of your invoices.")
    billing_email = forms.EmailField(
        required=False,
        label="E-mail for invoices",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page("billing.read")
def profile(request: MemberRequest) -> HttpResponseBase:
    """Show who the company is on its invoices; owners and admins change it."""
    may_manage = request.principal.may("billing.manage")
    if request.method == "POST":
        if not may_manage:
            raise Forbidden("Only owners and admins change the billing details.")
        form = ProfileForm(request.POST)
        if form.is_valid() and _is_stored(form, request):
            messages.success(request, "Your billing details are saved. Invoices that are final keep what they say.")
            return redirect("portal-profile")
    else:
        form = ProfileForm(initial=_stored(request))
    for field in form.fields.values():
        field.disabled = not may_manage
    known = selectors.profile_of(tenant_id=request.tenant.pk)
    context = {"form": form, "profile": known, "may_manage": may_manage}
    return render(request, "portal/profile.html", context, status=422 if form.errors else 200)


def _is_stored(form: ProfileForm, request: MemberRequest) -> bool:
    """Store it; where the service refuses, put what it says beside the fields."""
    try:
        buyer = services.Buyer(**form.cleaned_data)
        services.set_profile(tenant_id=request.tenant.pk, buyer=buyer, actor=actor_of(request))
    except Invalid as error:
        for problem in error.errors:
            name = problem.pointer.removeprefix("/")
            form.add_error(name if name in form.fields else None, problem.detail)
        return False
    return True


def _stored(request: MemberRequest) -> dict[str, Any]:
    found = selectors.profile_of(tenant_id=request.tenant.pk)
    return {**presenting.present_profile(found), "legal_name": found.legal_name}
