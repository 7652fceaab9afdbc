"""A text as the bytes of a websocket frame. Imports nothing of ours: the server reads this before Django is set up."""

from functools import lru_cache
from typing import Final

# The extension of the ASGI scope by which our own server takes encoded frames (irisx/websocket.py).
DIRECT: Final = "irisx.write"


@lru_cache(maxsize=16)
def websocket_frame(text: str) -> bytes:
    """Return a text as one unmasked frame (RFC 6455 5.2). What goes to many sockets in a row is encoded once."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + data
    return b"\x81\x7f" + size.to_bytes(8, "big") + data
