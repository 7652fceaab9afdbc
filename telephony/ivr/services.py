"""Draw flows, publish them, and read how callers got on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from common.errors import Conflict, FieldProblem, Invalid, NotFound
from common.ids import decode, encode
from common.outgoing import check_url
from telephony.inbound.models import Extension
from telephony.ivr import definition
from telephony.ivr.definition import Enqueue, Flow, Transfer
from telephony.ivr.models import IvrFlow, IvrFlowVersion, IvrSession, SessionStatus
from telephony.queues.models import Queue

MOST_BYTES = 64 * 1024


def flows(*, tenant_id: UUID) -> QuerySet[IvrFlow]:
    """Return a tenant's flows. No query yet."""
    return IvrFlow.objects.for_tenant(tenant_id)


def flow(*, tenant_id: UUID, flow_id: UUID) -> IvrFlow:
    """Return one flow; raises NotFound."""
    found = flows(tenant_id=tenant_id).filter(pk=flow_id).first()
    if found is None:
        raise NotFound("There is no such flow.")
    return found


def create_flow(*, tenant_id: UUID, name: str, draft: Any, by: Actor, now: datetime) -> IvrFlow:
    """Keep a new flow's draft, whatever its mistakes. Raises Conflict for a name that is taken, Invalid for what is no object."""
    row = IvrFlow(tenant_id=tenant_id, name=name, draft=_kept(draft), created_at=now, updated_at=now)
    _store(row, force_insert=True)
    _audit(row, "ivr_flow.created", by, {"name": name})
    return row


def change_flow(*, tenant_id: UUID, flow_id: UUID, changes: Mapping[str, Any], by: Actor, now: datetime) -> IvrFlow:
    """Change name or draft; callers hear what was published until it is published again."""
    row = _locked(tenant_id, flow_id)
    row.name = changes.get("name", row.name)
    if "definition" in changes:
        row.draft = _kept(changes["definition"])
    row.updated_at = now
    _store(row, update_fields=["name", "draft", "updated_at"])
    _audit(row, "ivr_flow.changed", by, {"name": row.name})
    return row


def publish_flow(*, tenant_id: UUID, flow_id: UUID, by: Actor, now: datetime) -> IvrFlowVersion:
    """Let the draft answer calls from now on, as a version that is never changed. Raises Invalid with every mistake.

    A repeat without a change between answers the version there is.
    """
    row = _locked(tenant_id, flow_id)
    if mistakes := problems(tenant_id=tenant_id, draft=row.draft):
        raise Invalid.many([FieldProblem(f"/definition{m.pointer}", m.code, m.detail) for m in mistakes])
    latest = row.versions.filter(number=row.last_version).first()
    if latest is not None and latest.definition == row.draft:
        return latest
    row.last_version += 1
    version = IvrFlowVersion.objects.create(
        tenant_id=tenant_id,
        flow=row,
        number=row.last_version,
        definition=row.draft,
        published_by=by.id,
        created_at=now,
    )
    row.published_version, row.updated_at = version.number, now
    row.save(update_fields=["last_version", "published_version", "updated_at"])
    _audit(row, "ivr_flow.published", by, {"version": version.number})
    return version


def delete_flow(*, tenant_id: UUID, flow_id: UUID, by: Actor) -> None:
    """Delete a flow with its history; raises NotFound, or Conflict while a caller is in it."""
    row = _locked(tenant_id, flow_id)
    if sessions(tenant_id=tenant_id).filter(version__flow=row, status=SessionStatus.ACTIVE.value).exists():
        raise Conflict("A caller is in this flow now.", code="in-use")
    _audit(row, "ivr_flow.deleted", by, {"name": row.name})
    row.delete()


def problems(*, tenant_id: UUID, draft: Any) -> list[FieldProblem]:
    """Return every mistake of a draft, with pointers into it: those of the flow itself, else what it names that is not there."""
    if found := definition.problems(draft):
        return found
    return _strangers(tenant_id, definition.read(draft))


def sessions(*, tenant_id: UUID) -> QuerySet[IvrSession]:
    """Return callers' ways through flows. No query yet."""
    return IvrSession.objects.for_tenant(tenant_id).select_related("version")


def session(*, tenant_id: UUID, session_id: UUID) -> IvrSession:
    """Return one session; raises NotFound."""
    found = sessions(tenant_id=tenant_id).filter(pk=session_id).first()
    if found is None:
        raise NotFound("There is no such session.")
    return found


def _strangers(tenant_id: UUID, read: Flow) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    for pointer, url in definition.urls(read):
        try:
            check_url(url, pointer=pointer)
        except Invalid as error:
            found.extend(error.errors)
    queues = set(Queue.objects.for_tenant(tenant_id).values_list("pk", flat=True))
    numbers = set(Extension.objects.for_tenant(tenant_id).values_list("number", flat=True))
    for name, node in read.nodes.items():
        if isinstance(node, Enqueue) and decode("qu", node.queue) not in queues:
            found.append(FieldProblem(f"/nodes/{name}/queue", "not-found", "There is no such queue."))
        if isinstance(node, Transfer) and node.extension is not None and node.extension not in numbers:
            found.append(FieldProblem(f"/nodes/{name}/extension", "not-found", "There is no such extension."))
    return found


def _kept(draft: Any) -> dict[str, Any]:
    """Return a draft the database can hold; raises Invalid for anything else."""
    if not isinstance(draft, dict):
        raise Invalid("A flow is an object with start and nodes.", code="not-an-object", pointer="/definition")
    encoded = orjson.dumps(draft)
    if len(encoded) > MOST_BYTES:
        raise Invalid(f"A flow has {MOST_BYTES} bytes at most.", code="too-large", pointer="/definition")
    if b"\\u0000" in encoded:
        raise Invalid("The flow holds a NUL character.", code="nul", pointer="/definition")
    return draft


def _locked(tenant_id: UUID, flow_id: UUID) -> IvrFlow:
    found = IvrFlow.objects.for_tenant(tenant_id).select_for_update().filter(pk=flow_id).first()
    if found is None:
        raise NotFound("There is no such flow.")
    return found


def _store(row: IvrFlow, **how: Any) -> None:
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        if "ivr_flows_name" in str(error):
            raise Conflict("Another flow has this name.", code="name-taken", pointer="/name") from error
        raise


def _audit(row: IvrFlow, action: str, by: Actor, changes: dict[str, Any]) -> None:
    audit.record(tenant_id=row.tenant_id, action=action, by=by, object_id=encode("ivf", row.pk), changes=changes)
