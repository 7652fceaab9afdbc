"""Signing up: a wish, a mail, and, once the address is proven, a company on trial with everything it needs."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import services
from accounts.identity import letters, passwords
from accounts.identity.models import Letter, SignUp
from accounts.models import Tenant, User, check_zone
from accounts.permissions import SCOPES
from accounts.tenancy import system_access, tenant_scope
from common.errors import Conflict, Invalid, WrongState

SALT = "sign-up"
LIFE = timedelta(hours=24)
TAKEN = "Somebody has an account with this address already: sign in, or reset the password."


@dataclass(frozen=True)
class Wish:
    """What somebody says who signs up."""

    email: str
    name: str
    company: str
    language: str = "en"
    timezone: str = "UTC"


@dataclass(frozen=True)
class Founded:
    """What came of a sign-up. `api_key` is shown now and never again."""

    user: User
    tenant: Tenant
    api_key: str


def ask(*, wish: Wish, now: datetime) -> None:
    """Store a wish and have its address asked for proof. The same work whether or not the address is known."""
    try:
        check_zone(wish.timezone)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), pointer="/timezone", code="unknown-zone") from error
    with transaction.atomic():
        stored = SignUp.objects.create(
            email=wish.email,
            name=wish.name,
            company=wish.company,
            language=wish.language,
            timezone=wish.timezone,
            created_at=now,
        )
        letters.write(Letter.Kind.VERIFY, email=wish.email, about=stored.pk, now=now)


def token_of(sign_up: SignUp) -> str:
    """Return what proves the address of a sign-up."""
    return signing.dumps(sign_up.pk.hex, salt=SALT)


def of_token(token: str, *, now: datetime, lock: bool = False) -> SignUp:
    """Return the sign-up a token proves; raise Invalid for an old or forged one, WrongState once it is done."""
    ended = Invalid("This link is older than a day or not ours; sign up again.", pointer="/token", code="link-ended")
    try:
        key = UUID(hex=signing.loads(token, salt=SALT))
    except signing.BadSignature as error:
        raise ended from error
    found = (SignUp.objects.select_for_update() if lock else SignUp.objects.all()).filter(pk=key).first()
    if found is None or found.created_at < now - LIFE:
        raise ended
    if found.verified_at is not None:
        raise WrongState("This address is verified already: sign in.", code="already-verified")
    return found


def verify(*, token: str, password: str, now: datetime) -> Founded:
    """Make the person, the company on trial, its first widget and its first key: all of it, or nothing.

    The password is chosen here, by who reads the address's mail: a sign-up in somebody else's name gives nobody a way in.
    Twice at once: one founds the company, the other gets WrongState. Raises Invalid, or Conflict for a known address.
    """
    with transaction.atomic():
        wish = of_token(token, now=now, lock=True)
        passwords.check_strength(password, user=User(email=wish.email, name=wish.name))
        user = _person(wish, password)
        tenant = services.create_tenant(
            name=wish.company,
            slug=_slug(wish.company),
            owner=user,
            now=now,
            timezone=wish.timezone,
            locale=wish.language,
        )
        with tenant_scope(tenant.pk):
            _, key = services.issue_api_key(tenant_id=tenant.pk, name="First key", scopes=SCOPES, created_by=user.pk)
        wish.verified_at = now
        wish.save(update_fields=["verified_at"])
    return Founded(user, tenant, key)


def _person(wish: SignUp, password: str) -> User:
    try:
        with transaction.atomic():
            return User.objects.create_user(wish.email, password, name=wish.name)
    except IntegrityError as error:
        raise Conflict(TAKEN, code="already-registered", pointer="/token") from error


def _slug(company: str) -> str:
    """Return a short name of a company; with random digits where it is taken, so that two at once do not collide."""
    slug = slugify(company)[:40] or "company"
    with system_access("a short name at sign-up"):
        is_free = not Tenant.objects.filter(slug=slug).exists()
    return slug if is_free else f"{slug}-{secrets.token_hex(4)}"
