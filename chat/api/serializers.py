"""What chat's endpoints read. Plain serializers: no related field ever accepts another tenant's id."""

from typing import Any

from rest_framework import serializers

from chat.api.fields import AttributesField

Base = serializers.Serializer[Any]


class Start(Base):
    widget_key = serializers.CharField(max_length=40)
    embed_token = serializers.CharField(max_length=600, required=False)
    visitor_token = serializers.CharField(max_length=500, required=False)
    visitor_name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    visitor_email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    page_url = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    page_title = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    referrer = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    identity_jwt = serializers.CharField(max_length=8000, required=False)
    language = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    timezone = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    attributes = AttributesField(required=False)
    pre_chat = serializers.DictField(required=False, default=dict, help_text="Answers by the keys of pre_chat_fields.")


class SendMessage(Base):
    conversation_id = serializers.CharField(max_length=40)
    client_message_id = serializers.CharField(max_length=64)
    text = serializers.CharField(
        allow_blank=True, trim_whitespace=False, max_length=100_000, required=False, default="",
        help_text="May be blank beside an attachment.",
    )  # fmt: skip
    attachment_id = serializers.CharField(max_length=40, required=False, allow_null=True, default=None)


class Note(Base):
    client_message_id = serializers.CharField(max_length=64)
    text = serializers.CharField(
        allow_blank=True, trim_whitespace=False, max_length=100_000, required=False, default="",
        help_text="May be blank beside an attachment.",
    )  # fmt: skip
    attachment_id = serializers.CharField(max_length=40, required=False, allow_null=True, default=None)


class Edit(Base):
    text = serializers.CharField(
        allow_blank=True, trim_whitespace=False, max_length=100_000, help_text="May be blank beside an attachment."
    )


class MessageAnswer(Base):
    """A message as it stands now, with its number in the log."""

    conversation_id = serializers.CharField()
    seq = serializers.IntegerField()
    message = serializers.DictField()


class Rate(Base):
    rating = serializers.IntegerField(min_value=1, max_value=5)
    feedback = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class Read(Base):
    seq = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class Presence(Base):
    status = serializers.CharField(max_length=10)
    status_message = serializers.CharField(max_length=120, required=False, allow_blank=True)
    max_concurrent_chats = serializers.IntegerField(min_value=1, max_value=50, required=False)


class Transfer(Base):
    agent = serializers.CharField(max_length=40, allow_null=True)
    note = serializers.CharField(max_length=5000, required=False, allow_blank=True, default="", trim_whitespace=False)


class Labels(Base):
    labels = serializers.ListField(child=serializers.CharField(max_length=100, allow_blank=True), max_length=100)


class LogEntryAnswer(Base):
    """A stored log entry."""

    conversation_id = serializers.CharField()
    seq = serializers.IntegerField()
    event = serializers.DictField()


class StartAnswer(Base):
    conversation_id = serializers.CharField()
    visitor_id = serializers.CharField()
    visitor_token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    status = serializers.CharField()
    last_seq = serializers.IntegerField()
    greeting_message = serializers.CharField(allow_blank=True)
    visitor = serializers.DictField()
    previous_conversation = serializers.CharField(allow_null=True)
    socket = serializers.CharField()


