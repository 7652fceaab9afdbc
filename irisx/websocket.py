"""The socket side of the web server: uvicorn's, which lends the application its transport for frames that are encoded already.

A message for a thousand sockets is then encoded once and written a thousand times, with nothing in between (ADR 0012).
"""

from typing import Any, Final

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from common.wire import DIRECT

MOST_WAITING_BYTES: Final = 1024 * 1024


class WebSocketProtocol(WSProtocol):
    """Offers `write_frame` to the application as an extension of its scope. Compression must be off: frames come uncompressed."""

    async def run_asgi(self) -> None:
        """Serve one connection."""
        extensions: dict[str, Any] = {**(self.scope.get("extensions") or {}), DIRECT: self.write_frame}
        self.scope["extensions"] = extensions
        await super().run_asgi()

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame now; False when more than a MiB waits for this client."""
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(frame)
        return self.transport.get_write_buffer_size() <= MOST_WAITING_BYTES
