"""Who a visitor is, as the customer's own server vouches for it: a JWT signed (HS256) with the widget's identity secret.

Pure: no database, no clock.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chat.attributes import UNSTORABLE, Scalar, check_attributes
from common.errors import Invalid

POINTER: Final = "/identity_jwt"
LEEWAY: Final = timedelta(seconds=60)
LONGEST_LIFE: Final = timedelta(days=30)
LONGEST_ID, LONGEST_NAME, LONGEST_EMAIL = 200, 120, 254


@dataclass(frozen=True)
class Identity:
    """What a JWT says; empty where it says nothing."""

    external_id: str
    name: str = ""
    email: str = ""
    attributes: dict[str, Scalar] = field(default_factory=dict)


def read_identity(token: str, *, secret: str, now: datetime) -> Identity:
    """Return what an identity JWT says; raise Invalid unless it is signed with HS256 by this secret and lives.

    `sub` (the customer's id of the person, 1 to 200 characters) and `exp` (at most 30 days ahead) are required; `name`, `email`
    and `attributes` may be there. Times are taken with 60 seconds of leeway.
    """
    claims = _claims(token, secret)
    _require_alive(claims, now)
    return Identity(
        external_id=_text(claims, "sub", LONGEST_ID, is_required=True),
        name=_text(claims, "name", LONGEST_NAME),
        email=_email(claims),
        attributes=_attributes(claims),
    )


def _claims(token: str, secret: str) -> dict[str, Any]:
    try:
        # One algorithm, ours: `none` and keys of another kind are refused by name. Times are held against `now` below.
        return jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            options={
                "require": ["exp", "sub"], "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False,
            },
        )  # fmt: skip
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Invalid(f"The identity JWT is not valid: {error}.", code="identity-invalid", pointer=POINTER) from error


def _require_alive(claims: dict[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    expires, not_before = _number(claims, "exp"), _number(claims, "nbf")
    if expires is None or expires + LEEWAY.total_seconds() <= moment:
        raise Invalid("The identity JWT has expired.", code="identity-expired", pointer=POINTER)
    if expires > moment + (LONGEST_LIFE + LEEWAY).total_seconds():
        raise _wrong("exp", f"at most {LONGEST_LIFE.days} days ahead")
    if not_before is not None and not_before - LEEWAY.total_seconds() > moment:
        raise _wrong("nbf", "in the past")


def _number(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise _wrong(name, "a number of seconds")
    return float(value)


def _text(claims: dict[str, Any], name: str, most: int, *, is_required: bool = False) -> str:
    value = claims.get(name) or ""
    is_text = isinstance(value, str) and len(value) <= most and not UNSTORABLE.search(value)
    if not is_text or (is_required and not value.strip()):
        raise _wrong(name, f"a text of {int(is_required)} to {most} characters")
    return value.strip()


def _email(claims: dict[str, Any]) -> str:
    email = _text(claims, "email", LONGEST_EMAIL)
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise _wrong("email", "an e-mail address") from error
    return email


def _attributes(claims: dict[str, Any]) -> dict[str, Scalar]:
    try:
        return {
            name: value for name, value in check_attributes(claims.get("attributes") or {}).items() if value is not None
        }
    except Invalid as error:
        raise Invalid(
            f"attributes in the identity JWT: {error.message}", code="identity-invalid", pointer=POINTER
        ) from error


def _wrong(claim: str, right: str) -> Invalid:
    return Invalid(f"{claim} in the identity JWT must be {right}.", code="identity-invalid", pointer=POINTER)
