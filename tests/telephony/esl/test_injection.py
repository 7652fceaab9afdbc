"""Nothing a customer writes becomes a command of its own: every builder, every field, the bytes as sent."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.esl import commands
from telephony.esl.commands import Command, Gateway, Loopback, SipAddress, Telephone
from telephony.esl.errors import UnsafeValue
from telephony.esl.protocol import OversizedFrame, Parser
from tests.telephony.esl import traces

CHANNEL = UUID("8f4a2c1e-0000-4000-8000-000000000001")
POISON = [
    "',origination_uuid=x}${system(id)}",
    "15550100200\r\n\r\napi system id",
    "15550100200\n\nexit",
    "1555\x00",
    "${system(id)}",
    "1 &system(id)",
    "a|b",
    "[x=1]1555",
    "<x>1555",
    "1555\\,",
    "15550100200\n",
    "١٢٣٤٥",
]


def dialled(to: Gateway | Loopback | SipAddress | Telephone, caller: str = "15550109999") -> Command:
    return commands.originate(channel=CHANNEL, to=to, caller_number=caller, ring_seconds=30, job=CHANNEL)


FIELDS: dict[str, Callable[[str], Command]] = {
    "number": lambda text: dialled(Gateway("carrier", text)),
    "gateway": lambda text: dialled(Gateway(text, "15550100200")),
    "caller": lambda text: dialled(Gateway("carrier", "15550100200"), text),
    "extension": lambda text: dialled(Loopback(text, "default")),
    "context": lambda text: dialled(Loopback("9196", text)),
    "user": lambda text: dialled(Telephone(text, "irisx")),
    "domain": lambda text: dialled(Telephone("1001", text)),
    "address": lambda text: dialled(SipAddress(f"sip:{text}@example.com")),
    "cause": lambda text: commands.kill(CHANNEL, text),
    "event": lambda text: commands.subscribe([text]),
}


@pytest.mark.parametrize("poison", POISON)
@pytest.mark.parametrize("field", FIELDS)
def test_poison_is_refused_in_every_field(field: str, poison: str):
    with pytest.raises(UnsafeValue):
        FIELDS[field](poison)


@pytest.mark.parametrize("field", FIELDS)
@given(text=st.text(max_size=80))
def test_whatever_is_accepted_stays_one_command_with_nothing_to_interpret(field: str, text: str):
    harmless = "15550100200" if field in {"number", "caller"} else "NORMAL"
    try:
        wire = FIELDS[field](text).wire()
    except UnsafeValue:
        return

    plain = FIELDS[field](harmless).wire()
    assert shape(wire) == shape(plain)


def shape(wire: bytes) -> dict[int, int]:
    """Count every byte the switch gives a meaning to."""
    return {mark: wire.count(mark) for mark in b"\r\n\x00${}[]<>|,'\"\\ &()"}


@pytest.mark.parametrize("line", [f"api status{mark}api system id" for mark in ("\n", "\r\n", "\r", "\x00", "\n\n")])
def test_a_line_with_control_characters_never_leaves(line: str):
    with pytest.raises(UnsafeValue):
        Command(line).wire()


@given(data=st.data())
def test_a_recorded_conversation_with_bytes_changed_breaks_no_parser(data: st.DataObject):
    """Mutated frames of a real switch are messages or an oversized frame, and nothing else."""
    name = data.draw(st.sampled_from(["event-xml.xml", "command-framing", "uuid-record.json", "auth-ok-and-exit"]))
    raw = bytearray(traces.load(name).raw[:6000])
    for _ in range(data.draw(st.integers(1, 20))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    parser = Parser()
    try:
        messages = [*parser.feed(bytes(raw[:cut])), *parser.feed(bytes(raw[cut:]))]
    except OversizedFrame:
        return

    assert all(type(message).__module__ == "telephony.esl.protocol.messages" for message in messages)
