"""Signs of life of processes that serve no HTTP, kept in Valkey."""

import time

from django.conf import settings

from common.valkey import client


def key(process: str) -> str:
    """Return the Valkey key of a process's last sign of life (Unix seconds)."""
    return f"irisx:alive:{process}"


def beat(process: str) -> None:
    """Say that `process` lives; forgotten after ten times the allowed silence."""
    client().set(key(process), int(time.time()), ex=settings.IRISX_WORKER_STALE_SECONDS * 10)
