"""What chat's endpoints read. Plain serializers: no related field ever accepts another tenant's id."""

from typing import Any

from rest_framework import serializers

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


class SendMessage(Base):
    conversation_id = serializers.CharField(max_length=40)
    client_message_id = serializers.CharField(max_length=64)
    text = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=100_000)


class Note(Base):
    client_message_id = serializers.CharField(max_length=64)
    text = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=100_000)


class Rate(Base):
    rating = serializers.IntegerField(min_value=1, max_value=5)
    feedback = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class Read(Base):
    seq = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class Presence(Base):
    status = serializers.CharField(max_length=10)
    status_message = serializers.CharField(max_length=120, required=False, allow_blank=True)


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
    socket = serializers.CharField()


class ConversationRow(Base):
    id = serializers.CharField()
    status = serializers.CharField()
    visitor = serializers.DictField()
    agent = serializers.DictField(allow_null=True)
    last_seq = serializers.IntegerField()
    message_count = serializers.IntegerField()
    unread_count = serializers.IntegerField()
    rating = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
