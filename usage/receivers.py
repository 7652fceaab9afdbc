"""What usage does when something happens in accounts."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from accounts.models import Tenant
from accounts.signals import tenant_created
from usage.services import start_subscription
from usage.shipped import TRIAL_PLAN


@receiver(tenant_created, dispatch_uid="usage.start_trial")
def start_trial(*, tenant: Tenant, now: datetime, **kwargs: Any) -> None:
    """Give a new tenant the trial, in the sign-up's transaction."""
    start_subscription(tenant=tenant, plan_slug=TRIAL_PLAN, now=now)
