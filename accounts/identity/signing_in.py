"""Signing in: a password, then a code where there is a second factor, then a session or a family of tokens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth import authenticate, login
from django.core import signing
from django.http import HttpRequest

from accounts.identity import families, second_factor, throttle
from accounts.identity.families import Tokens
from accounts.models import User
from common.clients import address_of, network_of
from common.errors import Invalid, NotAuthenticated

BACKEND = "accounts.backends.EmailBackend"
HALF_SALT, HALF_PREFIX, HALF_SECONDS = "half-finished sign-in", "mfa_", 300
IS_API = "is_api"


@dataclass(frozen=True)
class Visit:
    """From where somebody asks."""

    network: str
    user_agent: str


def visit_of(request: HttpRequest) -> Visit:
    """Return from where a request comes."""
    agent = "".join(letter for letter in request.headers.get("User-Agent", "") if letter.isprintable())
    return Visit(network_of(address_of(request)), agent[:200])


def by_password(*, email: str, password: str, visit: Visit, now: datetime) -> User:
    """Return whose address and password these are, not signed in yet; raise NotAuthenticated or TooMany.

    An unknown address, a wrong password and a suspended person get the same answer after the same work.
    """
    throttle.password(email=email, network=visit.network, now=now)
    user = authenticate(None, username=email, password=password)
    if not isinstance(user, User):
        raise NotAuthenticated("This address and this password do not belong together.", code="wrong-credentials")
    return user


def check_password(*, user: User, password: str, visit: Visit, now: datetime) -> None:
    """Raise Invalid unless this is the signed-in person's password; TooMany after too many tries."""
    throttle.password(email=user.email, network=visit.network, now=now)
    if not user.check_password(password):
        raise Invalid("This is not your password.", pointer="/password", code="wrong-password")


def check_code(*, user: User, code: str, visit: Visit, now: datetime) -> None:
    """Raise Invalid unless this is a code of the person's second factor, which it spends; TooMany after too many tries."""
    throttle.code(user=user, network=visit.network, now=now)
    if not second_factor.is_right(user=user, code=code):
        raise Invalid("This code is not right, or was used.", pointer="/code", code="wrong-code")


def half_token(user: User) -> str:
    """Return what stands for a password that was right, for five minutes. It signs nobody in."""
    return HALF_PREFIX + signing.dumps([user.pk.hex, user.get_session_auth_hash()[:16]], salt=HALF_SALT)


def of_half_token(text: str) -> User:
    """Return whose sign-in waits for a code; raise NotAuthenticated once it is too old or the password changed."""
    try:
        key, mark = signing.loads(text.removeprefix(HALF_PREFIX), salt=HALF_SALT, max_age=HALF_SECONDS)
    except signing.BadSignature as error:
        raise NotAuthenticated("Begin the sign-in again.", code="token-ended") from error
    user = User.objects.filter(pk=UUID(hex=key), is_active=True).first()
    if user is None or user.get_session_auth_hash()[:16] != mark:
        raise NotAuthenticated("Begin the sign-in again.", code="token-ended")
    return user


def begin_browser(request: HttpRequest, user: User) -> None:
    """Sign a browser in, by a session of a new key."""
    login(request, user, backend=BACKEND)


def begin_api(request: HttpRequest, user: User) -> Tokens:
    """Sign a program in: a session of its own, which no cookie names, and the first tokens of its family."""
    shadow = HttpRequest()
    shadow.META = dict(request.META)
    shadow.session = families.new_session()
    shadow.session[IS_API] = True
    login(shadow, user, backend=BACKEND)
    return families.begin(user, shadow.session)
