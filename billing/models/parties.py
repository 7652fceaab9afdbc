"""Who sells."""

from django.db import models
from django.db.models import Q

from common.ids import uuid7


class LegalEntity(models.Model):
    """A company that sells: the seller on invoices."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    address = models.TextField(blank=True, help_text="One line each, without the name.")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1, e.g. IE.")
    tax_id = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    is_default = models.BooleanField(default=False, help_text="Sells where no other is named.")

    class Meta:
        db_table = "legal_entities"
        verbose_name_plural = "legal entities"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                name="legal_entities_one_default",
                condition=Q(is_default=True),
                violation_error_message="Another company is the default seller.",
            )
        ]

    def __str__(self) -> str:
        return self.name
