"""What telephony does when a company is shut out: its calls end."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from accounts.models import Tenant
from accounts.signals import tenant_stopped
from telephony.errors import CallEnded
from telephony.models import Call
from telephony.services import hangup_call


@receiver(tenant_stopped, dispatch_uid="telephony.hang_up")
def hang_up(*, tenant: Tenant, now: datetime, **kwargs: Any) -> None:
    """Ask for the end of every call of a suspended or closed company, in the transaction that shuts it out."""
    under_way = Call.objects.for_tenant(tenant.pk).filter(ended_at=None, cancel_requested_at=None)
    for key in under_way.order_by("pk").values_list("pk", flat=True):
        with suppress(CallEnded):
            hangup_call(tenant_id=tenant.pk, call_id=key, now=now)
