"""What is read of usage."""

from usage.selectors.costs import MeterTotal, PeriodUsage, RatedLine, period_usage, rated_lines, shown_units
from usage.selectors.periods import current_period, home_of, live_subscription, open_periods, period_of
from usage.selectors.pricing import meters_by_key, offered_plans, rate_for

__all__ = [
    "MeterTotal",
    "PeriodUsage",
    "RatedLine",
    "current_period",
    "home_of",
    "live_subscription",
    "meters_by_key",
    "offered_plans",
    "open_periods",
    "period_of",
    "period_usage",
    "rate_for",
    "rated_lines",
    "shown_units",
]
