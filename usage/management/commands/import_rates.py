"""`manage.py import_rates`: rates of a plan or of one tenant from a CSV file; the whole file or nothing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import system_access
from common.errors import DomainError
from usage.services.importing import Owner, import_rates, owner_of_plan

SHOWN = 100


class Command(BaseCommand):
    help = "Import rates from CSV; see docs/guides/usage.md for the columns, docs/samples/voice-rates.csv for a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--plan", help="slug of the plan they belong to")
        whose.add_argument("--tenant", help="slug of the tenant whose own rates they are")
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        try:
            with system_access("manage.py import_rates"):
                owner = owner_of_plan(options["plan"]) if options["plan"] else _owner_of_tenant(options["tenant"])
                done = import_rates(owner=owner, content=content, now=timezone.now(), is_trial_run=options["dry_run"])
        except DomainError as error:
            raise CommandError(_told(error)) from error
        said = f"{done.created:,} added, {done.replaced:,} replaced, {done.unchanged:,} unchanged."
        self.stdout.write(("Would be: " if options["dry_run"] else "") + said)


def _owner_of_tenant(slug: str) -> Owner:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {slug!r}.")
    return Owner(tenant.currency, tenant_id=tenant.pk)


def _told(error: DomainError) -> str:
    """Return each fault on a line, the first hundred."""
    faults = [fault.detail for fault in error.errors[:SHOWN]] or [error.message]
    if len(error.errors) > SHOWN:
        faults.append(f"… and {len(error.errors) - SHOWN:,} more.")
    return "\n".join([*faults, "Nothing was written."])