class ConversationRow(Base):
    id = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.CharField()
    visitor = serializers.DictField()
    agent = serializers.DictField(allow_null=True)
    page_url = serializers.CharField(allow_blank=True)
    page_title = serializers.CharField(allow_blank=True)
    referrer = serializers.CharField(allow_blank=True)
    widget_name = serializers.CharField()
    answer_seconds = serializers.IntegerField(
        allow_null=True, help_text="How long an offer stands; 0: for ever. For agents' eyes."
    )
    is_offline = serializers.BooleanField()
    first_response_at = serializers.DateTimeField(allow_null=True)
    last_message_at = serializers.DateTimeField(allow_null=True)
    last_message = serializers.DictField(
        allow_null=True, help_text="Its text, at most 200 characters, and who sent it."
    )
    feedback = serializers.CharField(allow_blank=True)
    visitor_read_seq = serializers.IntegerField()
    agent_read_seq = serializers.IntegerField()
    visitor_delivered_seq = serializers.IntegerField()
    agent_delivered_seq = serializers.IntegerField()
    queued_at = serializers.DateTimeField(allow_null=True)
    assigned_at = serializers.DateTimeField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    waiting_since = serializers.DateTimeField(allow_null=True)
    labels = serializers.ListField(child=serializers.CharField())
    previous_conversation = serializers.CharField(allow_null=True)
    last_seq = serializers.IntegerField()
    message_count = serializers.IntegerField()
    unread_count = serializers.IntegerField()
    rating = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class Agent(Base):
    """Somebody who may answer visitors."""

    id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField()
    active_chats = serializers.IntegerField()
    max_concurrent_chats = serializers.IntegerField()


class Agents(Base):
    results = Agent(many=True)


class MessageRow(Base):
    """A message of a conversation."""

    id = serializers.CharField()
    client_message_id = serializers.CharField()
    sender_type = serializers.CharField()
    sender_id = serializers.CharField()
    sender_name = serializers.CharField(allow_blank=True)
    message_type = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    attachment = serializers.DictField(allow_null=True, help_text="Its file; the bytes are behind /attachments/{id}.")
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class NumberedMessage(Base):
    seq = serializers.IntegerField()
    message = MessageRow()


class MessagesAnswer(Base):
    """A page of messages, in order."""

    results = NumberedMessage(many=True)
    head = serializers.IntegerField(help_text="The log's last number, in the reader's numbering.")


class EventBody(Base):
    type = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    payload = serializers.DictField()


class NumberedEvent(Base):
    seq = serializers.IntegerField()
    event = EventBody()


class LogAnswer(Base):
    """Part of a conversation's log, in order."""

    events = NumberedEvent(many=True)
    head = serializers.IntegerField(help_text="The log's last number, in the reader's numbering.")
    conversation = ConversationRow()


class ConversationPage(Base):
    results = ConversationRow(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class InboxState(Base):
    open = serializers.IntegerField()
    versions = serializers.IntegerField(help_text="The sum of the open rows' versions.")


class InboxPage(ConversationPage):
    inbox = InboxState()


class PresenceAnswer(Base):
    status = serializers.CharField()
    status_message = serializers.CharField(allow_blank=True)
    active_chats = serializers.IntegerField()
    max_concurrent_chats = serializers.IntegerField()
    last_seen_at = serializers.DateTimeField(allow_null=True)


class WidgetLook(Base):
    """What launcher and panel draw."""

    widget_key = serializers.CharField()
    name = serializers.CharField()
    primary_color = serializers.CharField()
    widget_position = serializers.CharField()
    greeting_message = serializers.CharField(allow_blank=True)
    offline_message = serializers.CharField(allow_blank=True)
    placeholder_text = serializers.CharField(allow_blank=True)
    show_agent_avatars = serializers.BooleanField()
    auto_open = serializers.BooleanField()
    auto_open_delay = serializers.IntegerField()
    show_launcher = serializers.BooleanField()
    allow_file_upload = serializers.BooleanField()
    max_file_size_mb = serializers.IntegerField()
    require_email = serializers.BooleanField()
    pre_chat_fields = serializers.ListField(child=serializers.DictField())
    agents_online = serializers.BooleanField()
    is_open = serializers.BooleanField()
    opens_at = serializers.DateTimeField(allow_null=True)
    is_offline = serializers.BooleanField()
    reply_seconds = serializers.IntegerField(allow_null=True)
    embed_token = serializers.CharField()
    panel_url = serializers.CharField()


class VisitorExport(Base):
    """Everything held of a visitor, as one file."""

    exported_at = serializers.DateTimeField()
    visitor = serializers.DictField()
    conversations = serializers.ListField(child=serializers.DictField())
