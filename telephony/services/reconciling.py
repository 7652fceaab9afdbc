"""Bring the books back to the truth after the link was down, and end what the switch no longer knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.functions import Coalesce

from accounts.tenancy import system_access, tenant_scope
from telephony.facts import Ended
from telephony.models import CallLeg
from telephony.services.finalizing import finalize_leg
from telephony.services.timeline import locked_call
from telephony.states import Dispatch, Evidence

# The end of a channel is told late while mod_json_cdr waits for its web server: denied once is not yet gone.
MISSING_FOR = timedelta(seconds=10)
# A listener asks every few seconds: for so long nobody heard of the switch or nobody asked it.
GONE_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LivingLeg:
    """A leg our books hold for living on a switch."""

    tenant_id: UUID
    call_id: UUID
    leg_id: UUID


def living_legs(*, node: str) -> list[LivingLeg]:
    """Return what should live on a node. One query over all tenants."""
    living = CallLeg.unscoped.filter(node=node, finalized_at=None).exclude(dispatch=Dispatch.UNSENT.value)
    with system_access(f"living legs of {node}"):
        return [LivingLeg(*row) for row in living.values_list("tenant_id", "call_id", "id")]


def owner_of(*, leg_id: UUID) -> LivingLeg | None:
    """Return whose leg a channel is, None for one that is not ours. One query over all tenants."""
    with system_access("whose channel"):
        row = CallLeg.unscoped.filter(pk=leg_id).values_list("tenant_id", "call_id", "id").first()
    return LivingLeg(*row) if row else None


def known_channels(*, channels: Iterable[UUID]) -> set[UUID]:
    """Return those of the channels that are legs in somebody's books. One query over all tenants, none for no channel."""
    asked = sorted(channels)
    if not asked:
        return set()
    with system_access("channels nobody knows"):
        return set(CallLeg.unscoped.filter(pk__in=asked).values_list("pk", flat=True))


def note_seen(*, leg_ids: Iterable[UUID], now: datetime) -> None:
    """Keep the proof that these channels live. One statement over all tenants."""
    with system_access("channels seen alive"):
        CallLeg.unscoped.filter(pk__in=sorted(leg_ids), finalized_at=None).update(last_seen_at=now, missing_since=None)


def note_missing(*, leg: LivingLeg, now: datetime) -> bool:
    """Note that the switch denies a leg; once it did so for ten seconds, end it at its last proof of life.

    Say whether the leg was ended: as an estimate, which a later report may correct.
    """
    with tenant_scope(leg.tenant_id):
        locked_call(tenant_id=leg.tenant_id, call_id=leg.call_id)
        row = CallLeg.objects.for_tenant(leg.tenant_id).get(pk=leg.leg_id)
        if row.finalized_at is not None:
            return False
        if row.missing_since is None or now - row.missing_since < MISSING_FOR:
            row.missing_since = row.missing_since or now
            row.save(update_fields=["missing_since"])
            return False
        return _estimate(row, now=now)


def end_gone(*, now: datetime, most: int = 500) -> int:
    """End the legs nobody has had any proof of for an hour, each at its last; return how many.

    Their switch is gone, or nobody asks it: what it still has to tell corrects the estimate.
    """
    last_proof = Coalesce("last_seen_at", "sent_at", "created_at")
    living = CallLeg.unscoped.filter(finalized_at=None).exclude(dispatch=Dispatch.UNSENT.value)
    silent = living.annotate(last_proof=last_proof).filter(last_proof__lt=now - GONE_FOR)
    with system_access("legs nobody has heard of"):
        found = [LivingLeg(*row) for row in silent.values_list("tenant_id", "call_id", "id")[:most]]
    return sum(_end_if_gone(leg, now=now) for leg in found)


def _end_if_gone(leg: LivingLeg, *, now: datetime) -> bool:
    with tenant_scope(leg.tenant_id):
        locked_call(tenant_id=leg.tenant_id, call_id=leg.call_id)
        row = CallLeg.objects.for_tenant(leg.tenant_id).get(pk=leg.leg_id)
        is_gone = row.finalized_at is None and _last_proof(row) < now - GONE_FOR
        return is_gone and _estimate(row, now=now)


def _estimate(leg: CallLeg, *, now: datetime) -> bool:
    """End a leg at its last proof of life, never now: what nobody saw is not billed."""
    ended = Ended(leg.pk, at=_last_proof(leg))
    return finalize_leg(tenant_id=leg.tenant_id, call_id=leg.call_id, ended=ended, now=now, evidence=Evidence.ESTIMATE)


def _last_proof(leg: CallLeg) -> datetime:
    return leg.last_seen_at or leg.sent_at or leg.created_at
