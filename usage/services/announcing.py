"""Say that marks were reached: a webhook and a live event for each, one e-mail for the highest."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts.models import Tenant
from accounts.webhooks.services import WebhookEvent, enqueue
from common import mail
from common.ids import encode
from common.live import publish_on_commit
from common.money import plain
from usage.events import ThresholdReached
from usage.models import BillingPeriod, Feature, Subject, ThresholdCrossing
from usage.selectors.limits import Allowed, allowed_features
from usage.wording import Told, words_for

PERCENT = ThresholdCrossing.Basis.PERCENT


def announce(crossings: Sequence[ThresholdCrossing], *, period: BillingPeriod, now: datetime) -> None:
    """Tell of marks that one thing has just reached, in the transaction that stores them."""
    tenant = Tenant.objects.get(pk=period.tenant_id)
    slugs = {row.feature for row in crossings if row.feature}
    allowed = allowed_features(tenant_id=tenant.pk, now=now, slugs=slugs) if slugs else []
    of_slug = {one.feature.slug: one for one in allowed}
    for row in crossings:
        type_, data = _type(row), _data(row, of_slug.get(row.feature), tenant, period)
        enqueue(WebhookEvent(type_, tenant.pk, encode("tn", tenant.pk), data, now))
        publish_on_commit(ThresholdReached(tenant.pk, type_, data))
    highest = max(crossings, key=_height)
    _mail(_told(highest, of_slug.get(highest.feature), tenant, period), tenant)


def _type(row: ThresholdCrossing) -> str:
    if row.subject == Subject.CREDIT:
        return "credit.low"
    is_full = row.subject == Subject.QUOTA and row.basis == PERCENT and row.value >= 100
    return "usage.limit.reached" if is_full else "usage.threshold.reached"


def _data(row: ThresholdCrossing, allowed: Allowed | None, tenant: Tenant, period: BillingPeriod) -> dict[str, Any]:
    is_percent = row.basis == PERCENT
    remaining = None if row.limit is None else max(row.limit - row.used, Decimal(0))
    return {
        "subject": row.subject,
        "feature": row.feature or None,
        "percent": int(row.value) if is_percent else None,
        "amount": None if is_percent else plain(row.value),
        "used": plain(row.used),
        "limit": None if row.limit is None else plain(row.limit),
        "remaining": None if remaining is None else plain(remaining),
        "unit": allowed.feature.unit if allowed else None,
        "currency": None if allowed else tenant.currency,
        "period_start": period.period_start.isoformat(),
        "period_end": period.period_end.isoformat(),
    }


def _height(row: ThresholdCrossing) -> tuple[bool, Decimal]:
    """Order marks by how much they say; of credit, the smallest amount left says most."""
    falls = row.subject == Subject.CREDIT and row.basis != PERCENT
    return row.basis == PERCENT, -row.value if falls else row.value


def _told(row: ThresholdCrossing, allowed: Allowed | None, tenant: Tenant, period: BillingPeriod) -> Told:
    feature: Feature | None = allowed.feature if allowed else None
    is_percent = row.basis == PERCENT
    return Told(
        subject=row.subject,
        feature=row.feature,
        name=feature.name if feature else "",
        unit=feature.unit if feature else "",
        currency="" if feature else tenant.currency,
        percent=row.value if is_percent else None,
        amount=None if is_percent else row.value,
        used=row.used,
        limit=row.limit,
        blocks=allowed.blocks if allowed else False,
        company=tenant.name,
        period_start=period.period_start,
        period_end=period.period_end,
    )


def _mail(told: Told, tenant: Tenant) -> None:
    if not tenant.billing_email:
        return
    mail.send_on_commit(
        template="usage/mail/threshold",
        to=[tenant.billing_email],
        context={"words": words_for(told, locale=tenant.locale), "link": f"{settings.IRISX_BASE_URL}/portal/usage/"},
        language=tenant.locale,
    )
