"""Work of exports in the background."""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.tenancy import system_access, tenant_scope
from billing.services import exporting
from common.errors import DomainError

logger = logging.getLogger(__name__)


@shared_task(name="billing.tasks.make_exports")
def make_exports(**kwargs: Any) -> None:
    """Make the exports that wait, also those a worker died over."""
    now = timezone.now()
    with system_access("exports that wait"):
        waiting = exporting.waiting_exports(now=now)
    for tenant_id, export_id in waiting:
        _make(tenant_id, export_id)


@shared_task(name="billing.tasks.forget_exports")
def forget_exports(**kwargs: Any) -> None:
    """Delete the exports that have expired."""
    with system_access("exports that expired"):
        exporting.forget_exports(now=timezone.now())


def _make(tenant_id: UUID, export_id: UUID) -> None:
    with tenant_scope(tenant_id):
        work = exporting.lease_export(tenant_id=tenant_id, export_id=export_id, now=timezone.now())
    if work is None:
        return
    which = {"tenant_id": tenant_id, "export_id": export_id}
    try:
        for piece in work.pieces:
            with tenant_scope(tenant_id):
                exporting.add_piece(work, piece, now=timezone.now())
        with tenant_scope(tenant_id):
            exporting.finish_export(**which, content=work.packer.finish(), now=timezone.now())
    except DomainError as error:
        logger.warning("Export %s of tenant %s failed: %s", export_id, tenant_id, error.message)
        with tenant_scope(tenant_id):
            exporting.fail_export(**which, error=error, now=timezone.now())
