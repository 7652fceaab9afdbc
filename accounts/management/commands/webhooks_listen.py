"""`manage.py webhooks_listen --tenant acme`: see deliveries arrive, during development."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Tenant
from accounts.tenancy import system_access
from accounts.webhooks.listening import listen
from common.errors import DomainError


class Command(BaseCommand):
    """Listen until Ctrl-C."""

    help = "Print a tenant's webhook deliveries: adds an endpoint on this machine for as long as it runs (demo only)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="the company's short name (slug)")
        parser.add_argument("--types", nargs="*", default=[], help="event types, e.g. call.*; none: all")
        parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0: a free one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the receiver."""
        if not settings.IRISX_DEMO:
            raise CommandError("Only the demo (IRISX_DEMO=true) delivers to addresses of this machine.")
        with system_access("whose deliveries to print"):
            tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant with the short name {options['tenant']!r}.")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            listen(
                tenant_id=tenant.pk,
                event_types=options["types"],
                port=options["port"],
                write=self.stdout.write,
                stop=stop,
                now=timezone.now(),
            )
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
