"""Work of usage in the background. Each run names why it goes around the tenants' walls."""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.tenancy import system_access, tenant_scope
from common.errors import DomainError
from usage import services
from usage.models import BillingPeriod

logger = logging.getLogger(__name__)
MOST_BATCHES = 50  # then the next run goes on


@shared_task(name="usage.tasks.fold_deltas")
def fold_deltas(**kwargs: Any) -> None:
    """Move deltas of every tenant into the summaries, a batch per transaction, until few are left."""
    for _ in range(MOST_BATCHES):
        with system_access("usage deltas fold into summaries"):
            folded = services.fold_deltas()
        if folded < services.FOLD_BATCH:
            return


@shared_task(name="usage.tasks.make_partitions")
def make_partitions(**kwargs: Any) -> None:
    """Have this month's and the next three months' partitions of the ledger ready."""
    with system_access("months of the usage ledger"):
        services.make_partitions(today=timezone.now().date())


@shared_task(name="usage.tasks.roll_periods")
def roll_periods(**kwargs: Any) -> None:
    """Close ended periods and open the next ones, tenant by tenant; one that is busy waits for the next run."""
    now = timezone.now()
    with system_access("periods due to roll"):
        due = BillingPeriod.unscoped.filter(state=BillingPeriod.State.OPEN, ends_at__lte=now + services.ROLL_AHEAD)
        tenants = list(due.values_list("tenant_id", flat=True).distinct())
    for tenant_id in tenants:
        _roll(tenant_id)


def _roll(tenant_id: UUID) -> None:
    try:
        with tenant_scope(tenant_id):
            services.roll_periods(tenant_id=tenant_id, now=timezone.now())
    except DomainError as error:
        logger.warning("Periods of tenant %s did not roll: %s", tenant_id, error.message)
