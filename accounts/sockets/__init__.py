"""The one base of every socket: sign-in by first frame, frames in order, bounded outboxes, one pulse per process.

The wire protocol is docs/guides/websocket.md.
"""

from accounts.sockets.consumer import SocketConsumer
from accounts.sockets.frames import Frame, is_true, text_of, whole_of
from accounts.sockets.pulse import Finding, Listener, Sign, registry

__all__ = ["Finding", "Frame", "Listener", "Sign", "SocketConsumer", "is_true", "registry", "text_of", "whole_of"]
