"""Work of usage in the background. Each run names why it goes around the tenants' walls."""

import logging
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from accounts.tenancy import system_access, tenant_scope
from common.errors import DomainError
from usage import api_requests, selectors, services
from usage.errors import UsageConflict
from usage.limit_tasks import copy_limits, expire_credit, watch_thresholds
from usage.windows import keys_kept_since, window_at

__all__ = ["copy_limits", "expire_credit", "watch_thresholds"]  # found here by their names
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
    """Move subscriptions on, close ended periods, open the next ones and check the closed, tenant by tenant.

    Each step is a transaction of its own: a tenant that is busy waits for the next run, a run that dies goes on there.
    """
    now = timezone.now()
    with system_access("subscriptions and periods that are due"):
        tenants = selectors.tenants_due(now=now, ahead=services.ROLL_AHEAD)
    for tenant_id in tenants:
        _step("move on", tenant_id, partial(services.advance_subscription, tenant_id=tenant_id))
        _step("roll", tenant_id, partial(services.roll_periods, tenant_id=tenant_id))
    with system_access("closed periods to check"):
        closed = selectors.periods_to_check()
    for tenant_id, period_id in closed:
        _step("check", tenant_id, partial(services.check_period, tenant_id=tenant_id, period_id=period_id))


def _step(name: str, tenant_id: UUID, run: Callable[..., object]) -> None:
    try:
        with tenant_scope(tenant_id):
            run(now=timezone.now())
    except DomainError as error:
        logger.warning("Periods of tenant %s did not %s: %s", tenant_id, name, error.message)
    except Exception:  # whatever is wrong with one tenant, the others' periods go on
        logger.exception("Periods of tenant %s did not %s", tenant_id, name)


@shared_task(name="usage.tasks.work_off_uploads")
def work_off_uploads(**kwargs: Any) -> None:
    """Go through the CSV files that wait, also those a worker died over."""
    now = timezone.now()
    with system_access("uploads that wait"):
        waiting = services.waiting_uploads(now=now)
    for tenant_id, upload_id in waiting:
        try:
            _work_off(tenant_id, upload_id)
        except Exception:  # its lease runs out, and it is tried again; the others go on
            logger.exception("Upload %s of tenant %s was not worked off", upload_id, tenant_id)


def _work_off(tenant_id: UUID, upload_id: UUID) -> None:
    now = timezone.now()
    with tenant_scope(tenant_id):
        content = services.lease_upload(tenant_id=tenant_id, upload_id=upload_id, now=now)
    if content is None:
        return
    try:
        for start, chunk in services.chunks_of(content):
            with tenant_scope(tenant_id):
                services.take_chunk(
                    tenant_id=tenant_id, upload_id=upload_id, start=start, chunk=chunk, now=timezone.now()
                )
        with tenant_scope(tenant_id):
            services.finish_upload(tenant_id=tenant_id, upload_id=upload_id, now=timezone.now())
    except DomainError as error:
        logger.warning("Upload %s of tenant %s failed: %s", upload_id, tenant_id, error.message)
        with tenant_scope(tenant_id):
            services.fail_upload(tenant_id=tenant_id, upload_id=upload_id, error=error, now=timezone.now())


@shared_task(name="usage.tasks.forget_keys")
def forget_keys(**kwargs: Any) -> None:
    """Delete the keys of events that outlived the acceptance window, a batch per transaction."""
    before = keys_kept_since(timezone.now())
    for _ in range(MOST_BATCHES):
        with system_access("keys of old usage events"):
            forgotten = services.forget_keys(before=before)
        if forgotten < services.FORGET_BATCH:
            return


@shared_task(name="usage.tasks.record_api_requests")
def record_api_requests(**kwargs: Any) -> None:
    """Record the API requests of each tenant and minute that is over; a count is let go of once its record is committed."""
    oldest = window_at(timezone.now()).earliest
    for minute in api_requests.finished():
        try:
            _record_minute(minute)
        except UsageConflict as error:
            logger.warning("API requests of tenant %s changed after they were recorded: %s", minute.tenant_id, error)
        except DomainError as error:
            logger.warning("API requests of tenant %s were not recorded: %s", minute.tenant_id, error.message)
            if minute.starts_at > oldest:
                continue  # the next run tries again
        except Exception:  # one tenant's minute keeps no other's waiting
            logger.exception("API requests of tenant %s were not recorded", minute.tenant_id)
            continue
        api_requests.forget(minute)


def _record_minute(minute: api_requests.Minute) -> None:
    with tenant_scope(minute.tenant_id):
        services.record_usage(
            tenant_id=minute.tenant_id,
            channel="api",
            resource_type="request",
            quantity=Decimal(minute.requests),
            occurred_at=minute.starts_at,
            dedup_key=minute.dedup_key,
        )
