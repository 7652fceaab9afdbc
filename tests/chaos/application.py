"""The application with its doorbell out of order, and a way for a process to die between commit and publish.

What it does is asked for by the environment: CHAOS_DIR, a folder, in which a file `faults` switches the doorbell's faults on; and
CHAOS_PING_SECONDS. A message whose client_message_id begins with `die-` kills the first process that would ring for it.
"""

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any

# The application sets Django up for the others.
# ruff: isort: off
from irisx.asgi import application

from accounts.sockets import pulse
from common.live import publish as publishing
from common.live.layer import Layer

# ruff: isort: on

__all__ = ["application"]

FOLDER = Path(os.environ["CHAOS_DIR"])
DROPPED, DOUBLED, DELAYED = 0.10, 0.05, 0.20
LONGEST_DELAY_SECONDS = 0.5

pulse.PING_SECONDS = float(os.environ["CHAOS_PING_SECONDS"])  # type: ignore[assignment] # fractions in the short form
real_publish = publishing.publish
delayed: set[asyncio.Task[None]] = set()


async def group_send(layer: Layer, topic: str, message: dict[str, Any]) -> None:
    """Send a live frame: now, later, twice or never."""
    send = layer._get_layer().group_send
    if message["type"] != "live" or not (FOLDER / "faults").exists():
        await send(topic, message)
        return
    lot = random.random()
    if lot < DROPPED:
        return
    if lot < DROPPED + DELAYED:
        task = asyncio.create_task(_send_later(send, topic, message))
        delayed.add(task)
        task.add_done_callback(delayed.discard)
        return
    for _ in range(2 if lot > 1 - DOUBLED else 1):
        await send(topic, message)


async def _send_later(send: Any, topic: str, message: dict[str, Any]) -> None:
    await asyncio.sleep(random.uniform(0, LONGEST_DELAY_SECONDS))
    await send(topic, message)


def publish(event: Any) -> None:
    """Publish an event, or die of it: the row is committed by then."""
    for _, frame in event.frames():
        message = frame.get("event", {}).get("payload", {}).get("message", {})
        if str(message.get("client_message_id", "")).startswith("die-"):
            _die_once(message["client_message_id"])
    real_publish(event)


def _die_once(id: str) -> None:
    try:
        (FOLDER / f"{id}.died").touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


Layer.group_send = group_send  # type: ignore[attr-defined] # its own comes by __getattr__
publishing.publish = publish
