"""What every endpoint stands on."""

from accounts.api.base import TenantViewSet
from accounts.gate import PUBLIC

__all__ = ["PUBLIC", "TenantViewSet"]
