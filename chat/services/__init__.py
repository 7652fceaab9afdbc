"""What can be done in chat. Every service runs in the caller's transaction, inside the tenant's scope."""

from chat.services.conversations import (
    accept_conversation,
    close_conversation,
    rate_conversation,
    start_conversation,
)
from chat.services.messages import SentMessage, send_message
from chat.services.signs import mark_read, note_presence, set_typing

__all__ = [
    "SentMessage",
    "accept_conversation",
    "close_conversation",
    "mark_read",
    "note_presence",
    "rate_conversation",
    "send_message",
    "set_typing",
    "start_conversation",
]
