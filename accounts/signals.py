"""What happens to tenants. Receivers run inside the sender's transaction (`send`): one failure undoes all."""

from django.dispatch import Signal

# Sent with tenant: Tenant, now: datetime.
tenant_created = Signal()
