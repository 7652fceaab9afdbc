"""How often something may be tried. Counted by account and network together, so that nobody's tries lock the owner out."""

import hashlib
from datetime import datetime

from accounts.identity.models import SignIn
from accounts.models import User
from common.ratelimit import Limit, take

PASSWORDS = Limit("sign-in", burst=10, per_minute=5)
PASSWORDS_OF_A_NETWORK = Limit("sign-in-network", burst=100, per_minute=60)
CODES = Limit("second-factor", burst=5, per_minute=3)
CODES_FROM_STRANGE_NETWORKS = Limit("second-factor-strange", burst=20, per_minute=1)
LETTERS = Limit("letters", burst=20, per_minute=10)


def password(*, email: str, network: str, now: datetime) -> None:
    """Count a try at an account's password from a network; raise TooMany."""
    take(PASSWORDS_OF_A_NETWORK, network, now=now)
    take(PASSWORDS, f"{_digest(email.strip().lower())}:{network}", now=now)


def code(*, user: User, network: str, now: datetime) -> None:
    """Count a try at a second factor; raise TooMany.

    Six digits are soon guessed from many networks at once: all those the person never signed in from share one limit.
    """
    take(CODES, f"{user.pk.hex}:{network}", now=now)
    if not SignIn.objects.filter(user=user, network=network).exists():
        take(CODES_FROM_STRANGE_NETWORKS, user.pk.hex, now=now)


def letter(*, network: str, now: datetime) -> None:
    """Count a request that may send a mail; raise TooMany."""
    take(LETTERS, network, now=now)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
