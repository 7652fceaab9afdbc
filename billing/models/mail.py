"""E-mails about money: what is to be sent, and what became of it."""

from django.db import models
from django.db.models import Q

from accounts.tenancy.models import TenantModel
from billing.models.credit_note import CreditNote
from billing.models.invoice import Invoice
from billing.models.topup import TopUp


class BillingMail(TenantModel):
    """One e-mail to a tenant's billing address, written in the transaction that gives the reason for it.

    Whoever sends it says so (`sending`) and commits first: one that dies then leaves it `unclear`, and nobody sends it again
    but an operator. What the mail server refused waits for another attempt.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice"
        CREDIT_NOTE = "credit_note", "Credit note"
        REMINDER = "reminder"
        TOP_UP = "top_up", "Top-up"

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        CANCELED = "canceled"
        FAILED = "failed"
        UNCLEAR = "unclear"

    kind = models.CharField(max_length=11, choices=Kind.choices)
    key = models.CharField(max_length=80, help_text="What it is, once: a repeat changes nothing.")
    invoice = models.ForeignKey(Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="mails")
    credit_note = models.ForeignKey(CreditNote, null=True, blank=True, on_delete=models.PROTECT, related_name="mails")
    top_up = models.ForeignKey(TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="mails")
    days = models.SmallIntegerField(null=True, blank=True, help_text="Of a reminder: days after the due date.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    recipient = models.EmailField(blank=True, help_text="Whom it went to.")
    reason = models.CharField(max_length=300, blank=True, help_text="What kept it from being sent.")
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True, help_text="When it is sent; empty once it is done.")
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        db_table = "billing_mails"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                name="billing_mails_once",
                violation_error_message="This e-mail is to be sent already.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["invoice", "reminder"], invoice__isnull=False, credit_note=None, top_up=None)
                | Q(kind="credit_note", credit_note__isnull=False, invoice=None, top_up=None)
                | Q(kind="top_up", top_up__isnull=False, invoice=None, credit_note=None),
                name="billing_mails_about",
                violation_error_message="An e-mail is about an invoice, a credit note or a top-up.",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", next_at__isnull=False) | (~Q(state="waiting") & Q(next_at=None)),
                name="billing_mails_next",
                violation_error_message="What waits has a time, the rest has none.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="reminder") | Q(days__isnull=False),
                name="billing_mails_days",
                violation_error_message="A reminder says which.",
            ),
        ]
        indexes = [
            # The senders take what is due, the earliest first.
            models.Index(fields=["next_at", "id"], name="billing_mails_due", condition=Q(state="waiting")),
            # Those whose sender died.
            models.Index(fields=["claimed_at"], name="billing_mails_sending", condition=Q(state="sending")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
