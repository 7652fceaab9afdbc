"""`manage.py reconcile`: prove that records, sums, invoices and credit agree, or name the first that do not."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import system_access
from billing import services


class Command(BaseCommand):
    """Compare, and exit with 1 where something does not agree."""

    help = "Compare usage records, sums, invoice lines, totals and credit; name what does not agree. Exits with 1 then."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to compare, and whether to rebuild."""
        parser.add_argument("--tenant", help="Only this tenant, by its short name.")
        parser.add_argument(
            "--since", type=datetime.fromisoformat, help="Rate anew only invoices of periods closed since this day."
        )
        parser.add_argument("--rebuild", action="store_true", help="First make the sums those of the records.")
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare and tell."""
        started, tenant_id = time.monotonic(), None
        if options["tenant"]:
            with system_access("an operator reconciles a tenant"):
                tenant_id = Tenant.objects.filter(slug=options["tenant"]).values_list("pk", flat=True).first()
            if tenant_id is None:
                raise CommandError(f"There is no tenant {options['tenant']!r}.")
        rebuilt = services.rebuild(tenant_id=tenant_id) if options["rebuild"] else 0
        since = options["since"].replace(tzinfo=UTC) if options["since"] else None
        report = services.reconcile(now=timezone.now(), tenant_id=tenant_id, since=since)
        took = timedelta(seconds=round(time.monotonic() - started, 1)).total_seconds()
        if options["json"]:
            self.stdout.write(json.dumps(report.findings, indent=2))
        else:
            self.stdout.write(
                f"{report.invoices:,} invoices with {report.lines:,} usage lines rated anew, {rebuilt:,} sums rebuilt, "
                f"{len(report.findings)} findings, {took} s"
            )
        if report.findings:
            first = report.findings[0]
            raise CommandError(
                "{check}: {where} of tenant {tenant} should be {expected}, is {found}".format(**first), returncode=1
            )
