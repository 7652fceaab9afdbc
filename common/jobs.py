"""Long work with progress: a row to look at while a task runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from common.models import Job


def start(*, owner: UUID, kind: str, total_count: int = 0) -> Job:
    """Write a waiting job; whoever runs it goes through `advance` to `finish` or `fail`."""
    return Job.objects.create(owner=owner, kind=kind, total_count=total_count)


def advance(*, job_id: UUID, by: int = 1) -> None:
    """Count `by` more pieces as done; the first call turns the job to running."""
    Job.objects.filter(id=job_id).update(status=Job.Status.RUNNING, done_count=F("done_count") + by)


def finish(*, job_id: UUID, result: dict[str, Any], now: datetime) -> None:
    """Mark the job as done. A repeat changes nothing."""
    _end(job_id, now, status=Job.Status.DONE, result=result)


def fail(*, job_id: UUID, error: str, now: datetime) -> None:
    """Mark the job as failed with a sentence for its owner."""
    _end(job_id, now, status=Job.Status.FAILED, error=error)


def _end(job_id: UUID, now: datetime, **fields: Any) -> None:
    Job.objects.filter(id=job_id, finished_at=None).update(finished_at=now, **fields)
