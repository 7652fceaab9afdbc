"""Secrets people and programs carry: API keys (random, stored hashed), visitor tokens (signed), socket tickets (once, 30 s)."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.core import signing

from accounts.principals import Kind, Principal
from common.errors import NotAuthenticated
from common.valkey import client

KEY_SHAPE = re.compile(r"irisx_live_([A-Za-z0-9]{12})([A-Za-z0-9]{32})")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
VISITOR_TOKEN_LIFE = timedelta(days=30)
TICKET_SECONDS = 30


@dataclass(frozen=True)
class NewKey:
    """A fresh API key: `text` is shown once, `prefix` and `secret_hash` are stored."""

    text: str
    prefix: str
    secret_hash: bytes


def new_key() -> NewKey:
    """Return a new key with 190 bits of secret."""
    prefix, secret = (_random(12), _random(32))
    return NewKey(f"irisx_live_{prefix}{secret}", prefix, hash_secret(secret))


def split_key(text: str) -> tuple[str, str]:
    """Return (prefix, secret) of a key's text; raise NotAuthenticated for another shape."""
    match = KEY_SHAPE.fullmatch(text)
    if match is None:
        raise NotAuthenticated("This is not an API key of IRISX.")
    return match[1], match[2]


def hash_secret(secret: str) -> bytes:
    """Return the stored form. A fast hash is right here: the secret is random, not chosen by a person."""
    return hashlib.sha256(secret.encode()).digest()


def secret_matches(secret: str, stored: bytes | memoryview) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(hash_secret(secret), bytes(stored))


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


@dataclass(frozen=True)
class VisitorClaim:
    tenant_id: UUID
    visitor_id: UUID
    auth_version: int
    expires_at: datetime


def issue_visitor_token(*, tenant_id: UUID, visitor_id: UUID, auth_version: int, now: datetime) -> tuple[str, datetime]:
    """Return (`vt_…`, when it expires). It ends before that when the visitor's `auth_version` is raised."""
    expires_at = now + VISITOR_TOKEN_LIFE
    claim = [tenant_id.hex, visitor_id.hex, auth_version, int(expires_at.timestamp())]
    return "vt_" + signing.dumps(claim, salt="visitor"), expires_at


def read_visitor_token(text: str, *, now: datetime) -> VisitorClaim:
    """Return what a visitor token says; raise NotAuthenticated when it is forged or expired."""
    try:
        tenant, visitor, *version, expires = signing.loads(text.removeprefix("vt_"), salt="visitor")
        ends = datetime.fromtimestamp(expires, tz=now.tzinfo)
        # Tokens of before versions came have three parts: they are of the first.
        claim = VisitorClaim(UUID(hex=tenant), UUID(hex=visitor), int(version[0]) if version else 1, ends)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise NotAuthenticated("This visitor token is not ours.") from error
    if claim.expires_at <= now:
        raise NotAuthenticated("This visitor token has expired; start a conversation again.", code="token-expired")
    return claim


def issue_ticket(principal: Principal) -> str:
    """Return a ticket that opens one socket within 30 seconds."""
    ticket = secrets.token_urlsafe(24)
    value = [principal.kind, principal.id.hex, principal.tenant_id.hex, principal.auth_version, principal.session]
    client().set(_ticket_key(ticket), orjson.dumps(value), ex=TICKET_SECONDS)
    return ticket


def redeem_ticket(ticket: str) -> tuple[Kind, UUID, UUID, int, str]:
    """Return (kind, user id, tenant id, auth version, browser session) and spend the ticket.

    Raises NotAuthenticated if it is spent or unknown.
    """
    raw: Any = client().getdel(_ticket_key(ticket))
    if raw is None:
        raise NotAuthenticated("The ticket is spent or older than 30 seconds; ask for a new one.")
    kind, user, tenant, version, session = orjson.loads(raw)
    return Kind(kind), UUID(hex=user), UUID(hex=tenant), version, session


def _ticket_key(ticket: str) -> str:
    return "irisx:ticket:" + hashlib.sha256(ticket.encode()).hexdigest()
