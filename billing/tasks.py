"""Work of billing in the background."""

import logging
import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.tenancy import system_access, tenant_scope
from billing import selectors, services
from billing.export_tasks import forget_exports, make_exports
from common.errors import DomainError

__all__ = ["forget_exports", "make_exports"]  # found here by their names
logger = logging.getLogger(__name__)
RUN_SECONDS = 240  # then the next one goes on
ENOUGH_FOR_HELP, HELPERS = 200, 3
RATED_ANEW = timedelta(days=70)  # invoices of the periods closed since then, each night


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


@shared_task(name="billing.tasks.run_invoices")
def run_invoices(*, helpers: int = HELPERS, **kwargs: Any) -> None:
    """Bill the periods that are due, one after another, together with helpers where there are many; then count."""
    services.open_runs(now=timezone.now(), grace=timedelta(hours=settings.IRISX_INVOICE_GRACE_HOURS))
    if helpers and services.waiting(now=timezone.now(), most=ENOUGH_FOR_HELP) == ENOUGH_FOR_HELP:
        for _ in range(helpers):
            run_invoices.delay(helpers=0)
    ends_at = time.monotonic() + RUN_SECONDS
    while time.monotonic() < ends_at and services.bill_next(now=timezone.now()):
        pass
    services.count_runs(now=timezone.now())


@shared_task(name="billing.tasks.reconcile")
def reconcile(**kwargs: Any) -> None:
    """Compare everything, keep what came of it for operators, and raise the alarm where something does not agree."""
    report = services.reconcile(now=timezone.now(), since=timezone.now() - RATED_ANEW)
    report.finished_at = timezone.now()
    report.save()
    if report.findings:
        logger.error("Reconciliation found %d differences, first %s", len(report.findings), report.findings[0])
