"""Usage over HTTP: the period so far, and its history by day."""

from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from common.money import plain
from common.periods import days_asked_for
from usage import schemas, selectors, sums
from usage.models import Meter
from usage.selectors import MeterTotal, PeriodUsage

MOST_DAYS = 90
START = OpenApiParameter("start_date", date, description="First day; 30 days until end_date by default.")
END = OpenApiParameter("end_date", date, description="Last day, inclusive; today by default. At most 90 days.")


class UsageViewSet(TenantViewSet):
    permissions = {"current_period": "usage.read", "history": "usage.read"}

    @extend_schema(
        summary="The billing period so far",
        description="By the same rating as the period's draft invoice.",
        responses={200: schemas.CurrentPeriod},
        examples=[schemas.CURRENT_PERIOD_EXAMPLE],
        tags=["usage"],
    )
    def current_period(self, request: Request) -> Response:
        tenant_id = self.principal.tenant_id
        period = selectors.current_period(tenant_id=tenant_id, now=self.now)
        usage = selectors.period_usage(tenant_id=tenant_id, period=period, now=self.now)
        return Response(present_period(usage))

    @extend_schema(summary="Usage by day", parameters=[START, END], responses={200: schemas.History}, tags=["usage"])
    def history(self, request: Request) -> Response:
        tenant_id = self.principal.tenant_id
        period = selectors.current_period(tenant_id=tenant_id, now=self.now)
        first, last = days_asked_for(request.query_params, today=period.day_of(self.now), most_days=MOST_DAYS)
        meters = selectors.meters_by_key()
        rows = sums.by_day(tenant_id=tenant_id, first=first, last=last)
        return Response(
            {
                "start_date": first.isoformat(),
                "end_date": last.isoformat(),
                "currency": period.subscription.currency,
                "results": [present_day(row, meters[row.channel, row.resource_type]) for row in rows],
            }
        )


def present_period(usage: PeriodUsage) -> dict[str, Any]:
    """Return the body of `/current-period`."""
    period = usage.period
    return {
        "period_start": period.period_start.isoformat(),
        "period_end": period.period_end.isoformat(),
        "currency": usage.currency,
        "plan": period.plan.slug,
        "total_cost": str(usage.total_cost),
        "credit_remaining": str(usage.credit_remaining),
        "items": [_present_meter(total) for total in usage.by_meter()],
    }


def present_day(row: sums.DaySum, meter: Meter) -> dict[str, Any]:
    """Return one day and meter of `/history`; its cost is unrounded, for only a period's sum is rounded."""
    return {
        "date": row.day.isoformat(),
        "channel": row.channel,
        "resource_type": row.resource_type,
        "quantity": plain(selectors.shown_units(row.billed_quantity, meter.price_per)),
        "total_cost": plain(row.total_cost),
        "record_count": row.record_count,
    }


def _present_meter(total: MeterTotal) -> dict[str, Any]:
    return {
        "channel": total.meter.channel,
        "resource_type": total.meter.resource_type,
        "quantity": plain(total.units),
        "total_cost": str(total.amount),
        "record_count": total.record_count,
    }
