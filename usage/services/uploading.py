"""Long CSV files: kept with a job, worked off a thousand rows a transaction, and taken up again where a worker died."""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from common import jobs
from common.errors import DomainError, NotFound
from common.models import Job
from usage.csv_events import events_of
from usage.ingest_presenting import present_outcome
from usage.models import UsageUpload
from usage.outcomes import Outcome, Status
from usage.services.ingesting import MOST_EVENTS, ingest
from usage.windows import window_at

KIND = "usage.csv"
MOST_FAULTS = 1_000
LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class UploadState:
    """An upload and how far it is."""

    upload: UsageUpload
    job: Job


def start_upload(*, tenant_id: UUID, content: bytes, row_count: int, file_name: str, now: datetime) -> UploadState:
    """Keep a file of events for a worker; times are judged by `now`, whenever it is worked off."""
    job = jobs.start(owner=tenant_id, kind=KIND, total_count=row_count)
    upload = UsageUpload.objects.create(
        tenant_id=tenant_id,
        job_id=job.pk,
        file_name=file_name[:200],
        content=zlib.compress(content, 1),
        counts=dict.fromkeys(Status, 0),
        received_at=now,
    )
    return UploadState(upload, job)


def upload_state(*, tenant_id: UUID, upload_id: UUID) -> UploadState:
    """Return an upload with its job; raise NotFound."""
    upload = UsageUpload.objects.for_tenant(tenant_id).defer("content").filter(pk=upload_id).first()
    job = Job.objects.filter(pk=upload.job_id, owner=tenant_id).first() if upload else None
    if upload is None or job is None:
        raise NotFound("There is no such upload.")
    return UploadState(upload, job)


def waiting_uploads(*, now: datetime) -> list[tuple[UUID, UUID]]:
    """Return (tenant, upload) of what nobody works on, the oldest first. Needs system access."""
    is_free = Q(leased_until=None) | Q(leased_until__lt=now)
    found = UsageUpload.unscoped.filter(is_free, content__isnull=False).order_by("received_at")
    return list(found.values_list("tenant_id", "id")[:100])


def lease_upload(*, tenant_id: UUID, upload_id: UUID, now: datetime) -> bytes | None:
    """Take an upload for a minute and return its file; None when another worker has it or it is done."""
    waiting = UsageUpload.objects.for_tenant(tenant_id).filter(pk=upload_id, content__isnull=False)
    taken = waiting.filter(Q(leased_until=None) | Q(leased_until__lt=now)).update(leased_until=now + LEASE)
    content = waiting.values_list("content", flat=True).first() if taken else None
    return None if content is None else zlib.decompress(content)


def chunks_of(content: bytes) -> Iterator[tuple[int, list[tuple[int, dict[str, Any]]]]]:
    """Yield a file's events by thousands, each chunk with the number of its first row, from 0."""
    events, start = events_of(content), 0
    while chunk := list(islice(events, MOST_EVENTS)):
        yield start, chunk
        start += len(chunk)


def take_chunk(
    *, tenant_id: UUID, upload_id: UUID, start: int, chunk: Sequence[tuple[int, dict[str, Any]]], now: datetime
) -> None:
    """Store a chunk's events and count it as done, in one transaction; a chunk that was taken before changes nothing.

    Raises what `ingest` raises.
    """
    with transaction.atomic():
        rows = UsageUpload.objects.for_tenant(tenant_id).filter(pk=upload_id, next_row=start, content__isnull=False)
        upload = rows.defer("content").select_for_update().first()
        if upload is None:
            return
        outcomes = ingest(
            tenant_id=tenant_id, raw_events=[event for _, event in chunk], window=window_at(upload.received_at)
        )
        upload.counts = dict(Counter(upload.counts) + Counter(str(outcome.status) for outcome in outcomes))
        room = MOST_FAULTS - len(upload.faults)
        upload.faults += list(islice(_faults(start, chunk, outcomes), room))
        upload.next_row = start + len(chunk)
        upload.leased_until = now + LEASE
        upload.save(update_fields=["counts", "faults", "next_row", "leased_until"])
        jobs.advance(job_id=upload.job_id, by=len(chunk))


def finish_upload(*, tenant_id: UUID, upload_id: UUID, now: datetime) -> None:
    """Let go of the file and end the job. A repeat changes nothing."""
    with transaction.atomic():
        state = _let_go(tenant_id, upload_id)
        if state is not None:
            jobs.finish(job_id=state.job_id, result=present_counts(state), now=now)


def fail_upload(*, tenant_id: UUID, upload_id: UUID, error: DomainError, now: datetime) -> None:
    """Let go of the file and end the job with the refusal; what was stored stays."""
    with transaction.atomic():
        state = _let_go(tenant_id, upload_id)
        if state is not None:
            jobs.fail(job_id=state.job_id, error=error.message, now=now)


def present_counts(upload: UsageUpload) -> dict[str, int]:
    """Return how many rows had each outcome."""
    return {str(status): upload.counts.get(status, 0) for status in Status}


def _faults(
    start: int, chunk: Sequence[tuple[int, dict[str, Any]]], outcomes: Sequence[Outcome]
) -> Iterator[dict[str, Any]]:
    for index, ((line, event), outcome) in enumerate(zip(chunk, outcomes, strict=True), start=start):
        if outcome.problems:
            key = event.get("idempotency_key")
            yield present_outcome(index, key, outcome, base=f"/rows/{index}", line=line)


def _let_go(tenant_id: UUID, upload_id: UUID) -> UsageUpload | None:
    rows = UsageUpload.objects.for_tenant(tenant_id).filter(pk=upload_id)
    if not rows.filter(content__isnull=False).update(content=None, leased_until=None):
        return None
    return rows.get()
