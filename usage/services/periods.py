"""From one billing period to the next.

Every transaction that records usage shares its tenant's lock and reads which periods are open; closing takes the lock
alone, only to flip the state. So no record is ever written to a period that closed before it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from accounts.models import Tenant
from common.errors import Invalid
from common.periods import A_DAY, day_start, local_day, period_containing
from usage.errors import PeriodBusy
from usage.models import BillingPeriod, Subscription
from usage.services.credits import grant_included_credit

GRACE = timedelta(hours=1)  # a call that ended just before midnight is recorded just after
AHEAD = timedelta(days=1)
FARTHEST = timedelta(days=400)
CLOSE_WAITS = "2s"


def share_periods(*, tenant_id: UUID) -> None:
    """Hold the tenant's periods open until this transaction ends, together with others that record usage."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_lock_key(tenant_id)])


def open_first_period(*, tenant: Tenant, subscription: Subscription, now: datetime) -> BillingPeriod:
    """Store the period a subscription begins with: from today, in the tenant's zone, to the end of its cycle."""
    today = local_day(now, tenant.timezone)
    return _store(
        tenant_id=tenant.pk,
        subscription=subscription,
        period_start=today,
        period_end=period_containing(today, tenant.billing_cycle_day)[1],
        starts_at=day_start(today, tenant.timezone),
        timezone=tenant.timezone,
    )


def open_next_period(*, after: BillingPeriod, until: datetime) -> BillingPeriod:
    """Store the period that follows `after`, in the zone and cycle the tenant has now; a repeat returns the stored one.

    `until` is the moment it is needed for; one more than 400 days ahead is refused.
    """
    if until - after.ends_at > FARTHEST:
        raise Invalid(f"{until.isoformat()} is too far ahead.", code="too-far-ahead", pointer="/occurred_at")
    tenant = Tenant.objects.get(pk=after.tenant_id)
    first = after.period_end + A_DAY
    return _store(
        tenant_id=tenant.pk,
        subscription=after.subscription,
        period_start=first,
        period_end=period_containing(first, tenant.billing_cycle_day)[1],
        starts_at=after.ends_at,
        timezone=tenant.timezone,
    )


def close_period(*, tenant_id: UUID, period_id: UUID, now: datetime) -> bool:
    """Close an open period; False when it was closed already. Usage of its days that comes later is billed in the next.

    Waits at most 2 s for transactions that are recording, then raises PeriodBusy: try again.
    """
    with transaction.atomic(), _alone(tenant_id):
        period = BillingPeriod.objects.for_tenant(tenant_id).select_related("subscription").get(pk=period_id)
        open_next_period(after=period, until=period.ends_at)
        is_open = BillingPeriod.objects.for_tenant(tenant_id).filter(pk=period_id, state=BillingPeriod.State.OPEN)
        return is_open.update(state=BillingPeriod.State.CLOSED, closed_at=now) == 1


def roll_periods(*, tenant_id: UUID, now: datetime) -> int:
    """Close what ended an hour ago and have the next period ready a day ahead; return how many were closed."""
    periods = list(
        BillingPeriod.objects.for_tenant(tenant_id)
        .filter(state=BillingPeriod.State.OPEN, ends_at__lte=now + AHEAD)
        .select_related("subscription")
        .order_by("starts_at")
    )
    # Closing comes first: to wait for the lock with a fresh period uncommitted could wait for one who waits for that row.
    ended = [period for period in periods if period.ends_at + GRACE <= now]
    closed = sum(close_period(tenant_id=tenant_id, period_id=period.pk, now=now) for period in ended)
    for period in periods:
        open_next_period(after=period, until=period.ends_at)
    return closed


def _store(*, subscription: Subscription, **columns: object) -> BillingPeriod:
    period = BillingPeriod(subscription=subscription, **columns)
    period.ends_at = day_start(period.period_end + A_DAY, period.timezone)
    BillingPeriod.objects.bulk_create([period], ignore_conflicts=True)
    stored = BillingPeriod.objects.for_tenant(period.tenant_id).select_related("subscription__plan")
    period = stored.get(starts_at=period.starts_at)
    grant_included_credit(period)
    return period


@contextmanager
def _alone(tenant_id: UUID) -> Iterator[None]:
    """Hold the tenant's periods against everybody who records usage, until the transaction ends."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [CLOSE_WAITS])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock_key(tenant_id)])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise PeriodBusy("Usage is being recorded; closing the period did not get its turn in 2 s.") from error
        raise
    yield


def _lock_key(tenant_id: UUID) -> int:
    """Return the tenant's advisory lock: 64 bits; a collision would only make two tenants wait for each other."""
    digest = blake2b(tenant_id.bytes, digest_size=8, person=b"usage-periods").digest()
    return int.from_bytes(digest, "big", signed=True)
