"""The lock between a tenant's usage and the closing of its periods."""

from hashlib import blake2b
from uuid import UUID

from common.db import prepared


def share_periods(*, tenant_id: UUID) -> None:
    """Hold the tenant's periods open until this transaction ends, together with others that record usage."""
    prepared("SELECT pg_advisory_xact_lock_shared(%s::bigint)", [lock_key(tenant_id)])


def lock_key(tenant_id: UUID) -> int:
    """Return the tenant's advisory lock: 64 bits; a collision would only make two tenants wait for each other."""
    digest = blake2b(tenant_id.bytes, digest_size=8, person=b"usage-periods").digest()
    return int.from_bytes(digest, "big", signed=True)
