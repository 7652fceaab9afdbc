"""Take call detail records in, and work them off."""

import hashlib
import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.tenancy import tenant_scope
from telephony import facts
from telephony.cdr.models import CallReport, ReportStatus
from telephony.cdr.reading import Unreadable, read
from telephony.services.finalizing import finalize_leg
from telephony.services.reconciling import owner_of
from telephony.states import Evidence

log = logging.getLogger(__name__)

BATCH = 500
# A record may come before its call is in the books: of a call that came in, or while the listener is away.
STRANGERS_WAIT = timedelta(days=7)
KEPT_FOR = timedelta(days=30)
LONGEST_WAIT = timedelta(minutes=10)


def take_in(*, body: bytes, now: datetime) -> bool:
    """Store a record as it came; False when the very same was taken before. One statement. What can't be read is kept too."""
    try:
        channel, status = UUID(read(body)["uuid"]), ReportStatus.WAITING
    except Unreadable as error:
        log.error("a call detail record is unreadable: %s", error)
        channel, status = None, ReportStatus.UNREADABLE
    report = CallReport(
        channel_id=channel,
        content_hash=hashlib.sha256(body).digest(),
        body=body,
        status=status.value,
        due_at=now,
        received_at=now,
    )
    CallReport.objects.bulk_create([report], ignore_conflicts=True)
    return status is ReportStatus.WAITING


def work_off(*, now: datetime, most: int = BATCH) -> int:
    """Bring the records that are due into the books, each in a transaction of its own; return how many were."""
    due = CallReport.objects.filter(status=ReportStatus.WAITING.value, due_at__lte=now).order_by("due_at", "id")
    return sum(_work(key, now=now) for key in list(due.values_list("pk", flat=True)[:most]))


def forget(*, now: datetime) -> int:
    """Delete what is old, and strangers after a week; return how many strangers, which are told to the log too."""
    strangers, _ = CallReport.objects.filter(
        status=ReportStatus.WAITING.value, received_at__lt=now - STRANGERS_WAIT
    ).delete()
    if strangers:
        log.warning("%d call detail records of channels nobody knows are dropped", strangers)
    CallReport.objects.filter(received_at__lt=now - KEPT_FOR).delete()
    return strangers


def _work(key: UUID, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            return _apply(key, now=now)
    except Exception:
        log.exception("call detail record %s could not be worked off; it waits", key)
        with transaction.atomic():
            report = _claimed(key)
            if report is not None:
                _postpone(report, now=now)
        return False


def _apply(key: UUID, *, now: datetime) -> bool:
    report = _claimed(key)
    if report is None or report.channel_id is None:
        return False
    owner = owner_of(leg_id=report.channel_id)
    ended = facts.reported(read(bytes(report.body)), received_at=report.received_at)
    if owner is None or ended is None:
        _postpone(report, now=now)
        return False
    with tenant_scope(owner.tenant_id):
        finalize_leg(tenant_id=owner.tenant_id, call_id=owner.call_id, ended=ended, now=now, evidence=Evidence.REPORT)
    report.status = ReportStatus.DONE.value
    report.save(update_fields=["status"])
    return True


def _claimed(key: UUID) -> CallReport | None:
    """Return the record, locked, None when somebody else has it or is done with it."""
    waiting = CallReport.objects.select_for_update(skip_locked=True).filter(pk=key, status=ReportStatus.WAITING.value)
    return waiting.first()


def _postpone(report: CallReport, *, now: datetime) -> None:
    report.tries += 1
    report.due_at = now + min(timedelta(seconds=2 ** min(report.tries, 10)), LONGEST_WAIT)
    report.save(update_fields=["tries", "due_at"])
