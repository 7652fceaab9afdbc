"""Widgets, visitors and conversations; a conversation's log is in `chat.ledgers`."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from accounts.tenancy.models import TenantModel
from chat.keys import new_widget_key
from chat.ledgers import ChatEvent, Message

__all__ = ["ChatEvent", "Conversation", "Message", "TypingIndicator", "Visitor", "Widget"]


class Widget(TenantModel):
    """A chat widget as it stands on a customer's site."""

    class Position(models.TextChoices):
        BOTTOM_RIGHT = "bottom-right"
        BOTTOM_LEFT = "bottom-left"
        TOP_RIGHT = "top-right"
        TOP_LEFT = "top-left"

    widget_key = models.CharField(max_length=40, unique=True, default=new_widget_key, editable=False)
    name = models.CharField(max_length=80)
    primary_color = models.CharField(
        max_length=7,
        default="#667eea",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "A colour like #667eea.")],
    )
    widget_position = models.CharField(max_length=12, choices=Position.choices, default=Position.BOTTOM_RIGHT)
    greeting_message = models.CharField(max_length=500, default="Hello! How can we help you?", blank=True)
    offline_message = models.CharField(
        max_length=500, default="We are away just now. Leave a message and we will answer.", blank=True
    )
    placeholder_text = models.CharField(max_length=120, default="Type your message…", blank=True)
    show_agent_avatars = models.BooleanField(default=True)
    auto_open = models.BooleanField(default=False)
    auto_open_delay = models.PositiveIntegerField(default=5, help_text="Seconds.")
    show_launcher = models.BooleanField(default=True)
    allow_file_upload = models.BooleanField(default=True)
    max_file_size_mb = models.PositiveIntegerField(default=10)
    require_email = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    domains_whitelist = ArrayField(
        models.CharField(max_length=255),
        default=list,
        blank=True,
        help_text="Empty: any; *.example.com: its subdomains.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        db_table = "chat_widgets"

    def __str__(self) -> str:
        return self.name


class Visitor(TenantModel):
    """Somebody on a customer's site."""

    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "chat_visitors"

    def __str__(self) -> str:
        return self.name or self.email or "Visitor"


class Conversation(TenantModel):
    """A conversation and the heads of its log. `last_seq` numbers every event, `last_visitor_seq` those a visitor sees."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        CLOSED = "closed"
        ABANDONED = "abandoned"

    widget = models.ForeignKey(Widget, on_delete=models.PROTECT, related_name="+")
    visitor = models.ForeignKey(Visitor, on_delete=models.PROTECT, related_name="conversations")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    assigned_agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    page_url = models.CharField(max_length=2000, blank=True)
    page_title = models.CharField(max_length=300, blank=True)
    referrer = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField()
    first_response_at = models.DateTimeField(null=True, blank=True)
    last_message_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    visitor_message_count = models.PositiveIntegerField(default=0)
    agent_message_count = models.PositiveIntegerField(default=0)
    rating = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    feedback = models.CharField(max_length=2000, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    last_seq = models.BigIntegerField(default=0)
    last_visitor_seq = models.BigIntegerField(default=0)
    visitor_read_seq = models.BigIntegerField(default=0, help_text="In the visitor's numbering.")
    agent_read_seq = models.BigIntegerField(default=0, help_text="In the agents' numbering.")

    class Meta(TenantModel.Meta):
        db_table = "chat_conversations"
        constraints = [
            models.UniqueConstraint(
                fields=["widget", "visitor"], condition=Q(status="active"), name="chat_conversations_one_open"
            ),
            models.CheckConstraint(
                condition=Q(rating=None) | Q(rating__range=(1, 5)), name="chat_conversations_rating"
            ),
            models.CheckConstraint(
                condition=Q(last_visitor_seq__lte=F("last_seq")), name="chat_conversations_visitor_seq"
            ),
        ]
        indexes = [
            # The desk's lists: by state and agent, latest first.
            models.Index(fields=["tenant", "status", "assigned_agent", "-last_message_at"], name="chat_conv_desk"),
            # The queue, oldest first; and lists by age.
            models.Index(fields=["tenant", "created_at"], name="chat_conv_created"),
        ]

    def __str__(self) -> str:
        return f"Conversation {self.pk.hex[:12]}"


class TypingIndicator(TenantModel):
    """Somebody is typing; at most one row a participant, forgotten after ten seconds. The table is unlogged."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    participant_type = models.CharField(max_length=10)
    participant_id = models.UUIDField()
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "chat_typing_indicators"
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "participant_type", "participant_id"], name="chat_typing_once"
            )
        ]
