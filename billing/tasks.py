"""Work of billing in the background."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.tenancy import system_access, tenant_scope
from billing import selectors, services
from common.errors import DomainError

logger = logging.getLogger(__name__)


@shared_task(name="billing.tasks.draft_open_periods")
def draft_open_periods(**kwargs: Any) -> None:
    """Make every open period's draft anew, a transaction each; what fails is logged and waits for the next run."""
    with system_access("periods whose drafts are made anew"):
        due = selectors.periods_to_draft(now=timezone.now())
    for one in due:
        try:
            with tenant_scope(one.tenant_id):
                services.draft_invoice(tenant_id=one.tenant_id, period_id=one.period_id, now=timezone.now())
        except DomainError as error:
            logger.warning("The draft of period %s was not made: %s", one.period_id, error.message)
