"""Credit, purely: how grants cover what periods cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

ZERO = Decimal(0)
# Given away: it lowers what is owed before tax. Prepaid was paid for: it is a payment of what is owed with tax.
ALLOWANCE: Final = ("trial", "included", "promotional")
PREPAID: Final = ("prepaid",)


@dataclass(frozen=True)
class Grant:
    """What is left (`amount`) of credit that may be used from `starts_at` until before `expires_at` (None: for ever)."""

    id: UUID
    source: str
    amount: Decimal
    priority: int
    starts_at: datetime
    expires_at: datetime | None
    created_at: datetime

    def covers(self, charge: "Charge") -> bool:
        """Say whether it was valid at any moment of the period."""
        return self.starts_at < charge.ends_at and (self.expires_at is None or self.expires_at > charge.starts_at)

    def is_live(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True)
class Charge:
    """What the usage of one period costs, rounded per line."""

    period_id: UUID
    starts_at: datetime
    ends_at: datetime
    amount: Decimal


@dataclass(frozen=True)
class Taken:
    """What is used of one grant; more than 0."""

    grant_id: UUID
    source: str
    amount: Decimal


@dataclass(frozen=True)
class Coverage:
    """How much of each period allowances cover, and what is left of each grant, prepaid ones included."""

    covered: dict[UUID, Decimal]
    left: dict[UUID, Decimal]

    def left_at(self, grants: Iterable[Grant], now: datetime) -> Decimal:
        """Return what is left of the grants that are live."""
        return sum((self.left[grant.id] for grant in grants if grant.is_live(now)), ZERO)


def draw(grants: Iterable[Grant], amount: Decimal) -> list[Taken]:
    """Use grants for an amount: by priority, then what expires first, then the oldest. Less when they are too few."""
    taken = []
    for grant in sorted(grants, key=_burn_order):
        used = min(amount, grant.amount)
        if used > 0:
            taken.append(Taken(grant.id, grant.source, used))
            amount -= used
    return taken


def cover(grants: Sequence[Grant], charges: Sequence[Charge], *, now: datetime) -> Coverage:
    """Use allowances for the periods they were valid in, the earliest first; what they leave, prepaid credit pays.

    Prepaid credit pays when an invoice is due, so that which is live `now` is used, whatever the period.
    """
    left = {grant.id: grant.amount for grant in grants}
    covered: dict[UUID, Decimal] = {}
    given = [grant for grant in grants if grant.source in ALLOWANCE]
    prepaid = [grant for grant in grants if grant.source in PREPAID and grant.is_live(now)]
    for charge in sorted(charges, key=lambda charge: charge.starts_at):
        covered[charge.period_id] = _use(left, (grant for grant in given if grant.covers(charge)), charge.amount)
        _use(left, prepaid, charge.amount - covered[charge.period_id])
    return Coverage(covered, left)


def _use(left: dict[UUID, Decimal], grants: Iterable[Grant], amount: Decimal) -> Decimal:
    """Take an amount out of `left`, in order, and return how much there was; a period of reversals alone takes nothing."""
    used = ZERO
    for grant in sorted(grants, key=_burn_order):
        part = max(min(amount - used, left[grant.id]), ZERO)
        left[grant.id] -= part
        used += part
    return used


def _burn_order(grant: Grant) -> tuple[int, bool, float, datetime, UUID]:
    expires = grant.expires_at.timestamp() if grant.expires_at else 0.0
    return grant.priority, grant.expires_at is None, expires, grant.created_at, grant.id
