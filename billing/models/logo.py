"""The pictures of sellers."""

from django.db import models

from billing.models.parties import LegalEntity
from common.ids import uuid7


class SellerLogo(models.Model):
    """A seller's picture from `uploaded_at` on, until the next. It is never changed, so that documents can be made again."""

    class MediaType(models.TextChoices):
        PNG = "image/png", "PNG"
        SVG = "image/svg+xml", "SVG"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="logos")
    content = models.BinaryField()
    media_type = models.CharField(max_length=13, choices=MediaType.choices)
    uploaded_at = models.DateTimeField()

    class Meta:
        db_table = "seller_logos"
        # The logo of a moment: the newest before it.
        indexes = [models.Index(fields=["legal_entity", "-uploaded_at"], name="seller_logos_newest")]

    def __str__(self) -> str:
        return f"{self.legal_entity} since {self.uploaded_at:%Y-%m-%d}"
