"""What the company's pages share: a button's work done or refused in words, and the way back."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.pages import MemberRequest
from common.errors import DomainError, NotFound


def act(
    request: MemberRequest, work: Callable[[], object], *, done: str, back_to: str, refused_to: str = "", **where: str
) -> HttpResponse:
    """Do what a button asks for and go back to the page; a refusal is said there, or at `refused_to`, and changes nothing.

    `where` fills the address of the page that needs it.
    """
    try:
        work()
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.message)
        return redirect(reverse(refused_to or back_to, kwargs=where))
    messages.success(request, done)
    return redirect(reverse(back_to, kwargs={} if refused_to else where))


def chosen(request: MemberRequest, known: dict[str, Callable[[], HttpResponse]]) -> HttpResponse:
    """Run what `action` names; NotFound for any other."""
    run = known.get(request.POST.get("action", ""))
    if run is None:
        raise NotFound("There is no such action.")
    return run()
