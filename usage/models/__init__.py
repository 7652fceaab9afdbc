"""How much, at which price, what is left."""

from usage.models.catalog import Meter, PlanFeature, PricingPlan, PricingRate
from usage.models.credit import CreditBalance, CreditBurn, CreditEntry, CreditHold
from usage.models.ledger import UsageDedup, UsageRecord, UsageReversal, UsageSummary, UsageSummaryDelta
from usage.models.subscription import BillingPeriod, Subscription

__all__ = [
    "BillingPeriod", "CreditBalance", "CreditBurn", "CreditEntry", "CreditHold", "Meter", "PlanFeature", "PricingPlan",
    "PricingRate", "Subscription", "UsageDedup", "UsageRecord", "UsageReversal", "UsageSummary", "UsageSummaryDelta",
]  # fmt: skip
