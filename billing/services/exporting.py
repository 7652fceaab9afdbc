"""Export invoices: a short file at once, a long one by a worker, a piece per transaction, with progress.

A worker that dies leaves nothing but its lease; the next one begins anew. Documents that were made meanwhile are stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing import listing
from billing.errors import NoEInvoice, NothingToExport
from billing.exports import tables
from billing.exports.csv_file import CsvFile
from billing.exports.xlsx_file import XlsxFile
from billing.exports.zip_file import Archive
from billing.listing import InvoiceFilter
from billing.models import CreditNote, Export, Invoice
from billing.selectors import credit_notes_of, invoices_of
from billing.services import documents
from common import jobs
from common.errors import DomainError, Invalid, NotFound, WrongState
from common.models import Job

KIND = "billing.export"
LEASE = timedelta(minutes=2)
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Size:
    """How many pieces of a kind are made at once in the request, per transaction by a worker, and at most."""

    at_once: int
    piece: int
    most: int


LIST, DOCUMENTS = Size(500, 1_000, 100_000), Size(6, 20, 1_000)


@dataclass(frozen=True)
class ExportState:
    """An export without its file, and how far it is."""

    export: Export
    job: Job


@dataclass(frozen=True)
class Source:
    """One row or set of documents to come: an invoice or a credit note."""

    model: type[Invoice] | type[CreditNote]
    id: UUID


def start_export(*, tenant_id: UUID, kind: str, file_format: str, wanted: InvoiceFilter, now: datetime) -> ExportState:
    """Make a file of what the filter asks for, or leave a long one to a worker. It is kept for seven days.

    Raises Invalid for a format the kind does not have and for too much at once, NothingToExport.
    """
    if (kind == Export.Kind.DOCUMENTS) != (file_format == Export.Format.ZIP):
        raise Invalid("Documents come as zip, lists as csv or xlsx.", pointer="/format")
    size = size_of(kind)
    sources = _sources(tenant_id, kind, wanted, size.most + 1)
    if not sources:
        raise NothingToExport("Nothing matches: there would be nothing in the file.")
    if len(sources) > size.most:
        message = f"More than {size.most} at once; narrow the days."
        raise Invalid(message, code="too-much", pointer="/start_date")
    with transaction.atomic():
        job = jobs.start(owner=tenant_id, kind=KIND, total_count=len(sources))
        export = Export.objects.create(
            tenant_id=tenant_id,
            job_id=job.pk,
            kind=kind,
            file_format=file_format,
            filters=wanted.written(),
            file_name=_file_name(kind, file_format, wanted, now),
            created_at=now,
            expires_at=now + KEPT,
        )
        if len(sources) <= size.at_once:
            packer = Packer(export)
            packer.add(sources)
            finish_export(tenant_id=tenant_id, export_id=export.pk, content=packer.finish(), now=now)
    return export_state(tenant_id=tenant_id, export_id=export.pk)


def export_state(*, tenant_id: UUID, export_id: UUID) -> ExportState:
    """Return an export with its job, without its file; raise NotFound for a foreign one."""
    export = Export.objects.for_tenant(tenant_id).defer("content").filter(pk=export_id).first()
    job = Job.objects.filter(pk=export.job_id, owner=tenant_id).first() if export else None
    if export is None or job is None:
        raise NotFound("There is no such export.")
    return ExportState(export, job)


def export_file(*, tenant_id: UUID, export_id: UUID) -> tuple[Export, bytes]:
    """Return an export with its file; raise NotFound, or WrongState while there is none."""
    export = Export.objects.for_tenant(tenant_id).filter(pk=export_id).first()
    if export is None:
        raise NotFound("There is no such export.")
    if export.content is None:
        raise WrongState("The file is not ready, could not be made, or has expired.", code="no-file")
    return export, bytes(export.content)


def waiting_exports(*, now: datetime) -> list[tuple[UUID, UUID]]:
    """Return (tenant, export) of what nobody works on, the oldest first. Needs system access."""
    is_free = Q(leased_until=None) | Q(leased_until__lt=now)
    found = Export.unscoped.filter(is_free, finished_at=None, expires_at__gt=now).order_by("created_at")
    return list(found.values_list("tenant_id", "id")[:100])


def lease_export(*, tenant_id: UUID, export_id: UUID, now: datetime) -> "Work | None":
    """Take an export for two minutes and return what goes into it, by pieces; None when another has it or it is done."""
    waiting = Export.objects.for_tenant(tenant_id).filter(pk=export_id, finished_at=None)
    if not waiting.filter(Q(leased_until=None) | Q(leased_until__lt=now)).update(leased_until=now + LEASE):
        return None
    export = waiting.get()
    Job.objects.filter(pk=export.job_id).update(done_count=0)
    size = size_of(export.kind)
    sources = _sources(tenant_id, export.kind, listing.filter_of(export.filters), size.most)
    pieces = [sources[start : start + size.piece] for start in range(0, len(sources), size.piece)]
    return Work(export, Packer(export), pieces)


@dataclass(frozen=True)
class Work:
    """An export a worker has taken: what is packed so far, and the pieces to come."""

    export: Export
    packer: "Packer"
    pieces: list[list[Source]]


def add_piece(work: Work, piece: Sequence[Source], *, now: datetime) -> None:
    """Pack one piece, count it as done and keep the lease."""
    export = work.export
    work.packer.add(piece)
    jobs.advance(job_id=export.job_id, by=len(piece))
    Export.objects.for_tenant(export.tenant_id).filter(pk=export.pk).update(leased_until=now + LEASE)


def finish_export(*, tenant_id: UUID, export_id: UUID, content: bytes, now: datetime) -> None:
    """Store the file and end the job, in one transaction. A repeat changes nothing."""
    with transaction.atomic():
        rows = Export.objects.for_tenant(tenant_id).filter(pk=export_id, finished_at=None)
        digest = sha256(content).hexdigest()
        stored = rows.update(
            content=content, sha256=digest, size_bytes=len(content), finished_at=now, leased_until=None
        )
        if stored:
            job_id = Export.objects.for_tenant(tenant_id).values_list("job_id", flat=True).get(pk=export_id)
            total = Job.objects.values_list("total_count", flat=True).get(pk=job_id)
            Job.objects.filter(pk=job_id).update(done_count=total)
            jobs.finish(job_id=job_id, result={"sha256": digest, "size_bytes": len(content)}, now=now)


def fail_export(*, tenant_id: UUID, export_id: UUID, error: DomainError, now: datetime) -> None:
    """End the job with the refusal. A repeat changes nothing."""
    with transaction.atomic():
        rows = Export.objects.for_tenant(tenant_id).filter(pk=export_id)
        if rows.filter(finished_at=None).update(finished_at=now, leased_until=None):
            jobs.fail(job_id=rows.values_list("job_id", flat=True).get(), error=error.message, now=now)


def forget_exports(*, now: datetime) -> int:
    """Delete what has expired, files and rows; return how many. Needs system access."""
    return Export.unscoped.filter(expires_at__lte=now).delete()[0]


class Packer:
    """Writes invoices and credit notes into the file of an export."""

    def __init__(self, export: Export) -> None:
        self._tenant_id = export.tenant_id
        self._rows: CsvFile | XlsxFile | None = None
        self._archive = Archive()
        if export.kind != Export.Kind.DOCUMENTS:
            table = tables.INVOICES if export.kind == Export.Kind.INVOICES else tables.CREDIT_NOTES
            is_csv = export.file_format == Export.Format.CSV
            self._rows = CsvFile(table) if is_csv else XlsxFile(table, now=export.created_at)

    def add(self, sources: Sequence[Source]) -> None:
        """Write what the sources are now; one deleted since (a draft) is left out."""
        if self._rows is not None:
            for row in self._read(sources):
                self._rows.add(row)
            return
        for source in sources:
            self._pack(source)

    def finish(self) -> bytes:
        """Return the file."""
        return (self._rows or self._archive).finish()

    def _read(self, sources: Sequence[Source]) -> list[list[Any]]:
        ids = [source.id for source in sources]
        if sources[0].model is Invoice:
            invoices = invoices_of(tenant_id=self._tenant_id).filter(pk__in=ids).defer("usage_days").in_bulk()
            return [tables.invoice_row(invoices[id]) for id in ids if id in invoices]
        notes = credit_notes_of(tenant_id=self._tenant_id).filter(pk__in=ids).in_bulk()
        return [tables.credit_note_row(notes[id]) for id in ids if id in notes]

    def _pack(self, source: Source) -> None:
        """Put a document's PDF in, and its e-invoice where there can be one."""
        pdf: Callable[..., documents.Printed]
        xml: Callable[..., documents.Printed]
        if source.model is Invoice:
            pdf, xml, name = documents.invoice_pdf, documents.invoice_xml, "invoice_id"
        else:
            pdf, xml, name = documents.credit_note_pdf, documents.credit_note_xml, "credit_note_id"
        which = {"tenant_id": self._tenant_id, name: source.id}
        printed = pdf(**which)
        self._archive.add(printed.filename, printed.content)
        try:
            printed = xml(**which)
        except NoEInvoice:
            return
        self._archive.add(printed.filename, printed.content)


