"""Turn the bytes of an Event Socket into messages: pure, incremental, and never stopped by bad bytes.

Source: FreeSWITCH 1.10 mod_event_socket; every rule below is held by a recorded trace under tests/telephony/traces.
"""

from telephony.esl.protocol.decoding import decode
from telephony.esl.protocol.framing import Frame, Framer, OversizedFrame
from telephony.esl.protocol.messages import (
    ApiReply,
    AuthRequest,
    CommandReply,
    DisconnectNotice,
    Event,
    LogLine,
    Malformed,
    Message,
    RudeRejection,
)
from telephony.esl.protocol.parser import Parser

__all__ = [
    "ApiReply",
    "AuthRequest",
    "CommandReply",
    "DisconnectNotice",
    "Event",
    "Frame",
    "Framer",
    "LogLine",
    "Malformed",
    "Message",
    "OversizedFrame",
    "Parser",
    "RudeRejection",
    "decode",
]
