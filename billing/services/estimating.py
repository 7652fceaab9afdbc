"""What today would be billed: the invoice of the running period as if it ended now, without storing anything."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.lines import LineValues, lines_of
from billing.services.assessing import Reason, estimate_tax
from billing.tax import Taxed
from usage import selectors
from usage.models import BillingPeriod


@dataclass(frozen=True)
class Estimate:
    """Lines and totals as a draft made now has them; `missing` is what would keep it from being finalized."""

    period: BillingPeriod
    lines: tuple[LineValues, ...]
    taxed: Taxed
    missing: tuple[Reason, ...]


def estimate_invoice(*, tenant_id: UUID, now: datetime) -> Estimate:
    """Return what the current period would be billed at, fees and tax included, by what makes its draft too."""
    period = selectors.current_period(tenant_id=tenant_id, now=now)
    usage = selectors.period_usage(tenant_id=tenant_id, period=period, now=now)
    lines = lines_of(usage, selectors.fees_of(tenant_id=tenant_id, period=period))
    taxed, assessment = estimate_tax(
        tenant_id=tenant_id, lines=lines, allowance=usage.covered, currency=usage.currency, on=period.period_end
    )
    return Estimate(period, tuple(lines), taxed, assessment.reasons)
