"""Credit, purely: how grants cover what periods cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

ZERO = Decimal(0)


@dataclass(frozen=True)
class Grant:
    """Credit that may be used from `starts_at` until before `expires_at` (None: for ever)."""

    id: UUID
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
class Coverage:
    """How much of each period is covered, and what is left of each grant."""

    covered: dict[UUID, Decimal]
    left: dict[UUID, Decimal]


def cover(grants: Sequence[Grant], charges: Sequence[Charge]) -> Coverage:
    """Use grants for the charges, the earliest period first: by priority, then what expires first, then the oldest."""
    left = {grant.id: grant.amount for grant in grants}
    covered: dict[UUID, Decimal] = {}
    in_order = sorted(grants, key=_burn_order)
    for charge in sorted(charges, key=lambda charge: charge.starts_at):
        owed = charge.amount
        for grant in in_order:
            used = min(owed, left[grant.id]) if grant.covers(charge) else ZERO
            left[grant.id] -= used
            owed -= used
        covered[charge.period_id] = charge.amount - owed
    return Coverage(covered, left)


def _burn_order(grant: Grant) -> tuple[int, bool, float, datetime]:
    expires = grant.expires_at.timestamp() if grant.expires_at else 0.0
    return grant.priority, grant.expires_at is None, expires, grant.created_at
