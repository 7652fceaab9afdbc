"""Secrets that must be read again (webhook secrets, TOTP seeds), encrypted at rest: Fernet, AES-128-CBC with HMAC-SHA256.

The keys are IRISX_ENCRYPTION_KEYS; the first seals, every one opens. Without that setting one key is derived from SECRET_KEY.
To rotate, put a new key in front, `unseal` and `seal` what is stored, then remove the old one.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotOpen(Exception):
    """A sealed text that no key opens: it was changed, or its key was removed."""


def seal(text: str) -> str:
    """Return `text` encrypted, to be stored. Twice the same text gives two different results."""
    return _keys(*_texts()).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text; raise CannotOpen."""
    try:
        return _keys(*_texts()).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen("A stored secret does not open with IRISX_ENCRYPTION_KEYS or SECRET_KEY.") from error


def _texts() -> tuple[str, ...]:
    """Return the keys' texts: those of the setting, and last what SECRET_KEY gives, which sealed before there was one."""
    return (*settings.IRISX_ENCRYPTION_KEYS, settings.SECRET_KEY)


@lru_cache(maxsize=8)
def _keys(*texts: str) -> MultiFernet:
    return MultiFernet([_derived(text) for text in texts])


def _derived(text: str) -> Fernet:
    """Return a key of 32 bytes from a text of any length (HKDF, RFC 5869): texts are random, not passwords people chose."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"irisx.sealed.v1").derive(text.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
