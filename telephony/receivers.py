"""What telephony does when something happens below it, or to a leg: calls end or go on, agents are held or offered callers."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.audit import SYSTEM
from accounts.models import Membership, Tenant
from accounts.presence.engaged import who_is_engaged
from accounts.presence.models import AgentPresence
from accounts.signals import member_added, member_left, presence_changed, tenant_stopped
from telephony.errors import CallEnded
from telephony.inbound import extensions, following
from telephony.models import Call, CallLeg
from telephony.queues import agents, waiting
from telephony.services import hangup_call
from telephony.signals import leg_answered, leg_ended


@receiver(tenant_stopped, dispatch_uid="telephony.hang_up")
def hang_up(*, tenant: Tenant, now: datetime, **kwargs: Any) -> None:
    """Ask for the end of every call of a suspended or closed company, in the transaction that shuts it out."""
    under_way = Call.objects.for_tenant(tenant.pk).filter(ended_at=None, cancel_requested_at=None)
    for key in under_way.order_by("pk").values_list("pk", flat=True):
        with suppress(CallEnded):
            hangup_call(tenant_id=tenant.pk, call_id=key, now=now)


@receiver(leg_answered, dispatch_uid="telephony.follow_answer")
def follow_answer(*, call: Call, leg: CallLeg, now: datetime, **kwargs: Any) -> None:
    """Connect a caller with whoever answered, in the transaction that learns of it."""
    following.on_answered(call=call, leg=leg, now=now)


@receiver(leg_ended, dispatch_uid="telephony.follow_end")
def follow_end(*, call: Call, leg: CallLeg, now: datetime, **kwargs: Any) -> None:
    """Go on after a leg has ended, in the transaction that ends it."""
    following.on_ended(call=call, leg=leg, now=now)


@receiver(who_is_engaged, dispatch_uid="telephony.who_is_engaged")
def say_who_is_engaged(*, tenant_id: UUID, now: datetime, **kwargs: Any) -> set[UUID]:
    """Tell who is rung, talks or wraps up."""
    return agents.held(tenant_id=tenant_id, now=now)


@receiver(presence_changed, dispatch_uid="telephony.offer_callers")
def offer_waiting_callers(*, tenant_id: UUID, status: str, now: datetime, **kwargs: Any) -> None:
    """Offer who waits in a queue when an agent comes online, or is idle again."""
    if status == AgentPresence.Status.ONLINE:
        waiting.drain_on_commit(tenant_id, now=now)


@receiver(member_added, dispatch_uid="telephony.give_extension")
def give_extension(
    *, tenant_id: UUID, membership: Membership, details: dict[str, Any], now: datetime, **kwargs: Any
) -> None:
    """Give somebody who joined the extension an import wished for, if it is still free."""
    if number := str(details.get("extension") or ""):
        extensions.provide(tenant_id=tenant_id, number=number, user_id=membership.user_id, by=SYSTEM, now=now)


@receiver(member_left, dispatch_uid="telephony.put_extension_away")
def put_extension_away(*, tenant_id: UUID, user_id: UUID, **kwargs: Any) -> None:
    """Stop the telephone of somebody who was suspended or left: it registers no more."""
    extensions.put_away(tenant_id=tenant_id, user_id=user_id, by=SYSTEM)
