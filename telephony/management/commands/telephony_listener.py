"""`manage.py telephony_listener`: own the switches of FREESWITCH_URL."""

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from telephony.esl.address import parse_url
from telephony.esl.errors import BadAddress
from telephony.listener.serving import run


class Command(BaseCommand):
    """Serve until SIGTERM or SIGINT."""

    help = "Own every node of FREESWITCH_URL: hear its events, send its commands. One process per node does the work."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the listener."""
        if not settings.FREESWITCH_URLS:
            raise CommandError("FREESWITCH_URL is not set; it must name each node: esl://[user]:password@host:port")
        try:
            addresses = [parse_url(url) for url in settings.FREESWITCH_URLS]
        except BadAddress as error:
            raise CommandError(str(error)) from error
        asyncio.run(_until_stopped(addresses))


async def _until_stopped(addresses: list[Any]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(addresses, stop=stop)
