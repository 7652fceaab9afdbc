"""Where an agent is: the chosen status and the last sign of life."""

from django.conf import settings
from django.db import models

from accounts.tenancy.models import TenantModel


class AgentPresence(TenantModel):
    """An agent's presence in one tenant, shared by chat and telephony."""

    class Status(models.TextChoices):
        ONLINE = "online"
        AWAY = "away"
        BUSY = "busy"
        OFFLINE = "offline"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OFFLINE)
    status_message = models.CharField(max_length=120, blank=True)
    last_seen_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="When the lease was found to have run out.")
    active_chats = models.PositiveIntegerField(default=0)
    max_concurrent_chats = models.PositiveIntegerField(default=5)
    last_assigned_at = models.DateTimeField(null=True, blank=True, help_text="When a chat last came to this agent.")

    class Meta(TenantModel.Meta):
        db_table = "chat_agent_presence"
        verbose_name_plural = "agent presence"
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="chat_agent_presence_once")]
        indexes = [
            # The look for agents whose lease ran out, every ten seconds over every tenant.
            models.Index(
                fields=["last_seen_at"],
                condition=models.Q(gone_at=None) & ~models.Q(status="offline"),
                name="chat_agent_presence_alive",
            )
        ]
