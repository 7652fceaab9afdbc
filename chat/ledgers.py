"""The log of conversations: append-only, without foreign keys, the tenant in every unique key."""

from django.db import models

from accounts.tenancy.models import LedgerModel


class SenderType(models.TextChoices):
    VISITOR = "visitor"
    AGENT = "agent"
    SYSTEM = "system"
    BOT = "bot"


class ChatEvent(LedgerModel):
    """One entry of a conversation's log. `visitor_seq` is NULL for what the visitor must not see."""

    class Type(models.TextChoices):
        MESSAGE = "message"
        STATUS = "status"
        ASSIGNMENT = "assignment"
        RATING = "rating"
        LABEL = "label"
        EDIT = "edit"

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    seq = models.BigIntegerField()
    visitor_seq = models.BigIntegerField(null=True)
    type = models.CharField(max_length=20, choices=Type.choices)
    payload = models.JSONField()
    occurred_at = models.DateTimeField()

    class Meta(LedgerModel.Meta):
        db_table = "chat_events"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "conversation", "seq"], name="chat_events_seq"),
            models.UniqueConstraint(fields=["tenant", "conversation", "visitor_seq"], name="chat_events_visitor_seq"),
        ]


class Message(LedgerModel):
    """The body of a message event."""

    class Type(models.TextChoices):
        TEXT = "text"
        IMAGE = "image"
        FILE = "file"
        NOTE = "note"
        SYSTEM = "system"

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    seq = models.BigIntegerField()
    visitor_seq = models.BigIntegerField(null=True)
    sender_type = models.CharField(max_length=10, choices=SenderType.choices)
    sender_id = models.UUIDField()
    sender_name = models.CharField(max_length=120)
    message_type = models.CharField(max_length=10, choices=Type.choices, default=Type.TEXT)
    text = models.TextField(blank=True)
    attachment_id = models.UUIDField(null=True)
    file_name = models.CharField(max_length=255, blank=True)
    file_size = models.PositiveBigIntegerField(null=True, help_text="Bytes.")
    file_type = models.CharField(max_length=100, blank=True)
    storage_key = models.CharField(max_length=200, blank=True)
    edited_at = models.DateTimeField(null=True)
    client_message_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta(LedgerModel.Meta):
        db_table = "chat_messages"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "conversation", "sender_type", "sender_id", "client_message_id"],
                name="chat_messages_client_id",
            ),
            models.UniqueConstraint(fields=["tenant", "conversation", "seq"], name="chat_messages_seq"),
        ]
