"""What a tenant's plan does not keep any longer (`retention_days`): gone every night, batch by batch."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.models import OutboxEvent, Tenant
from accounts.tenancy import system_access, tenant_scope
from chat.attachments.services import remove_objects
from chat.ledgers import ChatEvent, Message
from chat.models import Attachment, Conversation, Visitor
from common.ids import encode
from common.models import Sequence

logger = logging.getLogger(__name__)
BATCH = 100


def forget_the_old(*, now: datetime) -> dict[UUID, tuple[int, int]]:
    """Delete, for every tenant with a time limit, what is older; return tenant → (conversations, visitors) where any was."""
    with system_access("retention reads every tenant's limit"):
        limits = {t.pk: t.limits.get("retention_days") for t in Tenant.objects.order_by("pk")}
    done: dict[UUID, tuple[int, int]] = {}
    for tenant_id, days in limits.items():
        if isinstance(days, int) and not isinstance(days, bool) and days > 0:
            counts = _forget(tenant_id, now - timedelta(days=days))
            if any(counts):
                logger.info("retention: tenant %s, %s conversations, %s visitors", tenant_id, *counts)
                done[tenant_id] = counts
    return done


def _forget(tenant_id: UUID, before: datetime) -> tuple[int, int]:
    return (
        _in_batches(lambda: forget_conversations(tenant_id=tenant_id, before=before)),
        _in_batches(lambda: forget_visitors(tenant_id=tenant_id, before=before)),
    )


def _in_batches(forget: Callable[[], int]) -> int:
    total = 0
    while count := forget():
        total += count
    return total


def forget_conversations(*, tenant_id: UUID, before: datetime, batch: int = BATCH) -> int:
    """Delete one batch of conversations closed before a moment, with all that belongs to them; return how many.

    One transaction, files' bytes first: a crash leaves rows whose next deletion finds no bytes. Usage records stay.
    """
    with tenant_scope(tenant_id):
        old = Conversation.objects.for_tenant(tenant_id).filter(closed_at__lt=before)
        old = old.exclude(status=Conversation.Status.ACTIVE).order_by("closed_at")
        keys = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:batch])
        if not keys:
            return 0
        files = Attachment.objects.for_tenant(tenant_id).filter(conversation_id__in=keys)
        remove_objects(files.select_for_update())
        for ledger in (ChatEvent, Message):
            ledger.objects.for_tenant(tenant_id).filter(conversation_id__in=keys).delete()
        public_ids = [encode("cc", key) for key in keys]
        OutboxEvent.objects.for_tenant(tenant_id).filter(object_id__in=public_ids).delete()
        Sequence.objects.filter(owner=tenant_id, name__in=[f"outbox:{id}" for id in public_ids]).delete()
        Conversation.objects.for_tenant(tenant_id).filter(pk__in=keys).delete()
        return len(keys)


def forget_visitors(*, tenant_id: UUID, before: datetime, batch: int = BATCH) -> int:
    """Delete one batch of visitors not seen since a moment who have no conversation; return how many. Blocked ones stay out."""
    with tenant_scope(tenant_id):
        talks = Conversation.objects.for_tenant(tenant_id).filter(visitor_id=OuterRef("pk"))
        gone = Visitor.objects.for_tenant(tenant_id).filter(
            ~Exists(talks), Q(last_seen_at=None) | Q(last_seen_at__lt=before), created_at__lt=before, blocked_at=None
        )
        keys = list(gone.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True)[:batch])
        Visitor.objects.for_tenant(tenant_id).filter(pk__in=keys).delete()
        return len(keys)
