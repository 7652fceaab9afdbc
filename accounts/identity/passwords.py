"""Passwords changed and reset. Either ends every other session, family of tokens and socket of the person."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.identity import auditing, letters, sign_ins
from accounts.identity.models import Letter
from accounts.models import User
from common.errors import FieldProblem, Invalid


def check_strength(password: str, *, user: User | None = None, pointer: str = "/password") -> None:
    """Raise Invalid with every reason why a password is too weak."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        found = [
            FieldProblem(pointer, str(one.code).replace("_", "-"), " ".join(one.messages)) for one in error.error_list
        ]
        raise Invalid.many(found) from error


def change(*, user: User, password: str, session: SessionBase, now: datetime) -> None:
    """Change somebody's password in a session of theirs, which alone goes on."""
    check_strength(password, user=user, pointer="/new_password")
    with transaction.atomic():
        changed = _changed(User.objects.select_for_update().get(pk=user.pk), password, now)
        auditing.note(changed, "user.password_changed")
        sign_ins.end_all(user=changed, keep=session.session_key)
    sign_ins.renew(session, changed)


def ask_reset(*, email: str, now: datetime) -> None:
    """Have a link sent to an address, if it is somebody's. The same work for every address."""
    letters.write(Letter.Kind.RESET, email=email, now=now)


def reset_token(user: User) -> str:
    """Return what resets a password once, within two hours; a change of the password, the address or a sign-in voids it."""
    return f"{user.pk.hex}-{default_token_generator.make_token(user)}"


def of_reset_token(token: str, *, lock: bool = False) -> User:
    """Return whose password a token resets; raise Invalid for a spent, old or forged one."""
    key, _, rest = token.partition("-")
    id = _uuid(key)
    users = User.objects.select_for_update() if lock else User.objects.all()
    user = users.filter(pk=id, is_active=True).first() if id else None
    if user is None or not default_token_generator.check_token(user, rest):
        raise Invalid("This link is spent or too old; ask for another.", pointer="/token", code="link-ended")
    return user


def reset(*, token: str, password: str, now: datetime) -> User:
    """Set a new password by a token that was mailed, and sign the person out everywhere. Twice at once: one succeeds."""
    with transaction.atomic():
        user = of_reset_token(token, lock=True)
        check_strength(password, user=user)
        changed = _changed(user, password, now)
        auditing.note(changed, "user.password_reset")
        sign_ins.end_all(user=changed)
    return changed


def _changed(user: User, password: str, now: datetime) -> User:
    user.set_password(password)
    user.save(update_fields=["password"])
    sign_ins.outdate(user)
    letters.write(Letter.Kind.PASSWORD_CHANGED, email=user.email, about=user.pk, now=now)
    return user


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
