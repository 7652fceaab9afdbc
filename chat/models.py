"""Widgets, visitors and conversations; a conversation's log is in `chat.ledgers`."""

import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.tenancy.models import TenantModel
from chat.keys import new_widget_key
from chat.ledgers import ChatEvent, Message, SenderType

__all__ = [
    "Attachment", "CannedReply", "ChatEvent", "Conversation", "Label", "Message", "TypingIndicator", "Visitor", "Widget",
]  # fmt: skip


def new_identity_secret() -> str:
    """Return 256 random bits in hex: the key a customer's server signs its visitors' identity with."""
    return secrets.token_hex(32)


class Widget(TenantModel):
    """A chat widget as it stands on a customer's site."""

    class Position(models.TextChoices):
        BOTTOM_RIGHT = "bottom-right"
        BOTTOM_LEFT = "bottom-left"
        TOP_RIGHT = "top-right"
        TOP_LEFT = "top-left"

    class Routing(models.TextChoices):
        LEAST_BUSY = "least_busy"
        ROUND_ROBIN = "round_robin"
        MANUAL = "manual"

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
    business_hours = models.JSONField(
        default=dict,
        blank=True,
        help_text='In the tenant\'s zone, e.g. {"mon": [["09:00", "17:00"]]}; empty: always open.',
    )
    pre_chat_fields = models.JSONField(
        default=list, blank=True, help_text="Asked before the first message: [{key, label, type, required, options}]."
    )
    identity_secret = models.CharField(
        max_length=64, default=new_identity_secret, help_text="Signs (HS256) the JWT that says who a visitor is."
    )
    routing = models.CharField(max_length=12, choices=Routing.choices, default=Routing.LEAST_BUSY)
    answer_seconds = models.PositiveIntegerField(
        default=60, help_text="An assigned chat nobody took up goes back to the queue after this; 0: never."
    )
    abandon_minutes = models.PositiveIntegerField(
        default=15, help_text="An unanswered chat is abandoned when its visitor has been gone this long; 0: never."
    )
    idle_close_minutes = models.PositiveIntegerField(
        default=60, help_text="An answered chat in which nobody writes is closed after this; 0: never."
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
    external_id = models.CharField(
        max_length=200, blank=True, help_text="The customer's own id for this person, proven by a signed JWT."
    )
    attributes = models.JSONField(default=dict, blank=True, help_text="What the customer's page says of this person.")
    vouched = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        help_text="What a signed JWT said and the page cannot change: name, email, attributes.plan.",
    )
    language = models.CharField(max_length=20, blank=True)
    location = models.JSONField(
        default=dict, blank=True, help_text="ip_address, country, city, timezone, user_agent: what is known of them."
    )
    recent_pages = models.JSONField(default=list, blank=True, help_text="The last 20 pages, newest last.")
    blocked_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    auth_version = models.PositiveIntegerField(default=1, help_text="Raised to end this visitor's tokens.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        db_table = "chat_visitors"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "external_id"], condition=~Q(external_id=""), name="chat_visitors_external_id"
            )
        ]

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
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When the assigned agent took it up.")
    queued_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it waits for an agent; none while somebody has it."
    )
    waiting_since = models.DateTimeField(
        null=True, blank=True, help_text="The visitor's first word that no agent has answered yet."
    )
    is_offline = models.BooleanField(default=False, help_text="Left as a message while nobody was there.")
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    labels = ArrayField(models.CharField(max_length=40), default=list, blank=True)
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
    visitor_delivered_seq = models.BigIntegerField(default=0, help_text="In the visitor's numbering.")
    agent_delivered_seq = models.BigIntegerField(default=0, help_text="In the agents' numbering.")
    mailed_visitor_seq = models.BigIntegerField(default=0, help_text="Up to here the visitor was told by e-mail.")
    version = models.BigIntegerField(default=1, editable=False, help_text="Raised by the database at every change.")
    updated_at = models.DateTimeField(db_default=Now(), editable=False, help_text="Set by the database.")

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
            # What changed since: a desk that lost a doorbell reads only that.
            models.Index(fields=["tenant", "updated_at"], name="chat_conv_updated"),
            # A visitor's conversations.
            models.Index(fields=["tenant", "visitor", "-created_at"], name="chat_conv_visitor"),
            # The round over open conversations of every tenant.
            models.Index(fields=["last_message_at"], condition=Q(status="active"), name="chat_conv_open"),
            # The look for answers no visitor has read, over every tenant.
            models.Index(
                fields=["last_message_at"],
                condition=Q(visitor_read_seq__lt=F("last_visitor_seq"), agent_message_count__gt=0),
                name="chat_conv_unread",
            ),
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


class Attachment(TenantModel):
    """A file somebody put into a conversation. It is shown once a message carries it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    uploader_type = models.CharField(max_length=10, choices=SenderType.choices)
    uploader_id = models.UUIDField()
    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    content_type = models.CharField(max_length=100, help_text="Found in the content, whatever the name says.")
    storage_key = models.CharField(max_length=200)
    sha256 = models.BinaryField(max_length=32)
    width = models.PositiveIntegerField(null=True, help_text="Pixels; images only.")
    height = models.PositiveIntegerField(null=True, help_text="Pixels; images only.")
    message_id = models.UUIDField(null=True, help_text="The message that carries it; none yet: an upload to be sent.")
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "chat_attachments"
        indexes = [
            # Uploads that no message ever carried are swept away.
            models.Index(fields=["created_at"], condition=Q(message_id=None), name="chat_attachments_unsent")
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_image(self) -> bool:
        """Say whether browsers may show it in place."""
        return self.width is not None


class Label(TenantModel):
    """A label agents put on conversations."""

    name = models.CharField(max_length=40)
    color = models.CharField(
        max_length=7, default="#64748b", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "A colour like #64748b.")]
    )

    class Meta(TenantModel.Meta):
        db_table = "chat_labels"
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="chat_labels_name")]

    def __str__(self) -> str:
        return self.name


class CannedReply(TenantModel):
    """A text agents insert by typing `/` and its shortcut; `{{visitor.name}}` and its like are filled in by the desk."""

    shortcut = models.CharField(
        max_length=40, validators=[RegexValidator(r"^[a-z0-9_-]+$", "Lower case letters, digits, _ and -.")]
    )
    text = models.TextField(max_length=5000)

    class Meta(TenantModel.Meta):
        db_table = "chat_canned_replies"
        verbose_name_plural = "canned replies"
        constraints = [models.UniqueConstraint(fields=["tenant", "shortcut"], name="chat_canned_replies_shortcut")]

    def __str__(self) -> str:
        return f"/{self.shortcut}"