def size_of(kind: str) -> Size:
    """Return how much of a kind is made at once and at most."""
    return DOCUMENTS if kind == Export.Kind.DOCUMENTS else LIST


def _sources(tenant_id: UUID, kind: str, wanted: InvoiceFilter, most: int) -> list[Source]:
    """Return what goes into a file, in its order: lists the newest first, documents by their day."""
    if kind == Export.Kind.INVOICES:
        invoices = listing.invoices_matching(tenant_id=tenant_id, wanted=wanted).order_by(
            "-period_start", "-created_at"
        )
        return [Source(Invoice, id) for id in invoices.values_list("pk", flat=True)[:most]]
    notes = listing.credit_notes_matching(tenant_id=tenant_id, wanted=wanted).order_by("-issue_date", "-created_at")
    if kind == Export.Kind.CREDIT_NOTES:
        return [Source(CreditNote, id) for id in notes.values_list("pk", flat=True)[:most]]
    issued = listing.invoices_issued(tenant_id=tenant_id, wanted=wanted).order_by("issue_date", "series_number")
    found = [Source(Invoice, id) for id in issued.values_list("pk", flat=True)[:most]]
    if not wanted.status:
        found += [Source(CreditNote, id) for id in notes.reverse().values_list("pk", flat=True)[:most]]
    return found[:most]


def _file_name(kind: str, file_format: str, wanted: InvoiceFilter, now: datetime) -> str:
    if wanted.start_date and wanted.end_date:
        days = f"{wanted.start_date}-to-{wanted.end_date}"
    else:
        days = str(wanted.start_date or wanted.end_date or now.date())
    return f"{kind.replace('_', '-')}-{days}.{file_format}"
