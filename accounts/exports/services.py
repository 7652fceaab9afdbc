"""Ask for an archive, make it part by part, hand it out, forget it."""

import gzip
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import IO, Final
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import audit
from accounts.audit import Actor
from accounts.exports import contents
from accounts.exports.archive import write_archive
from accounts.exports.models import TenantExport
from accounts.tenancy import system_access, tenant_scope
from common import jobs
from common.errors import NotFound, WrongState
from common.ids import encode
from common.models import Job

logger = logging.getLogger(__name__)

KIND: Final = "accounts.export"
KEPT: Final = timedelta(days=7)
LEASE: Final = timedelta(minutes=5)
ROWS_A_PART: Final = 5_000


@dataclass(frozen=True, slots=True)
class ExportState:
    """An export with its job."""

    export: TenantExport
    job: Job


def request_export(*, tenant_id: UUID, user_id: UUID, actor: Actor, now: datetime) -> tuple[ExportState, bool]:
    """Ask for an archive; return it and True, or the one under way and False. Its worker is woken by the caller."""
    try:
        with transaction.atomic():
            job = jobs.start(owner=tenant_id, kind=KIND, total_count=len(contents.SINGLE) + len(contents.tables()) + 1)
            export = TenantExport.objects.create(
                tenant_id=tenant_id, job_id=job.pk, requested_by=user_id, created_at=now, expires_at=now + KEPT
            )
            audit.record(tenant_id=tenant_id, action="tenant.exported", by=actor, object_id=encode("tex", export.pk))
    except IntegrityError:
        export = TenantExport.objects.for_tenant(tenant_id).get(finished_at=None)
        return export_state(tenant_id=tenant_id, export_id=export.pk), False
    return ExportState(export, job), True


def export_state(*, tenant_id: UUID, export_id: UUID) -> ExportState:
    """Return an export and how far it is; raise NotFound."""
    export = TenantExport.objects.for_tenant(tenant_id).filter(pk=export_id).first()
    job = Job.objects.filter(pk=export.job_id, owner=tenant_id).first() if export else None
    if export is None or job is None:
        raise NotFound("There is no such export.")
    return ExportState(export, job)


def archive_of(*, tenant_id: UUID, export_id: UUID, now: datetime) -> TenantExport:
    """Return an export whose archive can be handed out; raise NotFound, or WrongState while there is none."""
    export = export_state(tenant_id=tenant_id, export_id=export_id).export
    if not export.storage_key or export.expires_at <= now:
        raise WrongState("The archive is not ready, could not be made, or has expired.", code="no-file")
    return export


def waiting_exports(*, now: datetime) -> list[tuple[UUID, UUID]]:
    """Return (tenant, export) of what nobody works on, the oldest first."""
    with system_access("exports nobody works on"):
        is_free = Q(leased_until=None) | Q(leased_until__lt=now)
        found = TenantExport.unscoped.filter(is_free, finished_at=None).order_by("created_at")
        return list(found.values_list("tenant_id", "id")[:20])


def make_archive(*, tenant_id: UUID, export_id: UUID, clock: Callable[[], datetime]) -> bool:
    """Make an archive, or what is left of it; False when another worker has it or it is done."""
    export = _lease(tenant_id, export_id, clock())
    if export is None:
        return False
    with tenant_scope(tenant_id):
        todo = [*contents.SINGLE, *(table.name for table in contents.tables())]
        known = {table.name: table for table in contents.tables()}
    begun = todo.index(export.table) if export.table in todo else 0
    is_done = export.table in todo and export.after is None
    for name in todo[begun + is_done :]:
        table, is_last = known.get(name), False
        while not is_last:
            is_last = _add_part(export, name, table, now=clock())
    _pack(export, clock=clock)
    return True


def fail(*, tenant_id: UUID, export_id: UUID, now: datetime) -> None:
    """End an export that cannot be made. A repeat changes nothing."""
    with tenant_scope(tenant_id):
        export = TenantExport.objects.for_tenant(tenant_id).select_for_update().get(pk=export_id)
        if export.finished_at is None:
            export.finished_at, export.leased_until = now, None
            export.save(update_fields=["finished_at", "leased_until"])
            jobs.fail(job_id=export.job_id, error="The archive could not be made; ask for it again.", now=now)
    remove_files(export)


