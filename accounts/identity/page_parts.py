"""What the pages of signing in and of one's own security share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms as django_forms
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.identity import forms, signing_in, throttle
from accounts.models import User
from common.errors import DomainError

View = Callable[..., HttpResponseBase]
reads_and_posts = require_http_methods(["GET", "HEAD", "POST"])


class PersonRequest(HttpRequest):
    """A request of somebody signed in."""

    user: User


def secret_page(view: View) -> View:
    """Keep a page out of caches, and what is posted to it out of reports."""
    return sensitive_post_parameters()(never_cache(view))


def person_page(view: View) -> View:
    """Hold a page to people signed in, members of a company or not."""

    @wraps(view)
    def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return secret_page(gate)


def answer_form(
    request: HttpRequest,
    form: django_forms.Form,
    submit: Callable[[], HttpResponseBase],
    template: str,
    context: dict[str, Any],
) -> HttpResponseBase:
    """Show a form; when it was sent and is valid, submit it; what is refused stands beside its fields, and nothing is lost."""
    status = 200
    if form.is_bound:
        try:
            if form.is_valid():
                return submit()
            status = 422
        except DomainError as error:
            forms.show_refusal(form, error)
            status = error.status
    return render(request, template, {**context, "form": form}, status=status)


def count_letter(request: HttpRequest) -> None:
    """Count a request that may send a mail; raise TooMany."""
    throttle.letter(network=signing_in.visit_of(request).network, now=timezone.now())
