"""Answers a process has given, kept for half a minute, or until a number, a telephone or a company changes.

They stay in the process's memory, for a telephone's holds the digest of its password. Valkey keeps their generation: whoever
changes something raises it once that is committed, and no process finds an answer of an earlier generation again. What is
changed past the signals (`QuerySet.update`), or while Valkey is away, is seen after 30 seconds.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import redis
from django.db import transaction

from common.valkey import client

logger = logging.getLogger(__name__)
GENERATION = "irisx:switch:generation"
SECONDS = 30.0
MOST = 10_000


class Answers:
    """The answers of one process, the longest unused forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[object, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def get(self, question: object, make: Callable[[], bytes]) -> bytes:
        """Return the answer to a question, made anew if it is not known; without Valkey always anew."""
        try:
            generation = client().get(GENERATION)
        except redis.RedisError:
            return make()
        key = (generation, question)
        with self._lock:
            if (found := self._kept.get(key)) and found[0] > time.monotonic():
                self._kept.move_to_end(key)
                return found[1]
        # Asked for before it is made: what changes meanwhile raises the generation, and this one is never found again.
        answer = make()
        with self._lock:
            self._kept[key] = (time.monotonic() + SECONDS, answer)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return answer


def forget_on_commit() -> None:
    """Let every process forget its answers once this transaction is committed."""
    transaction.on_commit(_forget)


def _forget() -> None:
    try:
        client().incr(GENERATION)
    except redis.RedisError:
        logger.warning("what a switch was told is forgotten after %d seconds only: Valkey is away", SECONDS)
