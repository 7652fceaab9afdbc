"""How much, at which price, what is left."""

from usage.models.catalog import Meter, PlanFeature, PricingPlan, PricingRate
from usage.models.ledger import UsageDedup, UsageRecord, UsageReversal, UsageSummary, UsageSummaryDelta
from usage.models.subscription import BillingPeriod, CreditEntry, Subscription

__all__ = [
    "BillingPeriod", "CreditEntry", "Meter", "PlanFeature", "PricingPlan", "PricingRate", "Subscription", "UsageDedup",
    "UsageRecord", "UsageReversal", "UsageSummary", "UsageSummaryDelta",
]  # fmt: skip
