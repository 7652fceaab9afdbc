"""Check the audit log's chains from their first link to their head."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from accounts.audit.canonical import START, digest, link
from accounts.audit.models import AuditChain, AuditEntry

BATCH = 1_000


@dataclass(frozen=True)
class Verdict:
    """How one chain is: `entries` were looked at; `broken_at` is the number of the first that is wrong, None for none."""

    tenant_id: UUID
    entries: int
    broken_at: int | None = None
    reason: str = ""


def chains(tenant_id: UUID | None = None) -> list[UUID]:
    """Return whose chains there are, also where only entries are left of one. Needs system access."""
    entries = AuditEntry.unscoped.all() if tenant_id is None else AuditEntry.objects.for_tenant(tenant_id)
    heads = AuditChain.unscoped.all() if tenant_id is None else AuditChain.objects.for_tenant(tenant_id)
    found = {*entries.values_list("tenant_id", flat=True).distinct(), *heads.values_list("tenant_id", flat=True)}
    return sorted(found)


def verify(*, tenant_id: UUID) -> Verdict:
    """Follow a tenant's chain and stop at the first broken link. Needs the tenant's scope or system access.

    What commits meanwhile lies behind the head that was read first, and is left for the next time.
    """
    head = AuditChain.objects.for_tenant(tenant_id).first()
    last, last_hash = (head.last_sequence, bytes(head.last_hash)) if head else (0, START)
    previous, seen = START, 0
    for entry in _following(tenant_id):
        seen += 1
        if entry.sequence != seen:
            return Verdict(tenant_id, seen, seen, "is missing.")
        if bytes(entry.digest) != digest(entry.facts):
            return Verdict(tenant_id, seen, seen, f"says something else than when it was written ({entry.action}).")
        previous = link(previous=previous, sequence=seen, entry_digest=bytes(entry.digest))
        if bytes(entry.entry_hash or b"") != previous:
            return Verdict(tenant_id, seen, seen, f"does not follow from the one before ({entry.action}).")
        if seen == last and previous != last_hash:
            return Verdict(tenant_id, seen, seen, "is not the one the chain's head knows.")
    if seen < last:
        return Verdict(tenant_id, seen, seen + 1, "is missing.")
    return Verdict(tenant_id, seen)


def _following(tenant_id: UUID) -> Iterator[AuditEntry]:
    """Yield the chain's entries in order, in batches: a log is long."""
    reached = None
    rows = AuditEntry.objects.for_tenant(tenant_id).exclude(sequence=None).order_by("sequence")
    while batch := list((rows if reached is None else rows.filter(sequence__gt=reached))[:BATCH]):
        yield from batch
        reached = batch[-1].sequence
