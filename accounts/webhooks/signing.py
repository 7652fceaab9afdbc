"""Standard Webhooks 1.0: the secret's form, and what is signed. Pure."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
KEY_BYTES: Final = 32
LEAST_BYTES, MOST_BYTES = 24, 64


class BadSecret(ValueError):
    """A text that is no `whsec_` and base64 of 24 to 64 bytes."""


def new_secret() -> str:
    """Return a new secret: `whsec_` and the base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(os.urandom(KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Return the signing key inside a secret; raise BadSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadSecret("The secret is not whsec_ and base64.") from error
    if not secret.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise BadSecret(f"The secret must be whsec_ and the base64 of {LEAST_BYTES} to {MOST_BYTES} bytes.")
    return key


def headers(*, id: str, body: bytes, keys: Sequence[bytes], now: datetime) -> dict[str, str]:
    """Return the three headers of one attempt; one signature for each key, separated by a space."""
    timestamp = str(int(now.timestamp()))
    signatures = [_signature(key, id=id, timestamp=timestamp, body=body) for key in keys]
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def is_signed(*, id: str, timestamp: str, signatures: str, body: bytes, key: bytes) -> bool:
    """Say whether one of the signatures is the key's; the timestamp's age is the caller's to judge."""
    wanted = _signature(key, id=id, timestamp=timestamp, body=body)
    return any(hmac.compare_digest(wanted.encode(), given.encode()) for given in signatures.split())


def _signature(key: bytes, *, id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
