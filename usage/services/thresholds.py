"""Tell a tenant, once per period, that a quota, its credit or its cost has reached a mark.

A crossing is a row that can only be stored once; its webhook stands in the same transaction, the e-mail and the live
event follow its commit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from common.errors import FieldProblem, Invalid
from common.money import round_money
from usage import sums
from usage.errors import UnknownFeature
from usage.models import BillingPeriod, Feature, Subject, ThresholdCrossing, ThresholdSetting, UsageWatch
from usage.selectors.balances import CreditState, credit_state
from usage.selectors.limits import (
    Allowed,
    Marks,
    allowed_features,
    marks_of,
    threshold_settings,
    used_by_feature,
)
from usage.selectors.periods import current_period
from usage.services.announcing import announce
from usage.services.counting import raise_counters

ZERO, HUNDRED = Decimal(0), Decimal(100)
MOST_PERCENT, MOST_MARKS = 1000, 10
PERCENT, AMOUNT = ThresholdCrossing.Basis.PERCENT, ThresholdCrossing.Basis.AMOUNT


@dataclass(frozen=True)
class Level:
    """How far something has come: `used` of `limit` (None: no limit), and `compared`, what amounts are compared with."""

    subject: Subject
    feature: str
    used: Decimal
    limit: Decimal | None
    compared: Decimal

    def reached(self, marks: Marks) -> list[tuple[str, Decimal]]:
        """Return the marks it has reached, as (basis, value). Of credit an amount is reached from above."""
        percents = [(PERCENT.value, Decimal(mark)) for mark in marks.percents if self._has_reached(Decimal(mark))]
        if self.subject is Subject.CREDIT:
            amounts = [mark for mark in marks.amounts if self.compared <= mark]
        else:
            amounts = [mark for mark in marks.amounts if self.compared >= mark]
        return percents + [(AMOUNT.value, mark) for mark in amounts]

    def _has_reached(self, percent: Decimal) -> bool:
        """Say whether so many percent are used; of nothing, all is used once there was something to refuse."""
        if self.limit is None or (self.limit == 0 and self.subject is Subject.CREDIT):
            return False
        return self.used * HUNDRED >= percent * self.limit


def watch(*, tenant_id: UUID, now: datetime) -> list[ThresholdCrossing]:
    """Compare the current period with the tenant's marks, and tell of those reached; return them. A repeat tells nothing.

    Counters of quotas are raised to what was recorded, where nobody announced it with `consume`. Raises NoSubscription.
    """
    period = current_period(tenant_id=tenant_id, now=now)
    rows = sums.of_period(tenant_id=tenant_id, period_id=period.pk)
    allowed = allowed_features(tenant_id=tenant_id, now=now)
    features = [one.feature for one in allowed]
    used = used_by_feature(tenant_id=tenant_id, period_id=period.pk, features=features, rows=rows)
    credit = credit_state(tenant_id=tenant_id, now=now)
    levels = [*_quota_levels(allowed, used), _credit_level(credit), _cost_level(credit, period)]
    settings = threshold_settings(tenant_id=tenant_id)
    told = []
    with transaction.atomic():
        raise_counters(tenant_id=tenant_id, period_id=period.pk, used=used)
        for level in levels:
            told += _tell(level, marks_of(settings, level.subject, level.feature), period, now)
        _note_watched(tenant_id, period, rows, now)
    return told


def set_thresholds(
    *, tenant_id: UUID, subject: Subject, feature: str = "", percents: Sequence[int], amounts: Sequence[Decimal]
) -> None:
    """Say at which marks to tell, instead of the usual ones; none at all tells nothing. Marks reached already are told soon.

    Raises UnknownFeature, Invalid for percents of what has none or outside 1 to 1000, and for amounts of 0 or less.
    """
    _check(subject, feature, percents, amounts)
    setting = ThresholdSetting(
        tenant_id=tenant_id, subject=subject, feature=feature, percents=list(percents), amounts=list(amounts)
    )
    with transaction.atomic():
        ThresholdSetting.objects.bulk_create(
            [setting],
            update_conflicts=True,
            unique_fields=["tenant", "subject", "feature"],
            update_fields=["percents", "amounts"],
        )
        _look_again(tenant_id)


def reset_thresholds(*, tenant_id: UUID, subject: Subject, feature: str = "") -> None:
    """Go back to the usual marks; a repeat changes nothing."""
    with transaction.atomic():
        ThresholdSetting.objects.for_tenant(tenant_id).filter(subject=subject, feature=feature).delete()
        _look_again(tenant_id)


def note_quota(*, allowed: Allowed, period: BillingPeriod, before: Decimal, used: Decimal, now: datetime) -> None:
    """Tell of the marks that using something of a quota has just passed."""
    if allowed.limit is None:
        return
    marks = marks_of(threshold_settings(tenant_id=period.tenant_id), Subject.QUOTA, allowed.feature.slug)
    level = Level(Subject.QUOTA, allowed.feature.slug, used, allowed.limit, used)
    former = replace(level, used=before, compared=before)
    if set(level.reached(marks)) - set(former.reached(marks)):
        _tell(level, marks, period, now)


def _check(subject: Subject, feature: str, percents: Sequence[int], amounts: Sequence[Decimal]) -> None:
    problems = []
    if subject is Subject.COST and percents:
        problems.append(FieldProblem("/percents", "invalid", "What a period costs has no limit: give amounts."))
    if any(not 1 <= mark <= MOST_PERCENT for mark in percents):
        problems.append(FieldProblem("/percents", "invalid", f"Percents are 1 to {MOST_PERCENT}."))
    if any(mark <= 0 for mark in amounts):
        problems.append(FieldProblem("/amounts", "invalid", "Amounts are more than 0."))
    if len(percents) > MOST_MARKS or len(amounts) > MOST_MARKS:
        problems.append(FieldProblem("/percents", "too-many", f"At most {MOST_MARKS} of each."))
    if problems:
        raise Invalid.many(problems)
    if feature and subject is not Subject.QUOTA:
        raise Invalid("Only a quota's thresholds name a feature.", pointer="/feature")
    if feature and not Feature.objects.filter(slug=feature).exists():
        raise UnknownFeature(f"There is no feature {feature[:40]!r}.", pointer="/feature")


def _look_again(tenant_id: UUID) -> None:
    UsageWatch.objects.for_tenant(tenant_id).delete()


def _quota_levels(allowed: Iterable[Allowed], used: dict[str, Decimal]) -> Iterable[Level]:
    for one in allowed:
        slug = one.feature.slug
        if slug in used and one.limit is not None and used[slug] > 0:
            yield Level(Subject.QUOTA, slug, used[slug], one.limit, used[slug])


def _credit_level(credit: CreditState) -> Level:
    """Return how much of the credit there was is used. Holds do not count: most are given back."""
    used = round_money(credit.granted - credit.unused, credit.currency)
    return Level(Subject.CREDIT, "", used, round_money(credit.granted, credit.currency), credit.unused)


def _cost_level(credit: CreditState, period: BillingPeriod) -> Level:
    cost = sum((charge.amount for charge in credit.charges if charge.period_id == period.pk), ZERO)
    return Level(Subject.COST, "", cost, None, cost)


def _tell(level: Level, marks: Marks, period: BillingPeriod, now: datetime) -> list[ThresholdCrossing]:
    """Store the marks reached that were not before, and announce them."""
    wanted = [
        ThresholdCrossing(
            tenant_id=period.tenant_id,
            period_id=period.pk,
            subject=level.subject,
            feature=level.feature,
            basis=basis,
            value=value,
            used=level.used,
            limit=level.limit,
            crossed_at=now,
        )
        for basis, value in level.reached(marks)
    ]
    fresh = _store(period.tenant_id, wanted)
    if fresh:
        announce(fresh, period=period, now=now)
    return fresh


def _store(tenant_id: UUID, wanted: Sequence[ThresholdCrossing]) -> list[ThresholdCrossing]:
    """Insert what is not there yet, in one order whoever inserts, and return it."""
    if not wanted:
        return []
    in_order = sorted(wanted, key=lambda row: (row.basis, row.value))
    ThresholdCrossing.objects.bulk_create(in_order, ignore_conflicts=True)
    stored = ThresholdCrossing.objects.for_tenant(tenant_id).in_bulk([row.pk for row in in_order])
    return [row for row in in_order if row.pk in stored]


def _note_watched(tenant_id: UUID, period: BillingPeriod, rows: Iterable[sums.DayRateSum], now: datetime) -> None:
    rows = list(rows)
    watched = UsageWatch(
        tenant_id=tenant_id,
        period_id=period.pk,
        record_count=sum(row.record_count for row in rows),
        quantity=sum((row.quantity for row in rows), ZERO),
        watched_at=now,
    )
    UsageWatch.objects.bulk_create(
        [watched],
        update_conflicts=True,
        unique_fields=["tenant"],
        update_fields=["period_id", "record_count", "quantity", "watched_at"],
    )
