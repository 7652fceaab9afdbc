"""Work of limits and credit in the background: tenant by tenant, each in a transaction of its own."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.tenancy import system_access, tenant_scope
from common.errors import DomainError
from usage import services
from usage.selectors.watching import tenants_to_watch, tenants_with_ended_credit, tenants_with_stale_limits

logger = logging.getLogger(__name__)


@shared_task(name="usage.tasks.watch_thresholds")
def watch_thresholds(**kwargs: Any) -> None:
    """Compare usage that has changed with its tenant's thresholds, and tell of those reached."""
    _for_each("usage to compare with thresholds", tenants_to_watch, services.watch)


@shared_task(name="usage.tasks.copy_limits")
def copy_limits(**kwargs: Any) -> None:
    """Bring `tenants.limits` up to date where a plan changed, or an entitlement began or ended."""
    _for_each("limits that changed", tenants_with_stale_limits, services.copy_limits)


@shared_task(name="usage.tasks.expire_credit")
def expire_credit(**kwargs: Any) -> None:
    """Write off credit that lapsed, and end the holds that expired."""
    _for_each("credit that ended", tenants_with_ended_credit, _expire)


def _expire(*, tenant_id: UUID, now: datetime) -> None:
    services.refresh_balance(tenant_id=tenant_id, now=now)
    services.expire_credit(tenant_id=tenant_id, now=now)


def _for_each(reason: str, find: Callable[..., list[UUID]], run: Callable[..., object]) -> None:
    """Run something for each tenant found; one that refuses or fails does not keep the others waiting."""
    with system_access(reason):
        tenants = find(now=timezone.now())
    for tenant_id in tenants:
        try:
            with tenant_scope(tenant_id):
                run(tenant_id=tenant_id, now=timezone.now())
        except DomainError as error:
            logger.warning("%s, tenant %s: %s", reason, tenant_id, error.message)
        except Exception:
            logger.exception("%s, tenant %s", reason, tenant_id)
