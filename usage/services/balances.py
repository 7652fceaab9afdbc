"""The one row that says what of a tenant's credit is free.

available + held + reserved = the sum of the ledger, at every commit. Everybody who changes the row first shares the
tenant's periods: whoever closes one grants credit under the lock that excludes them, and so nobody waits in a circle.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Sum

from accounts.models import Tenant
from usage.credit import ZERO
from usage.models import CreditBalance, CreditEntry, CreditHold
from usage.selectors.balances import credit_state
from usage.services.locking import share_periods

FRESH_FOR = timedelta(seconds=60)  # usage that no hold announced is counted by then

RAISE = """
INSERT INTO credit_balances AS b (id, tenant_id, currency, available, held, reserved)
VALUES (gen_random_uuid(), %(tenant)s, %(currency)s, 0, 0, %(amount)s)
ON CONFLICT (tenant_id) DO UPDATE SET reserved = b.reserved + excluded.reserved, good_until = NULL
"""


@dataclass(frozen=True)
class Balance:
    """What is free, what holds set aside, and what is spoken for otherwise."""

    currency: str
    available: Decimal
    held: Decimal
    reserved: Decimal


def raise_balance(*, tenant_id: UUID, currency: str, amount: Decimal) -> None:
    """Count what was granted, as not yet free: the next who needs it works out how much of it is."""
    with connection.cursor() as cursor:
        cursor.execute(RAISE, {"tenant": tenant_id, "currency": currency, "amount": amount})


def lock_balance(*, tenant_id: UUID) -> CreditBalance:
    """Return the tenant's row, locked until the transaction ends; made where there is none."""
    share_periods(tenant_id=tenant_id)
    rows = CreditBalance.objects.for_tenant(tenant_id).select_for_update()
    found = rows.first()
    if found is None:
        currency = Tenant.objects.values_list("currency", flat=True).get(pk=tenant_id)
        fresh = CreditBalance(tenant_id=tenant_id, currency=currency)
        CreditBalance.objects.bulk_create([fresh], ignore_conflicts=True)
        found = rows.get()
    return found


def lower_balance(balance: CreditBalance, amount: Decimal) -> None:
    """Take an amount out of the locked row that is not held: first of what is reserved, then of what is free."""
    from_reserved = min(balance.reserved, amount)
    balance.reserved -= from_reserved
    balance.available -= amount - from_reserved
    balance.good_until = None
    balance.save(update_fields=["reserved", "available", "good_until"])


def refresh_balance(*, tenant_id: UUID, now: datetime) -> Balance:
    """Work out what is free at `now`: what live grants leave after unbilled usage and holds. Ends holds that expired."""
    with transaction.atomic():
        balance = lock_balance(tenant_id=tenant_id)
        _expire_holds(tenant_id, now)
        total = CreditEntry.objects.for_tenant(tenant_id).aggregate(total=Sum("amount"))["total"] or ZERO
        credit = credit_state(tenant_id=tenant_id, now=now)
        balance.available, balance.held = credit.available, credit.held
        balance.reserved = total - credit.available - credit.held
        edges = [now + FRESH_FOR, credit.changes_at, _next_expiry(tenant_id)]
        balance.good_until = min(edge for edge in edges if edge)
        balance.save(update_fields=["available", "held", "reserved", "good_until"])
    return Balance(balance.currency, balance.available, balance.held, balance.reserved)


def _expire_holds(tenant_id: UUID, now: datetime) -> None:
    """End the holds that expired. The balance is locked, so nobody else is at them."""
    held = CreditHold.objects.for_tenant(tenant_id).filter(status=CreditHold.Status.HELD, expires_at__lte=now)
    held.update(status=CreditHold.Status.EXPIRED, ended_at=F("expires_at"))


def _next_expiry(tenant_id: UUID) -> datetime | None:
    held = CreditHold.objects.for_tenant(tenant_id).filter(status=CreditHold.Status.HELD)
    return held.order_by("expires_at").values_list("expires_at", flat=True).first()