def forget(*, now: datetime) -> int:
    """Delete what has expired, files first; return how many."""
    with system_access("exports that have expired"):
        expired = list(TenantExport.unscoped.filter(expires_at__lte=now)[:1_000])
    for export in expired:
        remove_files(export)
        with tenant_scope(export.tenant_id):
            TenantExport.objects.for_tenant(export.tenant_id).filter(pk=export.pk).delete()
            Job.objects.filter(pk=export.job_id).delete()
    return len(expired)


def remove_files(export: TenantExport) -> None:
    """Delete an export's files; none there is as good."""
    for key in (*(key for _, key, _ in export.parts), export.storage_key):
        if key:
            default_storage.delete(key)


def _lease(tenant_id: UUID, export_id: UUID, now: datetime) -> TenantExport | None:
    with tenant_scope(tenant_id):
        mine = TenantExport.objects.for_tenant(tenant_id).filter(pk=export_id, finished_at=None)
        if not mine.filter(Q(leased_until=None) | Q(leased_until__lt=now)).update(leased_until=now + LEASE):
            return None
        return mine.get()


def _add_part(export: TenantExport, name: str, table: contents.Table | None, *, now: datetime) -> bool:
    """Store one part and count it; True when the table is read to its end."""
    after = export.after if export.table == name else None
    with tenant_scope(export.tenant_id):
        if table is None:
            found, last = contents.single_lines(name, export.tenant_id), None
        else:
            found, last = contents.lines(table, export.tenant_id, after=after, most=ROWS_A_PART)
    key = ""
    if found:
        key = f"exports/{export.tenant_id.hex}/{export.pk.hex}/{secrets.token_hex(24)}"
        content = gzip.compress("".join(line + "\n" for line in found).encode(), compresslevel=1)
        default_storage.save(key, File(BytesIO(content)))
        export.parts.append([name, key, len(found)])
    export.table, export.after = name, last
    with tenant_scope(export.tenant_id):
        if last is None:
            jobs.advance(job_id=export.job_id)
        _keep(export, now, parts=export.parts, table=name, after=last)
    return last is None


def _pack(export: TenantExport, *, clock: Callable[[], datetime]) -> None:
    """Put parts and files into one archive, store it, and end the job."""

    def keep_lease() -> None:
        with tenant_scope(export.tenant_id):
            _keep(export, clock())

    key = f"exports/{export.tenant_id.hex}/{export.pk.hex}/{secrets.token_hex(24)}"
    with write_archive(export, on_entry=keep_lease) as packed:
        digest = _digest(packed)
        size = packed.tell()
        packed.seek(0)
        default_storage.save(key, File(packed))
    now = clock()
    with tenant_scope(export.tenant_id):
        _keep(export, now, storage_key=key, size_bytes=size, sha256=digest, finished_at=now, leased_until=None)
        jobs.advance(job_id=export.job_id)
        jobs.finish(job_id=export.job_id, result={"sha256": digest.hex(), "size_bytes": size}, now=now)
    for _, part, _ in export.parts:
        default_storage.delete(part)


def _digest(file: IO[bytes]) -> bytes:
    """Return the file's SHA-256 and leave the file at its end."""
    found = hashlib.sha256()
    while block := file.read(1 << 20):
        found.update(block)
    return found.digest()


def _keep(export: TenantExport, now: datetime, **changed: object) -> None:
    """Save what changed and hold the lease; raise WrongState when another worker took the export meanwhile."""
    held = TenantExport.objects.for_tenant(export.tenant_id).filter(
        pk=export.pk, finished_at=None, leased_until=export.leased_until
    )
    lease = {"leased_until": now + LEASE} | changed
    if not held.update(**lease):
        raise WrongState("Another worker has this export.")
    for name, value in lease.items():
        setattr(export, name, value)
