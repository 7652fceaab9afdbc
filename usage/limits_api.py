"""Limits over HTTP: what a tenant may do, how much of it is used, and at which marks it wants to be told."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from common.money import plain
from common.timestamps import rfc3339
from usage import limits_schemas as schemas
from usage import selectors, services
from usage.models import BillingPeriod, Feature, Subject, ThresholdCrossing, ThresholdSetting
from usage.selectors.limits import LimitUse, limits_in_use, marks_of, threshold_settings


class LimitsViewSet(TenantViewSet):
    permissions = {"list": "usage.read"}

    @extend_schema(
        summary="What you may do, and how much of it is used",
        responses={200: schemas.Limits},
        examples=[schemas.LIMITS_EXAMPLE],
        tags=["usage"],
    )
    def list(self, request: Request) -> Response:
        tenant_id = self.principal.tenant_id
        period = selectors.current_period(tenant_id=tenant_id, now=self.now)
        limits = limits_in_use(tenant_id=tenant_id, period=period, now=self.now)
        return Response(
            {
                "period_start": period.period_start.isoformat(),
                "period_end": period.period_end.isoformat(),
                "results": [present_limit(one, period) for one in limits],
            }
        )


class ThresholdsViewSet(TenantViewSet):
    permissions = {"list": "usage.read", "replace": "billing.manage"}

    @extend_schema(
        summary="At which marks you are told",
        description="By e-mail to billing_email, as webhook and as live event; each once per billing period.",
        responses={200: schemas.Thresholds},
        tags=["usage"],
    )
    def list(self, request: Request) -> Response:
        return self._all()

    @extend_schema(
        summary="Say at which marks to tell you",
        description="Replaces the marks of that subject and feature. Empty lists tell nothing; with neither list the usual "
        "marks return: 50, 80, 90 and 100 % of quotas and credit.",
        request=schemas.ThresholdBody,
        examples=[
            OpenApiExample(
                "At half and at the end of the credit", {"subject": "credit", "percents": [50, 100]}, request_only=True
            )
        ],
        responses={200: schemas.Thresholds},
        tags=["usage"],
    )
    def replace(self, request: Request) -> Response:
        wanted = self.read(schemas.ThresholdBody)
        of = {
            "tenant_id": self.principal.tenant_id,
            "subject": Subject(wanted["subject"]),
            "feature": wanted["feature"],
        }
        if "percents" in wanted or "amounts" in wanted:
            percents, amounts = wanted.get("percents", []), wanted.get("amounts", [])
            services.set_thresholds(**of, percents=percents, amounts=amounts)
        else:
            services.reset_thresholds(**of)
        return self._all()

    def _all(self) -> Response:
        settings = threshold_settings(tenant_id=self.principal.tenant_id)
        own = [(Subject(row.subject), row.feature) for row in settings]
        usual = [(subject, "") for subject in Subject if (subject, "") not in own]
        return Response({"results": [present_threshold(settings, *key) for key in sorted({*own, *usual})]})


def present_limit(one: LimitUse, period: BillingPeriod) -> dict[str, Any]:
    """Return one row of `/limits`."""
    feature, limit, used = one.allowed.feature, one.allowed.limit, one.used
    is_quota = feature.kind == Feature.Kind.METERED
    remaining = None if limit is None or used is None else max(limit - used, Decimal(0))
    return {
        "feature": feature.slug,
        "name": feature.name,
        "kind": feature.kind,
        "unit": feature.unit,
        "is_allowed": one.allowed.value is not False and limit != 0,
        "limit": _plain_or_null(limit),
        "used": _plain_or_null(used),
        "remaining": _plain_or_null(remaining),
        "resets_at": rfc3339(period.ends_at) if is_quota else None,
        "mode": one.allowed.cap if is_quota else None,
        "thresholds": _present_marks(one) if is_quota else [],
    }


def present_threshold(settings: list[ThresholdSetting], subject: Subject, feature: str) -> dict[str, Any]:
    """Return one row of `/thresholds`."""
    marks = marks_of(settings, subject, feature)
    return {
        "subject": subject.value,
        "feature": feature,
        "percents": list(marks.percents),
        "amounts": [plain(amount) for amount in marks.amounts],
        "is_default": not any((row.subject, row.feature) == (subject, feature) for row in settings),
    }


def _present_marks(one: LimitUse) -> list[dict[str, Any]]:
    percent, amount = ThresholdCrossing.Basis.PERCENT.value, ThresholdCrossing.Basis.AMOUNT.value
    return [
        {"percent": mark, "amount": None, "reached_at": rfc3339(one.crossed.get((percent, Decimal(mark))))}
        for mark in one.marks.percents
    ] + [
        {"percent": None, "amount": plain(mark), "reached_at": rfc3339(one.crossed.get((amount, mark)))}
        for mark in one.marks.amounts
    ]


def _plain_or_null(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)
