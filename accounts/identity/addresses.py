"""A person's e-mail address changes only once the new one is proven."""

from datetime import datetime
from uuid import UUID

from django.core import signing
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.identity import auditing, letters
from accounts.identity.models import Letter
from accounts.models import User
from common.errors import Conflict, Invalid

SALT = "new address"
LIFE_SECONDS = 86_400


def ask_change(*, user: User, email: str, now: datetime) -> None:
    """Have a link sent to the new address. Whether it is in use shows only to who reads its mail."""
    letters.write(Letter.Kind.NEW_ADDRESS, email=email, about=user.pk, now=now)


def change_token(user: User, email: str) -> str:
    """Return what changes an address within a day; void once the address, the password or the version is another."""
    return signing.dumps([user.pk.hex, email, _mark(user)], salt=SALT)


def of_change_token(token: str, *, lock: bool = False) -> tuple[User, str]:
    """Return (whose, which address) a token is about; raise Invalid for a spent, old or forged one."""
    ended = Invalid("This link is spent or too old; ask for another.", pointer="/token", code="link-ended")
    try:
        key, email, mark = signing.loads(token, salt=SALT, max_age=LIFE_SECONDS)
    except signing.BadSignature as error:
        raise ended from error
    users = User.objects.select_for_update() if lock else User.objects.all()
    user = users.filter(pk=UUID(hex=key), is_active=True).first()
    if user is None or _mark(user) != mark:
        raise ended
    return user, email


def change(*, token: str, now: datetime) -> User:
    """Make the proven address the person's, and tell the former one; raise Invalid, or Conflict when it is somebody's."""
    try:
        with transaction.atomic():
            user, email = of_change_token(token, lock=True)
            former, user.email = user.email, email
            user.save(update_fields=["email"])
            auditing.note(user, "user.address_changed", audit.changed({"email": former}, {"email": email}))
            letters.write(Letter.Kind.ADDRESS_CHANGED, email=former, about=user.pk, now=now)
    except IntegrityError as error:
        raise Conflict("This address is in use.", code="address-in-use", pointer="/token") from error
    return user


def _mark(user: User) -> str:
    return f"{user.email} {user.get_session_auth_hash()[:16]}"
