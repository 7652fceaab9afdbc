"""`manage.py audit_verify`: is every entry of the audit log as it was written, and none missing?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.audit import PLATFORM
from accounts.audit.verifying import chains, verify
from accounts.models import Tenant
from accounts.tenancy import system_access


class Command(BaseCommand):
    help = "Check the audit log's chains; name the first broken link of each. Ends with an error when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", help="The short name of one tenant.")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["tenant"]
        with system_access("the audit log is verified"):
            names = {tenant.pk: tenant.slug for tenant in Tenant.objects.order_by("slug")} | {PLATFORM: "the platform"}
            wanted = next((key for key, name in names.items() if name == slug), None) if slug else None
            if slug and wanted is None:
                raise CommandError(f"There is no tenant {slug!r}.")
            found = chains(wanted)
        broken = 0
        for tenant_id in found:
            with system_access("the audit log is verified"):
                verdict = verify(tenant_id=tenant_id)
            name = names.get(tenant_id, f"tenant {tenant_id} (gone)")
            if verdict.broken_at is None:
                self.stdout.write(f"{name}: {verdict.entries} entries, whole")
            else:
                broken += 1
                self.stdout.write(f"{name}: entry {verdict.broken_at} {verdict.reason}")
        if broken:
            raise CommandError(f"{broken} {'chain is' if broken == 1 else 'chains are'} broken.")
