"""What chat adds to a new tenant: its first widget."""

from typing import Any

from django.dispatch import receiver

from accounts.models import Tenant
from accounts.signals import tenant_created
from chat.models import Widget


@receiver(tenant_created, dispatch_uid="chat.first_widget")
def add_first_widget(tenant: Tenant, **kwargs: Any) -> None:
    """Give the tenant a widget named after it."""
    Widget.objects.create(tenant_id=tenant.pk, name=tenant.name)
