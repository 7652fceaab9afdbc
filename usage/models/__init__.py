"""How much, at which price, what is left."""

from usage.models.catalog import Meter, PlanFeature, PricingPlan, PricingRate
from usage.models.credit import CreditBalance, CreditBurn, CreditEntry, CreditHold
from usage.models.ledger import UsageDedup, UsageRecord, UsageReversal, UsageSummary, UsageSummaryDelta
from usage.models.limits import (
    Entitlement,
    Feature,
    QuotaCounter,
    Subject,
    ThresholdCrossing,
    ThresholdSetting,
    UsageWatch,
)
from usage.models.subscription import BillingPeriod, Subscription, SubscriptionCharge
from usage.models.upload import UsageUpload

__all__ = [
    "BillingPeriod", "CreditBalance", "CreditBurn", "CreditEntry", "CreditHold", "Entitlement", "Feature", "Meter",
    "PlanFeature", "PricingPlan", "PricingRate", "QuotaCounter", "Subject", "Subscription", "SubscriptionCharge",
    "ThresholdCrossing", "ThresholdSetting", "UsageDedup", "UsageRecord", "UsageReversal", "UsageSummary",
    "UsageSummaryDelta", "UsageUpload", "UsageWatch",
]  # fmt: skip
