"""Frames: what comes in, read and checked; the close codes."""

from typing import Any, Final

import orjson

from common.errors import DomainError, Forbidden, Invalid, Unavailable, Unreadable

VERSION: Final = 1
MOST_FRAME_BYTES: Final = 64 * 1024
RESTART, SIGN_IN, FORBIDDEN, TOO_SLOW, PROTOCOL = 1012, 4001, 4003, 4008, 4009

Frame = dict[str, Any]


class SocketClosed(Exception):
    """What came is answered by closing the socket with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def encode_frame(type: str, **fields: Any) -> str:
    """Return a frame as it goes over the wire."""
    return orjson.dumps({"v": VERSION, "type": type, **fields}).decode()


def parse(text: str | None) -> Frame:
    """Return a frame, or raise SocketClosed for what is no frame at all."""
    if text is None or len(text) > MOST_FRAME_BYTES:
        raise SocketClosed(PROTOCOL)
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise SocketClosed(PROTOCOL) from None
    if not isinstance(frame, dict) or frame.get("v") != VERSION or not isinstance(frame.get("type"), str):
        raise SocketClosed(PROTOCOL)
    if not isinstance(frame.get("id", ""), str) or len(frame.get("id", "")) > 64:
        raise Unreadable("id must be a string of at most 64 characters.", pointer="/id")
    return frame


def sign_in_code(error: DomainError) -> int:
    """Return the close code of a refused sign-in. What is our own failure must not make a client forget its token."""
    match error:
        case Unavailable():
            return RESTART
        case Forbidden():
            return FORBIDDEN
    return SIGN_IN


def text_of(frame: Frame, name: str, *, most: int = 100) -> str:
    """Return a text field; raise Invalid when it is missing, no text or too long."""
    value = frame.get(name)
    if not isinstance(value, str) or not value or len(value) > most:
        raise Invalid(f"{name} must be a text of 1 to {most} characters.", pointer=f"/{name}")
    return value


def whole_of(frame: Frame, name: str, *, default: int | None = None) -> int:
    """Return a whole number of at least 0; raise Invalid otherwise."""
    value = frame.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise Invalid(f"{name} must be a whole number of at least 0.", pointer=f"/{name}")
    return value


def is_true(frame: Frame, name: str) -> bool:
    """Say whether a flag is set; raise Invalid for what is neither true nor false."""
    value = frame.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false.", pointer=f"/{name}")
    return value
