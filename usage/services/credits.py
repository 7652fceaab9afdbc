"""The ledger of credit: grants, what invoices burn of them, and what lapses."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from common.errors import Invalid
from common.ids import uuid7
from common.money import round_money
from usage.credit import Grant, Taken, draw
from usage.errors import CreditGranted
from usage.models import BillingPeriod, CreditBurn, CreditEntry
from usage.selectors.credit import credit_left, unbilled_periods
from usage.services.auditing import Actor, audit
from usage.services.balances import lock_balance, lower_balance, raise_balance

FIRST_USED, THEN_USED, LAST_USED = 10, 20, 30  # what expires with the period first, what was paid for last
WITHDRAWN = "withdrawn:"
PRIORITIES = {
    CreditEntry.Source.INCLUDED: FIRST_USED,
    CreditEntry.Source.TRIAL: THEN_USED,
    CreditEntry.Source.PROMOTIONAL: THEN_USED,
    CreditEntry.Source.PREPAID: LAST_USED,
}


def grant_included_credit(period: BillingPeriod) -> None:
    """Grant what the period includes and was not granted yet: all of it, or what a change of plan adds.

    A repeat changes nothing; nothing is taken back. It expires with the period.
    """
    key = f"included:{period.pk.hex}"
    grants, granted = _included_in(period)
    if period.included_credit <= granted:
        return
    _store_grant(
        tenant_id=period.tenant_id,
        source=CreditEntry.Source.INCLUDED,
        key=f"{key}#{len(grants) + 1}" if grants else key,
        amount=period.included_credit - granted,
        currency=period.plan.currency,
        priority=FIRST_USED,
        starts_at=period.starts_at,
        expires_at=period.ends_at,
    )


def withdraw_included_credit(period: BillingPeriod, *, keep: Decimal, now: datetime) -> None:
    """Take back what was granted beyond `keep` for a period that has not begun, so that nothing of it is used yet.

    A repeat changes nothing. The caller holds the periods alone.
    """
    grants, granted = _included_in(period)
    if granted <= keep:
        return
    balance = lock_balance(tenant_id=period.tenant_id)
    left = [one for one in credit_left(tenant_id=period.tenant_id, now=now).grants if one.id in grants]
    taken = draw(left, min(granted - keep, balance.available + balance.reserved))
    _write(period.tenant_id, CreditEntry.Kind.EXPIRY, f"{WITHDRAWN}{uuid7().hex}", taken, now)
    lower_balance(balance, sum((part.amount for part in taken), Decimal(0)))


def grant_trial_credit(period: BillingPeriod) -> None:
    """Grant the credit a trial plan gives once; it expires with the trial."""
    plan = period.subscription.plan
    if not plan.is_credit_once or not plan.included_credit:
        return
    _store_grant(
        tenant_id=period.tenant_id,
        source=CreditEntry.Source.TRIAL,
        key="trial",
        amount=plan.included_credit,
        currency=plan.currency,
        priority=THEN_USED,
        starts_at=period.starts_at,
        expires_at=period.subscription.trial_ends_at,
    )


def grant(
    *,
    tenant_id: UUID,
    source: str,
    key: str,
    amount: Decimal,
    currency: str,
    starts_at: datetime,
    expires_at: datetime | None = None,
    priority: int | None = None,
    note: str = "",
    actor: Actor | None = None,
) -> CreditEntry:
    """Grant credit once per `key`; a repeat returns the first. The source decides the priority unless it is given.

    With an `actor` the tenant's audit log says who granted it.

    Raises Invalid for an amount of 0 or less or with more decimals than the currency has, another currency than the
    tenant's, or an end before the start;
    CreditGranted when the key was used for another amount, source or currency.
    """
    _check_grant(amount, currency, starts_at, expires_at)
    with transaction.atomic():
        # Not before the balance is locked: what it is counted in is decided there.
        if (own := lock_balance(tenant_id=tenant_id).currency) != currency:
            message = f"The tenant's credit is in {own}, not in {currency[:10]}."
            raise Invalid(message, code="other-currency", pointer="/currency")
        is_new = _store_grant(
            tenant_id=tenant_id,
            source=source,
            key=key,
            amount=amount,
            currency=currency,
            priority=PRIORITIES[CreditEntry.Source(source)] if priority is None else priority,
            starts_at=starts_at,
            expires_at=expires_at,
            note=note,
        )
        stored = CreditEntry.objects.for_tenant(tenant_id).get(kind=CreditEntry.Kind.GRANT, key=key)
        if is_new and actor is not None:
            changes = {"source": source, "amount": str(amount), "currency": currency}
            audit(tenant_id=tenant_id, action="credit.granted", object_id=stored.pk, changes=changes, actor=actor)
    if (stored.source, stored.amount, stored.currency) != (source, amount, currency):
        raise CreditGranted(f"{key} was granted already: {stored}.", pointer="/key")
    return stored


def burn(
    *,
    tenant_id: UUID,
    key: str,
    amount: Decimal,
    at: datetime,
    sources: Sequence[str],
    period_id: UUID | None = None,
) -> tuple[Taken, ...]:
    """Use up credit for an invoice, once per `key`; return what of which grant, fewer than asked where there is less.

    `sources` are `usage.credit.ALLOWANCE` or `PREPAID`. With `period_id` the grants that were valid at any moment of
    that billing period are used, and from then on the period's usage no longer counts against what is left: call it
    for every invoice of a period, for 0 too. Without it the grants live at `at` are used. Never takes what is held.
    A repeat returns the first's answer, whatever it asks for. Raises Invalid for less than 0.
    """
    if amount < 0:
        raise Invalid("No less than 0 is burned.", pointer="/amount")
    with transaction.atomic():
        balance = lock_balance(tenant_id=tenant_id)
        if CreditBurn.objects.for_tenant(tenant_id).filter(key=key).exists():
            return burned(tenant_id=tenant_id, key=key)
        grants = _usable(tenant_id, at, sources, period_id)
        taken = draw(grants, min(amount, balance.available + balance.reserved))
        total = sum((part.amount for part in taken), Decimal(0))
        _write(tenant_id, CreditEntry.Kind.BURN, key, taken, at)
        CreditBurn.objects.create(
            tenant_id=tenant_id, key=key, period_id=period_id, asked=amount, burned=total, burned_at=at
        )
        lower_balance(balance, total)
    return tuple(taken)


def burned(*, tenant_id: UUID, key: str) -> tuple[Taken, ...]:
    """Return what was burned under a key, in the order it was; empty when nothing was."""
    entries = CreditEntry.objects.for_tenant(tenant_id).filter(kind=CreditEntry.Kind.BURN, key=key).order_by("id")
    return tuple(Taken(entry.grant_id, entry.source, -entry.amount) for entry in entries if entry.grant_id)


def expire_credit(*, tenant_id: UUID, now: datetime) -> Decimal:
    """Write off what is left of grants that ended, once no invoice can use it any more; return how much.

    A grant waits for the invoices of the periods it was valid in, and for the holds that may rest on it.
    """
    with transaction.atomic():
        balance = lock_balance(tenant_id=tenant_id)
        ended = [
            one for one in credit_left(tenant_id=tenant_id, now=now).grants if one.expires_at and one.expires_at <= now
        ]
        periods = list(unbilled_periods(tenant_id=tenant_id, until=now)) if ended else []
        lapsed = [one for one in ended if not any(_was_valid_in(one, period) for period in periods)]
        free = balance.available + balance.reserved
        taken = draw(lapsed, free)
        _write(tenant_id, CreditEntry.Kind.EXPIRY, f"expiry:{now.isoformat()}", taken, now)
        total = sum((part.amount for part in taken), Decimal(0))
        if total:
            lower_balance(balance, total)
    return total


def _included_in(period: BillingPeriod) -> tuple[list[UUID], Decimal]:
    """Return the grants of what a period includes, and how much they come to after what was withdrawn of them."""
    entries = CreditEntry.objects.for_tenant(period.tenant_id)
    key = f"included:{period.pk.hex}"
    found = dict(
        entries.filter(kind=CreditEntry.Kind.GRANT, key__startswith=key, starts_at=period.starts_at).values_list(
            "pk", "amount"
        )
    )
    withdrawn = entries.filter(kind=CreditEntry.Kind.EXPIRY, grant_id__in=found, key__startswith=WITHDRAWN)
    total = sum(found.values(), Decimal(0))
    return list(found), total + (withdrawn.aggregate(total=Sum("amount"))["total"] or 0) if found else total


def _check_grant(amount: Decimal, currency: str, starts_at: datetime, expires_at: datetime | None) -> None:
    if amount <= 0:
        raise Invalid("Credit is more than 0.", pointer="/amount")
    if amount != round_money(amount, currency):
        raise Invalid(f"{amount} has more decimals than {currency} has.", pointer="/amount")
    if expires_at is not None and expires_at <= starts_at:
        raise Invalid("Credit expires after it starts.", pointer="/expires_at")


def _store_grant(*, tenant_id: UUID, **columns: Any) -> bool:
    """Insert a grant and count it; False when its key was granted, and then nothing changes."""
    entry = CreditEntry(tenant_id=tenant_id, kind=CreditEntry.Kind.GRANT, **columns)
    with transaction.atomic():
        CreditEntry.objects.bulk_create([entry], ignore_conflicts=True)
        is_new = CreditEntry.objects.for_tenant(tenant_id).filter(pk=entry.pk).exists()
        if is_new:
            raise_balance(tenant_id=tenant_id, currency=entry.currency, amount=entry.amount)
    return is_new


def _usable(tenant_id: UUID, at: datetime, sources: Iterable[str], period_id: UUID | None) -> list[Grant]:
    grants = [one for one in credit_left(tenant_id=tenant_id, now=at).grants if one.source in sources]
    if period_id is None:
        return [one for one in grants if one.is_live(at)]
    period = BillingPeriod.objects.for_tenant(tenant_id).get(pk=period_id)
    return [one for one in grants if _was_valid_in(one, period)]


def _was_valid_in(one: Grant, period: BillingPeriod) -> bool:
    return one.starts_at < period.ends_at and (one.expires_at is None or one.expires_at > period.starts_at)


def _write(tenant_id: UUID, kind: str, key: str, taken: Iterable[Taken], at: datetime) -> None:
    """Add a line for what is taken of each grant."""
    parts = list(taken)
    grants = CreditEntry.objects.for_tenant(tenant_id).in_bulk([part.grant_id for part in parts])
    CreditEntry.objects.bulk_create(
        CreditEntry(
            tenant_id=tenant_id,
            kind=kind,
            source=part.source,
            key=key,
            grant_id=part.grant_id,
            amount=-part.amount,
            currency=grants[part.grant_id].currency,
            starts_at=at,
        )
        for part in parts
    )
