"""The pages of one's own security: password, address, second factor, sessions."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST

from accounts.identity import addresses, forms, passwords, second_factor, sign_ins, signing_in, throttle
from accounts.identity.page_parts import PersonRequest, answer_form, count_letter, person_page, reads_and_posts
from common.errors import DomainError, NotFound


@person_page
@require_http_methods(["GET", "HEAD"])
def security(request: PersonRequest) -> HttpResponseBase:
    """Show password, address, second factor and sessions."""
    return _security(request)


@person_page
@require_POST
def change_password(request: PersonRequest) -> HttpResponseBase:
    """Change the password; this browser alone stays signed in."""
    form = forms.ChangePasswordForm(request.POST)

    def submit() -> None:
        _check_password(request, form)
        passwords.change(
            user=request.user,
            password=form.cleaned_data["new_password"],
            session=request.session,
            now=timezone.now(),
        )

    return _done(
        request, form, submit, "password_form", "Your password is changed; you are signed out everywhere else."
    )


@person_page
@require_POST
def change_address(request: PersonRequest) -> HttpResponseBase:
    """Have a link sent to the new address."""
    form = forms.ChangeAddressForm(request.POST)

    def submit() -> None:
        _check_password(request, form)
        count_letter(request)
        addresses.ask_change(user=request.user, email=form.cleaned_data["email"], now=timezone.now())

    return _done(
        request, form, submit, "address_form", "A mail is on its way to the new address. Open its link to finish."
    )


@person_page
@reads_and_posts
def second_factor_on(request: PersonRequest) -> HttpResponseBase:
    """Ask for the password, show the QR code, take its first code, show the recovery codes."""
    if request.user.second_factor_at is not None:
        return redirect("security")
    now = timezone.now()
    enrolment = second_factor.pending(user=request.user, session=request.session, now=now)
    if request.method == "POST" and "password" in request.POST:
        return _begin_second_factor(request)
    if enrolment is None:
        context = {"form": forms.PasswordForm()}
        return render(request, "accounts/second_factor_begin.html", context)
    form = forms.CodeForm(request.POST or None)

    def submit() -> HttpResponseBase:
        throttle.code(user=request.user, network=signing_in.visit_of(request).network, now=now)
        codes = second_factor.confirm(
            user=request.user, session=request.session, code=form.cleaned_data["code"], now=now
        )
        return render(request, "accounts/recovery_codes.html", {"codes": codes, "is_new": True})

    # The picture is drawn by allauth from an address of our own making.
    shown: dict[str, Any] = {"secret": enrolment.secret, "svg": mark_safe(enrolment.svg)}  # noqa: S308
    return answer_form(request, form, submit, "accounts/second_factor.html", shown)


def _begin_second_factor(request: PersonRequest) -> HttpResponseBase:
    form = forms.PasswordForm(request.POST)

    def submit() -> HttpResponseBase:
        _check_password(request, form)
        second_factor.begin(user=request.user, session=request.session, now=timezone.now())
        return redirect("security-second-factor")

    return answer_form(request, form, submit, "accounts/second_factor_begin.html", {})


@person_page
@require_POST
def second_factor_off(request: PersonRequest) -> HttpResponseBase:
    """Turn the second factor off."""
    form = forms.PasswordAndCodeForm(request.POST)

    def submit() -> None:
        _check_password_and_code(request, form)
        second_factor.turn_off(user=request.user, now=timezone.now())

    return _done(request, form, submit, "factor_form", "Two-step sign-in is off.")


@person_page
@require_POST
def recovery_codes(request: PersonRequest) -> HttpResponseBase:
    """Show new recovery codes, once."""
    form = forms.PasswordAndCodeForm(request.POST)
    try:
        if form.is_valid():
            _check_password_and_code(request, form)
            codes = second_factor.renew_recovery_codes(user=request.user)
            return render(request, "accounts/recovery_codes.html", {"codes": codes})
    except DomainError as error:
        forms.show_refusal(form, error)
    return _security(request, status=422, factor_form=form)


@person_page
@require_POST
def end_sessions(request: PersonRequest) -> HttpResponseBase:
    """End one session, or all others."""
    key = request.POST.get("session", "")
    try:
        if key:
            sign_ins.end(user=request.user, sign_in_id=UUID(hex=key))
        else:
            sign_ins.end_all(user=request.user, keep=request.session.session_key)
    except (ValueError, NotFound):
        messages.error(request, "You are not signed in there any more.")
    else:
        messages.success(request, "Signed out there." if key else "Signed out everywhere else.")
    return redirect("security")


def _security(request: PersonRequest, *, status: int = 200, **given: django_forms.Form) -> HttpResponseBase:
    context = {
        "person": request.user,
        "sessions": list(sign_ins.of(request.user, now=timezone.now())[:100]),
        "current": request.session.session_key,
        "left": second_factor.recovery_codes_left(user=request.user),
        "password_form": forms.ChangePasswordForm(auto_id="password_%s"),
        "address_form": forms.ChangeAddressForm(auto_id="address_%s"),
        "factor_form": forms.PasswordAndCodeForm(auto_id="factor_%s"),
        **given,
    }
    return render(request, "accounts/security.html", context, status=status)


def _done(
    request: PersonRequest, form: django_forms.Form, submit: Callable[[], None], name: str, message: str
) -> HttpResponseBase:
    """Submit a form of the security page, which comes back with the form when it is refused."""
    form.auto_id = name.replace("form", "%s")
    try:
        if form.is_valid():
            submit()
            messages.success(request, message)
            return redirect("security")
        status = 422
    except DomainError as error:
        forms.show_refusal(form, error)
        status = error.status
    return _security(request, status=status, **{name: form})


def _check_password(request: PersonRequest, form: django_forms.Form) -> None:
    visit = signing_in.visit_of(request)
    password = form.cleaned_data["password"]
    signing_in.check_password(user=request.user, password=password, visit=visit, now=timezone.now())


def _check_password_and_code(request: PersonRequest, form: django_forms.Form) -> None:
    _check_password(request, form)
    visit = signing_in.visit_of(request)
    signing_in.check_code(user=request.user, code=form.cleaned_data["code"], visit=visit, now=timezone.now())
