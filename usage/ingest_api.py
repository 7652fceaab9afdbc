"""Usage events over HTTP: listed, taken in by JSON or CSV, and corrected."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TenantViewSet
from common.clients import address_of
from common.errors import Invalid
from common.http import JSONParser, TooLarge
from common.ids import decode, encode
from common.pagination import paginate
from common.timestamps import rfc3339
from usage import ingest_schemas, schemas
from usage.csv_events import events_of
from usage.ingest_presenting import present_event, present_outcome
from usage.outcomes import Status
from usage.selectors.events import event_of, events_asked_for
from usage.services.auditing import Actor
from usage.services.ingesting import MOST_EVENTS, ingest
from usage.services.reversing import Correction, amend_record, void_record
from usage.services.uploading import UploadState, present_counts, start_upload, upload_state
from usage.windows import window_at

CSV_BYTES = 50 * 1024 * 1024
QUERY = [
    OpenApiParameter("channel", str),
    OpenApiParameter("resource_type", str),
    OpenApiParameter("start_date", date, description="First local day; 30 days until end_date by default."),
    OpenApiParameter("end_date", date, description="Last local day, inclusive. At most 400 days."),
    OpenApiParameter("idempotency_key", str, description="As it was sent; kept for 125 days."),
    OpenApiParameter("cursor", str, description="From `next` or `previous` of another page."),
    OpenApiParameter("limit", int, description="1 to 200, 50 by default."),
]


class CsvParser(BaseParser):
    """Take a CSV body of at most 50 MiB as it is."""

    media_type = "text/csv"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return _bounded(stream.read(CSV_BYTES + 1))


class EventsViewSet(TenantViewSet):
    permissions = {
        "list": "usage.read", "show": "usage.read", "create": "usage.write", "void": "usage.write",
        "amend": "usage.write", "upload": "usage.read",
    }  # fmt: skip
    parser_classes = [JSONParser, CsvParser, MultiPartParser]

    @extend_schema(
        summary="Usage events, newest first",
        parameters=QUERY,
        responses={200: schemas.UsageEventPage},
        tags=["usage"],
    )
    def list(self, request: Request) -> Response:
        found = events_asked_for(request.query_params, tenant_id=self.principal.tenant_id, now=self.now)
        return Response(paginate(found, request, present=present_event, moment="occurred_at"))

    @extend_schema(summary="One usage event", responses={200: schemas.UsageEventRow}, tags=["usage"])
    def show(self, request: Request, id: str) -> Response:
        return Response(self._event(id))

    @extend_schema(
        summary="Send usage events",
        description="One object, `{\"events\": […]}` of at most 1,000, or a CSV file with the same fields as columns: as the "
        "body (`text/csv`) or as a form's `file`. Each has its own outcome; valid ones are stored though others fail. "
        "More than 1,000 rows are worked off in the background: 202 and where to look.",
        request={
            "application/json": ingest_schemas.UsageEventBatch,
            "text/csv": OpenApiTypes.STR,
            "multipart/form-data": OpenApiTypes.BINARY,
        },
        responses={200: ingest_schemas.BatchAnswer, 202: ingest_schemas.UploadAnswer},
        examples=[ingest_schemas.BATCH_EXAMPLE, ingest_schemas.ANSWER_EXAMPLE],
        tags=["usage"],
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        data = request.data
        if isinstance(data, bytes):
            return self._take_file(data, "")
        if request.content_type.startswith("multipart/"):
            file = data.get("file")
            if not isinstance(file, UploadedFile):
                raise Invalid("Send one file in the field `file`.", code="required", pointer="/file")
            return self._take_file(_bounded(file.read(CSV_BYTES + 1)), file.name or "")
        return self.once(lambda: self._take_json(data))

    @extend_schema(
        summary="How far a CSV file is", responses={200: ingest_schemas.UploadAnswer}, tags=["usage"]
    )  # fmt: skip
    def upload(self, request: Request, id: str) -> Response:
        state = upload_state(tenant_id=self.principal.tenant_id, upload_id=decode("uu", id))
        return Response(present_upload(state))

    @extend_schema(
        summary="Take an event back",
        description="Adds its reversal, billed in its period or, once closed, in the open one. Events the platform measured "
        "itself are corrected by its operator alone.",
        request=ingest_schemas.VoidInput,
        examples=[OpenApiExample("Sent by mistake", {"reason": "sent by mistake"}, request_only=True)],
        responses={201: ingest_schemas.CorrectionAnswer, 200: ingest_schemas.CorrectionAnswer},
        tags=["usage"],
    )
    def void(self, request: Request, id: str) -> Response:
        reason = self.read(ingest_schemas.VoidInput).get("reason", "")
        return self._corrected(
            lambda: void_record(
                tenant_id=self.principal.tenant_id,
                record_id=decode("ur", id),
                now=self.now,
                actor=self._actor(),
                reason=reason,
            )
        )

    @extend_schema(
        summary="Correct an event",
        description="Takes it back and records what it should have been: the fields sent here, the others as they were.",
        request=ingest_schemas.AmendInput,
        examples=[OpenApiExample("Two, not one", {"quantity": "2"}, request_only=True)],
        responses={201: ingest_schemas.CorrectionAnswer, 200: ingest_schemas.CorrectionAnswer},
        tags=["usage"],
    )
    def amend(self, request: Request, id: str) -> Response:
        if not isinstance(request.data, Mapping):
            raise Invalid("The body must be a JSON object.", pointer="/")
        changes = dict(request.data)
        reason = _reason(changes.pop("reason", ""))
        return self._corrected(
            lambda: amend_record(
                tenant_id=self.principal.tenant_id,
                record_id=decode("ur", id),
                changes=changes,
                window=window_at(self.now),
                actor=self._actor(),
                reason=reason,
            )
        )

    def _take_json(self, data: Any) -> Response:
        is_batch = isinstance(data, Mapping) and "events" in data
        events = data["events"] if is_batch else [data]
        if not isinstance(events, list) or not 1 <= len(events) <= MOST_EVENTS:
            raise Invalid(f"events is a list of 1 to {MOST_EVENTS:,}.", code="events", pointer="/events")
        if is_batch and len(data) > 1:
            raise Invalid("Beside events nothing is read.", code="unknown-field", pointer="/")
        base = [f"/events/{index}" if is_batch else "" for index in range(len(events))]
        return Response(self._ingest(events, base))

    def _take_file(self, content: bytes, file_name: str) -> Response:
        """Answer a short file at once, a long one by where to look; once per Idempotency-Key."""
        rows = list(islice(events_of(content), MOST_EVENTS + 1))
        digest = sha256(content).hexdigest()
        if len(rows) > MOST_EVENTS:
            return self.once(lambda: self._start(content, file_name), body=digest)
        base = [f"/rows/{index}" for index in range(len(rows))]
        lines, events = [line for line, _ in rows], [event for _, event in rows]
        return self.once(lambda: Response(self._ingest(events, base, lines)), body=digest)

    def _start(self, content: bytes, file_name: str) -> Response:
        state = start_upload(
            tenant_id=self.principal.tenant_id,
            content=content,
            row_count=sum(1 for _ in events_of(content)),
            file_name=file_name,
            now=self.now,
        )
        return Response(present_upload(state), status=202)

    def _ingest(self, events: Sequence[Any], base: Sequence[str], lines: Sequence[int] = ()) -> dict[str, Any]:
        outcomes = ingest(tenant_id=self.principal.tenant_id, raw_events=events, window=window_at(self.now))
        counts = Counter(outcome.status for outcome in outcomes)
        results = [
            present_outcome(index, _key(event), outcome, base=base[index], line=lines[index] if lines else None)
            for index, (event, outcome) in enumerate(zip(events, outcomes, strict=True))
        ]
        return {"results": results, **{str(status): counts[status] for status in Status}}

    def _corrected(self, correct: Callable[[], Correction]) -> Response:
        def answer() -> Response:
            correction = correct()
            body = {
                "reversal": self._event(encode("ur", correction.reversal_id)),
                "amendment": self._event(encode("ur", correction.amendment_id)) if correction.amendment_id else None,
            }
            return Response(body, status=200 if correction.is_repeat else 201)

        return self.once(answer)

    def _actor(self) -> Actor:
        who = self.principal
        return Actor(str(who.kind), who.name, who.id, address_of(self.request) or None)

    def _event(self, id: str) -> dict[str, Any]:
        return present_event(event_of(tenant_id=self.principal.tenant_id, record_id=decode("ur", id)))


def present_upload(state: UploadState) -> dict[str, Any]:
    """Return the body of an upload."""
    upload, job = state.upload, state.job
    return {
        "id": encode("uu", upload.pk),
        "file_name": upload.file_name,
        "status": job.status,
        "done_count": job.done_count,
        "total_count": job.total_count,
        **present_counts(upload),
        "faults": upload.faults,
        "error": job.error,
        "received_at": rfc3339(upload.received_at),
        "finished_at": rfc3339(job.finished_at),
    }


def _key(event: Any) -> Any:
    return event.get("idempotency_key") if isinstance(event, Mapping) else None


def _reason(given: Any) -> str:
    bound = ingest_schemas.VoidInput(data={"reason": given})
    bound.is_valid(raise_exception=True)
    return str(bound.validated_data["reason"])


def _bounded(content: bytes) -> bytes:
    if len(content) > CSV_BYTES:
        raise TooLarge(f"The file is larger than {CSV_BYTES:,} bytes.")
    return content
