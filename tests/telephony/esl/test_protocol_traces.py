"""Every recorded conversation parses to the frames that were recorded with it."""

from collections.abc import Iterable
from typing import Any

import pytest

from telephony.esl.protocol import (
    ApiReply,
    AuthRequest,
    CommandReply,
    DisconnectNotice,
    Event,
    Frame,
    Framer,
    LogLine,
    Malformed,
    Message,
    Parser,
    RudeRejection,
)
from tests.telephony.esl import traces

KINDS = {
    "auth/request": AuthRequest,
    "command/reply": CommandReply,
    "api/response": ApiReply,
    "text/event-plain": Event,
    "text/event-json": Event,
    "text/event-xml": Event,
    "log/data": LogLine,
    "text/disconnect-notice": DisconnectNotice,
    "text/rude-rejection": RudeRejection,
}


def test_all_seventy_connections_are_here():
    assert len(traces.names()) == 70


@pytest.mark.parametrize("name", traces.names())
def test_one_piece_gives_the_recorded_frames(name: str):
    trace = traces.load(name)
    framer = Framer()

    frames = framer.feed(trace.raw)

    assert index(frames) == [(frame["offset"], frame["length"]) for frame in trace.frames]
    assert framer.pending_bytes == 0


@pytest.mark.parametrize("name", traces.names())
def test_byte_by_byte_gives_the_same_messages(name: str):
    trace = traces.load(name)
    parser = Parser()

    pieces = [message for byte in trace.raw for message in parser.feed(bytes([byte]))]

    assert pieces == trace.messages()


@pytest.mark.parametrize("name", traces.names())
def test_every_message_is_what_was_recorded(name: str):
    trace = traces.load(name)

    for message, recorded in zip(trace.messages(), trace.frames, strict=True):
        assert isinstance(message, KINDS[recorded["content_type"]])
        assert not isinstance(message, Malformed)
        assert described(message) == expected(recorded, described(message))


def index(frames: Iterable[Frame]) -> list[tuple[int, int]]:
    found, offset = [], 0
    for frame in frames:
        found.append((offset, frame.length))
        offset += frame.length
    return found


def described(message: Message) -> dict[str, str]:
    """Return what the recording noted about a message, as far as this kind has it."""
    if isinstance(message, CommandReply):
        return {"reply_text": message.text}
    if isinstance(message, Event):
        headers = ("Unique-ID", "Event-Sequence", "Channel-State", "Channel-Call-State", "Answer-State", "Hangup-Cause")
        return {"event": message.name} | {header: message.text(header) for header in headers}
    return {}


def expected(recorded: dict[str, Any], like: dict[str, str]) -> dict[str, str]:
    """Return the recorded values; the recorder left the answer to `connect` encoded."""
    found = {key: recorded.get(key, like[key]) for key in like}
    if found.get("reply_text") == "%2BOK%0A":
        found["reply_text"] = "+OK"
    return found
