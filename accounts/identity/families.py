"""Tokens of API users: allauth's, each family of them bound to one stored session (ADR 0021).

An access token lives five minutes and is held against its session at every use. A refresh token is good once: whoever shows a
spent one, thief or owner, ends the whole family.
"""

from dataclasses import dataclass
from typing import Any

from allauth.headless import app_settings
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.identity import sign_ins
from accounts.identity.models import SignIn
from accounts.models import User
from common.errors import NotAuthenticated

ENDED = "This token has ended; sign in again."


@dataclass(frozen=True)
class Tokens:
    """What a program signs in with; seconds until each ends."""

    access: str
    refresh: str
    access_seconds: int
    refresh_seconds: int


class FamilyTokenStrategy(JWTTokenStrategy):  # type: ignore[misc] # allauth is untyped here
    """allauth's strategy, whose spent refresh tokens end their family."""

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        """Return the next (access, refresh), or None once the family has ended. The session's row is locked meanwhile."""
        payload = internal.decode_token(refresh_token, "refresh")
        key = internal.session_key_from_sid(payload["sid"]) if payload else None
        if payload is None or key is None:
            return None
        with transaction.atomic():
            if Session.objects.select_for_update().filter(session_key=key).first() is None:
                return None
            session = internal.get_token_session(payload)
            user = internal.validate_token_user(payload, session) if session else None
            if session is None or not isinstance(user, User):
                return None
            if payload["jti"] not in internal.get_refresh_token_state(session):
                # Known by its signature, and spent: somebody else has used it, or is using it now.
                sign_ins.end_session(user=user, session_key=key)
                return None
            internal.invalidate_refresh_token(session, payload)
            pair = _issue(user, session)
            session.save()
            return pair


def begin(user: User, session: SessionBase) -> Tokens:
    """Return the first tokens of a session just signed in."""
    access, refresh = _issue(user, session)
    session.save()
    return _tokens(access, refresh)


def refresh(text: str) -> Tokens:
    """Return the next tokens of a family; raise NotAuthenticated once it has ended, which showing a spent token does."""
    pair = FamilyTokenStrategy().refresh_token(text)
    if pair is None:
        raise NotAuthenticated(ENDED, code="token-ended")
    return _tokens(*pair)


def open_access(text: str) -> tuple[User, SessionBase]:
    """Return whose access token this is, and its session; raise NotAuthenticated for any other token."""
    payload = internal.decode_token(text, "access")
    session = internal.get_token_session(payload) if payload else None
    user = internal.validate_token_user(payload, session) if payload and session else None
    if session is None or not isinstance(user, User):
        raise NotAuthenticated("This access token is not ours or has ended; use the refresh token.", code="token-ended")
    return user, session


def end(text: str) -> None:
    """End the family of a refresh token. A repeat, or a token of another kind, changes nothing."""
    payload = internal.decode_token(text, "refresh")
    key = internal.session_key_from_sid(payload["sid"]) if payload else None
    found = SignIn.objects.filter(session_key=key).select_related("user").first() if key else None
    if found is not None:
        sign_ins.end_session(user=found.user, session_key=found.session_key)


def end_access(text: str) -> None:
    """End the family of an access token. A repeat changes nothing."""
    try:
        user, session = open_access(text)
    except NotAuthenticated:
        return
    sign_ins.end_session(user=user, session_key=str(session.session_key))


def new_session() -> SessionBase:
    """Return a session of a program's own, which no cookie names."""
    return SessionStore()


def is_token(text: str) -> bool:
    """Say whether a bearer has the shape of these tokens: three parts with a dot between (RFC 7519)."""
    return text.count(".") == 2


def _issue(user: Any, session: SessionBase) -> tuple[str, str]:
    access = internal.create_access_token(user, session, {})
    return access, internal.create_refresh_token(user, session)


def _tokens(access: str, refresh: str) -> Tokens:
    lives = app_settings.JWT_ACCESS_TOKEN_EXPIRES_IN, app_settings.JWT_REFRESH_TOKEN_EXPIRES_IN
    return Tokens(access, refresh, *lives)
