"""`manage.py unpark <tenant> <first day>`: let a parked billing period be billed."""

import getpass
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import system_access, tenant_scope
from common.errors import DomainError
from usage.models import BillingPeriod
from usage.services import Actor, How, unpark_period


class Command(BaseCommand):
    """Rebuild a parked period's sums from its records, or accept them as they are."""

    help = "Let a parked billing period be billed: --rebuild its sums from its records, or --accept them as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the tenant, the period's first day, and one of the two ways."""
        parser.add_argument("tenant", help="The tenant's short name.")
        parser.add_argument("period_start", type=date.fromisoformat, help="The period's first day, e.g. 2026-03-01.")
        how = parser.add_mutually_exclusive_group(required=True)
        for way in How:
            how.add_argument(f"--{way}", dest="how", action="store_const", const=way)

    def handle(self, *args: Any, **options: Any) -> None:
        """Unpark it, in the name of whoever runs the command."""
        with system_access("an operator unparks a billing period"):
            tenant = Tenant.objects.filter(slug=options["tenant"]).first()
            periods = BillingPeriod.unscoped.filter(tenant=tenant, period_start=options["period_start"])
            period = periods.first() if tenant else None
        if tenant is None or period is None:
            raise CommandError(f"{options['tenant']} has no billing period from {options['period_start']}.")
        actor = Actor(kind="operator", name=getpass.getuser())
        try:
            with tenant_scope(tenant.pk):
                unpark_period(
                    tenant_id=tenant.pk, period_id=period.pk, how=options["how"], actor=actor, now=timezone.now()
                )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{tenant.name}: the period {period} is no longer parked.")
