"""Quotas: so much of a feature in each billing period, checked and used by one conditional UPDATE."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from common.errors import Invalid
from usage import sums
from usage.errors import LimitReached
from usage.models import BillingPeriod, Feature, QuotaCounter
from usage.selectors.limits import Allowed, allowed_feature, recorded_units
from usage.selectors.periods import current_period
from usage.services.thresholds import note_quota

ZERO = Decimal(0)
USE = """
UPDATE quota_counters SET used = used + %(quantity)s
WHERE tenant_id = %(tenant)s AND period_id = %(period)s AND feature = %(feature)s
    AND (%(limit)s::numeric IS NULL OR used + %(quantity)s <= %(limit)s::numeric)
RETURNING used
"""
GIVE_BACK = """
UPDATE quota_counters SET used = greatest(used - %(quantity)s, 0)
WHERE tenant_id = %(tenant)s AND period_id = %(period)s AND feature = %(feature)s
RETURNING used
"""


@dataclass(frozen=True)
class Quota:
    """A quota after something of it was used; `limit` and `remaining` are None without limit."""

    feature: str
    period_id: UUID
    limit: Decimal | None
    used: Decimal
    resets_at: datetime

    @property
    def remaining(self) -> Decimal | None:
        return None if self.limit is None else max(self.limit - self.used, ZERO)


def consume(*, tenant_id: UUID, feature: str, quantity: Decimal, now: datetime) -> Quota:
    """Use so much of a quota, in the feature's unit, if there is so much left; else raise LimitReached and use nothing.

    A quota that only alerts goes over. Call it in the transaction of what is done, before it: undone, nothing is used.
    What is recorded without it is counted too, within a minute. Raises UnknownFeature, Invalid, NoSubscription.
    """
    allowed = allowed_feature(tenant_id=tenant_id, feature=feature, now=now)
    if allowed.feature.kind != Feature.Kind.METERED:
        raise Invalid(f"{feature} is no quota.", pointer="/feature")
    if quantity <= 0:
        raise Invalid("A quantity is more than 0.", pointer="/quantity")
    period = current_period(tenant_id=tenant_id, now=now)
    used = _use(allowed, period, quantity)
    if used is None:
        message = (
            f"{allowed.feature.name}: less than {quantity.normalize():f} of {allowed.limit} is left in this period."
        )
        raise LimitReached(message, extra={"resets_at": period.ends_at.isoformat()})
    note_quota(allowed=allowed, period=period, before=used - quantity, used=used, now=now)
    return Quota(feature, period.pk, allowed.limit, used, period.ends_at)


def release(*, tenant_id: UUID, feature: str, quantity: Decimal, period_id: UUID) -> None:
    """Give back what `consume` took (its `period_id` says from when); never below 0. A repeat gives back again."""
    values: dict[str, Any] = {"tenant": tenant_id, "period": period_id, "feature": feature, "quantity": quantity}
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, values)


def _use(allowed: Allowed, period: BillingPeriod, quantity: Decimal) -> Decimal | None:
    """Return what is used then; None when there is not so much left."""
    values = {
        "tenant": period.tenant_id,
        "period": period.pk,
        "feature": allowed.feature.slug,
        "quantity": quantity,
        "limit": allowed.limit if allowed.blocks else None,
    }
    used = _used(values)
    if used is None:
        _begin(allowed.feature, period)
        used = _used(values)
    return used


def _used(values: dict[str, Any]) -> Decimal | None:
    with connection.cursor() as cursor:
        cursor.execute(USE, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _begin(feature: Feature, period: BillingPeriod) -> None:
    """Store the period's counter where there is none, from what was recorded so far."""
    counters = QuotaCounter.objects.for_tenant(period.tenant_id).filter(period_id=period.pk, feature=feature.slug)
    if counters.exists():
        return
    used = ZERO
    if feature.meter_key:
        rows = sums.of_period(tenant_id=period.tenant_id, period_id=period.pk)
        used = recorded_units(rows).get(feature.meter_key, ZERO)
    fresh = QuotaCounter(tenant_id=period.tenant_id, period_id=period.pk, feature=feature.slug, used=max(used, ZERO))
    QuotaCounter.objects.bulk_create([fresh], ignore_conflicts=True)
