"""After a period has closed: its sums are held against its records, without any lock. What differs is parked, not billed."""

import logging
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from common.errors import NotFound, WrongState
from usage.models import BillingPeriod
from usage.selectors.agreement import Difference, correct_sums, differences
from usage.services.auditing import Actor, audit

logger = logging.getLogger(__name__)
MOST_FIGURES = 20


class How(StrEnum):
    """How a parked period goes on."""

    REBUILD = "rebuild"  # the sums are made those of the records
    ACCEPT = "accept"  # it is billed by the sums as they are


def check_period(*, tenant_id: UUID, period_id: UUID, now: datetime) -> bool:
    """Compare a closed period's sums with its records: mark it checked, or park it with the first differences.

    Returns whether they agree; True for one that is checked already. No record can have joined it since it closed.
    """
    period = _period(tenant_id, period_id)
    if period.checked_at is not None:
        return True
    if period.state != BillingPeriod.State.CLOSED:
        return False
    found = differences(tenant_id=tenant_id, period_id=period_id, since=period.created_at, most=MOST_FIGURES)
    unchecked = BillingPeriod.objects.for_tenant(tenant_id).filter(
        pk=period_id, state=BillingPeriod.State.CLOSED, checked_at__isnull=True
    )
    if not found:
        unchecked.update(checked_at=now)
        return True
    if unchecked.update(
        state=BillingPeriod.State.PARKED,
        parked_reason=_reason(found),
        parked_figures=[difference.written() for difference in found],
    ):
        logger.error("Period %s is parked: %s", period_id, found[0])
    return False


def unpark_period(*, tenant_id: UUID, period_id: UUID, how: How, actor: Actor, now: datetime) -> BillingPeriod:
    """Let a parked period be billed: by sums rebuilt from its records, or by the sums as they are. Audited.

    Raises NotFound, WrongState for a period that is not parked, or that still differs after it was rebuilt.
    """
    with transaction.atomic():
        period = _period(tenant_id, period_id, lock=True)
        if period.state != BillingPeriod.State.PARKED:
            raise WrongState(f"The period {period} is {period.state}, not parked.", code="not-parked")
        corrected = 0
        if how is How.REBUILD:
            corrected = correct_sums(tenant_id=tenant_id, period_id=period_id, since=period.created_at)
            if differences(tenant_id=tenant_id, period_id=period_id, since=period.created_at, most=1):
                raise WrongState("The sums still differ from the records; try again.", code="still-differs")
        audit(
            tenant_id=tenant_id,
            action="billing_period.unpark",
            object_id=period.pk,
            changes={
                "how": how.value,
                "corrected": corrected,
                "reason": period.parked_reason,
                "figures": period.parked_figures,
            },
            actor=actor,
        )
        period.state, period.checked_at = BillingPeriod.State.CLOSED, now
        # What was accepted stays written: who reconciles later knows of it.
        period.parked_reason, period.parked_figures = "", period.parked_figures if how is How.ACCEPT else []
        period.save(update_fields=["state", "checked_at", "parked_reason", "parked_figures"])
    return period


def rebuild_sums(*, tenant_id: UUID, period_id: UUID | None = None) -> int:
    """Make the sums of a tenant, or of one period, those of the records; return how many days and rates were wrong.

    Nobody who records usage waits: what differs is appended.
    """
    with transaction.atomic():
        return correct_sums(tenant_id=tenant_id, period_id=period_id)


def _period(tenant_id: UUID, period_id: UUID, *, lock: bool = False) -> BillingPeriod:
    periods = BillingPeriod.objects.for_tenant(tenant_id)
    found = (periods.select_for_update() if lock else periods).filter(pk=period_id).first()
    if found is None:
        raise NotFound("There is no such billing period.")
    return found


def _reason(found: list[Difference]) -> str:
    first = found[0]
    count = f"{len(found)}" if len(found) < MOST_FIGURES else f"{MOST_FIGURES} or more"
    return f"Sums differ from records in {count} places, first {first.channel}/{first.resource_type} on {first.day}."
