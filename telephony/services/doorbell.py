"""Ring at the listener: a Valkey stream that only says that something waits in PostgreSQL."""

from django.db import transaction

from common.valkey import client

STREAM = "irisx:telephony:commands"
KEPT_RINGS = 1000


def ring_on_commit() -> None:
    """Wake the listener once the transaction has committed; without it the listener looks every second anyway."""
    transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    client().xadd(STREAM, {"ring": "1"}, maxlen=KEPT_RINGS, approximate=True)
