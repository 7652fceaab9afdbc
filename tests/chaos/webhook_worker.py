"""The delivery process with its waits shortened: hours of retries pass in seconds. `python -m tests.chaos.webhook_worker`."""

from datetime import timedelta
from functools import partial

import django


def main() -> None:
    """Deliver, as `manage.py webhooks_deliver` does."""
    django.setup()
    from django.core.management import call_command

    from accounts.webhooks import claiming, delivering, schedule
    from common.outgoing import Client

    shortened = tuple(timedelta(milliseconds=100 * number) for number in range(1, len(schedule.DELAYS) + 1))
    schedule.DELAYS = shortened  # type: ignore[misc] # as in production, but quick
    schedule.SHORTEST_PAUSE = timedelta(milliseconds=200)
    claiming.LEASE = timedelta(seconds=6)  # type: ignore[misc] # above the longest attempt, as in production
    delivering.Client = partial(Client, connect_seconds=2.0, total_seconds=3.0)  # type: ignore[assignment, misc]
    call_command("webhooks_deliver")


if __name__ == "__main__":
    main()
