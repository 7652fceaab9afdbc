"""What a switch was told is forgotten when it changes."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.models import Tenant
from telephony.models import Extension, PhoneNumber
from telephony.switch.answers import forget_on_commit


@receiver([post_save, post_delete], sender=PhoneNumber, dispatch_uid="telephony.switch.number")
@receiver([post_save, post_delete], sender=Extension, dispatch_uid="telephony.switch.extension")
@receiver([post_save, post_delete], sender=Tenant, dispatch_uid="telephony.switch.tenant")
def forget(**kwargs: Any) -> None:
    """Forget once it is committed."""
    forget_on_commit()
