"""Grants of credit: the trial's once, a plan's included one for each period."""

from usage.models import BillingPeriod, CreditEntry

FIRST_USED, THEN_USED = 10, 20  # what expires with the period goes before what lasts longer


def grant_included_credit(period: BillingPeriod) -> None:
    """Grant what the plan includes in this period; a repeat changes nothing. It expires with the period."""
    plan = period.subscription.plan
    if plan.is_credit_once or not plan.included_credit:
        return
    entry = CreditEntry(
        tenant_id=period.tenant_id,
        source=CreditEntry.Source.INCLUDED,
        grant_key=f"included:{period.pk.hex}",
        amount=plan.included_credit,
        currency=plan.currency,
        priority=FIRST_USED,
        starts_at=period.starts_at,
        expires_at=period.ends_at,
    )
    CreditEntry.objects.bulk_create([entry], ignore_conflicts=True)


def grant_trial_credit(period: BillingPeriod) -> None:
    """Grant the credit a trial plan gives once; it expires with the trial."""
    plan = period.subscription.plan
    if not plan.is_credit_once or not plan.included_credit:
        return
    entry = CreditEntry(
        tenant_id=period.tenant_id,
        source=CreditEntry.Source.TRIAL,
        grant_key="trial",
        amount=plan.included_credit,
        currency=plan.currency,
        priority=THEN_USED,
        starts_at=period.starts_at,
        expires_at=period.subscription.trial_ends_at,
    )
    CreditEntry.objects.bulk_create([entry], ignore_conflicts=True)
