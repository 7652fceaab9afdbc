"""Tenancy, enforced once: managers that refuse unscoped reads, and the doors to PostgreSQL's row-level security."""

from accounts.tenancy.scope import stay_in, system_access, tenant_scope

__all__ = ["stay_in", "system_access", "tenant_scope"]
