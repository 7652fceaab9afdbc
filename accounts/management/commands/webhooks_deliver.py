"""`manage.py webhooks_deliver`: bring webhook events to their endpoints."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from accounts.webhooks.delivering import run


class Command(BaseCommand):
    """Deliver until SIGTERM or SIGINT."""

    help = "Bring webhook events to their endpoints. Several may run, on any machines; together they keep the limits."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the delivery process."""
        asyncio.run(_until_stopped())


async def _until_stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(stop=stop)
