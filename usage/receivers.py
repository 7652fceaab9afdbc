"""What usage does when something happens in accounts."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from accounts.models import Tenant
from accounts.signals import tenant_created, tenant_stopped
from usage.errors import NoSubscription
from usage.services import cancel_subscription, start_subscription
from usage.shipped import TRIAL_PLAN


@receiver(tenant_created, dispatch_uid="usage.start_trial")
def start_trial(*, tenant: Tenant, now: datetime, **kwargs: Any) -> None:
    """Give a new tenant the trial, in the sign-up's transaction."""
    start_subscription(tenant=tenant, plan_slug=TRIAL_PLAN, now=now)


@receiver(tenant_stopped, dispatch_uid="usage.cancel_subscription")
def end_with_the_period(*, tenant: Tenant, now: datetime, **kwargs: Any) -> None:
    """Let a closed company's subscription end with its period, without a further fee; a suspended one's goes on."""
    if tenant.status == Tenant.Status.CLOSED:
        with suppress(NoSubscription):
            cancel_subscription(tenant_id=tenant.pk, now=now)
