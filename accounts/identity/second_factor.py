"""Codes of an authenticator app (TOTP, RFC 6238) and recovery codes, kept by allauth.mfa; every code is good once."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from accounts.identity import auditing, letters
from accounts.identity.models import Letter
from accounts.identity.sign_ins import end_all
from accounts.models import User
from common.errors import Invalid, WrongState
from common.sealed import CannotOpen, seal, unseal

PENDING = "second_factor_pending"
PENDING_SECONDS = 900
LAST_COUNTER = "last_counter"


class SealedAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth is untyped
    """allauth's hook for what it stores: sealed by a key that the database does not hold."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app is given: the secret in base32, and the same as an address (`otpauth://`)."""

    secret: str
    uri: str

    @property
    def svg(self) -> str:
        """Return the address as a QR code."""
        return str(get_adapter().build_totp_svg(self.uri))


def begin(*, user: User, session: SessionBase, now: datetime) -> Enrolment:
    """Make a secret that waits in the session for its first code; raise WrongState when there is a second factor."""
    if user.second_factor_at is not None:
        raise WrongState("There is a second factor already; turn it off first.", code="second-factor-on")
    secret = generate_totp_secret()
    session[PENDING] = [get_adapter().encrypt(secret), int(now.timestamp())]
    session.save()
    return _enrolment(user, secret)


def pending(*, user: User, session: SessionBase, now: datetime) -> Enrolment | None:
    """Return what waits for its first code; None when nothing does, or for longer than 15 minutes."""
    sealed, began = session.get(PENDING) or ("", 0)
    if now.timestamp() - began > PENDING_SECONDS:
        return None
    try:
        return _enrolment(user, get_adapter().decrypt(sealed))
    except CannotOpen:
        return None


def confirm(*, user: User, session: SessionBase, code: str, now: datetime) -> list[str]:
    """Turn the second factor on by its first code, end the other sessions, and return the recovery codes.

    Raises WrongState when none waits or one is on, Invalid for a wrong code.
    """
    enrolment = pending(user=user, session=session, now=now)
    if enrolment is None:
        raise WrongState("Nothing waits for a code; begin again.", code="nothing-pending")
    with transaction.atomic():
        stored = User.objects.select_for_update().get(pk=user.pk)
        if stored.second_factor_at is not None:
            raise WrongState("There is a second factor already; turn it off first.", code="second-factor-on")
        counter = _counter_of(enrolment.secret, code, after=0)
        if counter is None:
            raise Invalid("This code is not right; take the one shown now.", pointer="/code", code="wrong-code")
        Authenticator.objects.filter(user=stored).delete()
        totp = TOTP.activate(stored, enrolment.secret).instance
        totp.data[LAST_COUNTER] = counter
        totp.save(update_fields=["data"])
        codes: list[str] = RecoveryCodes.activate(stored).generate_codes()
        stored.second_factor_at = now
        stored.save(update_fields=["second_factor_at"])
        end_all(user=stored, keep=session.session_key)
        auditing.note(stored, "user.second_factor_on")
        letters.write(Letter.Kind.SECOND_FACTOR_ON, email=stored.email, about=stored.pk, now=now)
    user.second_factor_at = now
    session.pop(PENDING, None)
    session.save()
    return codes


def is_right(*, user: User, code: str) -> bool:
    """Say whether a code is the app's or an unused recovery code, and spend it. Two at once: one of them is right."""
    wanted = code.replace(" ", "").replace("-", "")
    with transaction.atomic():
        totp = Authenticator.objects.select_for_update().filter(user=user, type=Authenticator.Type.TOTP).first()
        if totp is None:
            return False
        secret = get_adapter().decrypt(totp.data["secret"])
        counter = _counter_of(secret, wanted, after=int(totp.data.get(LAST_COUNTER, 0)))
        if counter is not None:
            totp.data[LAST_COUNTER] = counter
            totp.save(update_fields=["data"])
            return True
        recovery = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
        return recovery is not None and RecoveryCodes(recovery).validate_code(wanted)


def turn_off(*, user: User, now: datetime) -> None:
    """Take the second factor away, and its recovery codes. A repeat changes nothing."""
    with transaction.atomic():
        stored = User.objects.select_for_update().get(pk=user.pk)
        if stored.second_factor_at is None:
            return
        Authenticator.objects.filter(user=stored).delete()
        stored.second_factor_at = None
        stored.save(update_fields=["second_factor_at"])
        auditing.note(stored, "user.second_factor_off")
        letters.write(Letter.Kind.SECOND_FACTOR_OFF, email=stored.email, about=stored.pk, now=now)
    user.second_factor_at = None


def renew_recovery_codes(*, user: User) -> list[str]:
    """Return new recovery codes; the former ones are void. Raises WrongState without a second factor."""
    with transaction.atomic():
        stored = User.objects.select_for_update().get(pk=user.pk)
        if stored.second_factor_at is None:
            raise WrongState("There is no second factor.", code="second-factor-off")
        Authenticator.objects.filter(user=stored, type=Authenticator.Type.RECOVERY_CODES).delete()
        auditing.note(stored, "user.recovery_codes_renewed")
        codes: list[str] = RecoveryCodes.activate(stored).generate_codes()
    return codes


def recovery_codes_left(*, user: User) -> int:
    """Return how many recovery codes are unused."""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(found).get_unused_codes()) if found else 0


def _enrolment(user: User, secret: str) -> Enrolment:
    return Enrolment(secret, get_adapter().build_totp_url(user, secret))


def _counter_of(secret: str, code: str, *, after: int) -> int | None:
    """Return the time step whose code this is; None for a wrong one and for one of a step that was used (RFC 6238, 5.2)."""
    steps: Sequence[int] = [step for step in yield_hotp_counters_from_time() if step > after]
    given = code.encode()
    right = [step for step in steps if hmac.compare_digest(format_hotp_value(hotp_value(secret, step)).encode(), given)]
    return right[0] if right else None
