"""The programs of the demo: what runs beside the two servers."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from irisx.local.ports import LOOPBACK
from irisx.local.processes import Program

ROOT = Path(__file__).resolve().parents[2]
SERVERS, SIMULATORS, APPLICATIONS = range(3)  # stages: stopped from the last to the first


@dataclass(frozen=True)
class Workshop:
    """Where and with which environment the programs run."""

    state: Path
    environment: Mapping[str, str]
    ports: Mapping[str, int]

    def python(self, name: str, *arguments: str, stage: int = APPLICATIONS) -> Program:
        """Describe a program that our own interpreter runs."""
        command = (sys.executable, *arguments)
        return Program(name=name, command=command, environment=self.environment, cwd=ROOT, stage=stage)


def preparation(workshop: Workshop, *, seed_file: Path) -> Program:
    """Migrate and seed."""
    return workshop.python("prepare", "-m", "irisx.local.prepare", str(seed_file))


def simulator(workshop: Workshop, *, password: str) -> Program:
    """Play the FreeSWITCH."""
    address = ("--host", LOOPBACK, "--port", str(workshop.ports["simulator"]), "--password", password)
    return workshop.python("simulator", "-m", "telephony.simulator", *address, stage=SIMULATORS)


def customer_site(workshop: Workshop, *, base_url: str, widget_key: str) -> Program:
    """Serve the demo customer's own pages on another origin."""
    options = ("--port", str(workshop.ports["customer"]), "--base-url", base_url, "--widget-key", widget_key)
    return workshop.python("customer", "-m", "irisx.local.customer_site", *options)


def applications(workshop: Workshop) -> list[Program]:
    """IRISX itself: web, worker, the one beat, telephony listener, webhook deliveries."""
    web = ("irisx.asgi:application", "--host", LOOPBACK, "--port", str(workshop.ports["web"]))
    schedule = workshop.state / "beat-schedule"
    return [
        workshop.python(
            "web", "-m", "uvicorn", *web, "--ws", "irisx.websocket:WebSocketProtocol", "--lifespan", "on", *GRACE
        ),
        workshop.python("worker", "-m", "celery", "-q", "-A", "irisx", "worker", "-P", "threads", "-c", "4", *QUIET),
        workshop.python("beat", "-m", "celery", "-q", "-A", "irisx", "beat", "-s", str(schedule), "--pidfile="),
        workshop.python("listener", "manage.py", "telephony_listener"),
        workshop.python("webhooks", "manage.py", "webhooks_deliver"),
    ]


GRACE = ("--timeout-graceful-shutdown", "3", "--no-access-log")
QUIET = ("--without-gossip", "--without-mingle", "--loglevel", "INFO")
