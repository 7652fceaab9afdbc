"""What can be done in chat. Every service runs in the caller's transaction, inside the tenant's scope."""

from chat.services.conversations import close_conversation, rate_conversation, start_conversation
from chat.services.editing import edit_message
from chat.services.handing import accept_conversation, chatters
from chat.services.labelling import label_conversation
from chat.services.messages import SentMessage, send_message
from chat.services.reopening import reopen_conversation
from chat.services.routing import drain, drain_all, limit_chats
from chat.services.signs import mark_delivered, mark_read, note_presence, set_typing, tell_openings
from chat.services.slots import compare_all
from chat.services.tending import tend_all
from chat.services.transferring import transfer_conversation
from chat.services.unread import mail_unread

__all__ = [
    "SentMessage",
    "accept_conversation",
    "chatters",
    "close_conversation",
    "compare_all",
    "drain",
    "drain_all",
    "edit_message",
    "label_conversation",
    "limit_chats",
    "mail_unread",
    "mark_delivered",
    "mark_read",
    "note_presence",
    "rate_conversation",
    "reopen_conversation",
    "send_message",
    "set_typing",
    "start_conversation",
    "tell_openings",
    "tend_all",
    "transfer_conversation",
]
