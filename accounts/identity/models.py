"""Sign-ups that wait for their address to be proven, mail about people that is to be sent, and who is signed in where.

None of them belongs to a tenant: a person is before and beside their companies.
"""

from django.conf import settings
from django.db import models

from common.ids import uuid7


class SignUp(models.Model):
    """Somebody's wish to have a company here. It becomes one once the address is proven, and only once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120)
    company = models.CharField(max_length=120)
    language = models.CharField(max_length=10)
    timezone = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sign_ups"
        # The nightly sweep deletes by age.
        indexes = [models.Index(fields=["created_at"], name="sign_ups_created")]


class Letter(models.Model):
    """A mail about a person, sent by a worker: whether and what is sent shows in no answer and in no answer's time.

    No secret is kept here: links are signed while a letter is written.
    """

    class Kind(models.TextChoices):
        VERIFY = "verify"
        RESET = "reset"
        NEW_ADDRESS = "new_address"
        ADDRESS_CHANGED = "address_changed"
        PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of letter
        SECOND_FACTOR_ON = "second_factor_on"
        SECOND_FACTOR_OFF = "second_factor_off"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    email = models.EmailField(max_length=254)
    about = models.UUIDField(null=True, help_text="The sign-up, or the person.")
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    was_sent = models.BooleanField(default=False)

    class Meta:
        db_table = "identity_letters"
        indexes = [
            # What a worker still has to send, the oldest first.
            models.Index(fields=["created_at"], condition=models.Q(done_at=None), name="identity_letters_waiting"),
            # How many went to one address lately.
            models.Index(fields=["email", "-created_at"], name="identity_letters_address"),
            # The nightly sweep deletes by age.
            models.Index(fields=["created_at"], name="identity_letters_created"),
        ]


class SignIn(models.Model):
    """A person's session in one browser or program, as its owner sees and ends it."""

    class Kind(models.TextChoices):
        BROWSER = "browser"
        API = "api"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    network = models.CharField(max_length=64, blank=True, help_text="An IPv4 address or an IPv6 /64.")
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        db_table = "sign_ins"
        constraints = [models.UniqueConstraint(fields=["session_key"], name="sign_ins_session")]
