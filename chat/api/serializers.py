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


class EventAnswer(Base):
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
