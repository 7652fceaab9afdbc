"""Give a frame its meaning."""

from collections.abc import Callable

from telephony.esl.protocol.events import Undecodable, event_from_json, event_from_plain, event_from_xml
from telephony.esl.protocol.framing import Frame
from telephony.esl.protocol.headers import header_lines, percent_decoded
from telephony.esl.protocol.messages import (
    ApiReply,
    AuthRequest,
    CommandReply,
    DisconnectNotice,
    Headers,
    LogLine,
    Malformed,
    Message,
    RudeRejection,
)


def decode(frame: Frame) -> Message:
    """Return the frame's message; what can't be understood becomes Malformed, so that reading goes on."""
    headers = header_lines(frame.head)
    content_type = _text(headers, "Content-Type")
    decoder = _DECODERS.get(content_type)
    if decoder is None:
        return Malformed(content_type=content_type, reason="unknown content type")
    try:
        return decoder(headers, frame.body)
    except Undecodable as error:
        return Malformed(content_type=content_type, reason=str(error))


def _auth_request(headers: Headers, body: bytes) -> Message:
    return AuthRequest()


def _rude_rejection(headers: Headers, body: bytes) -> Message:
    return RudeRejection(text=_readable(body).strip())


def _command_reply(headers: Headers, body: bytes) -> Message:
    # The dump that answers `connect` is an event in disguise: only there are the values percent-encoded.
    if "Event-Name" in headers:
        headers = percent_decoded(headers)
    return CommandReply(text=_text(headers, "Reply-Text").strip(), headers=headers, body=_readable(body))


def _api_reply(headers: Headers, body: bytes) -> Message:
    return ApiReply(body=_readable(body))


def _log_line(headers: Headers, body: bytes) -> Message:
    return LogLine(level=_number(headers, "Log-Level"), text=_readable(body))


def _disconnect_notice(headers: Headers, body: bytes) -> Message:
    disposition = _text(headers, "Content-Disposition")
    return DisconnectNotice(
        text=_readable(body).strip(), disposition=disposition, linger_seconds=_number(headers, "Linger-Time")
    )


def _text(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    return value if isinstance(value, str) else value[0]


def _number(headers: Headers, name: str) -> int:
    text = _text(headers, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _readable(body: bytes) -> str:
    return body.decode("utf-8", "replace")


_DECODERS: dict[str, Callable[[Headers, bytes], Message]] = {
    "auth/request": _auth_request,
    "text/rude-rejection": _rude_rejection,
    "command/reply": _command_reply,
    "api/response": _api_reply,
    "text/event-plain": lambda headers, body: event_from_plain(body),
    "text/event-json": lambda headers, body: event_from_json(body),
    "text/event-xml": lambda headers, body: event_from_xml(body),
    "log/data": _log_line,
    "text/disconnect-notice": _disconnect_notice,
}
