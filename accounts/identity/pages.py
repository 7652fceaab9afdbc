"""The pages of signing up and in, and behind the links of mails."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.identity import addresses, forms, passwords, signing_in, signing_up
from accounts.identity.page_parts import answer_form, count_letter, reads_and_posts, secret_page
from common.errors import DomainError

HALF, NEXT = "half_sign_in", "next"


# --- signing in ------------------------------------------------------------------------------------------------------


@secret_page
@reads_and_posts
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for address and password; then sign in, or ask for a code."""
    target = request.POST.get(NEXT) or request.GET.get(NEXT, "")
    form = forms.SignInForm(request.POST or None)

    def submit() -> HttpResponseBase:
        email, password = form.cleaned_data["username"], form.cleaned_data["password"]
        visit = signing_in.visit_of(request)
        user = signing_in.by_password(email=email, password=password, visit=visit, now=timezone.now())
        if user.second_factor_at is None:
            signing_in.begin_browser(request, user)
            return redirect(_target(request, target))
        request.session[HALF] = [signing_in.half_token(user), target]
        return redirect("login-code")

    return answer_form(request, form, submit, "accounts/login.html", {"next": target})


@secret_page
@reads_and_posts
def sign_in_code(request: HttpRequest) -> HttpResponseBase:
    """Ask for the code of somebody whose password was right."""
    half, target = request.session.get(HALF) or ("", "")
    try:
        user = signing_in.of_half_token(half)
    except DomainError:
        return redirect("login")
    form = forms.CodeForm(request.POST or None)

    def submit() -> HttpResponseBase:
        visit = signing_in.visit_of(request)
        signing_in.check_code(user=user, code=form.cleaned_data["code"], visit=visit, now=timezone.now())
        request.session.pop(HALF, None)
        signing_in.begin_browser(request, user)
        return redirect(_target(request, target))

    return answer_form(request, form, submit, "accounts/login_code.html", {})


def _target(request: HttpRequest, wanted: str) -> str:
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else resolve_url("portal")


# --- signing up ------------------------------------------------------------------------------------------------------


@secret_page
@reads_and_posts
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Take a wish down; the page that follows is the same for every address."""
    form = forms.SignUpForm(request.POST or None)

    def submit() -> HttpResponseBase:
        count_letter(request)
        wish = signing_up.Wish(**{**form.cleaned_data, "email": form.cleaned_data["email"].lower()})
        signing_up.ask(wish=wish, now=timezone.now())
        return render(request, "accounts/mailed.html", {"email": wish.email, "title": "Look into your mail"})

    return answer_form(request, form, submit, "accounts/signup.html", {})


@secret_page
@reads_and_posts
def verify(request: HttpRequest, token: str) -> HttpResponseBase:
    """Have the password chosen, make the company, and show its first key once."""
    try:
        wish = signing_up.of_token(token, now=timezone.now())
    except DomainError as error:
        return _ended(request, error)
    form = forms.NewPasswordForm(request.POST or None)

    def submit() -> HttpResponseBase:
        founded = signing_up.verify(token=token, password=form.cleaned_data["password"], now=timezone.now())
        signing_in.begin_browser(request, founded.user)
        context = {"api_key": founded.api_key, "tenant": founded.tenant}
        return render(request, "accounts/founded.html", context, status=201)

    return answer_form(request, form, submit, "accounts/verify.html", {"wish": wish})


# --- passwords and addresses -----------------------------------------------------------------------------------------


@secret_page
@reads_and_posts
def forgotten(request: HttpRequest) -> HttpResponseBase:
    """Have a link sent, if the address is somebody's; the page does not tell."""
    form = forms.ForgottenForm(request.POST or None)

    def submit() -> HttpResponseBase:
        count_letter(request)
        passwords.ask_reset(email=form.cleaned_data["email"], now=timezone.now())
        context = {"email": form.cleaned_data["email"], "title": "Look into your mail"}
        return render(request, "accounts/mailed.html", context)

    return answer_form(request, form, submit, "accounts/forgotten.html", {})


@secret_page
@reads_and_posts
def reset(request: HttpRequest, token: str) -> HttpResponseBase:
    """Have a new password chosen."""
    try:
        user = passwords.of_reset_token(token)
    except DomainError as error:
        return _ended(request, error)
    form = forms.NewPasswordForm(request.POST or None)

    def submit() -> HttpResponseBase:
        passwords.reset(token=token, password=form.cleaned_data["password"], now=timezone.now())
        messages.success(request, "Your password is changed, and you are signed out everywhere. Sign in with it.")
        return redirect("login")

    return answer_form(request, form, submit, "accounts/reset.html", {"email": user.email})


@secret_page
@reads_and_posts
def address(request: HttpRequest, token: str) -> HttpResponseBase:
    """Have a new address confirmed by a click."""
    try:
        user, email = addresses.of_change_token(token)
    except DomainError as error:
        return _ended(request, error)
    form = forms.ConfirmForm(request.POST if request.method == "POST" else None)

    def submit() -> HttpResponseBase:
        changed = addresses.change(token=token, now=timezone.now())
        messages.success(request, f"Your address is {changed.email} from now on.")
        return redirect("login" if not request.user.is_authenticated else "security")

    return answer_form(request, form, submit, "accounts/address.html", {"former": user.email, "email": email})


def _ended(request: HttpRequest, error: DomainError) -> HttpResponseBase:
    return render(request, "accounts/ended.html", {"detail": error.message}, status=410)
