"""What a tenant may do now, and how much of it is used."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from usage import sums
from usage.errors import UnknownFeature
from usage.models import (
    BillingPeriod,
    Entitlement,
    Feature,
    PlanFeature,
    QuotaCounter,
    Subject,
    Subscription,
    ThresholdCrossing,
    ThresholdSetting,
)
from usage.selectors.costs import shown_units
from usage.selectors.pricing import meters_by_key
from usage.sums import DayRateSum

ZERO = Decimal(0)
DEFAULT_PERCENTS = (50, 80, 90, 100)
SETTINGS_OF = {Subject.QUOTA: DEFAULT_PERCENTS, Subject.CREDIT: DEFAULT_PERCENTS, Subject.COST: ()}


@dataclass(frozen=True)
class Allowed:
    """A feature as it holds for a tenant: `value` is True or False, a number, or None for without limit."""

    feature: Feature
    value: Any
    cap: str

    @property
    def limit(self) -> Decimal | None:
        """Return the number of a quota or a static feature; None without limit."""
        return None if self.value is None or isinstance(self.value, bool) else Decimal(str(self.value))

    @property
    def blocks(self) -> bool:
        return self.cap == Feature.Cap.BLOCK


@dataclass(frozen=True)
class Marks:
    """At which percents and amounts a tenant wants to be told."""

    percents: tuple[int, ...]
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True)
class LimitUse:
    """A feature, what is used of it in the period (None where it is not counted), and its marks with when each was reached."""

    allowed: Allowed
    used: Decimal | None
    marks: Marks
    crossed: dict[tuple[str, Decimal], datetime]


def allowed_features(*, tenant_id: UUID, now: datetime, slugs: Iterable[str] = ()) -> list[Allowed]:
    """Return all features, or those named, as they hold for the tenant, in their order; three queries."""
    wanted = Feature.objects.order_by("position", "slug")
    features = list(wanted.filter(slug__in=slugs) if slugs else wanted)
    in_plan = _plan_values(tenant_id)
    own = _own_values(tenant_id, now)
    return [_allowed(feature, in_plan, own.get(feature.pk)) for feature in features]


def allowed_feature(*, tenant_id: UUID, feature: str, now: datetime) -> Allowed:
    """Return one feature as it holds for the tenant; raise UnknownFeature."""
    found = allowed_features(tenant_id=tenant_id, now=now, slugs=[feature])
    if not found:
        raise UnknownFeature(f"There is no feature {feature[:40]!r}.", pointer="/feature")
    return found[0]


def limits_copy(*, tenant_id: UUID, now: datetime) -> dict[str, Any]:
    """Return what `tenants.limits` should say: the plan's features and the tenant's exceptions, by their slugs."""
    own = _own_values(tenant_id, now)
    names = dict(Feature.objects.filter(pk__in=own).values_list("pk", "slug"))
    return {**_plan_values(tenant_id), **{names[pk]: entitlement.value for pk, entitlement in own.items()}}


def marks_of(settings: Iterable[ThresholdSetting], subject: Subject, feature: str = "") -> Marks:
    """Return the marks of a subject: the tenant's of the feature, else its own of all quotas, else the usual ones."""
    found = {(row.subject, row.feature): row for row in settings}
    row = found.get((subject, feature)) or found.get((subject, ""))
    if row is None:
        return Marks(SETTINGS_OF[subject], ())
    return Marks(tuple(sorted(set(row.percents))), tuple(sorted(set(row.amounts))))


def threshold_settings(*, tenant_id: UUID) -> list[ThresholdSetting]:
    """Return what a tenant set instead of the usual thresholds; one query."""
    return list(ThresholdSetting.objects.for_tenant(tenant_id).order_by("subject", "feature"))


def used_by_feature(
    *, tenant_id: UUID, period_id: UUID, features: Iterable[Feature], rows: Iterable[DayRateSum]
) -> dict[str, Decimal]:
    """Return what is used of quotas in a period, by slug: what was consumed, or what was recorded where that is more."""
    counted = QuotaCounter.objects.for_tenant(tenant_id).filter(period_id=period_id)
    used: dict[str, Decimal] = dict(counted.values_list("feature", "used"))
    recorded = recorded_units(rows)
    for feature in features:
        if feature.kind == Feature.Kind.METERED:
            by_meter = recorded.get(feature.meter_key, ZERO) if feature.meter_key else ZERO
            used[feature.slug] = max(used.get(feature.slug, ZERO), by_meter)
    return used


def recorded_units(rows: Iterable[DayRateSum]) -> dict[tuple[str, str], Decimal]:
    """Return a period's recorded usage in priced units (minutes, messages) by meter."""
    billed: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = row.channel, row.resource_type
        billed[key] = billed.get(key, ZERO) + row.billed_quantity
    meters = meters_by_key() if billed else {}
    return {key: shown_units(quantity, meters[key].price_per) for key, quantity in billed.items()}


def limits_in_use(*, tenant_id: UUID, period: BillingPeriod, now: datetime) -> list[LimitUse]:
    """Return every feature with what is used of it in the period, in their order; eight queries."""
    allowed = allowed_features(tenant_id=tenant_id, now=now)
    rows = sums.of_period(tenant_id=tenant_id, period_id=period.pk)
    used = used_by_feature(
        tenant_id=tenant_id, period_id=period.pk, features=[one.feature for one in allowed], rows=rows
    )
    settings = threshold_settings(tenant_id=tenant_id)
    crossings = _crossings(tenant_id, period.pk)
    return [
        LimitUse(
            allowed=one,
            used=used.get(one.feature.slug),
            marks=marks_of(settings, Subject.QUOTA, one.feature.slug) if one.limit is not None else Marks((), ()),
            crossed=crossings.get(one.feature.slug, {}),
        )
        for one in allowed
    ]


def _plan_values(tenant_id: UUID) -> dict[str, Any]:
    live = Subscription.objects.for_tenant(tenant_id).exclude(status=Subscription.Status.CANCELED)
    return dict(PlanFeature.objects.filter(plan__in=live.values("plan")).values_list("slug", "value"))


def _own_values(tenant_id: UUID, now: datetime) -> dict[UUID, Entitlement]:
    begun = Entitlement.objects.for_tenant(tenant_id).filter(starts_at__lte=now).order_by("starts_at")
    return {row.feature_id: row for row in begun if row.holds(now)}


def _allowed(feature: Feature, in_plan: dict[str, Any], own: Entitlement | None) -> Allowed:
    unnamed = False if feature.kind == Feature.Kind.BOOLEAN else None
    value = own.value if own else in_plan.get(feature.slug, unnamed)
    return Allowed(feature, value, (own.cap if own else "") or feature.cap)


def _crossings(tenant_id: UUID, period_id: UUID) -> dict[str, dict[tuple[str, Decimal], datetime]]:
    rows = ThresholdCrossing.objects.for_tenant(tenant_id).filter(period_id=period_id, subject=Subject.QUOTA)
    found: dict[str, dict[tuple[str, Decimal], datetime]] = {}
    for row in rows:
        found.setdefault(row.feature, {})[row.basis, row.value] = row.crossed_at
    return found
