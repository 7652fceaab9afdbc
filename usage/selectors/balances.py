"""What a tenant's credit is now, worked out from the ledger, the holds and the usage not invoiced yet."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import Tenant
from usage.credit import ZERO, Charge, Grant, cover
from usage.selectors.costs import unbilled_charges
from usage.selectors.credit import credit_left, next_change


@dataclass(frozen=True)
class CreditState:
    """The grants of which something is left, what of them is held, and what usage leaves of each (`left`, by id).

    `granted` is what the live ones had before that usage, `available` what is free: never below 0.
    """

    currency: str
    grants: tuple[Grant, ...]
    left: dict[UUID, Decimal]
    charges: tuple[Charge, ...]
    granted: Decimal
    unused: Decimal
    held: Decimal
    changes_at: datetime | None

    @property
    def available(self) -> Decimal:
        return max(self.unused - self.held, ZERO)


def credit_state(*, tenant_id: UUID, now: datetime) -> CreditState:
    """Return the tenant's credit at `now`; a query for the grants, and those that rate each period not invoiced yet."""
    credit = credit_left(tenant_id=tenant_id, now=now)
    charges = unbilled_charges(tenant_id=tenant_id, until=now)
    coverage = cover(credit.grants, charges, now=now)
    return CreditState(
        currency=Tenant.objects.values_list("currency", flat=True).get(pk=tenant_id),
        grants=credit.grants,
        left=coverage.left,
        charges=tuple(charges),
        granted=sum((grant.amount for grant in credit.grants if grant.is_live(now)), ZERO),
        unused=coverage.left_at(credit.grants, now),
        held=credit.held,
        changes_at=next_change(credit.grants, now=now),
    )
