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
MAIL_SECONDS = 120
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
        except Exception:  # whatever is wrong with one tenant, the others get their drafts
            logger.exception("The draft of period %s was not made", one.period_id)


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


@shared_task(name="billing.tasks.send_mail")
def send_mail(**kwargs: Any) -> None:
    """Send the e-mails that are due, one after another; any number of workers may."""
    services.give_up_unclear(now=timezone.now())
    ends_at = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < ends_at and services.send_next(now=timezone.now()):
        pass


@shared_task(name="billing.tasks.remind")
def remind(**kwargs: Any) -> None:
    """Make overdue what is past its day, an invoice at a time, then have the reminders sent whose day has come."""
    for tenant_id, invoice_id in services.past_due(now=timezone.now()):
        try:
            with tenant_scope(tenant_id):
                services.mark_overdue(tenant_id=tenant_id, invoice_id=invoice_id, now=timezone.now())
        except Exception:  # whatever is wrong with one, the others become overdue
            logger.exception("Invoice %s did not become overdue", invoice_id)
    services.queue_reminders(now=timezone.now(), days=settings.IRISX_REMINDER_DAYS)
