"""What is read of usage."""

from usage.selectors.costs import (
    MeterTotal,
    PeriodUsage,
    RatedLine,
    lines_of_rows,
    period_usage,
    rated_lines,
    shown_units,
)
from usage.selectors.fees import Fee, fees_of
from usage.selectors.periods import (
    current_period,
    home_of,
    latest_subscription,
    live_subscription,
    open_periods,
    period_of,
    periods_to_check,
    tenants_due,
)
from usage.selectors.pricing import meters_by_key, offered_plans, rate_for

__all__ = [
    "Fee",
    "MeterTotal",
    "PeriodUsage",
    "RatedLine",
    "current_period",
    "fees_of",
    "home_of",
    "latest_subscription",
    "lines_of_rows",
    "live_subscription",
    "meters_by_key",
    "offered_plans",
    "open_periods",
    "period_of",
    "period_usage",
    "periods_to_check",
    "rate_for",
    "rated_lines",
    "shown_units",
    "tenants_due",
]
