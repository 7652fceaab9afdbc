"""What tests of signing up and in share: codes of an authenticator, links out of mails, signing in."""

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.identity import letters
from accounts.models import User
from tests import factories
from tests.conftest import ApiClient

T = TypeVar("T")
STEP_SECONDS = 30


def code_of(secret: str, *, ahead: int = 0) -> str:
    """Return the code an app shows, `ahead` steps of 30 seconds from now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // STEP_SECONDS + ahead)))


def deliver() -> list[Any]:
    """Send what waits and return the mails sent by it."""
    before = len(mail.outbox)
    letters.send_waiting(now=timezone.now())
    return mail.outbox[before:]


def token_in(message: Any) -> str:
    """Return the token of the link in a mail."""
    found = re.search(r"/accounts/(?:verify|password|address)/([^/\s]+)/", message.body)
    assert found, message.body
    return found[1]


def post(path: str, body: dict[str, Any], *, token: str | None = None, **extra: Any) -> Any:
    return ApiClient(token).post(path, body, **extra)


def sign_in(user: User, *, password: str = factories.PASSWORD, **extra: Any) -> dict[str, Any]:
    """Return the tokens of somebody without a second factor."""
    answer = post("/v1/auth/login", {"email": user.email, "password": password}, **extra)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def enrol(user: User) -> tuple[str, str, list[str]]:
    """Turn somebody's second factor on; return (access token, secret, recovery codes)."""
    access = sign_in(user)["access_token"]
    begun = post("/v1/auth/totp", {"password": factories.PASSWORD}, token=access)
    assert begun.status_code == 201, begun.content
    secret = begun.json()["secret"]
    confirmed = post("/v1/auth/totp/confirm", {"code": code_of(secret)}, token=access)
    assert confirmed.status_code == 200, confirmed.content
    return access, secret, confirmed.json()["recovery_codes"]


def half_sign_in(user: User, **extra: Any) -> str:
    """Return the token of a sign-in that waits for a code."""
    answer = post("/v1/auth/login", {"email": user.email, "password": factories.PASSWORD}, **extra)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["mfa_token"])


def me(access: str) -> Any:
    return ApiClient(access).get("/v1/me")


def browser(user: User | None = None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


def at_once(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run every job in a thread and connection of its own, all beginning together."""
    together = Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        together.wait(timeout=30)
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))
