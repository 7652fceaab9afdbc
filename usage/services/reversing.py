"""Correct what was recorded: a record is taken back by a negative one, and what should have stood there is added."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from common.errors import Forbidden, Invalid, NotFound, WrongState
from common.ids import encode, uuid7
from common.money import plain
from usage.errors import NoSubscription
from usage.event import INGESTED, UsageEvent
from usage.ingest_reading import Window, read_event
from usage.models import UsageRecord, UsageReversal
from usage.outcomes import Outcome
from usage.ratebook import OpenTerms, open_terms, rates_by_id
from usage.services.auditing import Actor, audit
from usage.services.ingesting import Batch, Priced
from usage.services.locking import share_periods


class PricedByThePeriod(WrongState):
    title = "The event has no price of its own"
    default_code = "priced-by-period"


@dataclass(frozen=True)
class Correction:
    """What took a record back, and what stands in for it, if anything. `is_repeat`: it had been done before."""

    reversal_id: UUID
    amendment_id: UUID | None
    is_repeat: bool


def void_record(
    *,
    tenant_id: UUID,
    record_id: UUID,
    now: datetime,
    actor: Actor,
    reason: str = "",
    only_ingested: bool = True,
) -> Correction:
    """Take a record back: its negative, on its day, at its rate, billed in its period or, once closed, in the open one.

    A repeat returns the first. Raises NotFound, WrongState for a reversal, for what was amended, and for a price that a closed
    period's sum decided; Forbidden for what the platform measured itself, unless `only_ingested` is False.
    """
    with transaction.atomic():
        share_periods(tenant_id=tenant_id)
        record = _correctable(tenant_id, record_id, only_ingested=only_ingested)
        correction = Correction(uuid7(), None, is_repeat=False)
        earlier = _claim(tenant_id, record_id, correction, None, now)
        if earlier is None:
            _take_back(record, correction.reversal_id, reason=reason, now=now)
            _audit(record, "usage.event.voided", actor, reason)
            return correction
    if earlier.amendment_id is not None:
        raise WrongState(f"The event was amended; void {encode('ur', earlier.amendment_id)} instead.", code="amended")
    return Correction(earlier.reversal_id, None, is_repeat=True)


def amend_record(
    *,
    tenant_id: UUID,
    record_id: UUID,
    changes: Mapping[str, Any],
    window: Window,
    actor: Actor,
    reason: str = "",
    only_ingested: bool = True,
) -> Correction:
    """Take a record back and add what `changes` make of it, in one transaction. `changes` are fields as events are sent.

    The same amendment again returns the first. Raises as `void_record` does, WrongState for what was voided or amended
    otherwise, Invalid with pointers for what cannot be recorded, or changes nothing.
    """
    with transaction.atomic():
        share_periods(tenant_id=tenant_id)
        record = _correctable(tenant_id, record_id, only_ingested=only_ingested)
        event = _amended(record, changes, window)
        digest = event.content_hash()
        correction = Correction(uuid7(), uuid7(), is_repeat=False)
        earlier = _claim(tenant_id, record_id, correction, digest, window.now)
        if earlier is None:
            _take_back(record, correction.reversal_id, reason=reason, now=window.now)
            _add(tenant_id, record, event, digest, correction.amendment_id, window.now)
            _audit(record, "usage.event.amended", actor, reason)
            return correction
    if earlier.amendment_id is None:
        raise WrongState("The event was voided; send it anew under another key.", code="voided")
    if bytes(earlier.content_hash or b"") != digest:
        raise WrongState(f"The event was amended; amend {encode('ur', earlier.amendment_id)} instead.", code="amended")
    return Correction(earlier.reversal_id, earlier.amendment_id, is_repeat=True)


def _correctable(tenant_id: UUID, record_id: UUID, *, only_ingested: bool) -> UsageRecord:
    record = UsageRecord.objects.for_tenant(tenant_id).filter(id=record_id).first()
    if record is None:
        raise NotFound("There is no such event.")
    if record.kind == UsageRecord.Kind.REVERSAL:
        raise WrongState(
            "This is a reversal; it stays as it is. Send the event anew under another key.", code="reversal"
        )
    if only_ingested and not record.dedup_key.startswith(INGESTED):
        raise Forbidden("The platform measured this itself; only its operator corrects it.", code="measured")
    return record


def _claim(
    tenant_id: UUID, record_id: UUID, correction: Correction, digest: bytes | None, now: datetime
) -> UsageReversal | None:
    """Write down who corrects the record; return who did before, after waiting for one who is about to."""
    values = [tenant_id, record_id, correction.reversal_id, correction.amendment_id, digest, now]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_reversals (tenant_id, record_id, reversal_id, amendment_id, content_hash, created_at) "
            "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            values,
        )
        if cursor.rowcount == 1:
            return None
    return UsageReversal.objects.get(tenant_id=tenant_id, record_id=record_id)


TAKE_BACK = """
WITH taken_back AS (
    INSERT INTO usage_records (
        id, tenant_id, channel, resource_type, billing_period_id, rate_id, resource_id, direction, destination, quantity,
        billed_quantity, unit_cost, total_cost, currency, metadata, occurred_at, usage_date, dedup_key, kind, reverses,
        created_at
    )
    SELECT %(id)s, tenant_id, channel, resource_type, %(period_id)s, rate_id, resource_id, direction, destination, -quantity,
        -billed_quantity, unit_cost, -total_cost, currency, %(metadata)s::jsonb, occurred_at, usage_date, %(key)s,
        'reversal', id, %(now)s
    FROM usage_records WHERE tenant_id = %(tenant_id)s AND id = %(record_id)s AND occurred_at = %(occurred_at)s
    RETURNING *
)
INSERT INTO usage_summary_deltas (
    id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id, total_quantity, billed_quantity,
    total_cost, record_count
)
SELECT id, tenant_id, billing_period_id, usage_date, channel, resource_type, rate_id, quantity, billed_quantity,
    coalesce(total_cost, 0), -1
