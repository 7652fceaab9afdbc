"""The audit log as its tenant reads it: filtered by who, what, about what, and when."""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.audit.models import AuditEntry
from accounts.models import Tenant
from common.errors import Invalid
from common.ids import HEX
from common.periods import asked_day, bounds, day_start

ACTORS = ("us", "ak", "vi")
MOST_CHARACTERS = 254


def entries_matching(*, tenant_id: UUID, query: Mapping[str, str]) -> QuerySet[AuditEntry]:
    """Return a tenant's entries as `actor`, `action`, `object`, `start_date` and `end_date` ask; raise Invalid with pointers.

    An actor is an id (`us_…`, `ak_…`, `vi_…`) or a name, an operator who acted as somebody included; an action is one
    (`api_key.created`) or all of a kind (`api_key.`); days are the tenant's own, inclusive, either may be left out.
    """
    rows = AuditEntry.objects.for_tenant(tenant_id)
    if actor := _text(query, "actor"):
        rows = rows.filter(_by(actor))
    if action := _text(query, "action"):
        rows = rows.filter(action__startswith=action) if action.endswith(".") else rows.filter(action=action)
    if object_id := _text(query, "object"):
        rows = rows.filter(object_id__in=_spellings(object_id))
    return _within(rows, tenant_id, query)


def _by(actor: str) -> Q:
    prefix, _, digits = actor.partition("_")
    if prefix in ACTORS and HEX.fullmatch(digits):
        key = UUID(hex=digits)
        return Q(actor_id=key) | Q(impersonator_id=key)
    return Q(actor_name__iexact=actor) | Q(impersonator_name__iexact=actor)


def _spellings(object_id: str) -> list[str]:
    """Return an object's id as entries may hold it: with its prefix, or as the bare UUID that entries about money have."""
    digits = object_id.rpartition("_")[2].removeprefix("CA").replace("-", "")
    return [object_id, str(UUID(hex=digits))] if HEX.fullmatch(digits) else [object_id]


def _within(rows: QuerySet[AuditEntry], tenant_id: UUID, query: Mapping[str, str]) -> QuerySet[AuditEntry]:
    first, last = asked_day(query, "start_date"), asked_day(query, "end_date")
    if first is None and last is None:
        return rows
    if first and last and first > last:
        raise Invalid("start_date must not be after end_date.", pointer="/start_date")
    zone = Tenant.objects.values_list("timezone", flat=True).get(pk=tenant_id)
    if first:
        rows = rows.filter(created_at__gte=day_start(first, zone))
    if last:
        rows = rows.filter(created_at__lt=bounds(last, last, zone)[1])
    return rows


def _text(query: Mapping[str, str], name: str) -> str:
    text = query.get(name, "")
    if len(text) > MOST_CHARACTERS or "\x00" in text:
        raise Invalid(f"{name} has at most {MOST_CHARACTERS} characters, none of them NUL.", pointer=f"/{name}")
    return text
