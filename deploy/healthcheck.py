"""Tell a container's engine whether its service is well: `python deploy/healthcheck.py web|worker|beat|listener|webhooks`.

Ends with status 0 when it is, with 1 and a sentence when it is not. Loads no Django: it runs every few seconds.
"""

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis
from celery import Celery
from kombu.exceptions import OperationalError

PORT = 8000
SECONDS = 3.0
SCHEDULE = Path("/var/lib/irisx/beat/schedule")
SCHEDULE_SECONDS = 400.0  # celery beat writes its schedule down every 180 s


class Unwell(Exception):
    """The service of this container does not do its work; the message says what was seen."""


def main(service: str) -> int:
    """Run one service's check; return the exit status."""
    try:
        CHECKS[service]()
    except (Unwell, OSError, http.client.HTTPException, redis.RedisError, OperationalError) as error:
        sys.stderr.write(f"{service} is not well: {error}\n")
        return 1
    return 0


def web() -> None:
    """Ask our own /readyz, by a host name that this installation answers to."""
    host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0]
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=SECONDS)
    connection.request("GET", "/readyz", headers={"Host": host})
    status = connection.getresponse().status
    if status != 200:
        raise Unwell(f"/readyz answered {status}")


def worker() -> None:
    """Ping this container's worker through the queue it works from."""
    name = f"celery@{socket.gethostname()}"
    app = Celery(broker=os.environ["REDIS_URL"])
    if not app.control.ping(destination=[name], timeout=SECONDS):
        raise Unwell(f"{name} did not answer a ping within {SECONDS:g} s")


def beat() -> None:
    """Look whether beat still writes its schedule down."""
    schedule = Path(os.environ.get("BEAT_SCHEDULE", SCHEDULE))
    written = [file.stat().st_mtime for file in schedule.parent.glob(f"{schedule.name}*")]
    age = time.time() - max(written, default=0.0)
    if age > SCHEDULE_SECONDS:
        raise Unwell(f"{schedule} was not written within {SCHEDULE_SECONDS:g} s")


def listener() -> None:
    """Look for the listener's last sign of life in Valkey."""
    _alive("listener")


def webhooks() -> None:
    """Look for the last sign of life of the webhook deliveries in Valkey."""
    _alive("webhooks")


def _alive(process: str) -> None:
    most = int(os.environ.get("IRISX_WORKER_STALE_SECONDS") or 30)
    with redis.Redis.from_url(
        os.environ["REDIS_URL"], socket_timeout=SECONDS, socket_connect_timeout=SECONDS
    ) as client:
        age = time.time() - float(client.get(f"irisx:alive:{process}") or 0)
    if age > most:
        raise Unwell(f"no sign of life for more than {most} s")


CHECKS: dict[str, Callable[[], None]] = {
    "web": web,
    "worker": worker,
    "beat": beat,
    "listener": listener,
    "webhooks": webhooks,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
