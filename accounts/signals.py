"""What happens to tenants and their people. Receivers run inside the sender's transaction (`send`): one failure undoes all."""

from django.dispatch import Signal

# Sent with tenant: Tenant, now: datetime.
tenant_created = Signal()

# An agent became something else: chose a status, came back, is gone. Sent inside the tenant's scope with tenant_id: UUID,
# user_id: UUID, status: str (what the agent effectively is now), now: datetime.
presence_changed = Signal()