FROM taken_back
"""


def _take_back(record: UsageRecord, reversal_id: UUID, *, reason: str, now: datetime) -> None:
    values: dict[str, Any] = {
        "id": reversal_id,
        "tenant_id": record.tenant_id,
        "record_id": record.pk,
        "occurred_at": record.occurred_at,
        "period_id": _period_to_correct_in(record).period_id,
        "metadata": json.dumps({"reason": reason} if reason else {}),
        "key": _key(record, "void"),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE_BACK, values)


def _period_to_correct_in(record: UsageRecord) -> OpenTerms:
    """Return the record's own period while it is open, else the earliest open one."""
    periods = open_terms(tenant_id=record.tenant_id)
    if not periods:
        raise NoSubscription("This tenant has no open billing period.")
    own = next((period for period in periods if period.period_id == record.billing_period_id), None)
    if own is not None:
        return own
    if not rates_by_id(ids=[record.rate_id])[record.rate_id].is_linear:
        raise PricedByThePeriod("Its price came from the sum of a period that is closed; a credit note corrects it.")
    if periods[0].currency != record.currency:
        raise WrongState(
            f"The open period is billed in {periods[0].currency}; a credit note corrects it.", code="currency"
        )
    return periods[0]


def _amended(record: UsageRecord, changes: Mapping[str, Any], window: Window) -> UsageEvent:
    """Return the event as it should have been recorded."""
    stands = {
        "channel": record.channel,
        "resource_type": record.resource_type,
        "quantity": plain(record.quantity),
        "occurred_at": record.occurred_at.isoformat(),
        "resource_id": record.resource_id,
        "direction": record.direction,
        "destination": record.destination,
        "metadata": record.metadata,
    }
    if "idempotency_key" in changes:
        raise Invalid("An amended event keeps its key.", code="unknown-field", pointer="/idempotency_key")
    # The moment it had was taken once; only another one must lie in the window.
    taken = window if "occurred_at" in changes else replace(window, earliest=min(window.earliest, record.occurred_at))
    event = read_event({**stands, **changes, "idempotency_key": "amend"}, taken)
    if not isinstance(event, UsageEvent):
        raise Invalid.many(event)
    before = read_event({**stands, "idempotency_key": "amend"}, replace(taken, earliest=record.occurred_at))
    if isinstance(before, UsageEvent) and before.content_hash() == event.content_hash():
        raise Invalid("This changes nothing.", code="no-change", pointer="/")
    return replace(event, dedup_key=_key(record, "amend"), is_timed=True)


ADD = """
WITH added AS (
    INSERT INTO usage_records (
        id, tenant_id, channel, resource_type, billing_period_id, rate_id, resource_id, direction, destination, quantity,
        billed_quantity, unit_cost, total_cost, currency, metadata, occurred_at, usage_date, dedup_key, kind, reverses,
        created_at
    )
    VALUES (
        %(id)s, %(tenant_id)s, %(channel)s, %(resource_type)s, %(period_id)s, %(rate_id)s, %(resource_id)s, %(direction)s,
        %(destination)s, %(quantity)s, %(billed)s, %(unit_cost)s, %(cost)s, %(currency)s, %(metadata)s::jsonb,
        %(occurred_at)s, %(day)s, %(key)s, 'amendment', %(reverses)s, %(now)s
    )
    RETURNING *
)
INSERT INTO usage_summary_deltas (
    id, tenant_id, billing_period_id, summary_date, channel, resource_type, rate_id, total_quantity, billed_quantity,
    total_cost, record_count
)
SELECT id, tenant_id, billing_period_id, usage_date, channel, resource_type, rate_id, quantity, billed_quantity,
    coalesce(total_cost, 0), 1
FROM added
"""


def _add(
    tenant_id: UUID, record: UsageRecord, event: UsageEvent, digest: bytes, amendment_id: UUID | None, now: datetime
) -> None:
    batch = Batch(tenant_id, [event])
    priced = batch.price(event, digest)
    if isinstance(priced, Outcome):
        raise Invalid.many(priced.problems)
    values = {
        **_columns(event, priced),
        **batch.groups[priced.group],
        "id": amendment_id,
        "tenant_id": tenant_id,
        "reverses": record.pk,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(ADD, values)


def _columns(event: UsageEvent, priced: Priced) -> dict[str, Any]:
    return {
        "resource_id": event.resource_id,
        "direction": event.direction,
        "destination": event.destination,
        "quantity": event.quantity,
        "billed": priced.billed,
        "cost": priced.cost,
        "metadata": json.dumps(event.metadata),
        "occurred_at": event.occurred_at,
        "key": event.dedup_key,
    }


def _audit(record: UsageRecord, action: str, actor: Actor, reason: str) -> None:
    changes = {"reason": reason} if reason else {}
    audit(tenant_id=record.tenant_id, action=action, object_id=record.pk, changes=changes, actor=actor)


def _key(record: UsageRecord, verb: str) -> str:
    """Return the key of a correction. It is in no table of keys: `usage_reversals` keeps each to once."""
    whose = INGESTED if record.dedup_key.startswith(INGESTED) else ""
    return f"{whose}{verb}:{record.pk.hex}"
