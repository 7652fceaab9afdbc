"""Read the recorded conversations with a real FreeSWITCH 1.10.12."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telephony.esl.protocol import Event, Message, Parser

FOLDER = Path(__file__).parent.parent / "traces"


@dataclass(frozen=True)
class Trace:
    """The bytes FreeSWITCH wrote on one connection, and where its frames begin."""

    name: str
    raw: bytes
    frames: list[dict[str, Any]]

    def frame(self, index: int) -> bytes:
        """Return the bytes of one frame."""
        found = self.frames[index]
        return self.raw[found["offset"] : found["offset"] + found["length"]]

    def messages(self) -> list[Message]:
        """Parse the whole conversation."""
        return Parser().feed(self.raw)

    def events(self, name: str = "") -> list[Event]:
        """Return the conversation's events, of one name if given."""
        found = [message for message in self.messages() if isinstance(message, Event)]
        return [event for event in found if not name or event.name == name]


def names() -> list[str]:
    """List every recorded connection."""
    return sorted(path.name.removesuffix(".esl") for path in FOLDER.glob("*.esl"))


def load(name: str) -> Trace:
    """Read one recorded connection."""
    steps = json.loads((FOLDER / f"{name}.steps.json").read_text())
    return Trace(name=name, raw=(FOLDER / f"{name}.esl").read_bytes(), frames=steps["frames"])
