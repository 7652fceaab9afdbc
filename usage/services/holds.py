"""Holds: credit set aside for something under way, so that two things never spend the same money.

What is free stands in one row per tenant; a hold is one conditional UPDATE of it. Everybody locks that row first and
holds after it. A hold that has expired counts for nothing from that moment, whether or not anybody noted it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from common.errors import Invalid, NotFound
from usage.errors import HoldConflict, HoldEnded, NotEnoughCredit
from usage.models import CreditBalance, CreditHold
from usage.services.balances import lock_balance, refresh_balance
from usage.services.locking import share_periods

ZERO = Decimal(0)
SET_ASIDE = """
UPDATE credit_balances
SET available = available - %(amount)s, held = held + %(amount)s, good_until = least(good_until, %(expires_at)s)
WHERE tenant_id = %(tenant)s AND good_until > %(now)s AND available >= %(amount)s
"""


@dataclass(frozen=True)
class Hold:
    """A hold as it stands; `settled_amount` is None until it is settled."""

    key: str
    amount: Decimal
    status: str
    expires_at: datetime
    settled_amount: Decimal | None


def hold(*, tenant_id: UUID, key: str, amount: Decimal, expires_at: datetime, now: datetime) -> Hold:
    """Set credit aside under a key, once; a repeat returns the hold as it stands, whatever became of it.

    Raises NotEnoughCredit, Invalid for an amount of 0 or less or an end that is past, HoldConflict when the key holds
    another amount. Usage that no hold announced is counted against what is free within a minute, and before a refusal.
    """
    if (found := _find(tenant_id, key)) is not None:
        return _same(found, amount, now)
    if amount <= 0:
        raise Invalid("A hold is more than 0.", pointer="/amount")
    if expires_at <= now:
        raise Invalid("A hold ends in the future.", pointer="/expires_at")
    with transaction.atomic():
        if not _set_aside(tenant_id, amount, expires_at, now):
            found = _find(tenant_id, key)  # its twin came first, and the row was locked until it was done
            return _same(found, amount, now) if found else _refuse(amount)
        fresh = CreditHold(tenant_id=tenant_id, key=key, amount=amount, expires_at=expires_at, created_at=now)
        CreditHold.objects.bulk_create([fresh], ignore_conflicts=True)
        found = CreditHold.objects.for_tenant(tenant_id).get(key=key)
        if found.pk != fresh.pk:
            _give_back(lock_balance(tenant_id=tenant_id), amount)
    return _same(found, amount, now)


def extend_hold(*, tenant_id: UUID, key: str, amount: Decimal, expires_at: datetime, now: datetime) -> Hold:
    """Let a hold be of this amount and last until then; a repeat changes nothing, less or sooner is refused.

    Raises HoldEnded, NotFound, NotEnoughCredit for what it would hold more, Invalid for less or an earlier end.
    """
    with transaction.atomic():
        lock_balance(tenant_id=tenant_id)
        row = _live(tenant_id, key, now)
        if amount < row.amount or expires_at < row.expires_at:
            raise Invalid("A hold is only ever extended: release it, or settle it.", pointer="/amount")
        more = amount - row.amount
        if more and not _set_aside(tenant_id, more, expires_at, now):
            _refuse(more)
        row.amount, row.expires_at = amount, expires_at
        row.save(update_fields=["amount", "expires_at"])
    return _shown(row, now)


def settle_hold(*, tenant_id: UUID, key: str, actual: Decimal, now: datetime) -> Hold:
    """End a hold with what it came to cost: the rest is free again, and the cost stays reserved for the invoice.

    Call it after `record_usage`, in its transaction, so that the cost is counted by one or the other at every moment.
    What is over the hold is taken of what is free, as far as there is; the rest will be owed. An expired hold is settled
    too. A repeat returns the first's answer. Raises NotFound, HoldEnded when it was released, Invalid for less than 0.
    """
    if actual < 0:
        raise Invalid("A cost is 0 or more.", pointer="/actual")
    with transaction.atomic():
        balance = lock_balance(tenant_id=tenant_id)
        row = _locked(tenant_id, key)
        if row.status == CreditHold.Status.RELEASED:
            raise HoldEnded(f"The hold {key} was released.")
        if row.status == CreditHold.Status.SETTLED:
            return _shown(row, now)
        if row.status == CreditHold.Status.HELD:
            balance.held -= row.amount
            balance.available += row.amount
        spent = min(actual, balance.available)
        balance.available -= spent
        balance.reserved += spent
        balance.save(update_fields=["available", "held", "reserved"])
        _end(row, CreditHold.Status.SETTLED, now, actual)
    return _shown(row, now)


def release_hold(*, tenant_id: UUID, key: str, now: datetime) -> Hold:
    """End a hold that came to cost nothing; a repeat, or one that has ended, changes nothing. Raises NotFound."""
    with transaction.atomic():
        balance = lock_balance(tenant_id=tenant_id)
        row = _locked(tenant_id, key)
        if row.status == CreditHold.Status.HELD:
            _give_back(balance, row.amount)
            _end(row, CreditHold.Status.RELEASED, now)
    return _shown(row, now)


def _set_aside(tenant_id: UUID, amount: Decimal, expires_at: datetime, now: datetime) -> bool:
    """Move an amount from free to held if there is so much; look again, exactly, before saying that there is not."""
    share_periods(tenant_id=tenant_id)
    values = {"tenant": tenant_id, "amount": amount, "expires_at": expires_at, "now": now}
    if _moved(values):
        return True
    refresh_balance(tenant_id=tenant_id, now=now)
    return _moved(values)


def _moved(values: dict[str, Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(SET_ASIDE, values)
        return bool(cursor.rowcount == 1)


def _give_back(balance: CreditBalance, amount: Decimal) -> None:
    balance.held -= amount
    balance.available += amount
    balance.save(update_fields=["held", "available"])


def _live(tenant_id: UUID, key: str, now: datetime) -> CreditHold:
    row = _locked(tenant_id, key)
    if not row.is_live(now):
        raise HoldEnded(f"The hold {key} has ended.")
    return row


def _locked(tenant_id: UUID, key: str) -> CreditHold:
    row = CreditHold.objects.for_tenant(tenant_id).select_for_update().filter(key=key).first()
    if row is None:
        raise NotFound(f"There is no hold {key[:120]}.")
    return row


def _find(tenant_id: UUID, key: str) -> CreditHold | None:
    return CreditHold.objects.for_tenant(tenant_id).filter(key=key).first()


def _end(row: CreditHold, status: str, now: datetime, actual: Decimal | None = None) -> None:
    row.status, row.ended_at, row.settled_amount = status, now, actual
    row.save(update_fields=["status", "ended_at", "settled_amount"])


def _same(row: CreditHold, amount: Decimal, now: datetime) -> Hold:
    if row.amount != amount:
        raise HoldConflict(f"{row.key} holds {row.amount}, not {amount}.", pointer="/key")
    return _shown(row, now)


def _refuse(amount: Decimal) -> Hold:
    raise NotEnoughCredit(f"There is less than {amount} of free credit.")


def _shown(row: CreditHold, now: datetime) -> Hold:
    has_expired = row.status == CreditHold.Status.HELD and not row.is_live(now)
    status = CreditHold.Status.EXPIRED if has_expired else row.status
    return Hold(row.key, row.amount, status, row.expires_at, row.settled_amount)
