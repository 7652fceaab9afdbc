"""Bring events into the books: parse, find whose they are, apply; retried until the database takes them."""

import asyncio
import logging
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from accounts.tenancy import tenant_scope
from common.db import in_database_thread
from telephony import facts
from telephony.esl.protocol import Event
from telephony.facts import Fact
from telephony.services.progress import apply_fact
from telephony.services.reconciling import LivingLeg, owner_of

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


async def take_in(event: Event) -> None:
    """Apply one event; waits for the database as long as it takes, so that nothing is lost meanwhile."""
    received_at = timezone.now()
    fact = facts.read(event, received_at=received_at)
    if fact is not None:
        await until_stored(fact)


async def until_stored(fact: Fact) -> None:
    """Apply one fact, again and again while the database is away; what can't be applied is logged and left."""
    while True:
        try:
            await in_database_thread(_apply, fact, timezone.now())
        except (OperationalError, InterfaceError):
            log.warning("the database does not answer; the event waits", exc_info=True)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            log.exception("an event of leg %s could not be applied", fact.leg_id)
            return
        else:
            return


def _apply(fact: Fact, now: datetime) -> None:
    owner = _owner(fact.leg_id)
    if owner is None:
        return
    with tenant_scope(owner.tenant_id):
        apply_fact(tenant_id=owner.tenant_id, call_id=owner.call_id, fact=fact, now=now)


class _Stranger(Exception):
    """Not a leg of ours: not remembered, it may become one."""


@lru_cache(maxsize=10_000)
def _remembered(leg_id: UUID) -> LivingLeg:
    owner = owner_of(leg_id=leg_id)
    if owner is None:
        raise _Stranger
    return owner


def _owner(leg_id: UUID) -> LivingLeg | None:
    try:
        return _remembered(leg_id)
    except _Stranger:
        return None
